"""Publish the results of a class: update gradebook, table, feedback pages and report from the verdicts on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from autograder.assignment.release import course_configuration
from autograder.errors import AutograderError, PartlyWritten
from autograder.grading.verdict import GradedSubmission, Verdict
from autograder.results import cache
from autograder.results.earlier_layout import require_results
from autograder.results.exclusive import exclusive
from autograder.results.store import ResultStore
from autograder.submission.prepare import load_release

from . import answer_pages, course_report, feedback, gradebook
from . import class_report as report
from .class_data import ClassData
from .database import open_gradebook


def prepare(store: ResultStore) -> None:
    """Raise AutograderError if the gradebook cannot be written, which should be known before grading.

    If there is no gradebook, it is created now, because nbgrader takes some seconds for that.
    """
    with open_gradebook(store.gradebook_url):
        pass


def publish(store: ResultStore) -> list[Verdict]:
    """Write everything again, with points that were entered since then; no other process may be grading there.

    Raise UsageError if nothing was graded.
    """
    require_results(store)
    with exclusive(store):
        return write(store, {})


def write(store: ResultStore, folders: Mapping[str, Path]) -> list[Verdict]:
    """Write everything, inside `exclusive`; `folders` are the folders of the submissions, by student.

    If this fails for some students, it is still done for all others; PartlyWritten then names those students.
    """
    cache.invalidate(store)
    assignment, database = store.assignment, store.gradebook_url
    verdicts = store.read_verdicts()
    missing: list[str] = []
    results = _read_results(store, folders, verdicts, missing)
    release = load_release(assignment)
    students = [verdict.student for verdict in verdicts]
    known = ClassData.of(store, release, results, gradebook.manual_scores(database, assignment, students))
    with _noting(missing):
        gradebook.record(database, assignment, release, results, store.autograded, beside=known.beside(assignment))
    gradebook.assign_late_penalties(database, assignment, course_configuration(assignment.course))
    recorded = cache.hash_gradebook(store)
    manual = gradebook.manual_scores(database, assignment, students)
    store.write_grades(verdicts, manual)
    with _noting(missing):
        feedback.write_feedback(store, results, manual, release)
    known = replace(known, members=gradebook.members(database, assignment, students))
    report.write_report(store, verdicts, manual, known)
    answer_pages.write_answer_pages(store, release, manual, known)
    course_report.write_course_report(store, verdicts)
    if missing:
        raise PartlyWritten(" ".join(missing))
    cache.mark_current(store, recorded)
    return verdicts


def _read_results(
    store: ResultStore, folders: Mapping[str, Path], verdicts: list[Verdict], missing: list[str]
) -> list[GradedSubmission]:
    """Read each student's results for the gradebook."""
    results = []
    for verdict in verdicts:
        folder = folders.get(verdict.student)
        submitted_at = gradebook.handed_in(folder) if folder is not None else None
        try:
            executed = store.read_executed(verdict.student)
            results.append(GradedSubmission(verdict, executed=executed, submitted_at=submitted_at))
        except AutograderError as error:
            missing.append(str(error))
    return results


@contextmanager
def _noting(missing: list[str]) -> Iterator[None]:
    try:
        yield
    except PartlyWritten as error:
        missing.append(str(error))
