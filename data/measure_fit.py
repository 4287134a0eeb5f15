"""Measures what an epoch of the lab costs with plain `fit` and with less overhead, and prints the table of README.md.

`python data/measure_fit.py`, in the environment of the lab; `make bench` takes its figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the kit runs from its checkout, uninstalled

import keras
from rich.console import Console
from rich.progress import track

from autograder.assignment.dataset import Dataset, load
from autograder.assignment.settings import Assignment
from autograder.checks.instrument_notes import DATA_FILES

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Way:
    """A way to train: an argument of `compile`, and whether the data are handed over as tensors on the device."""

    name: str
    steps_per_execution: int = 1
    tensors: bool = False


WAYS = (
    Way("plain"),
    Way("`steps_per_execution=64`", 64),
    Way("the same, data as tensors on the device", 64, tensors=True),
)


@dataclass(frozen=True)
class Timing:
    """One training: seconds of each epoch, the first of which includes tracing; accuracies from 0 to 1."""

    way: Way
    batch_size: int
    epochs: list[float]
    val_accuracy: float
    test_accuracy: float


class Stopwatch(keras.callbacks.Callback):
    """Notes when each epoch ends, in s."""

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.marks = [time.perf_counter()]

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.marks.append(time.perf_counter())


def train(data: Dataset, way: Way, learning_rate: float, batch_size: int, epochs: int, seed: int) -> Timing:
    """A training of the lab's network for so many epochs, from new weights that the seed decides."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.layers.Input((data.x_train.shape[1],)),
            keras.layers.Dense(256, activation="sigmoid"),
            keras.layers.Dense(data.n_class, activation="softmax"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(
        keras.optimizers.Adam(learning_rate), loss, metrics=["accuracy"], steps_per_execution=way.steps_per_execution
    )
    stopwatch = Stopwatch()
    x, y = data.x_train.astype("float32"), data.y_train  # as in the notebook
    if way.tensors:
        x, y = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y)
    settings = {"batch_size": batch_size, "epochs": epochs, "validation_split": 0.2, "verbose": 0}
    history = model.fit(x, y, callbacks=[stopwatch], **settings)
    taken = [after - before for before, after in zip(stopwatch.marks, stopwatch.marks[1:], strict=False)]
    test_accuracy = model.evaluate(data.x_test.astype("float32"), data.y_test, batch_size=1024, verbose=0)[1]
    return Timing(way, batch_size, taken, history.history["val_accuracy"][-1], test_accuracy)


def table(timings: list[Timing]) -> str:
    """A row for each batch size and way, as Markdown; seconds are medians over the epochs of all seeds."""
    lines = [
        "| batch size | way | first epoch (s) | each later one (s) | times as fast | val accuracy | test accuracy |",
        "|---|---|---|---|---|---|---|",
    ]
    for size in dict.fromkeys(timing.batch_size for timing in timings):
        plain = None
        for way in WAYS:
            group = [timing for timing in timings if timing.batch_size == size and timing.way == way]
            later = median(seconds for timing in group for seconds in timing.epochs[1:])
            plain = plain or later
            lines.append(
                f"| {size} | {way.name} | {median(timing.epochs[0] for timing in group):.2f} | {later:.3f} "
                f"| {plain / later:.1f} | {_spread([timing.val_accuracy for timing in group])} "
                f"| {_spread([timing.test_accuracy for timing in group])} |"
            )
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    return f"{mean(values):.4f} ({min(values):.4f}–{max(values):.4f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE, help="folder with the four files (default: %(default)s)")
    parser.add_argument("--assignment", default="tta-eta", help="whose parameters (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each way (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=6, help="of each training (default: %(default)s)")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[128], help="(default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print every training, not the table")
    args = parser.parse_args()
    rate = Assignment.load(args.assignment).parameters.default_learning_rate
    data = load(args.data, DATA_FILES)
    train(data, WAYS[0], rate, 1024, 2, 0)  # the first training of a process also loads libraries
    # The ways take turns, so that what else the machine does meets them all alike.
    work = [
        (way, rate, size, args.epochs, seed) for size in args.batch_sizes for seed in range(args.seeds) for way in WAYS
    ]
    timings = [train(data, *one) for one in track(work, "training", console=Console(stderr=True))]
    print(json.dumps([asdict(timing) for timing in timings]) if args.json else table(timings))


if __name__ == "__main__":
    main()
