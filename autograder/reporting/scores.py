"""A student's total while some points are still to be given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from autograder.assignment.settings import Assignment, Item
from autograder.results.points import total

State = Literal["graded", "to be graded", "needs review", "no answer"]
"""The state of an item: graded, a written answer still to be graded, marked for manual review, or without an answer."""

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Score:
    """The points given so far, the maximum `most`, and the items that have no points yet."""

    total: float
    most: float
    waiting: tuple[Item, ...]

    @classmethod
    def of(cls, assignment: Assignment, points: Mapping[str, float | None]) -> Score:
        """Add up points by item, None for those that are still to be given."""
        waiting = tuple(item for item in assignment.items if points[item.id] is None)
        return cls(total(points), assignment.max_points, waiting)

    @property
    def pending(self) -> float:
        """The maximum of the points that are still to be given."""
        return sum(item.points for item in self.waiting)

    @property
    def so_far(self) -> float:
        """The maximum points of the items that are graded."""
        return self.most - self.pending

    @property
    def reason(self) -> str:
        """What the pending points are for: "two written answers", "one item to review"."""
        written = sum(item.graded_by == "person" for item in self.waiting)
        parts = [_count(written, "written answer"), _count(len(self.waiting) - written, "item", " to review")]
        return " and ".join(filter(None, parts))


def _count(number: int, noun: str, rest: str = "") -> str:
    if not number:
        return ""
    word = NUMBERS[number] if number < len(NUMBERS) else str(number)
    return f"{word} {noun}{'s' if number > 1 else ''}{rest}"


def state_of(item: Item, points: float | None, unanswered: Collection[str]) -> State:
    """Return the state of an item; `unanswered` are the items whose answer is empty or still the placeholder text."""
    if item.graded_by == "person" and item.id in unanswered and not points:
        return "no answer"
    if points is not None:
        return "graded"
    return "to be graded" if item.graded_by == "person" else "needs review"
