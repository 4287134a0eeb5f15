"""Judges kept evidence again after a check was edited; nothing is run."""

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
    """What judging again came to: whose points changed, from what to what, and who has to be graded again."""

    changed: dict[str, tuple[float, float]]
    to_run: tuple[str, ...]
    unchanged: int


def rejudge_class(store: ResultStore) -> Rejudged:
    """Judge all submissions of a class again and bring gradebook and pages up to date.

    A submission whose evidence is missing or of an older edition, or whose check asks something that was not asked when
    it ran, keeps its verdict: `make autograde` runs it again.
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
    """The new verdict; None where the submission has to run again."""
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
