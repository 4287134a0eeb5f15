"""The challenge of one run: what the notebook will meet, drawn anew each time.

Drawn outside the kernel. The kernel gets the part it needs to play its role (`for_kernel`): curves, costs, data,
but no stop that is right, no value that is expected.
"""

from __future__ import annotations

import io
import json
import random
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from .assignment import Parameters
from .trials import Trial, draw_trials

DATA_FILES = (
    "uiowa_std_scale_train_data.npy",
    "uiowa_permuted_train_labels.npy",
    "uiowa_std_scale_test_data.npy",
    "uiowa_test_labels.npy",
)
NAMES = ("n_tr", "n_ts", "n_feat", "n_class", "metrics_vs_lr", "metrics_vs_bs")
TEST_ROWS = 210


@dataclass(frozen=True)
class Plan:
    """One scripted training: validation accuracy by epoch (the last `tail` values go on forever), costs, outcome.

    `epoch_cost` is seconds and joules an epoch; `test_errors` is the number of test notes that the model gets wrong.
    """

    val_accuracy: list[float]
    tail: int
    epoch_cost: tuple[float, float]
    test_errors: int
    weights_seed: int
    stand_in_stop: int

    def value(self, epoch: int) -> float:
        """The validation accuracy of an epoch, counted from 0."""
        if epoch < len(self.val_accuracy):
            return self.val_accuracy[epoch]
        return self.val_accuracy[len(self.val_accuracy) - self.tail :][(epoch - len(self.val_accuracy)) % self.tail]


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
    stand_ins: dict[str, Any]
    training: Literal["scripted", "real"] = "scripted"
    gpus: int = 1
    given_cells: list[int] = field(default_factory=list)

    def for_kernel(self) -> str:
        """The kernel's part as JSON: of each trial the question only."""
        document = asdict(self)
        document["trials"] = [{k: v for k, v in trial.items() if k != "family"} for trial in document["trials"]]
        return json.dumps(document | {"data_files": DATA_FILES, "names": NAMES})

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


def setting_key(learning_rate: float, batch_size: int) -> str:
    """How a training's setting is written in `Challenge.settings`."""
    return f"{learning_rate:.5g}/{batch_size}"


def draw(
    parameters: Parameters, seed: int, *, training: Literal["scripted", "real"] = "scripted", gpus: int = 1
) -> Challenge:
    """A challenge for one run; the same seed gives the same challenge."""
    dice = random.Random(f"challenge {seed}")
    classes = dice.choice([5, 6, 7, 8, 9])
    plans, settings, spares = _plans(parameters, dice)
    n_train = dice.randrange(560, 700) + (900 if training == "real" else 0)
    return Challenge(
        seed=seed % 2**31,
        nonce=f"{dice.getrandbits(64):016x}",
        n_train=n_train,
        n_test=TEST_ROWS,
        n_classes=classes,
        n_features=dice.choice([n for n in range(21, 48) if n % 10]),
        plans=plans,
        settings=settings,
        spares=spares,
        trials=draw_trials(parameters, dice) + _plan_trials(parameters, plans),
        costs={"fit": (0.9, 21.0), "evaluate": (1.7, 57.0), "compile": (0.8, 13.0), "epoch": (0.7, 40.0)},
        stand_ins=_stand_ins(parameters, dice),
        training=training,
        gpus=gpus,
    )


def _plans(parameters: Parameters, dice: random.Random) -> tuple[list[Plan], dict[str, list[int]], list[int]]:
    """A plan for each setting of each loop, with every shape of curve in each loop, and spares for other trainings."""
    loops = (
        [setting_key(rate, parameters.default_batch_size) for rate in parameters.learning_rates],
        [setting_key(parameters.default_learning_rate, size) for size in parameters.batch_sizes],
    )
    total = sum(map(len, loops))
    errors = _test_errors([len(keys) for keys in loops], dice)
    first = parameters.patience + 3
    stops = dice.sample(range(first, first + max(40, 3 * total)), total + 4)
    plans: list[Plan] = []
    settings: dict[str, list[int]] = {}
    for keys in loops:
        shapes = ["never", "relapse", "touch", *dice.choices(SHAPES, k=max(0, len(keys) - 3))][: len(keys)]
        ahead = enumerate(shapes, len(plans))
        mine = [_plan(parameters, dice, shape, stops[number], errors[number]) for number, shape in ahead]
        dice.shuffle(mine)
        while len(mine) > 2 and _in_order(mine):
            dice.shuffle(mine)
        for number, key in enumerate(keys, len(plans)):
            settings.setdefault(key, []).append(number)
        plans += mine
    spares = list(range(total, total + 4))
    plans += [_plan(parameters, dice, "late", stops[number], errors[number]) for number in spares]
    return plans, settings, spares


