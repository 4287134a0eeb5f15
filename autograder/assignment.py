"""An assignment: its parameters, its items and where its files are."""

from __future__ import annotations

import tomllib
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from .errors import AssignmentError

ROOT = Path(__file__).resolve().parent.parent


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Parameters(Frozen):
    """What the lab asks for; the notebook, its release and the grader follow these numbers."""

    threshold: float = Field(gt=0, lt=1)
    patience: PositiveInt
    max_epochs: PositiveInt
    learning_rates: tuple[float, ...] = Field(min_length=2)
    batch_sizes: tuple[PositiveInt, ...] = Field(min_length=2)
    default_batch_size: PositiveInt
    default_learning_rate: float = Field(gt=0)

    @model_validator(mode="after")
    def _values_differ(self) -> Self:
        for name in ("learning_rates", "batch_sizes"):
            values = getattr(self, name)
            if len(set(values)) != len(values) or min(values) <= 0:
                raise ValueError(f"{name} must be positive and hold no value twice")
        return self


class Item(Frozen):
    """One line of the gradebook: what is judged, for how many points, by whom."""

    id: str
    cell: str
    title: str
    points: float = Field(gt=0)
    graded_by: Literal["autograder", "person"] = "autograder"
    needs: tuple[str, ...] = ()


class Assignment(Frozen):
    name: str
    title: str
    checks: str
    parameters: Parameters
    items: tuple[Item, ...]

    @classmethod
    def load(cls, name: str, root: Path = ROOT) -> Assignment:
        """Reads `source/<name>/assignment.toml`; raises AssignmentError with what is wrong in it."""
        path = root / "source" / name / "assignment.toml"
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            known = sorted(p.parent.name for p in (root / "source").glob("*/assignment.toml"))
            raise AssignmentError(f"There is no assignment {name!r}: known are {', '.join(known) or 'none'}.") from None
        except tomllib.TOMLDecodeError as error:
            raise AssignmentError(f"{path} is not valid TOML: {error}.") from None
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise AssignmentError(f"{path}: {place or 'settings'}: {first['msg']}.") from None

    @model_validator(mode="after")
    def _items_fit(self) -> Self:
        ids = [item.id for item in self.items]
        cells = {item.cell for item in self.items}
        if len(set(ids)) != len(ids):
            raise ValueError("an item id appears twice")
        for item in self.items:
            if unknown := set(item.needs) - cells:
                raise ValueError(f"item {item.id} needs the unknown cell {', '.join(sorted(unknown))}")
        return self

    @cached_property
    def judged_items(self) -> tuple[Item, ...]:
        """The items that the autograder gives points for."""
        return tuple(item for item in self.items if item.graded_by == "autograder")

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """The grade_ids of the solution cells, in the order of the notebook."""
        return tuple(dict.fromkeys(item.cell for item in self.items))

    def item(self, item_id: str) -> Item:
        return next(item for item in self.items if item.id == item_id)

    @property
    def notebook_name(self) -> str:
        return f"{self.name}.ipynb"
