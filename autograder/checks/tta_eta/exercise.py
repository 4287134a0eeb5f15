"""The assignment tta-eta: training until a target accuracy is reached, at several learning rates and batch sizes."""

from __future__ import annotations

import random
from typing import Any, Self

from pydantic import Field, PositiveInt, model_validator

from autograder.assignment import exercise
from autograder.assignment.exercise import (
    TRAINING_INSTRUMENTS,
    Chart,
    Column,
    DryRun,
    Exercise,
    Plan,
    Script,
    Series,
    Sizes,
    Swept,
    TaskSignature,
    setting_key,
)
from autograder.checks.instrument_notes import DATA_FILES

from .trials import sample_trials

CALLBACK = "TrainToAccuracy"


class Parameters(exercise.Parameters):
    threshold: float = Field(gt=0, lt=1)
    patience: PositiveInt
    max_epochs: PositiveInt
    learning_rates: tuple[float, ...] = Field(min_length=2)
    batch_sizes: tuple[PositiveInt, ...] = Field(min_length=2)
    default_batch_size: PositiveInt
    default_learning_rate: float = Field(gt=0)

    @model_validator(mode="after")
    def _values_differ(self) -> Self:
        for name in ("learning_rates", "batch_sizes"):
            values = getattr(self, name)
            if len(set(values)) != len(values) or min(values) <= 0:
                raise ValueError(f"{name} must contain positive values without duplicates")
        return self


def sample(parameters: Parameters, sizes: Sizes, rng: random.Random) -> Script:
    """Sample curves around the threshold for every setting of the two loops, and short curves to test the callback."""
    plans, settings, spares = _plans(parameters, rng)
    trials = sample_trials(parameters.threshold, parameters.patience, rng)
    return Script(plans, settings, spares, _stand_ins(parameters, sizes, rng), trials)


def _plans(parameters: Parameters, rng: random.Random) -> tuple[list[Plan], dict[str, list[int]], list[int]]:
    """Sample a plan for each setting of each loop, with every shape of curve, and spare plans for any other runs."""
    loops = (
        [setting_key(rate, parameters.default_batch_size) for rate in parameters.learning_rates],
        [setting_key(parameters.default_learning_rate, size) for size in parameters.batch_sizes],
    )
    total = sum(map(len, loops))
    errors = _test_errors([len(keys) for keys in loops], rng)
    first = parameters.patience + 3
    stops = rng.sample(range(first, first + max(40, 3 * total)), total + SPARES)
    plans: list[Plan] = []
    settings: dict[str, list[int]] = {}
    # one training run that reaches the maximum number of epochs is enough: it takes as long as ten others
    capped = rng.randrange(len(loops))
    for loop, keys in enumerate(loops):
        slowest = "never" if loop == capped else "late"
        shapes = [slowest, "relapse", "touch", *rng.choices(SHAPES, k=max(0, len(keys) - 3))][: len(keys)]
        ahead = enumerate(shapes, len(plans))
        mine = [_plan(parameters, rng, shape, stops[number], errors[number]) for number, shape in ahead]
        rng.shuffle(mine)
        while len(mine) > 2 and _in_order(mine):
            rng.shuffle(mine)
        for number, key in enumerate(keys, len(plans)):
            settings.setdefault(key, []).append(number)
        plans += mine
    spares = list(range(total, total + SPARES))
    plans += [_plan(parameters, rng, "late", stops[number], errors[number]) for number in spares]
    return plans, settings, spares


SHAPES = ("late", "relapse", "touch")
SPARES = 10
"""Number of additional plans, for training runs that the task does not ask for, such as drafts.

After a draft, the loop's own runs may get them too, since each plan is used only once.
"""

CLOSE = 9
"""Difference between the worst and the best model of a loop, in misclassified test notes (of about 200)."""


def _in_order(plans: list[Plan]) -> bool:
    """Whether the epochs or errors are sorted: if so, a list that the student had sorted could not be detected."""
    columns = ([plan.stand_in_stop for plan in plans], [plan.test_errors for plan in plans])
    return any(column in (sorted(column), sorted(column, reverse=True)) for column in columns)


def _test_errors(lengths: list[int], rng: random.Random) -> list[int]:
    """Sample the number of misclassified test notes for each plan, distinct within a loop and among the spare plans.

    The numbers are as close together as in real runs, within a few hundredths of the test notes, so that the bars look
    the same on an axis that starts at 0. Each loop has a good and a bad model.
    """
    errors = []
    for number, length in enumerate([*lengths, SPARES]):
        best, worst = 2 + number, 2 + number + max(CLOSE, length - 1)
        loop = [best, worst, *rng.sample(range(best + 1, worst), max(0, length - 2))][:length]
        rng.shuffle(loop)
        errors += loop
    return errors


def _plan(parameters: Parameters, rng: random.Random, shape: str, stop: int, errors: int) -> Plan:
    curve, tail = _curve(parameters, rng, shape, stop)
    seconds = round(rng.uniform(0.4, 1.6), 3)
    watts = round(rng.uniform(38, 82), 2)
    return Plan(
        val_accuracy=curve,
        tail=tail,
        epoch_cost=(seconds, round(seconds * watts, 3)),
        test_errors=errors,
        weights_seed=rng.getrandbits(31),
        stand_in_stop=stop if shape != "never" else 10**6,
    )


