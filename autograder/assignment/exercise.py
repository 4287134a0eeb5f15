"""What an assignment defines for the autograder: the object EXERCISE in `autograder/checks/<folder>/exercise.py`.

It defines the parameters in `assignment.toml`, how a scenario is sampled, which instruments the notebook needs, and how
to recognise the code of a task. Everything else about an assignment is in its notebook, its settings and its checks.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    """The parameters of an assignment; its notebook, its release and its checks use these numbers."""

    model_config = ConfigDict(allow_inf_nan=False)


@dataclass(frozen=True)
class Sizes:
    """The sizes of a scenario's data: training and test rows, features, classes; and the number of GPUs with energy."""

    n_train: int
    n_test: int
    n_features: int
    n_classes: int
    gpus: int = 1

    def details(self) -> dict[str, int]:
        """Return the sizes by their names in the notebooks."""
        return {"n_tr": self.n_train, "n_ts": self.n_test, "n_feat": self.n_features, "n_class": self.n_classes}


@dataclass(frozen=True)
class Plan:
    """One simulated training run: validation accuracy by epoch (the last `tail` values repeat forever), costs, outcome.

    `accuracy` is the accuracy on the training notes by epoch; after its end, a default curve follows. `epoch_cost` is
    the seconds and joules per epoch; `test_errors` is the number of test notes that the model gets wrong;
    `stand_in_stop` is the epoch after which a callback's stand-in ends the run.
    """

    val_accuracy: list[float]
    tail: int
    epoch_cost: tuple[float, float]
    test_errors: int
    weights_seed: int
    stand_in_stop: int = 10**6
    accuracy: list[float] = field(default_factory=list)

    def value(self, epoch: int) -> float:
        """Return the validation accuracy of an epoch, counted from 0."""
        if epoch < len(self.val_accuracy):
            return self.val_accuracy[epoch]
        return self.val_accuracy[len(self.val_accuracy) - self.tail :][(epoch - len(self.val_accuracy)) % self.tail]

    def trained(self, epoch: int) -> float:
        """Return the accuracy on the training data of an epoch, counted from 0."""
        return self.accuracy[epoch] if epoch < len(self.accuracy) else min(0.9999, 0.97 + 0.0001 * epoch)


@dataclass(frozen=True)
class Trial:
    """A test case for the student's callback class; `family` names the property that it tests."""

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
    """The part of a scenario that an exercise defines.

    `settings` maps a learning rate and batch size (see `setting_key`) to the plans of training runs with this setting,
    as numbers of `plans`; each is used once. All other training runs use the plans in `spares` in turn. `stand_ins`
    contains, for each cell that can be replaced, the names that it should have defined and their values: plain data,
    arrays, pandas tables, and values given as code (see `grading.code`); for callbacks see `runtime.stand_ins`.
    """

    plans: list[Plan] = field(default_factory=list)
    settings: dict[str, list[int]] = field(default_factory=dict)
    spares: list[int] = field(default_factory=list)
    stand_ins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)


def setting_key(learning_rate: float, batch_size: int) -> str:
    """Return the key of a training run's setting in `Script.settings`."""
    return f"{learning_rate:.5g}/{batch_size}"


