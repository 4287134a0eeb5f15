"""A verdict in the form that Gradescope reads
(https://gradescope-autograders.readthedocs.io/en/latest/specs/)."""

from __future__ import annotations

from typing import Any

from autograder.assignment.settings import Assignment
from autograder.grading.verdict import ItemVerdict, Verdict


def build_results(assignment: Assignment, verdict: Verdict) -> dict[str, Any]:
    """Return the content of `results.json`, with one test for each item that the autograder judges."""
    judged = {item.id: item for item in verdict.items}
    tests = [
        _test(number, judged[item.id])
        for number, item in enumerate(assignment.items, 1)
        if item.graded_by != "person" and item.id in judged
    ]
    notes = [finding.text for finding in verdict.findings if finding.audience == "both"]
    return {
        "tests": tests,
        "output": "\n".join(filter(None, [verdict.reason, *notes])),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": round(verdict.timings.get("all", 0.0)),
        "extra_data": {"assignment": assignment.name, "state": verdict.state},
    }


def _test(number: int, item: ItemVerdict) -> dict[str, Any]:
    return {
        "name": item.id,
        "number": str(number),
        "score": round(item.points or 0.0, 2),
        "max_score": round(item.max_points, 2),
        "status": "passed" if item.points is not None and item.points >= item.max_points else "failed",
        "output": _output(item),
        "output_format": "text",
        "visibility": "visible",
        "extra_data": {"state": item.status},
    }


def _output(item: ItemVerdict) -> str:
    """Return the item's message: each failed check with its reason, and the reasons why others were not run, once."""
    reasons = {rule.message: None for rule in item.properties if rule.status == "not checked"}
    missed = [*reasons, *(f"- {r.rubric} {r.message}".rstrip() for r in item.properties if r.status == "failed")]
    if item.points is None:
        return "\n".join([f"Not graded yet: {item.message}", *missed])
    return "\n".join(missed) or item.message
