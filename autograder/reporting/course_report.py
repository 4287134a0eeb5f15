"""The page on a course: what every student has in each of its assignments, from the tables of the classes."""

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
    """The results in one assignment: the scores of students, and which submissions failed to run."""

    assignment: Assignment
    scores: Mapping[str, Score]
    failed: frozenset[str]

    @property
    def mean(self) -> float | None:
        """The mean of the submissions that ran; None if there are none."""
        totals = [score.total for student, score in self.scores.items() if student not in self.failed]
        return mean(totals) if totals else None

    @property
    def pending(self) -> float:
        """The points that are still to be given."""
        return sum(score.pending for student, score in self.scores.items() if student not in self.failed)


@dataclass(frozen=True)
class Student:
    """A student's scores in the labs, None where there is no submission, and what they come to."""

    name: str
    scores: tuple[Score | None, ...]

    @property
    def total(self) -> float:
        """All points given."""
        return sum(score.total for score in self.scores if score is not None)

    @property
    def pending(self) -> float:
        """The points that are still to be given."""
        return sum(score.pending for score in self.scores if score is not None)


def write_course_report(store: ResultStore, verdicts: Sequence[Verdict]) -> Path | None:
    """Write the page of a course beside the results of its assignments.

    Args:
        store: the results of the assignment that has changed.
        verdicts: those of this assignment.

    Returns:
        The page; None if fewer than two assignments have results, as then the class report says it all.
    """
    path, stores = store.out / PAGE, find_stores(store.out, store.assignment.course)
    labs = []
    if len(stores) > 1:  # else nothing needs to be read
        read = [verdicts if each.folder == store.folder else each.read_verdicts() for each in stores]
        labs = [lab for lab in map(_read_lab, stores, read) if lab is not None]
    if len(labs) < 2:
        remove(path)
        return None
    write_text(path, course_page(labs))
    return path


def find_stores(out: Path, course: Course) -> list[ResultStore]:
    """Return the results of the assignments that have a table of grades.

    An assignment whose settings cannot be read is left out: its own commands say why.
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
    """Read an assignment's scores; None while it is being graded, as its table is older than its verdicts then."""
    try:
        points = store.read_points(verdicts)
    except ValueError:
        return None
    failed = frozenset(verdict.student for verdict in verdicts if verdict.state == "failed to run")
    return Lab(store.assignment, {name: Score.of(store.assignment, given) for name, given in points.items()}, failed)
