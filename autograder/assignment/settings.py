"""An assignment: its parameters, its items and where its files are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from functools import cached_property
from pathlib import Path, PurePosixPath
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

from autograder.common.models import Frozen
from autograder.common.validation import describe_invalid, first_error
from autograder.errors import AssignmentError, UnknownAssignment, shorten_path, suggest

from .course import Course
from .exercise import Exercise, Parameters, exercise_of, find_exercise

ADDRESS = re.compile(r"https?://[^\s\"'()<>\\]+")
"""A web address. It is inserted into code and Markdown, so it must not contain quotes or brackets."""


class Item(Frozen):
    """A graded item: what is graded, for how many points, and by whom.

    `cell` is the task that is graded; `cell` and `title` are by default derived from the item's id. If `graded_by` is a
    test cell, it is the cell of the instructor's notebook with the item's id.
    """

    id: str = Field(min_length=1)
    cell: str = ""
    title: str = ""
    points: float = Field(gt=0, strict=True, allow_inf_nan=False)
    graded_by: Literal["autograder", "test cell", "person"] = "autograder"
    needs: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(name := data.get("id"), str):
            return data
        return {"cell": name, "title": write_title(name), **data}


class Links(Frozen):
    """Web addresses of the lab for students who were given no files, "" for none: `notebook` is the page that the badge
    opens, `files` the folder with the archives that `make release` packs."""

    notebook: str = ""
    files: str = ""

    @field_validator("notebook", "files")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and not ADDRESS.fullmatch(value):
            raise ValueError(
                "an address must begin with https:// or http:// and contain no spaces, quotes, brackets or backslashes"
            )
        return value.rstrip("/")


class TimeLimits(Frozen):
    """Time limits, in seconds, of one cell and of the whole notebook."""

    cell_seconds: float = Field(default=60.0, gt=0)
    run_seconds: float = Field(default=300.0, gt=0)


class Assignment(Frozen):
    """The settings in `assignment.toml`; `parameters` has the class that the exercise in `checks` defines.

    Without `items`, the items are the graded cells of the notebook, see `graded_cells`. `files` maps the paths of the
    assignment's files relative to the notebook to their paths in the course. `only_shown` are provided cells that only
    display something, which no later cell needs: they are not run.

    Load it with `load`. An assignment that is validated from data belongs to the course that `Course.find` returns.
    """

    name: str
    title: str = Field(default_factory=lambda data: write_title(data["name"]))
    checks: str = Field(default_factory=lambda data: name_checks(data["name"]))
    parameters: SerializeAsAny[Parameters] = Field(default_factory=dict, validate_default=True)
    items: tuple[Item, ...]
    limits: TimeLimits = TimeLimits()
    only_shown: tuple[str, ...] = ()
    links: Links = Links()
    files: dict[str, str] = Field(default_factory=dict)
    _course: Course = PrivateAttr(default_factory=Course.find)

    @classmethod
    def load(cls, name: str, course: Course | None = None) -> Assignment:
        """Read `source/<name>/assignment.toml`.

        Args:
            name: the assignment's folder in `source/`.
            course: the course that it belongs to; by default the one that `Course.find` returns.

        Raises:
            UnknownAssignment: there is no such assignment.
            AssignmentError: its settings are invalid.
        """
        course = course or Course.find()
        path = course.source / name / "assignment.toml"
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            if "items" not in data:
                from .graded_cells import read_items  # imports nbformat, which delays every command

                data["items"] = read_items(path.with_name(f"{name}.ipynb"))
            return cls.model_validate({"name": name, **data}, context=course).at(course)
        except FileNotFoundError:
            known = course.assignments()
            raise UnknownAssignment(
                f"There is no assignment {name!r}{suggest(name, known)}. "
                f"Existing assignments: {', '.join(known) or 'none'}."
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise AssignmentError(f"{shorten_path(path)} is not valid TOML: {error}.") from None
        except UnicodeDecodeError:
            raise AssignmentError(f"{shorten_path(path)} is not in UTF-8: save it in UTF-8.") from None
        except ValidationError as error:
            line = _find_line(path.read_text(encoding="utf-8"), error)
            raise AssignmentError(f"{shorten_path(path)}{line}: {_first(error, data)}.") from None

    @field_validator("parameters", mode="before")
    @classmethod
    def _parameters_fit(cls, value: Any, info: ValidationInfo) -> Parameters:
        """Validate the parameters; raise ValueError for the first one that is invalid."""
        if "checks" not in info.data:
            raise ValueError("the checks folder is missing or not valid")
        course = info.context if isinstance(info.context, Course) else Course.find()
        folder = course.find_checks(info.data["checks"])
        kind = (exercise_of if value else find_exercise)(folder).parameters
        try:
            return kind.model_validate(value)
        except ValidationError as error:
            raise ValueError(_first(error, value, kind.model_fields)) from None

    @field_validator("files")
    @classmethod
    def _stay_inside(cls, files: dict[str, str]) -> dict[str, str]:
        for path in (each for pair in files.items() for each in pair):
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\\" in path:
                raise ValueError(f"{path!r} points outside the folder: write a path such as 'data/notes.csv'")
        return files

    @model_validator(mode="after")
    def _items_fit(self) -> Self:
        ids = [item.id for item in self.items]
        cells = {item.cell for item in self.items}
        if not ids:
            raise ValueError("there is no item: write one under [[items]], with `id` and `points`")
        if twice := [each for each in dict.fromkeys(ids) if ids.count(each) > 1]:
            raise ValueError(f"more than one item has the id {', '.join(map(repr, twice))}")
        for item in self.items:
            for unknown in sorted(set(item.needs) - cells):
                raise ValueError(f"item {item.id!r} needs the unknown cell {unknown!r}{suggest(unknown, cells)}")
        return self

    @model_validator(mode="after")
    def _exercise_fits(self, info: ValidationInfo) -> Self:
        course = info.context if isinstance(info.context, Course) else Course.find()
        folder = course.find_checks(self.checks)
        (exercise_of if self.checked_items else find_exercise)(folder).require_known(folder, self.cells)
        return self

    def at(self, course: Course) -> Assignment:
        """Return the same assignment as part of another course."""
        other = self.model_copy()
        other._course = course
        return other

    def without(self, ids: Collection[str]) -> Assignment:
        """Return the same assignment without some items; their cells are still tasks."""
        other = self.model_copy(update={"items": tuple(item for item in self.items if item.id not in ids)})
        vars(other).update(cells=self.cells)
        vars(other).pop("judged_items", None)  # computed from all items
        return other

    @property
    def course(self) -> Course:
        """The course that the assignment belongs to."""
        return self._course

    @property
    def source_folder(self) -> Path:
        """The folder with the instructor's files."""
        return self.course.source / self.name

    @property
    def release_folder(self) -> Path:
        """The folder with the students' files."""
        return self.course.release / self.name

    @property
    def checks_folder(self) -> Path:
        """The folder with the assignment's checks."""
        return self.course.find_checks(self.checks)

    @property
    def exercise(self) -> Exercise:
        """The definitions in the `exercise.py` of the folder of checks."""
        return find_exercise(self.checks_folder)

    @property
    def max_points(self) -> float:
        """The total points of all items."""
        return sum(item.points for item in self.items)

    @property
    def checked_items(self) -> tuple[Item, ...]:
        """The items that are graded by checks."""
        return tuple(item for item in self.items if item.graded_by == "autograder")

    @cached_property
    def judged_items(self) -> tuple[Item, ...]:
        """The items that are graded automatically."""
        return tuple(item for item in self.items if item.graded_by != "person")

    @cached_property
    def test_cells(self) -> tuple[str, ...]:
        """The grade_ids of the test cells that grade items."""
        return tuple(item.id for item in self.items if item.graded_by == "test cell")

    def read_tests(self) -> dict[str, str]:
        """Read the code of the test cells from the instructor's notebook, hidden tests included, by `grade_id`.

        Raises:
            AssignmentError: there is no such notebook, or a cell is missing.
        """
        if not self.test_cells:
            return {}
        from .graded_cells import read_tests  # imports nbformat, which delays every command

        return read_tests(self.source_folder / self.notebook_name, self.test_cells)

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """The grade_ids of the solution cells, in the order of the notebook."""
        return tuple(dict.fromkeys(item.cell for item in self.items))

    def item(self, item_id: str) -> Item:
        return next(item for item in self.items if item.id == item_id)

    @property
    def notebook_name(self) -> str:
        return f"{self.name}.ipynb"


