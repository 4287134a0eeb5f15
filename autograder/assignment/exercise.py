"""What an assignment brings along for the harness: the object EXERCISE in `autograder/checks/<folder>/exercise.py`.

It says which numbers `assignment.toml` has, how a scenario is drawn, which instruments a notebook needs, and by what
the tasks are known. Everything else about an assignment is in its notebook, its settings and its checks.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from pydantic import ConfigDict

from autograder.common.models import Frozen
from autograder.errors import AssignmentError, describe_error, describe_place, shorten_path, suggest

from .course import PACKAGE


class Parameters(Frozen):
    """What an assignment asks for; its notebook, the release and the grader follow these numbers."""

    model_config = ConfigDict(allow_inf_nan=False)


@dataclass(frozen=True)
class Sizes:
    """How large the data of a scenario are: rows for training and for tests, columns, different labels; and how many
    GPUs measure energy."""

    n_train: int
    n_test: int
    n_features: int
    n_classes: int
    gpus: int = 1

    def details(self) -> dict[str, int]:
        """The sizes under the names that notebooks have for them."""
        return {"n_tr": self.n_train, "n_ts": self.n_test, "n_feat": self.n_features, "n_class": self.n_classes}


@dataclass(frozen=True)
class Plan:
    """One scripted training: validation accuracy by epoch (the last `tail` values go on forever), costs, outcome.

    `accuracy` is that of the training notes by epoch; where it ends, a curve of its own goes on. `epoch_cost` is
    seconds and joules an epoch; `test_errors` is the number of test notes that the model gets wrong; `stand_in_stop`
    is the epoch after which the stand-in of a callback ends the training.
    """

    val_accuracy: list[float]
    tail: int
    epoch_cost: tuple[float, float]
    test_errors: int
    weights_seed: int
    stand_in_stop: int = 10**6
    accuracy: list[float] = field(default_factory=list)

    def value(self, epoch: int) -> float:
        """The validation accuracy of an epoch, counted from 0."""
        if epoch < len(self.val_accuracy):
            return self.val_accuracy[epoch]
        return self.val_accuracy[len(self.val_accuracy) - self.tail :][(epoch - len(self.val_accuracy)) % self.tail]

    def trained(self, epoch: int) -> float:
        """The accuracy on the training data of an epoch, counted from 0."""
        return self.accuracy[epoch] if epoch < len(self.accuracy) else min(0.9999, 0.97 + 0.0001 * epoch)


@dataclass(frozen=True)
class Trial:
    """One question to a callback class of the student's; `family` names the property that it asks for."""

    family: str
    threshold: float
    patience: int
    val_accuracy: list[float]
    accuracy: list[float]
    call: Literal["keyword", "position", "default"] = "keyword"
    beside: list[float] | None = None
    validated: bool = True


@dataclass(frozen=True)
class Script:
    """An exercise's part of a scenario.

    `settings` tells which plans a training gets (numbers of `plans`, each served once) by its learning rate and batch
    size, see `setting_key`; other trainings get those of `spares` in turn. `stand_ins` are, for each cell that can be
    replaced, the names that it should have defined and their values: plain data, arrays, tables of pandas, and whatever
    is given as code, see `grading.code`; for callbacks see `runtime.stand_ins`.
    """

    plans: list[Plan]
    settings: dict[str, list[int]]
    spares: list[int]
    stand_ins: dict[str, dict[str, Any]]
    trials: list[Trial] = field(default_factory=list)


def setting_key(learning_rate: float, batch_size: int) -> str:
    """How a training's setting is written in `Script.settings`."""
    return f"{learning_rate:.5g}/{batch_size}"


