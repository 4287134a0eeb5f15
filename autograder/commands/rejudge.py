"""Apply edited checks to the stored evidence, without running any notebook."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.grading.case import NOT_ASKED
from autograder.grading.saved_runs import rejudge
from autograder.grading.verdict import Verdict
from autograder.reporting.publish import publish
from autograder.results.earlier_layout import require_results
from autograder.results.exclusive import exclusive
from autograder.results.store import ResultStore


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
    changed: dict[str, tuple[float, float]] = {}
    to_run = []
    require_results(store)
    with exclusive(store):
        verdicts = store.read_verdicts()
        for verdict in verdicts:
            if verdict.state == "failed to run":
                continue
            again = _judge_again(store, verdict)
            if again is None:
                to_run.append(verdict.student)
            elif again != verdict:
                store.write_verdict(again)
                if again.points != verdict.points:
                    changed[verdict.student] = (verdict.points, again.points)
    publish(store)
    return Rejudged(changed, tuple(to_run), len(verdicts) - len(changed) - len(to_run))


def _judge_again(store: ResultStore, verdict: Verdict) -> Verdict | None:
    """Return the new verdict; None if the submission must be run again."""
    record = store.read_record(verdict.student)
    if record is None:
        return None
    items = rejudge(store.assignment, record)
    if any(NOT_ASKED in item.message for item in items):
        return None
    ungraded = [item.id for item in items if item.status == "ungraded"]
    return verdict.model_copy(
        update={
            "items": items,
            "state": "needs review" if ungraded else "graded",
            "reason": f"Not graded yet: {', '.join(ungraded)}." if ungraded else "",
        }
    )