def name_checks(name: str) -> str:
    """Return the name of the folder of checks of an assignment that names none."""
    return name.replace("-", "_")


def write_title(name: str) -> str:
    """Return a title made from a name."""
    return name.replace("-", " ").replace("_", " ").capitalize()


def _first(error: ValidationError, data: Any = None, fields: Collection[str] = ()) -> str:
    """Describe the first problem: where it is, what is wrong, and what was probably meant."""
    first = first_error(error)
    place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
    message = describe_invalid(error)
    if first["type"] == "extra_forbidden":
        *above, key = first["loc"]
        tables: dict[Any, type[Frozen]] = {"items": Item, "links": Links, "limits": TimeLimits}
        known = fields or tables.get(above[0] if above else "", Assignment).model_fields
        return f"{place}: there is no setting {key!r}{suggest(str(key), known)}"
    if first["loc"][-1:] == ("points",) and isinstance(first["input"], str):
        return f"{place}: points must be a number, without quotes; {first['input']!r} is a string"
    if first["type"] == "value_error":
        return f"{place}: {message}" if place else message
    return f"{place} {message}" if place else message


def _find_line(text: str, error: ValidationError) -> str:
    """Return ", line 7" for the line of a TOML file that an error refers to; empty if it is unknown."""
    *above, key = first_error(error)["loc"] or ("",)
    lines = text.splitlines()
    start, end = 0, len(lines)
    if above[:1] == ["items"]:
        starts = [number for number, line in enumerate(lines) if line.strip() == "[[items]]"]
        start, end = [*starts, end, end][int(above[1]) :][:2]
    named = re.compile(rf"\s*{re.escape(str(key))}\s*=")
    found = (number for number, line in enumerate(lines[start:end], start + 1) if named.match(line))
    return f", line {number}" if (number := next(found, start + 1 if start else None)) else ""
