"""All books of a class, brought up to date with the verdicts on disk: gradebook, table, feedback pages, report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from autograder.assignment.release import course_configuration
from autograder.assignment.settings import Assignment
from autograder.commands.classroom import Classroom
from autograder.errors import AutograderError, PartlyWritten
from autograder.grading.verdict import Verdict
from autograder.results import cache
from autograder.results import store as books
from autograder.results.store import gradebook_url
from autograder.submission.prepare import load_release

from . import class_report as report
from . import feedback, gradebook


def prepare(out: Path) -> None:
    """AutograderError if the books in a folder of results cannot be written now; better before grading than after.

    A gradebook that is not there yet is made: nbgrader takes some seconds for that.
    """
    with gradebook.opened(gradebook_url(out)):
        pass


def write(assignment: Assignment, folders: Mapping[str, Path], out: Path) -> list[Verdict]:
    """Writes them; `folders` is where the submissions of students lie. Nobody else may write there meanwhile.

    What fails for one student is written for all others; PartlyWritten then says whose is missing.
    """
    cache.invalidate(out, assignment)
    verdicts = books.read_verdicts(out, assignment)
    database = gradebook_url(out)
    missing: list[str] = []
    results = _results(assignment, folders, out, verdicts, missing)
    release = load_release(assignment)
    known = Classroom.of(out, assignment, release, {verdict.student: run for verdict, run, _ in results})
    with _noting(missing):
        gradebook.record(database, assignment, release, results, out / "autograded", beside=known.beside(assignment))
    gradebook.assign_late_penalties(database, assignment, course_configuration())
    recorded = cache.hash_gradebook(out)
    students = [verdict.student for verdict in verdicts]
    manual = gradebook.manual_scores(database, assignment, students)
    books.write_grades(out, assignment, verdicts, manual)
    with _noting(missing):
        feedback.write_feedback(out, assignment, [(verdict, run) for verdict, run, _ in results], manual, release)
    known = replace(known, members=gradebook.members(database, assignment, students))
    report.write_report(out, assignment, verdicts, manual, known)
    if missing:
        raise PartlyWritten(" ".join(missing))
    cache.mark_current(out, assignment, recorded)
    return verdicts


def _results(
    assignment: Assignment, folders: Mapping[str, Path], out: Path, verdicts: list[Verdict], missing: list[str]
) -> list[gradebook.Result]:
    """What the gradebook is to know of each student."""
    results = []
    for verdict in verdicts:
        folder = folders.get(verdict.student)
        handed_in = gradebook.handed_in(folder) if folder is not None else None
        try:
            results.append((verdict, books.read_executed(out, assignment, verdict.student), handed_in))
        except AutograderError as error:
            missing.append(str(error))
    return results


@contextmanager
def _noting(missing: list[str]) -> Iterator[None]:
    try:
        yield
    except PartlyWritten as error:
        missing.append(str(error))
