"""The scenario of one run: data, training results and costs, sampled for each run.

It stays outside the kernel. The kernel gets the data and the settings of the instruments (`setup`); it asks the oracle
for the results of training, epoch by epoch.
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
    """Everything that a run depends on besides the notebook: data sizes, plans of training runs, trials, stand-ins.

    `costs` are the seconds and joules of everything except the epochs of a plan. `names` are variables of the notebook
    whose values are recorded after every cell; `callback` is the name of the student's callback class, "" for none.
    `inputs_seed` is the seed of the inputs with which checks call the student's functions.
    """

    model_config = ConfigDict(frozen=True)

    seed: int
    inputs_seed: int
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
        """Return the settings of the kernel's instruments, without any curve, cost, outcome, trial or stand-in."""
        kept = ("names", "callback", "instruments", "data_files", "training", "gpus")
        return {"seed": derive_seed(self.seed, "kernel")} | {name: getattr(self, name) for name in kept}

    def data(self) -> dict[str, np.ndarray]:
        """Return the data files by name: standardised float32 features (rows, n_features) and integer labels (rows,)
        for training, then for testing. Empty if the assignment has no data files."""
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
        """Return the data files for the kernel's folder, which `np.load` finds by name."""
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
    """Return the files beside the notebook in a run: those of the release, and those sampled for the run.

    Raises:
        AssignmentError: the exercise's function for sampling files fails.
    """
    return given_files(assignment) | sample_files(assignment, scenario)


def sample_files(assignment: Assignment, scenario: Scenario) -> dict[str, bytes]:
    """Sample the files of a run; the same scenario gives the same files.

    Raises:
        AssignmentError: the exercise's function for sampling files fails.
    """
    path = assignment.checks_folder / "exercise.py"
    try:
        rng = random.Random(f"files {scenario.seed}")
        files = dict(assignment.exercise.sample_files(assignment.parameters, rng))
    except Exception as error:
        raise AssignmentError(f"{describe_place(error, path)} raises {describe_error(error)}") from None
    if wrong := [name for name, content in files.items() if not isinstance(content, bytes)]:
        raise AssignmentError(f"{shorten_path(path)}: `sample_files` must return bytes for {wrong[0]!r}.")
    return files


COSTS = {"fit": (0.9, 21.0), "evaluate": (1.7, 57.0), "compile": (0.8, 48.0), "epoch": (0.7, 40.0)}
"""Seconds and joules of `fit` without its epochs, an evaluation, a compilation, and an epoch of real training."""


def sample_scenario(
    assignment: Assignment,
    seed: int,
    *,
    inputs_seed: int | None = None,
    training: Literal["scripted", "real"] = "scripted",
    gpus: int = 1,
) -> Scenario:
    """Sample the scenario of one run; the same seed gives the same scenario. `inputs_seed` None stands for the seed."""
    rng = random.Random(f"challenge {seed}")
    sizes = Sizes(
        n_train=rng.randrange(560, 700) + (900 if training == "real" else 0),
        n_test=TEST_ROWS,
        n_features=rng.choice([n for n in range(21, 48) if n % 10]),
        n_classes=rng.choice([5, 6, 7, 8, 9]),
        gpus=gpus,
    )
    exercise = assignment.exercise
    script = exercise.sample_script(assignment.checks_folder, assignment.cells, (assignment.parameters, sizes, rng))
    return Scenario(
        seed=seed,
        inputs_seed=seed if inputs_seed is None else inputs_seed,
        **vars(sizes),
        **vars(script),
        names=exercise.names,
        callback=exercise.callback,
        instruments=exercise.instruments,
        data_files=exercise.data_files,
        costs=COSTS,
        training=training,
    )
