"""The saved evidence of a submission: all runs that were made to grade it, and how their verdicts are merged.

Judging the runs again gives the same points as long as the checks are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator

from autograder.assignment.scenario import Scenario
from autograder.assignment.settings import Assignment
from autograder.execution.evidence import Evidence
from autograder.execution.stand_ins import decode_stand_ins, encode_stand_ins

from .case import Ask
from .checker import Judgement, judge
from .sampling import Sample
from .verdict import ItemVerdict

EDITION = 5
"""The version of the format of saved evidence: increase it whenever a field or its meaning changes. Evidence of another
version is not judged again; its submission is run again."""

Purpose = Literal["first", "without stuck cells", "without GPU", "with stand-ins"]
"""Why a run was made."""


class SavedRun(BaseModel):
    """One run: its scenario and its evidence.

    `replaced` are the tasks for which a stand-in was used, `samples` the inputs that checks drew, by item and check.
    """

    model_config = ConfigDict(frozen=True)

    purpose: Purpose
    replaced: tuple[str, ...]
    scenario: Scenario
    evidence: Evidence
    samples: dict[str, list[Sample]] = {}

    @field_serializer("scenario")
    def _write_scenario(self, scenario: Scenario) -> dict[str, Any]:
        """Encode stand-ins, whose values can be of any type, also of one that JSON does not have."""
        return scenario.model_dump(exclude={"stand_ins"}) | {"stand_ins": encode_stand_ins(scenario.stand_ins)}

    @field_validator("scenario", mode="before")
    @classmethod
    def _read_scenario(cls, data: Any) -> Any:
        is_written = isinstance(data, dict) and isinstance(data.get("stand_ins"), dict)
        return data | {"stand_ins": decode_stand_ins(data["stand_ins"])} if is_written else data


class SavedRuns(BaseModel):
    """All runs of one submission, in their order."""

    model_config = ConfigDict(frozen=True)

    edition: int = Field(ge=EDITION, le=EDITION)
    runs: tuple[SavedRun, ...] = ()

    @property
    def first(self) -> Evidence:
        return self.runs[0].evidence


class Merged:
    """The best verdict on each item over all runs so far, and the run that it comes from."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.best: dict[str, ItemVerdict] = {}
        self.source: dict[str, int] = {}
        self._first: dict[str, ItemVerdict] = {}
        self._count = 0

    @property
    def items(self) -> tuple[ItemVerdict, ...]:
        return tuple(self.best.values())

    def add(self, purpose: Purpose, replaced: Sequence[str], items: Sequence[ItemVerdict]) -> None:
        """Take over the items that are better in a run, but not those of tasks that had a stand-in in it."""
        number, self._count = self._count, self._count + 1
        if purpose == "without GPU" and sum_points(items) <= sum_points(self.items):
            return
        for item in items:
            own = self.assignment.item(item.id).cell not in replaced
            is_better = purpose in ("first", "without GPU") or rank(item) >= rank(self.best[item.id])
            if item.id not in self.best or (own and is_better):
                self.best[item.id] = self._tell_run(item, replaced)
                self.source[item.id] = number

    def _tell_run(self, item: ItemVerdict, replaced: Sequence[str]) -> ItemVerdict:
        """Add to an item what was different in its run: the stand-ins on which it depends, and how its cell ended
        without them."""
        first = self._first.setdefault(item.id, item)
        asked, order = self.assignment.item(item.id), self.assignment.cells
        earlier = order[: order.index(asked.cell)] if rank(item) > rank(first) else ()
        stand_ins = tuple(task for task in replaced if task in asked.needs or task in earlier)
        return item.model_copy(update={"stand_ins": stand_ins, "first_stop": first.stop if first != item else None})


def rejudge(assignment: Assignment, record: SavedRuns, ask: Ask | None = None) -> tuple[ItemVerdict, ...]:
    """Judge saved runs again. An item whose check asks a new question is ungraded, with that as its reason."""
    merged = Merged(assignment)
    for saved in record.runs:
        judged: Judgement = judge(assignment, saved.scenario, saved.evidence, ask, saved.samples)
        merged.add(saved.purpose, saved.replaced, judged.items)
    return merged.items


def rank(item: ItemVerdict) -> tuple[float, bool]:
    """Return a key that sorts verdicts on an item from worst to best."""
    return (item.points if item.points is not None else -1.0, item.status == "graded")


def sum_points(items: Sequence[ItemVerdict]) -> float:
    return sum(item.points or 0.0 for item in items)
