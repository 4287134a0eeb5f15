"""Trains the lab's two sweeps for real, several times over, and prints the tables that README.md shows.

`python data/measure_sweep.py`, in the environment of the lab.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the kit runs from its checkout, uninstalled

import keras
from rich.console import Console
from rich.progress import track

from autograder.assignment.dataset import Dataset, load
from autograder.assignment.settings import Assignment, Parameters
from autograder.checks.instrument_notes import DATA_FILES

HERE = Path(__file__).resolve().parent
ORIGINAL_EPOCHS = {(0.0001, 128): 10, (0.001, 128): 3, (0.01, 128): 3, (0.1, 128): 9, (1.0, 128): 72, (0.001, 64): 3}


@dataclass(frozen=True)
class Training:
    """One model trained until it reached the target or the cap; accuracies from 0 to 1."""

    learning_rate: float
    batch_size: int
    seed: int
    epochs: int
    test_accuracy: float


class TrainToAccuracy(keras.callbacks.Callback):
    """Ends a training after `patience` epochs in a row with a validation accuracy above `threshold`."""

    def __init__(self, threshold: float, patience: int) -> None:
        super().__init__()
        self.threshold, self.patience, self.in_a_row = threshold, patience, 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        self.in_a_row = self.in_a_row + 1 if logs["val_accuracy"] > self.threshold else 0
        if self.in_a_row >= self.patience:
            self.model.stop_training = True


def train(data: Dataset, parameters: Parameters, rate: float, batch_size: int, seed: int) -> Training:
    """The training of the lab's loops, from new weights that the seed decides."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.layers.Input((data.x_train.shape[1],)),
            keras.layers.Dense(256, activation="sigmoid"),
            keras.layers.Dense(data.n_class, activation="softmax"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    history = model.fit(
        data.x_train,
        data.y_train,
        batch_size=batch_size,
        epochs=parameters.max_epochs,
        validation_split=0.2,
        callbacks=[TrainToAccuracy(parameters.threshold, parameters.patience)],
        verbose=0,
    )
    epochs = len(history.epoch)
    test_accuracy = model.evaluate(data.x_test, data.y_test, batch_size=1024, verbose=0)[1]
    return Training(rate, batch_size, seed, epochs, test_accuracy)


def settings(parameters: Parameters) -> list[tuple[float, int]]:
    """Learning rate and batch size of each training of the two loops; what both loops have is trained once."""
    over_rates = [(rate, parameters.default_batch_size) for rate in parameters.learning_rates]
    over_sizes = [(parameters.default_learning_rate, size) for size in parameters.batch_sizes]
    return list(dict.fromkeys(over_rates + over_sizes))


def table(trainings: list[Training]) -> str:
    """A row for each setting, as Markdown: epochs of every seed and their mean, test accuracy with its range."""
    of_setting = defaultdict(list)
    for training in trainings:
        of_setting[training.learning_rate, training.batch_size].append(training)
    lines = [
        "| learning rate | batch size | original: epochs | here: epochs | mean | test accuracy (lowest–highest) |",
        "|---|---|---|---|---|---|",
    ]
    for (rate, size), group in of_setting.items():
        epochs = [training.epochs for training in group]
        accuracies = [training.test_accuracy for training in group]
        mean_accuracy = sum(accuracies) / len(group)
        lines.append(
            f"| {rate} | {size} | {ORIGINAL_EPOCHS.get((rate, size), '')} | {', '.join(map(str, epochs))} "
            f"| {sum(epochs) / len(group):.1f} "
            f"| {mean_accuracy:.3f} ({min(accuracies):.3f}–{max(accuracies):.3f}) |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE, help="folder with the four files (default: %(default)s)")
    parser.add_argument("--assignment", default="tta-eta", help="whose parameters (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each setting (default: %(default)s)")
    args = parser.parse_args()
    parameters = Assignment.load(args.assignment).parameters
    data = load(args.data, DATA_FILES)
    work = [(rate, size, seed) for rate, size in settings(parameters) for seed in range(args.seeds)]
    trainings = [train(data, parameters, *one) for one in track(work, "training", console=Console(stderr=True))]
    print(table(trainings))


if __name__ == "__main__":
    main()