@dataclass(frozen=True)
class Sign:
    """By what a task's code is known where its cell has lost its id; one of the four is given.

    `makes`: the class that it defines; `sets`: the names that it gives a value to; `fills`: the list that it makes;
    `draws`: the names of which it plots one.
    """

    task: str
    makes: str = ""
    sets: frozenset[str] = frozenset()
    fills: str = ""
    draws: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Column:
    """A number in the rows of a series: its key there, and its heading in a table for a grader.

    A row without a `required` one is none. `per_epoch` is the heading of the number divided by that under `epochs`.
    """

    key: str
    heading: str
    required: bool = False
    per_epoch: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart of the class report: the column `key` of all students, by the setting that a loop sweeps."""

    key: str
    title: str
    unit: str = ""


@dataclass(frozen=True)
class Swept:
    """A setting that a loop takes through the values of a parameter, while another setting stays at its default.

    `key` and `other` are keys of the rows, `values` and `default` names of parameters. Such a loop trains to the
    accuracy `threshold` for `max_epochs` at most, and has these parameters. `columns` are the numbers of its rows.
    """

    key: str
    values: str
    other: str
    default: str
    columns: tuple[Column, ...]
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True)
class Series:
    """A list of rows that the notebook records: the cell that plots it and the item in which it is written about.

    The numbers of a student's own run are read, shown and compared where the list is that of a loop (`swept`).
    """

    name: str
    rows: str
    plots: str
    comment: str
    swept: Swept | None = None


@dataclass(frozen=True)
class DryRun:
    """How the outputs of a dry run are known, on few data and for few epochs: by how a line begins.

    `sampled` is written by the cell that takes the sample, after which all is of the dry run; `marked` by others.
    """

    sampled: str
    marked: str


def draw_nothing(parameters: Any, sizes: Sizes, rng: random.Random) -> Script:
    """Draw the part of an assignment that trains nothing and whose checks draw what they need themselves."""
    return Script(plans=[], settings={}, spares=[], stand_ins={})


def draw_no_files(parameters: Any, rng: random.Random) -> dict[str, bytes]:
    """Draw nothing: the files of the release are those of every run."""
    return {}


PLAIN_INSTRUMENTS = ("files", "shell", "imports", "hosted", "clock", "figures", "displays", "audit")
TRAINING_INSTRUMENTS = (*PLAIN_INSTRUMENTS, "energy", "keras", "callbacks")
"""What a notebook needs that trains with Keras and measures energy."""


@dataclass(frozen=True)
class Exercise:
    """One of it for each folder of checks; everything in it has a default.

    `draw` makes the exercise's part of a scenario from parameters, sizes and a random generator; the same generator,
    the same scenario. `draw_files` makes files of a run, by their path beside the notebook; they replace those of the
    release.
    `names` are described after every cell. `callback` names the student's callback class, if there is one: its use is
    noted, and it is driven through the trials. Of `signs` the first that fits decides. `instruments` are the modules of
    `runtime.instruments` that the notebook needs: without `keras`, no TensorFlow is imported. `data_files` are the
    names of the four files of training and test data, features and labels; none for an assignment that needs no such
    data.
    """

    parameters: type[Parameters] = Parameters
    draw: Callable[[Any, Sizes, random.Random], Script] = draw_nothing
    draw_files: Callable[[Any, random.Random], Mapping[str, bytes]] = draw_no_files
    names: tuple[str, ...] = ()
    signs: tuple[Sign, ...] = ()
    series: tuple[Series, ...] = ()
    callback: str = ""
    instruments: tuple[str, ...] = PLAIN_INSTRUMENTS
    data_files: tuple[str, ...] = ()
    dry_run: DryRun | None = None

    @property
    def swept(self) -> Mapping[str, tuple[Series, Swept]]:
        """The loops, by the names of their series."""
        return {series.name: (series, series.swept) for series in self.series if series.swept is not None}

    def find_unknown(self, cells: Collection[str]) -> list[tuple[str, str]]:
        """Return the parts of the exercise that name cells which the assignment does not have, and the names."""
        return [(part, name) for part, name in self._named if name not in cells]

    @property
    def _named(self) -> list[tuple[str, str]]:
        plotted = [name for series in self.series for name in (series.plots, series.comment)]
        return [("signs", sign.task) for sign in self.signs] + [("series", name) for name in plotted]

    def require_known(self, folder: Path, cells: Sequence[str]) -> None:
        """Raise AssignmentError where the exercise of a folder misspells a cell, or names an unknown instrument."""
        place = f"{shorten_path(folder / 'exercise.py')}:"
        self._refuse_typos(place, self.find_unknown(cells), cells)
        for name in self.instruments:
            if name not in TRAINING_INSTRUMENTS:
                near = suggest(name, TRAINING_INSTRUMENTS)
                raise AssignmentError(f"{place} `instruments` names the unknown {name!r}{near}.")

    def _refuse_typos(self, place: str, unknown: Iterable[tuple[str, str]], cells: Collection[str]) -> None:
        """Take an unknown name for a typo if it is similar to that of a cell which nothing names. Otherwise the item of
        that cell may have been removed from the assignment, which requires no edit of the exercise."""
        unnamed = set(cells) - {name for _, name in self._named}
        for part, name in unknown:
            if near := suggest(name, sorted(unnamed)):
                raise AssignmentError(f"{place} `{part}` names the unknown cell {name!r}{near}.")

    def draw_script(self, folder: Path, cells: Sequence[str], how: tuple[Any, Sizes, random.Random]) -> Script:
        """Draw, and raise AssignmentError where that fails or does not fit the assignment.

        Args:
            folder: the checks that the exercise is of.
            cells: the tasks of the assignment.
            how: parameters, sizes, and the generator.
        """
        path = folder / "exercise.py"
        place = f"{shorten_path(path)}:"
        try:
            script = self.draw(*how)
        except Exception as error:
            raise AssignmentError(f"{describe_place(error, path)} stops with {describe_error(error)}") from None
        if not isinstance(script, Script):
            raise AssignmentError(f"{place} `draw` returns a {type(script).__name__}: return a Script.")
        replaced = [("stand_ins", name) for name in script.stand_ins if name not in cells]
        self._refuse_typos(place, replaced, set(cells) - set(script.stand_ins))
        used = {"spares": script.spares, "settings": [number for each in script.settings.values() for number in each]}
        for part, numbers in used.items():
            for number in numbers:
                if not 0 <= number < len(script.plans):
                    count = len(script.plans)
                    raise AssignmentError(f"{place} `{part}` names plan {number}, but there are {count} plans.")
        return script


@cache
def exercise_of(folder: Path) -> Exercise:
    """Return the exercise of a folder of checks; the default one where it has no `exercise.py`.

    Raises:
        AssignmentError: there is no such folder, or its exercise cannot be used.
    """
    path = folder / "exercise.py"
    if not folder.is_dir():
        raise AssignmentError(f"There is no folder of checks {shorten_path(folder)}.")
    if not path.is_file():
        return Exercise()
    try:
        found = getattr(_load(path), "EXERCISE", None)
    except Exception as error:
        raise AssignmentError(f"{describe_place(error, path)} stops with {describe_error(error)}") from None
    if not isinstance(found, Exercise):
        reason = "has no EXERCISE" if found is None else f"has an EXERCISE that is a {type(found).__name__}"
        raise AssignmentError(f"{shorten_path(path)} {reason}: write `EXERCISE = Exercise(...)`.")
    return found


def find_exercise(folder: Path) -> Exercise:
    """Return the exercise of a folder of checks; the default one also where an assignment has no such folder."""
    return exercise_of(folder) if folder.is_dir() else Exercise()


def _load(path: Path) -> ModuleType:
    """Import an `exercise.py`, one of this package's under its own name."""
    if path.is_relative_to(PACKAGE):
        return import_module(".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts)))
    spec = spec_from_file_location(f"{path.parent.name}_exercise", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