def _curve(parameters: Parameters, rng: random.Random, shape: str, stop: int) -> tuple[list[float], int]:
    """Return a curve on which training should stop after `stop` epochs, and the length of its tail.

    For the shape `never`, training should not stop. The tail is the part at the end of the curve that is repeated.
    The curve begins with one epoch above the threshold, to reveal a count kept from an earlier run. After the correct
    stop it continues with epochs below the threshold and runs of other lengths, to reveal a late or missed stop.
    """
    goal, patience = parameters.threshold, parameters.patience

    def below() -> float:
        return round(goal - rng.uniform(0.002, 0.2), 4)

    def above() -> float:
        return round(goal + rng.uniform(0.002, 0.98 * (1 - goal)), 4)

    short = [above() for _ in range(patience - 1)]
    opening = [above() if patience > 1 else below(), below()]
    if shape == "never":
        return [*opening, below(), *short, goal], patience
    run = [above() for _ in range(patience)]
    lead = stop - patience - len(opening)
    if shape == "touch":
        rise = [*opening, *[below() for _ in range(lead - 2)], *[goal] * min(2, lead)]
    elif shape == "relapse" and lead > patience:
        rise = [*opening, *[below() for _ in range(lead - patience)], *short, below()]
    else:
        rise = [*opening, *[below() for _ in range(lead)]]
    after = [above(), below(), *short, goal, *[above() for _ in range(patience + 2)], below()]
    return rise + run + after, len(after)


def _stand_ins(parameters: Parameters, sizes: Sizes, rng: random.Random) -> dict[str, dict[str, Any]]:
    """Sample values that replace those of a broken cell, for the cells after it; for the plots, plausible metrics."""

    def rows(settings: list[tuple[float, int]]) -> list[dict[str, Any]]:
        errors = _test_errors([len(settings)], rng)
        return [row(*setting, wrong) for setting, wrong in zip(settings, errors, strict=False)]

    def row(rate: float, size: int, wrong: int) -> dict[str, Any]:
        epochs = rng.randrange(3, 80)
        seconds = round(epochs * rng.uniform(0.5, 1.5), 3)
        energy = seconds * 55 if sizes.gpus else None
        numbers = {"epochs": epochs, "test_accuracy": round(1 - wrong / sizes.n_test, 4), "train_time": seconds}
        return {"batch_size": size, "learning_rate": rate, **numbers, "total_energy": energy}

    rates = [(rate, parameters.default_batch_size) for rate in parameters.learning_rates]
    batches = [(parameters.default_learning_rate, size) for size in parameters.batch_sizes]
    return {
        "data-details": sizes.details(),
        "callback": {CALLBACK: {"stand_in": "callback"}},
        "lr-loop": {"metrics_vs_lr": rows(rates)},
        "bs-loop": {"metrics_vs_bs": rows(batches)},
    }


COLUMNS = (
    Column("learning_rate", "learning rate", required=True),
    Column("batch_size", "batch size", required=True),
    Column("epochs", "epochs", required=True),
    Column("test_accuracy", "test accuracy"),
    Column("train_time", "time (s)", per_epoch="time per epoch (s)"),
    Column("total_energy", "energy (J)", per_epoch="energy per epoch (J)"),
)
CHARTS = (
    Chart("train_time", "Time to accuracy", "s"),
    Chart("total_energy", "Energy to accuracy", "J"),
    Chart("epochs", "Epochs"),
)

EXERCISE = Exercise(
    parameters=Parameters,
    sample=sample,
    names=("n_tr", "n_ts", "n_feat", "n_class", "metrics_vs_lr", "metrics_vs_bs"),
    callback=CALLBACK,
    instruments=TRAINING_INSTRUMENTS,
    data_files=DATA_FILES,
    dry_run=DryRun(sampled="Dry run: ", marked="DRY_RUN is on"),
    signatures=(
        TaskSignature("callback", defines_class=CALLBACK),
        TaskSignature("data-details", assigns=frozenset({"n_tr", "n_ts", "n_feat", "n_class"})),
        TaskSignature("lr-loop", appends_to="metrics_vs_lr"),
        TaskSignature("bs-loop", appends_to="metrics_vs_bs"),
        TaskSignature("lr-plots", plots=frozenset({"metrics_vs_lr"})),
        TaskSignature("bs-plots", plots=frozenset({"metrics_vs_bs"})),
    ),
    series=(
        Series(
            "lr",
            rows="metrics_vs_lr",
            plots="lr-plots",
            comment="lr-comment",
            swept=Swept(
                "learning_rate",
                "learning_rates",
                other="batch_size",
                default="default_batch_size",
                columns=COLUMNS,
                charts=CHARTS,
            ),
        ),
        Series(
            "bs",
            rows="metrics_vs_bs",
            plots="bs-plots",
            comment="bs-comment",
            swept=Swept(
                "batch_size",
                "batch_sizes",
                other="learning_rate",
                default="default_learning_rate",
                columns=COLUMNS,
                charts=CHARTS,
            ),
        ),
    ),
)
