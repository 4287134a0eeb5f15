"""The challenge of one run: what the notebook will meet, drawn anew each time.

Drawn outside the kernel. The kernel gets the part it needs to play its role (`for_kernel`): curves, costs, data,
but no stop that is right, no value that is expected.
"""

from __future__ import annotations

import io
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .exercise import Plan, Sizes, Trial

if TYPE_CHECKING:
    from .settings import Assignment

DATA_FILES = (
    "uiowa_std_scale_train_data.npy",
    "uiowa_permuted_train_labels.npy",
    "uiowa_std_scale_test_data.npy",
    "uiowa_test_labels.npy",
)
TEST_ROWS = 210


@dataclass(frozen=True)
class Challenge:
    seed: int
    nonce: str
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
    training: Literal["scripted", "real"] = "scripted"
    gpus: int = 1
    given_cells: list[int] = field(default_factory=list)

    def for_kernel(self) -> str:
        """The kernel's part as JSON: of each trial the question only."""
        trials = [{k: v for k, v in vars(trial).items() if k != "family"} for trial in self.trials]
        return json.dumps(vars(self) | {"trials": trials, "data_files": DATA_FILES}, default=vars)

    def data(self) -> dict[str, np.ndarray]:
        """The four data files: standardised float32 features (rows, n_features), integer labels (rows,)."""
        noise = np.random.default_rng(self.seed)
        centres = noise.normal(0, 1, (self.n_classes, self.n_features))
        labels = noise.permutation(np.arange(self.n_train + self.n_test) % self.n_classes)
        spread = 0.9 if self.training == "real" else 1.5
        features = centres[labels] + noise.normal(0, spread, (len(labels), self.n_features))
        train = features[: self.n_train]
        features = ((features - train.mean(axis=0)) / train.std(axis=0)).astype(np.float32)
        n = self.n_train
        return dict(zip(DATA_FILES, (features[:n], labels[:n], features[n:], labels[n:]), strict=True))

    def test_labels(self) -> np.ndarray:
        return self.data()[DATA_FILES[3]]

    def files(self) -> dict[str, bytes]:
        """What lies in the kernel's folder: the data, found by np.load by name, and the kernel's part of this."""
        files = {"challenge.json": self.for_kernel().encode()}
        for name, array in self.data().items():
            np.save(file := io.BytesIO(), array, allow_pickle=False)
            files[name] = file.getvalue()
        return files


def draw(
    assignment: Assignment, seed: int, *, training: Literal["scripted", "real"] = "scripted", gpus: int = 1
) -> Challenge:
    """A challenge for one run; the same seed gives the same challenge."""
    dice = random.Random(f"challenge {seed}")
    sizes = Sizes(
        n_train=dice.randrange(560, 700) + (900 if training == "real" else 0),
        n_test=TEST_ROWS,
        n_features=dice.choice([n for n in range(21, 48) if n % 10]),
        n_classes=dice.choice([5, 6, 7, 8, 9]),
    )
    exercise = assignment.exercise
    return Challenge(
        seed=seed % 2**31,
        nonce=f"{dice.getrandbits(64):016x}",
        **vars(sizes),
        **vars(exercise.draw(assignment.parameters, sizes, dice)),
        names=exercise.names,
        callback=exercise.callback,
        costs={"fit": (0.9, 21.0), "evaluate": (1.7, 57.0), "compile": (0.8, 13.0), "epoch": (0.7, 40.0)},
        training=training,
        gpus=gpus,
    )
