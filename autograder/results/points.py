"""The points of a student: those from the autograder, those that were entered manually, and the late penalty."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Literal

from autograder.assignment.settings import Assignment
from autograder.common.encoders import encode_csv, one_line
from autograder.grading.verdict import Verdict

Given = Mapping[str, tuple[float | None, str | None]]
"""The score and the comment that one student was given manually, by item."""

Manual = Mapping[str, Given]
"""The same by student."""

LATE = "late-penalty"
"""The key in `Given` for the late penalty, in points below zero."""


def points_by_item(assignment: Assignment, verdict: Verdict, given: Given) -> dict[str, float | None]:
    """Return the points of every item of the assignment, and the late penalty if there is one.

    Manual points take precedence over the autograder's; None means that there are neither.
    """
    points: dict[str, float | None] = {item.id: None for item in assignment.items}
    points |= {item.id: item.points for item in verdict.items if item.id in points}
    known = {*points, LATE}
    return points | {item: score for item, (score, _) in given.items() if score is not None and item in known}


def total(points: Mapping[str, float | None]) -> float:
    """Return the sum of the points that have been given."""
    return round(sum(value or 0.0 for value in points.values()), 2)


def standing(
    verdict: Verdict, points: Mapping[str, float | None]
) -> tuple[Literal["graded", "needs review", "failed to run"], str]:
    """Return the current state and its reason: items that have manual points no longer need review."""
    waits = any(points[item.id] is None for item in verdict.items if item.id in points)
    if verdict.state == "needs review" and not waits:
        return "graded", ""
    return verdict.state, verdict.reason


def plain(value: float | None) -> str:
    """Return points as text, with two decimals at most; empty for None."""
    return "" if value is None else f"{round(value, 2):g}"


def format_grades(assignment: Assignment, verdicts: Iterable[Verdict], manual: Manual) -> str:
    """Return the table of a class as CSV, with a row per student and a column per item; pending points are empty.

    There is a column for late penalties if there are any.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    columns = [item.id for item in assignment.items]
    if any(LATE in given for given in manual.values()):
        columns.append(LATE)
    table.writerow(["student", *columns, "total", "max", "state", "reason"])
    most = assignment.max_points
    for verdict in sorted(verdicts, key=lambda verdict: verdict.student):
        points = points_by_item(assignment, verdict, manual.get(verdict.student, {}))
        state, reason = standing(verdict, points)
        numbers = [plain(value) for value in (*(points.get(column) for column in columns), total(points), most)]
        table.writerow([encode_csv(verdict.student), *numbers, state, encode_csv(one_line(reason))])
    return text.getvalue()
