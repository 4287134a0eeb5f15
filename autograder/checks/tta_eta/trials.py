"""The test cases for the callback class: short training curves around the threshold.

Each family isolates one property. Most results are compared with the behaviour of the same class on a related curve
(metamorphic testing: Chen, Cheung and Yiu, 1998), so that one fault makes only one check fail; only `plain` and `any`
are compared with the reference, `first_stop`. Here, a hit is an epoch above the threshold, and a miss is any other.
"""

from __future__ import annotations

import random

from autograder.assignment.exercise import Trial

NUDGE = 1e-4


def first_stop(values: list[float], threshold: float, patience: int) -> int | None:
    """Return the epoch (from 0) that completes `patience` epochs in a row strictly above the threshold."""
    row = 0
    for epoch, value in enumerate(values):
        row = row + 1 if value > threshold else 0
        if row == patience:
            return epoch
    return None


def sample_trials(goal: float, patience: int, rng: random.Random) -> list[Trial]:
    return [
        *_plain(goal, patience, rng),
        *_equal(goal, patience),
        *_reset(goal, patience, rng),
        *_val_accuracy(goal, patience),
        *_unvalidated(goal, patience),
        *_arguments(goal, patience),
        *_defaults(),
        *_instances(goal, patience),
        *_any(goal, patience, rng),
    ]


def _hit(goal: float, rng: random.Random) -> float:
    return min(0.9999, goal + rng.choice([NUDGE, 0.5 * (1 - goal), 0.9 * (1 - goal)]))


def _miss(goal: float, rng: random.Random) -> float:
    return goal - rng.choice([NUDGE, 0.02, 0.4])


def _trial(family: str, goal: float, patience: int, values: list[float], **more: object) -> Trial:
    return Trial(family, goal, patience, values, list(values), **more)  # type: ignore[arg-type]


def _plain(goal: float, patience: int, rng: random.Random) -> list[Trial]:
    """Return curves of misses, then only hits: either enough of them to stop training, or too few."""
    trials = []
    for misses in (0, 1, 2, 5):
        for hits in (patience - 1, patience, patience + 3):
            values = [_miss(goal, rng) for _ in range(misses)] + [_hit(goal, rng) for _ in range(hits)]
            if values:
                trials.append(_trial("plain", goal, patience, values))
    return trials


def _equal(goal: float, patience: int) -> list[Trial]:
    """Return pairs: the same curve with a value just below the threshold, then exactly at it."""
    trials = []
    for before in (0, 1, patience - 1):
        for value in (goal - NUDGE, goal):
            values = [goal + 0.01] * before + [value] + [goal + 0.01] * (patience + 1)
            trials.append(_trial("equal", goal, patience, values))
    return trials


def _reset(goal: float, patience: int, rng: random.Random) -> list[Trial]:
    """Return pairs: hits alone, then the same hits after a run of hits that was cut short by a miss.

    All curves begin with a miss: the first epochs are checked on plain curves.
    """
    hits = [goal + 0.01] * (patience + 2)
    trials = []
    for short in range(1, max(2, patience)):
        interrupted = [goal + 0.02] * short + [_miss(goal, rng)]
        trials += [
            _trial("reset", goal, patience, [goal - 0.05, *before, *hits])
            for before in ([], interrupted, [], interrupted * 2)
        ]
    return trials


def _val_accuracy(goal: float, patience: int) -> list[Trial]:
    """Return pairs: the same validation curve with a training accuracy that agrees, then with the opposite one."""
    above, below = goal + 0.01, goal - 0.05
    curves = ([below, below, *[above] * (patience + 1)], [above] * (patience - 1) + [below] * 3)
    trials = []
    for values in curves:
        trials.append(_trial("val_accuracy", goal, patience, values))
        opposite = [below if value > goal else above for value in values]
        trials.append(Trial("val_accuracy", goal, patience, list(values), opposite))
    return trials


def _unvalidated(goal: float, patience: int) -> list[Trial]:
    """Return a run without validation data: `logs` contains no val_accuracy, so training must not be stopped."""
    return [_trial("unvalidated", goal, patience, [goal + 0.01] * (patience + 2), validated=False)]


def _arguments(goal: float, patience: int) -> list[Trial]:
    """Return curves for other values of threshold and patience, each passed by keyword and by position.

    All curves begin below the lowest threshold: the first epochs are checked on plain curves.
    """
    trials = []
    for call in ("keyword", "position"):
        for threshold, asked in ((goal, patience), (goal, patience + 2), (goal, 1), (goal - 0.3, patience)):
            values = [(goal - 0.3) / 2, *[goal - 0.1] * 3, *[goal + 0.01] * (patience + 4)]
            trials.append(_trial("arguments", threshold, asked, values, call=call))
    return trials


def _defaults() -> list[Trial]:
    """Return pairs: without arguments, then with the lab's defaults written out."""
    trials = []
    for values in ([0.88, 0.89, *[0.93] * 6], [0.93, 0.93, 0.89, 0.93, 0.93, 0.93, 0.93], [0.89] * 8):
        trials.append(_trial("defaults", 0.9, 3, values, call="default"))
        trials.append(_trial("defaults", 0.9, 3, values))
    return trials


def _instances(goal: float, patience: int) -> list[Trial]:
    """Return pairs: an instance alone, then in alternation with a second one that is given another curve."""
    above, below = goal + 0.01, goal - 0.05
    values = [below, *[above] * (patience + 1)]
    besides = ([above, *[below] * (patience + 4)], [above] * (patience + 6), [below] * (patience + 6))
    trials = []
    for beside in besides:
        trials.append(_trial("instances", goal, patience, list(values)))
        trials.append(_trial("instances", goal, patience, list(values), beside=beside))
    return trials


def _any(goal: float, patience: int, rng: random.Random) -> list[Trial]:
    """Return curves of length 1 to 12, for several values of the arguments.

    Their values are far from and close to the threshold, above and below it.
    """
    trials = []
    for length in range(1, 13):
        for asked in {patience, rng.randint(1, 6), rng.randint(1, 6)}:
            threshold = rng.choice([goal, goal, 0.9, 0.8])
            levels = [
                threshold - 0.1,
                threshold - NUDGE,
                threshold,
                threshold + NUDGE,
                threshold + 0.5 * (1 - threshold),
            ]
            weights = [1, 1, 1, 4, 4]
            for _ in range(2):
                values = rng.choices(levels, weights, k=length)
                accuracy = rng.choices(levels, k=length)
                trials.append(Trial("any", threshold, asked, values, accuracy))
    return trials
