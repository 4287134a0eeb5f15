"""Apply edited checks to the stored evidence, without running any notebook."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.errors import AutograderError
from autograder.grading.case import NOT_ASKED
from autograder.grading.checker import find_unchecked
from autograder.grading.saved_runs import rejudge
from autograder.grading.verdict import Verdict
from autograder.reporting.publish import publish
from autograder.results.earlier_layout import require_results
from autograder.results.exclusive import exclusive
from autograder.results.store import ResultStore
from autograder.scheduling.parallel import parallel_map


@dataclass(frozen=True)
class Rejudged:
    """The result of applying checks again: students whose points changed, with old and new points, and students whose
    submissions must be run again."""

    changed: dict[str, tuple[float, float]]
    to_run: tuple[str, ...]
    unchanged: int


def rejudge_class(store: ResultStore) -> Rejudged:
    """Apply the checks to all submissions of a class again, and update gradebook and pages.

    A submission keeps its verdict if its evidence is missing or from an older version, or if a check asks a question
    that was not asked during the run: `make autograde` runs it again.
    """
    require_results(store)
    with exclusive(store):
        before = {verdict.student: verdict for verdict in store.read_verdicts()}
        ran = {student: verdict for student, verdict in before.items() if verdict.state != "failed to run"}
        find_unchecked(store.assignment)  # collect the checks once, before the processes are forked
        errors = parallel_map(lambda student, verdict: _judge_again(store, verdict), ran)
        to_run = tuple(student for student, error in errors.items() if isinstance(error, MustRun))
        for error in errors.values():
            if not isinstance(error, MustRun):
                raise error
        after = {verdict.student: verdict for verdict in store.read_verdicts()}
    publish(store)
    points = {student: (verdict.points, after[student].points) for student, verdict in ran.items()}
    changed = {student: (old, new) for student, (old, new) in points.items() if old != new}
    return Rejudged(changed, to_run, len(before) - len(changed) - len(to_run))


class MustRun(AutograderError):
    """A submission cannot be judged again without running it."""


def _judge_again(store: ResultStore, verdict: Verdict) -> None:
    """Write the new verdict if it differs. Raises MustRun if the submission must be run again."""
    record = store.read_record(verdict.student)
    if record is None:
        raise MustRun("Its record is missing.")
    items = rejudge(store.assignment, record)
    if any(NOT_ASKED in item.message for item in items):
        raise MustRun(NOT_ASKED)
    ungraded = [item.id for item in items if item.status == "ungraded"]
    again = verdict.model_copy(
        update={
            "items": items,
            "state": "needs review" if ungraded else "graded",
            "reason": f"Not graded yet: {', '.join(ungraded)}." if ungraded else "",
        }
    )
    if again != verdict:
        store.write_verdict(again)
