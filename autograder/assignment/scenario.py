"""The scenario of one run: what the notebook will meet, drawn anew each time.

It stays outside the kernel. The kernel gets its data and what the instruments must know (`setup`); what a training
brings it asks of the oracle, epoch by epoch.
"""

from __future__ import annotations

import hashlib
import io
import random
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from autograder.errors import AssignmentError, describe_error, describe_place, shorten_path

from .exercise import Plan, Sizes, Trial
from .release import given_files

if TYPE_CHECKING:
    from .settings import Assignment

TEST_ROWS = 210


class Scenario(BaseModel):
    """All that a run depends on beside the notebook: sizes of the data, plans of trainings, trials, stand-ins.

    `costs` are seconds and joules of what costs them beside the epochs of a plan. `names` are those of the notebook
    that are described after every cell; `callback` is the student's callback class, "" for none.
    """

    model_config = ConfigDict(frozen=True)

    seed: int
    n_train: int
    n_test: int
    n_features: int
    n_classes: int
    plans: list[Plan]
    settings: dict[str, list[int]]
    spares: list[int]
    trials: list[Trial]
    costs: dict[str, tuple[float, float]]
    stand_ins: dict[str, dict[str, Any]]
    names: tuple[str, ...]
    callback: str
    instruments: tuple[str, ...]
    data_files: tuple[str, ...]
    training: Literal["scripted", "real"] = "scripted"
    gpus: int = 1

    def setup(self) -> dict[str, Any]:
        """What the instruments of the kernel have to know; no curve, no cost, no outcome, no trial and no stand-in."""
        kept = ("names", "callback", "instruments", "data_files", "training", "gpus")
        return {"seed": derive_seed(self.seed, "kernel")} | {name: getattr(self, name) for name in kept}

    def data(self) -> dict[str, np.ndarray]:
        """The data files by name: standardised float32 features (rows, n_features) and integer labels (rows,), first
        for training, then for tests. None where the assignment has none."""
        if not self.data_files:
            return {}
        noise = np.random.default_rng(derive_seed(self.seed, "data"))
        centres = noise.normal(0, 1, (self.n_classes, self.n_features))
        labels = noise.permutation(np.arange(self.n_train + self.n_test) % self.n_classes)
        spread = 0.9 if self.training == "real" else 1.5
        features = centres[labels] + noise.normal(0, spread, (len(labels), self.n_features))
        train = features[: self.n_train]
        features = ((features - train.mean(axis=0)) / train.std(axis=0)).astype(np.float32)
        n = self.n_train
        return dict(zip(self.data_files, (features[:n], labels[:n], features[n:], labels[n:]), strict=True))

    def test_labels(self) -> np.ndarray:
        return self.data()[self.data_files[3]]

    def files(self) -> dict[str, bytes]:
        """What lies in the kernel's folder: the data, which `np.load` finds by name."""
        files = {}
        for name, array in self.data().items():
            np.save(file := io.BytesIO(), array, allow_pickle=False)
            files[name] = file.getvalue()
        return files


def derive_seed(seed: int, purpose: str) -> int:
    """Return a seed of 31 bits for what the notebook can see: the scenario's own, with which it could compute the
    results of all training runs, cannot be computed from it."""
    digest = hashlib.sha256(f"{purpose} {seed}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def collect_files(assignment: Assignment, scenario: Scenario) -> dict[str, bytes]:
    """Return what lies beside the notebook in a run: the files of the release, and those that are drawn for the run.

    Raises:
        AssignmentError: the exercise fails to draw them.
    """
    return given_files(assignment) | draw_files(assignment, scenario)


def draw_files(assignment: Assignment, scenario: Scenario) -> dict[str, bytes]:
    """Draw the files of a run, the same for the same scenario.

    Raises:
        AssignmentError: the exercise fails to draw them.
    """
    path = assignment.checks_folder / "exercise.py"
    try:
        rng = random.Random(f"files {scenario.seed}")
        files = dict(assignment.exercise.draw_files(assignment.parameters, rng))
    except Exception as error:
        raise AssignmentError(f"{describe_place(error, path)} stops with {describe_error(error)}") from None
    if wrong := [name for name, content in files.items() if not isinstance(content, bytes)]:
        raise AssignmentError(f"{shorten_path(path)}: `draw_files` returns no bytes for {wrong[0]!r}.")
    return files


COSTS = {"fit": (0.9, 21.0), "evaluate": (1.7, 57.0), "compile": (0.8, 48.0), "epoch": (0.7, 40.0)}
"""Seconds and joules: of each `fit` beside its epochs, of an evaluation, of compiling, of an epoch of real training."""


def draw(
    assignment: Assignment, seed: int, *, training: Literal["scripted", "real"] = "scripted", gpus: int = 1
) -> Scenario:
    """Draw the scenario of one run; the same seed gives the same scenario."""
    rng = random.Random(f"challenge {seed}")
    sizes = Sizes(
        n_train=rng.randrange(560, 700) + (900 if training == "real" else 0),
        n_test=TEST_ROWS,
        n_features=rng.choice([n for n in range(21, 48) if n % 10]),
        n_classes=rng.choice([5, 6, 7, 8, 9]),
        gpus=gpus,
    )
    exercise = assignment.exercise
    script = exercise.draw_script(assignment.checks_folder, assignment.cells, (assignment.parameters, sizes, rng))
    return Scenario(
        seed=seed,
        **vars(sizes),
        **vars(script),
        names=exercise.names,
        callback=exercise.callback,
        instruments=exercise.instruments,
        data_files=exercise.data_files,
        costs=COSTS,
        training=training,
    )
