"""The course page: every student's points in each assignment, from the tables of grades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment
from autograder.errors import AssignmentError
from autograder.grading.verdict import Verdict
from autograder.results.files import remove, write_text
from autograder.results.store import ResultStore

from .class_report import OPEN_ROWS
from .pages import environment
from .scores import Score

PAGE = "course.html"


@dataclass(frozen=True)
class Lab:
    """The results of one assignment: the scores of the students, and the submissions that failed to run."""

    assignment: Assignment
    scores: Mapping[str, Score]
    failed: frozenset[str]

    @property
    def mean(self) -> float | None:
        """The mean score of the submissions that ran; None if there are none."""
        totals = [score.total for student, score in self.scores.items() if student not in self.failed]
        return mean(totals) if totals else None

    @property
    def pending(self) -> float:
        """The points that are still to be given."""
        return sum(score.pending for student, score in self.scores.items() if student not in self.failed)


@dataclass(frozen=True)
class Student:
    """A student's scores in the labs, None if there is no submission, and their total."""

    name: str
    scores: tuple[Score | None, ...]

    @property
    def total(self) -> float:
        """The sum of all points given."""
        return sum(score.total for score in self.scores if score is not None)

    @property
    def pending(self) -> float:
        """The points that are still to be given."""
        return sum(score.pending for score in self.scores if score is not None)


def write_course_report(store: ResultStore, verdicts: Sequence[Verdict]) -> Path | None:
    """Write the page of a course into the folder with the results of its assignments.

    Args:
        store: the results of the assignment that has changed.
        verdicts: the verdicts of this assignment.

    Returns:
        The path of the page; None if fewer than two assignments have results, for which the class report is enough.
    """
    path, stores = store.out / PAGE, find_stores(store.out, store.assignment.course)
    labs = []
    if len(stores) > 1:  # otherwise nothing needs to be read
        read = [verdicts if each.folder == store.folder else each.read_verdicts() for each in stores]
        labs = [lab for lab in map(_read_lab, stores, read) if lab is not None]
    if len(labs) < 2:
        remove(path)
        return None
    write_text(path, course_page(labs))
    return path


def find_stores(out: Path, course: Course) -> list[ResultStore]:
    """Return the results of the assignments that have a table of grades.

    An assignment whose settings cannot be read is omitted; its own commands report the error.
    """
    stores = []
    for name in course.assignments():
        if (out / name / "grades.csv").is_file():
            try:
                stores.append(ResultStore(out, Assignment.load(name, course)))
            except AssignmentError:
                continue
    return stores


def course_page(labs: Sequence[Lab]) -> str:
    """Return the page as HTML."""
    names = sorted({name for lab in labs for name in lab.scores})
    return (
        environment()
        .get_template("course_report.html")
        .render(
            labs=labs,
            most=sum(lab.assignment.max_points for lab in labs),
            students=[Student(name, tuple(lab.scores.get(name) for lab in labs)) for name in names],
            open_rows=OPEN_ROWS,
        )
    )


def _read_lab(store: ResultStore, verdicts: Sequence[Verdict]) -> Lab | None:
    """Read an assignment's scores; None while it is being graded, because its table is then older than its verdicts."""
    try:
        points = store.read_points(verdicts)
    except ValueError:
        return None
    failed = frozenset(verdict.student for verdict in verdicts if verdict.state == "failed to run")
    return Lab(store.assignment, {name: Score.of(store.assignment, given) for name, given in points.items()}, failed)
