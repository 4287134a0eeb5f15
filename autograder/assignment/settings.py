"""An assignment: its parameters, its items and where its files are."""

from __future__ import annotations

import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    Field,
    PrivateAttr,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from autograder.errors import AssignmentError
from autograder.models import Frozen

from .course import Course
from .exercise import Exercise, Parameters, exercise_of

ADDRESS = re.compile(r"https?://[^\s\"'()<>\\]+")
"""It is written into code and into Markdown, where nothing of it may end what it stands in."""


class Item(Frozen):
    """One line of the gradebook: what is judged, for how many points, by whom."""

    id: str
    cell: str
    title: str
    points: float = Field(gt=0)
    graded_by: Literal["autograder", "person"] = "autograder"
    needs: tuple[str, ...] = ()


class Links(Frozen):
    """Where students who were given no files find the lab, "" for nowhere: `notebook` is the page that the badge opens,
    `files` the folder that holds what `make release` packs."""

    notebook: str = ""
    files: str = ""

    @field_validator("notebook", "files")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and not ADDRESS.fullmatch(value):
            raise ValueError(
                "an address begins with https:// or http:// and holds no space, quote, bracket or backslash"
            )
        return value.rstrip("/")


class Assignment(Frozen):
    """The settings of `assignment.toml`; its `parameters` are of the class that the exercise in `checks` has.

    Load it with `load`. An assignment that is validated from data belongs to the course that `Course.find` returns.
    """

    name: str
    title: str
    checks: str
    parameters: SerializeAsAny[Parameters]
    items: tuple[Item, ...]
    links: Links = Links()
    _course: Course = PrivateAttr(default_factory=Course.find)

    @classmethod
    def load(cls, name: str, course: Course | None = None) -> Assignment:
        """Read `source/<name>/assignment.toml`.

        Args:
            name: the assignment's folder in `source/`.
            course: the course that it belongs to; by default the one that `Course.find` returns.

        Raises:
            AssignmentError: there is no such assignment, or something in its settings is wrong.
        """
        course = course or Course.find()
        path = course.source / name / "assignment.toml"
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).at(course)
        except FileNotFoundError:
            known = ", ".join(course.assignments()) or "none"
            raise AssignmentError(f"There is no assignment {name!r}: known are {known}.") from None
        except tomllib.TOMLDecodeError as error:
            raise AssignmentError(f"{path} is not valid TOML: {error}.") from None
        except ValidationError as error:
            raise AssignmentError(f"{path}: {_first(error)}.") from None

    @field_validator("parameters", mode="before")
    @classmethod
    def _parameters_fit(cls, value: Any, info: ValidationInfo) -> Parameters:
        """Raises ValueError with the first thing that does not fit."""
        if "checks" not in info.data:
            raise ValueError("the folder of checks has to be known first")
        try:
            return exercise_of(info.data["checks"]).parameters.model_validate(value)
        except ValidationError as error:
            raise ValueError(_first(error)) from None

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

    def at(self, course: Course) -> Assignment:
        """Return the same assignment as part of another course."""
        other = self.model_copy()
        other._course = course
        return other

    @property
    def course(self) -> Course:
        """The course that it belongs to."""
        return self._course

    @property
    def source_folder(self) -> Path:
        """Where the instructor's files lie."""
        return self.course.source / self.name

    @property
    def release_folder(self) -> Path:
        """Where the students' files lie."""
        return self.course.release / self.name

    @property
    def exercise(self) -> Exercise:
        """What the assignment brings along besides."""
        return exercise_of(self.checks)

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


def _first(error: ValidationError) -> str:
    """The first thing that is wrong: where, and what."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "settings"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}"