@dataclass(frozen=True)
class TaskSignature:
    """How to recognise the code of a task whose cell has lost its id; one of the four is given.

    `defines_class`: the class that it defines; `assigns`: the names that it assigns; `appends_to`: the list that it
    creates and appends to; `plots`: names one of which it plots.
    """

    task: str
    defines_class: str = ""
    assigns: frozenset[str] = frozenset()
    appends_to: str = ""
    plots: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Column:
    """A number in the rows of a series: its key there, and its heading in the grader's tables.

    Rows that lack a `required` number are ignored. `per_epoch` is the heading of the number divided by the row's
    `epochs`.
    """

    key: str
    heading: str
    required: bool = False
    per_epoch: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart in the class report: the column `key` of all students against the setting that a loop varies."""

    key: str
    title: str
    unit: str = ""


@dataclass(frozen=True)
class Swept:
    """A setting that a loop varies over the values of a parameter, while another setting keeps its default.

    `key` and `other` are keys of the rows, `values` and `default` are names of parameters. Such a loop trains to the
    accuracy `threshold` for at most `max_epochs`, which are parameters, too. `columns` are the numbers in its rows.
    """

    key: str
    values: str
    other: str
    default: str
    columns: tuple[Column, ...]
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True)
class Series:
    """A list of rows that the notebook records, with the cell that plots it and the item of the written answer about
    it.

    If the list is recorded by a loop (`swept`), the numbers in the student's saved outputs are read, shown and
    compared.
    """

    name: str
    rows: str
    plots: str
    comment: str
    swept: Swept | None = None


@dataclass(frozen=True)
class DryRun:
    """How to recognise the outputs of a dry run, with few data and few epochs: by the beginning of a line.

    `sampled` is printed by the cell that takes the sample, after which all outputs are of the dry run; `marked` is
    printed by other cells.
    """

    sampled: str
    marked: str


def sample_nothing(parameters: Any, sizes: Sizes, rng: random.Random) -> Script:
    """Return an empty script, for an assignment without training whose checks sample what they need themselves."""
    return Script()


def sample_no_files(parameters: Any, rng: random.Random) -> dict[str, bytes]:
    """Return no files: every run uses the files of the release."""
    return {}


PLAIN_INSTRUMENTS = ("files", "shell", "imports", "hosted", "clock", "figures", "displays", "audit")
TRAINING_INSTRUMENTS = (*PLAIN_INSTRUMENTS, "energy", "keras", "callbacks")
"""The instruments of a notebook that trains with Keras and measures energy."""


@dataclass(frozen=True)
class Exercise:
    """The definitions of an assignment for the autograder, one object per folder of checks; every field has a default.

    `sample` returns the exercise's part of a scenario for parameters, sizes and a random generator; the same generator
    gives the same scenario. `sample_files` returns the files of a run, by their path relative to the notebook; they
    replace those of the release.
    The values of `names` are recorded after every cell. `callback` is the name of the student's callback class, if
    there is one: its use is recorded, and it is tested with the trials. The first of `signatures` that matches decides
    which task a cell belongs to. `instruments` are the modules of `runtime.instruments` that the notebook needs;
    TensorFlow is imported only with `keras`. `data_files` are the names of the four data files, with features and
    labels for training and testing; empty for an assignment that needs no such data.
    """

    parameters: type[Parameters] = Parameters
    sample: Callable[[Any, Sizes, random.Random], Script] = sample_nothing
    stand_ins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sample_files: Callable[[Any, random.Random], Mapping[str, bytes]] = sample_no_files
    names: tuple[str, ...] = ()
    signatures: tuple[TaskSignature, ...] = ()
    series: tuple[Series, ...] = ()
    callback: str = ""
    instruments: tuple[str, ...] = PLAIN_INSTRUMENTS
    data_files: tuple[str, ...] = ()
    dry_run: DryRun | None = None

    @property
    def samples_data(self) -> bool:
        """Whether the data of a graded run differ from those of the release."""
        return bool(self.data_files) or self.sample_files is not sample_no_files

    @property
    def swept(self) -> Mapping[str, tuple[Series, Swept]]:
        """The series that loops record, by name."""
        return {series.name: (series, series.swept) for series in self.series if series.swept is not None}

    def find_unknown(self, cells: Collection[str]) -> list[tuple[str, str]]:
        """Return each part of the exercise that names a cell which the assignment does not have, with that name."""
        return [(part, name) for part, name in self._named if name not in cells]

    @property
    def _named(self) -> list[tuple[str, str]]:
        plotted = [name for series in self.series for name in (series.plots, series.comment)]
        tasks = [signature.task for signature in self.signatures]
        return [("signatures", name) for name in tasks] + [("series", name) for name in plotted]

    def require_known(self, folder: Path, cells: Sequence[str]) -> None:
        """Raise AssignmentError if the exercise of a folder misspells a cell or names an unknown instrument."""
        place = f"{shorten_path(folder / 'exercise.py')}:"
        self._refuse_typos(place, self.find_unknown(cells), cells)
        for name in self.instruments:
            if name not in TRAINING_INSTRUMENTS:
                near = suggest(name, TRAINING_INSTRUMENTS)
                raise AssignmentError(f"{place} `instruments` refers to the unknown instrument {name!r}{near}.")

    def _refuse_typos(self, place: str, unknown: Iterable[tuple[str, str]], cells: Collection[str]) -> None:
        """Raise AssignmentError for an unknown name that resembles that of a cell which is not named otherwise. Any
        other unknown name may belong to an item that was removed from the assignment, which requires no edit of the
        exercise."""
        unnamed = set(cells) - {name for _, name in self._named}
        for part, name in unknown:
            if near := suggest(name, sorted(unnamed)):
                raise AssignmentError(f"{place} `{part}` refers to the unknown cell {name!r}{near}.")

    def sample_script(self, folder: Path, cells: Sequence[str], how: tuple[Any, Sizes, random.Random]) -> Script:
        """Sample the exercise's part of a scenario; raise AssignmentError if that fails or does not fit the assignment.

        Args:
            folder: the folder of checks that contains the exercise.
            cells: the tasks of the assignment.
            how: parameters, sizes, and the random generator.
        """
        path = folder / "exercise.py"
        place = f"{shorten_path(path)}:"
        try:
            script = self.sample(*how)
        except Exception as error:
            raise AssignmentError(f"{describe_place(error, path)} raises {describe_error(error)}") from None
        if not isinstance(script, Script):
            raise AssignmentError(f"{place} `sample` returns a {type(script).__name__}: return a Script.")
        script = replace(script, stand_ins={**self.stand_ins, **script.stand_ins})
        for cell, values in script.stand_ins.items():
            if not isinstance(values, Mapping):
                given = type(values).__name__
                raise AssignmentError(
                    f"{place} the stand-in for {cell!r} is a {given}: give a dictionary of names and their values."
                )
        replaced = [("stand_ins", name) for name in script.stand_ins if name not in cells]
        self._refuse_typos(place, replaced, set(cells) - set(script.stand_ins))
        used = {"spares": script.spares, "settings": [number for each in script.settings.values() for number in each]}
        for part, numbers in used.items():
            for number in numbers:
                if not 0 <= number < len(script.plans):
                    count = len(script.plans)
                    raise AssignmentError(f"{place} `{part}` refers to plan {number}, but there are {count} plans.")
        return script


@cache
def exercise_of(folder: Path) -> Exercise:
    """Return the exercise of a folder of checks; the default one if it has no `exercise.py`.

    Raises:
        AssignmentError: there is no such folder, or its exercise cannot be used.
    """
    path = folder / "exercise.py"
    if not folder.is_dir():
        raise AssignmentError(f"The checks folder {shorten_path(folder)} does not exist.")
    if not path.is_file():
        return Exercise()
    try:
        found = getattr(_load(path), "EXERCISE", None)
    except Exception as error:
        raise AssignmentError(f"{describe_place(error, path)} raises {describe_error(error)}") from None
    if not isinstance(found, Exercise):
        reason = "has no EXERCISE" if found is None else f"has an EXERCISE that is a {type(found).__name__}"
        raise AssignmentError(f"{shorten_path(path)} {reason}: write `EXERCISE = Exercise(...)`.")
    return found


def find_exercise(folder: Path) -> Exercise:
    """Return the exercise of a folder of checks; the default one also if the folder does not exist."""
    return exercise_of(folder) if folder.is_dir() else Exercise()


def _load(path: Path) -> ModuleType:
    """Import an `exercise.py`; one in this package keeps its module name."""
    if path.is_relative_to(PACKAGE):
        return import_module(".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts)))
    spec = spec_from_file_location(f"{path.parent.name}_exercise", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
