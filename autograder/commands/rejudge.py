"""Judges kept evidence again after a check was edited; nothing is run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from autograder.assignment.settings import Assignment
from autograder.errors import AutograderError
from autograder.grading.case import NOT_ASKED
from autograder.grading.record import SavedRuns, rejudge
from autograder.grading.verdict import Verdict
from autograder.results import store
from autograder.results.layout import student_folder
from autograder.scheduling.class_run import hold_results, write_books


@dataclass(frozen=True)
class Rejudged:
    """What judging again came to: whose points changed, from what to what, and who has to be graded again."""

    changed: dict[str, tuple[float, float]]
    to_run: tuple[str, ...]
    unchanged: int


def rejudge_class(assignment: Assignment, out: Path) -> Rejudged:
    """Judge all submissions of a class again and bring gradebook and pages up to date.

    A submission whose evidence is missing or of an older edition, or whose check asks something that was not asked when
    it ran, keeps its verdict: `make autograde` runs it again.
    """
    changed: dict[str, tuple[float, float]] = {}
    to_run = []
    with hold_results(out, assignment):
        verdicts = store.read_verdicts(out, assignment)
        if not verdicts:
            raise AutograderError(f"There is nothing to judge in {out}: run `make autograde` first.")
        for verdict in verdicts:
            if verdict.state == "failed to run":
                continue
            again = _judge_again(assignment, verdict, student_folder(out, assignment, verdict.student))
            if again is None:
                to_run.append(verdict.student)
            elif again != verdict:
                store.write_verdict(out, assignment, again)
                if again.points != verdict.points:
                    changed[verdict.student] = (verdict.points, again.points)
    write_books(assignment, None, out)
    return Rejudged(changed, tuple(to_run), len(verdicts) - len(changed) - len(to_run))


def _judge_again(assignment: Assignment, verdict: Verdict, folder: Path) -> Verdict | None:
    """The new verdict; None where the submission has to run again."""
    try:
        record = SavedRuns.model_validate_json((folder / "evidence.json").read_bytes())
    except (OSError, ValidationError, json.JSONDecodeError):
        return None
    if not record.runs:
        return None
    items = rejudge(assignment, record)
    if any(NOT_ASKED in item.message for item in items):
        return None
    ungraded = [item.id for item in items if item.status == "ungraded"]
    return verdict.model_copy(
        update={
            "items": items,
            "state": "needs a person" if ungraded else "graded",
            "reason": f"Not graded yet: {', '.join(ungraded)}." if ungraded else "",
        }
    )