SHAPES = ("late", "relapse", "touch")


def _in_order(plans: list[Plan]) -> bool:
    """Whether epochs or errors rise or fall all along: then a list that was sorted would not show."""
    columns = ([plan.stand_in_stop for plan in plans], [plan.test_errors for plan in plans])
    return any(column in (sorted(column), sorted(column, reverse=True)) for column in columns)


def _plan_trials(parameters: Parameters, plans: list[Plan]) -> list[Trial]:
    """Each plan's curve up to the cap of epochs, as a trial of family `plan`."""
    trials = []
    for plan in plans:
        curve = [plan.value(epoch) for epoch in range(parameters.max_epochs)]
        trials.append(Trial("plan", parameters.threshold, parameters.patience, curve, list(curve)))
    return trials


def _test_errors(lengths: list[int], dice: random.Random) -> list[int]:
    """Numbers of wrong test notes, all different as long as there are enough; each loop has a good and a bad model."""
    most = max(20, sum(lengths) + 6)
    between = list(range(4, most - 1))
    dice.shuffle(between)
    errors = []
    for number, length in enumerate(lengths):
        loop = [2 + number, most - number] + [between.pop() for _ in range(length - 2)]
        dice.shuffle(loop)
        errors += loop
    return errors + [between[-1 - number % len(between)] for number in range(4)]


def _plan(parameters: Parameters, dice: random.Random, shape: str, stop: int, errors: int) -> Plan:
    curve, tail = _curve(parameters, dice, shape, stop)
    seconds = round(dice.uniform(0.4, 1.6), 3)
    watts = round(dice.uniform(38, 82), 2)
    return Plan(
        val_accuracy=curve,
        tail=tail,
        epoch_cost=(seconds, round(seconds * watts, 3)),
        test_errors=errors,
        weights_seed=dice.getrandbits(31),
        stand_in_stop=stop if shape != "never" else 10**6,
    )


def _curve(parameters: Parameters, dice: random.Random, shape: str, stop: int) -> tuple[list[float], int]:
    """A curve whose right stop is after `stop` epochs (never for shape `never`), and the length of its endless tail.

    It begins with a single hit, so that a count kept from an earlier training shows, and goes on after the right stop
    with misses and runs of other lengths, so that a late or missed stop shows.
    """
    goal, patience = parameters.threshold, parameters.patience

    def below() -> float:
        return round(goal - dice.uniform(0.002, 0.2), 4)

    def above() -> float:
        return round(goal + dice.uniform(0.002, 0.98 * (1 - goal)), 4)

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


def _stand_ins(parameters: Parameters, dice: random.Random) -> dict[str, Any]:
    """Metrics lists of plausible numbers, for plots whose loop is broken."""

    def row(rate: float, size: int) -> dict[str, float]:
        epochs = dice.randrange(3, 80)
        seconds = round(epochs * dice.uniform(0.5, 1.5), 3)
        accuracy = round(dice.uniform(0.9, 0.99), 4)
        numbers = {"epochs": epochs, "test_accuracy": accuracy, "train_time": seconds, "total_energy": seconds * 55}
        return {"batch_size": size, "learning_rate": rate, **numbers}

    rates, sizes = parameters.learning_rates, parameters.batch_sizes
    return {
        "lr-loop": {"metrics_vs_lr": [row(rate, parameters.default_batch_size) for rate in rates]},
        "bs-loop": {"metrics_vs_bs": [row(parameters.default_learning_rate, size) for size in sizes]},
    }
