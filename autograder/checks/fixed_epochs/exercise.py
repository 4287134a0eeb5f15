"""The assignment fixed-epochs: its parameters, simulated training and stand-ins."""

from __future__ import annotations

import random
from typing import Any

from pydantic import Field, PositiveInt

from autograder.assignment import exercise
from autograder.assignment.exercise import (
    TRAINING_INSTRUMENTS,
    Exercise,
    Plan,
    Script,
    Series,
    Sizes,
    TaskSignature,
    setting_key,
)
from autograder.checks.instrument_notes import DATA_FILES
from autograder.grading.code import Code


class Parameters(exercise.Parameters):
    epochs: int = Field(ge=3, le=500)
    batch_size: PositiveInt
    learning_rate: float = Field(gt=0)
    validation_split: float = Field(gt=0, lt=1)


def sample(parameters: Parameters, sizes: Sizes, rng: random.Random) -> Script:
    """Sample a plan for the required training run, spare plans for any other runs, and the stand-ins."""
    plans = [_plan(parameters, rng) for _ in range(4)]
    settings = {setting_key(parameters.learning_rate, parameters.batch_size): [0]}
    return Script(plans, settings, [1, 2, 3], _stand_ins(parameters, sizes, rng))


def _plan(parameters: Parameters, rng: random.Random) -> Plan:
    length = 3 * parameters.epochs
    seconds = round(rng.uniform(0.4, 1.6), 3)
    return Plan(
        val_accuracy=_curve(length, rng),
        tail=length,
        epoch_cost=(seconds, round(seconds * rng.uniform(38, 82), 3)),
        test_errors=rng.randrange(5, 40),
        weights_seed=rng.getrandbits(31),
        accuracy=_curve(length, rng),
    )


def _curve(length: int, rng: random.Random) -> list[float]:
    """Sample accuracies that rise unsteadily, so that no two epochs or curves can be confused."""
    low, high = rng.uniform(0.3, 0.5), rng.uniform(0.8, 0.9)
    return [round(high - (high - low) * 0.9**epoch + rng.uniform(-0.04, 0.04), 4) for epoch in range(length)]


HISTORY = """
import keras

history = keras.callbacks.History()
history.epoch = list(range(max(map(len, logs.values()))))
history.history = logs
history.params = {"verbose": 0, "epochs": len(history.epoch), "steps": 1}
"""


def _stand_ins(parameters: Parameters, sizes: Sizes, rng: random.Random) -> dict[str, dict[str, Any]]:
    """Sample values that replace those of a broken cell, for the cells after it.

    They are the sizes, the results of a training run, and the correct record of a different run.
    """
    accuracy, val_accuracy, *recorded = (_curve(parameters.epochs, rng) for _ in range(4))
    loss, val_loss = ([round(2 - 2 * value, 4) for value in values] for values in (accuracy, val_accuracy))
    logs = {"accuracy": accuracy, "loss": loss, "val_accuracy": val_accuracy, "val_loss": val_loss}
    seconds, joules = (round(parameters.epochs * rng.uniform(*each), 3) for each in ((0.4, 1.6), (20, 90)))
    costs = {"train_time": seconds, "total_energy": joules}
    rows = [
        {"epoch": number, "accuracy": trained, "val_accuracy": validated}
        for number, (trained, validated) in enumerate(zip(*recorded, strict=True), start=1)
    ]
    return {
        "data-details": sizes.details(),
        "training": {"history": Code(HISTORY, logs=logs)["history"], **costs},
        "record": {"history_rows": rows, "summary": {"epochs": parameters.epochs, **costs}},
    }


EXERCISE = Exercise(
    parameters=Parameters,
    sample=sample,
    instruments=TRAINING_INSTRUMENTS,
    data_files=DATA_FILES,
    names=("n_tr", "n_ts", "n_feat", "n_class", "history_rows", "summary"),
    signatures=(
        TaskSignature("data-details", assigns=frozenset({"n_tr", "n_ts", "n_feat", "n_class"})),
        TaskSignature("training", assigns=frozenset({"history", "train_time"})),
        TaskSignature("record", appends_to="history_rows"),
        TaskSignature("plot", plots=frozenset({"history_rows", "history"})),
    ),
    series=(Series("training", rows="history_rows", plots="plot", comment="comment"),),
)
