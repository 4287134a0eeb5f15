"""The points of a student: the autograder's, those that a person gave, and what submitting late costs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Literal

from autograder.assignment.settings import Assignment
from autograder.common.encoders import encode_csv, one_line
from autograder.grading.verdict import Verdict

Given = Mapping[str, tuple[float | None, str | None]]
"""By item: the score and the comment that a person gave to one student."""

Manual = Mapping[str, Given]
"""The same by student."""

LATE = "late-penalty"
"""Stands among a student's items in `Given` for what submitting late costs, as points below zero."""


def points_by_item(assignment: Assignment, verdict: Verdict, given: Given) -> dict[str, float | None]:
    """Points of every item of the assignment: a person's if there are any, else the autograder's, else None; with them
    what submitting late costs, if it does."""
    points: dict[str, float | None] = {item.id: None for item in assignment.items}
    points |= {item.id: item.points for item in verdict.items if item.id in points}
    known = {*points, LATE}
    return points | {item: score for item, (score, _) in given.items() if score is not None and item in known}


def total(points: Mapping[str, float | None]) -> float:
    """The sum of the points that are given."""
    return round(sum(value or 0.0 for value in points.values()), 2)


def standing(
    verdict: Verdict, points: Mapping[str, float | None]
) -> tuple[Literal["graded", "needs review", "failed to run"], str]:
    """State and reason as they are now: what a person has given points for needs nobody any more."""
    waits = any(points[item.id] is None for item in verdict.items if item.id in points)
    if verdict.state == "needs review" and not waits:
        return "graded", ""
    return verdict.state, verdict.reason


def plain(value: float | None) -> str:
    """Points with two digits at most, nothing for none."""
    return "" if value is None else f"{round(value, 2):g}"


def format_grades(assignment: Assignment, verdicts: Iterable[Verdict], manual: Manual) -> str:
    """Return the table of a class as CSV: a row a student, a column an item; empty where a person has yet to decide.

    Late penalties have a column where there are any.
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
