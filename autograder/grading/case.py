"""What a check works with: the case it decides, and the ways to decide it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest

from autograder.assignment.scenario import Challenge
from autograder.assignment.settings import Assignment, Item
from autograder.execution.evidence import Evidence

from .verdict import Strip


class Wrong(AssertionError):
    """The evidence speaks against the property; the text is for the student, and so is the strip, its picture."""

    def __init__(self, text: str, strip: Strip | None = None) -> None:
        super().__init__(text)
        self.strip = strip


class Undecided(Exception):
    """The evidence does not decide the property; a person has to. The text says why."""


def items(*ids: str) -> pytest.MarkDecorator:
    """For a module: the items that its tests judge."""
    return pytest.mark.items(*ids)


def points(weight: float) -> pytest.MarkDecorator:
    """For a test: its points, as long as the item's points are the sum of its tests; else its share of them."""
    return pytest.mark.points(weight)


@dataclass(frozen=True)
class Case:
    """One item of one submission: what was asked and what came out."""

    assignment: Assignment
    item: Item
    challenge: Challenge
    evidence: Evidence
    memo: dict[str, Any] = field(default_factory=dict, compare=False)
    """What checks of the same run worked out before and may use again."""

    @property
    def parameters(self) -> Any:
        """Of the class that the exercise has for them."""
        return self.assignment.parameters

    @property
    def cells(self) -> set[int]:
        """The cells of the item's task, as numbers of the run."""
        return self.evidence.cells_of(self.item.cell)

    def missing(self, what: str) -> NoReturn:
        """Raises Wrong for something that is not there, with the reason as far as the run shows it."""
        cells = [self.evidence.cells[index] for index in sorted(self.cells)]
        stopped = next((cell for cell in cells if cell.status != "ran"), None)
        if stopped is None:
            raise Wrong(f"{what}.")
        if stopped.status == "timeout":
            raise Wrong(f"{what}: the cell did not end in the time that it had and was stopped.")
        if stopped.status == "not run":
            raise Wrong(f"{what}: the cell did not run, because the kernel had ended before it.")
        if stopped.error == "KernelDied":
            raise Wrong(f"{what}: the kernel ended while the cell ran.")
        if stopped.error == "NotImplementedError":
            raise Wrong(f"{what}: the cell is not filled in.")
        detail = f": {stopped.message.strip().splitlines()[0][:160]}" if stopped.message.strip() else ""
        raise Wrong(f"{what}: the cell stopped with {stopped.error}{detail}.")


def forall(things: Any, rule: Callable[[Any], str | None]) -> None:
    """Raises Wrong with the first few sentences that the rule returns for the things; None is no complaint."""
    complaints = [sentence for thing in things if (sentence := rule(thing))]
    if complaints:
        more = f" The same in {len(complaints) - 1} more." if len(complaints) > 1 else ""
        raise Wrong(complaints[0] + more)
