"""The items `split`, `standardise` and `baseline`: preparing data for a classifier and using it without leakage."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pandas as pd
from sklearn.neighbors import KNeighborsClassifier

from autograder.rubric import Case, NotChecked, Reply, Rule, Wrong, arrays, close_to, integers, item, show

SINGLE = 1e-4
"""Tolerance for a scaled feature, since features are often stored in single precision."""


def split(
    case: Case, share: float, seed: int, pitches: np.ndarray, seconds: float = 5.0
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return a table, and the training and test tables that the student's function returns for it."""
    index = np.arange(len(pitches)) * 3 + 1
    table = pd.DataFrame({"pitch": pitches, "level": np.linspace(-40, 0, len(pitches))}, index=index)
    reply = case.call("split_by_pitch", table, share, seed, seconds=seconds)
    if reply.error:
        case.expect(reply, close_to(0), given=table)
    value = reply.value
    if not isinstance(value, (tuple, list)) or [type(part) for part in value] != [pd.DataFrame, pd.DataFrame]:
        raise Wrong(f"`split_by_pitch` returned {show(value)}; it should return a pair of tables.")
    for name, part in zip(("training", "test"), value, strict=True):
        if "pitch" not in part:
            raise Wrong(f"The {name} table has no column `pitch`.")
    return table, value[0], value[1]


def sample_pitches(case: Case) -> Any:
    """Yield the pitches of several notes, at least two of them different, and a seed."""
    for pitches, seed in case.samples_of(arrays(int, (2, 30), low=40, high=52), integers(0, 1000)):
        yield np.append(pitches, pitches[0] + 1), seed


@item("split", points=3)
def test_no_pitch_is_in_both(case: Case) -> None:
    """No pitch is in both the training table and the test table."""
    for pitches, seed in sample_pitches(case):
        _, train, test = split(case, 0.3, seed, pitches)
        if both := set(train["pitch"]) & set(test["pitch"]):
            raise Wrong(f"For the pitches {show(pitches)}, the pitch {min(both)} is in both tables.")


@item("split", points=2)
def test_every_note_is_in_one(case: Case) -> None:
    """Every row is in exactly one of the two tables, unchanged and with its index."""
    for pitches, seed in sample_pitches(case):
        table, train, test = split(case, 0.3, seed, pitches)
        if sorted([*train.index, *test.index]) != sorted(table.index):
            raise Wrong(
                f"For a table with the index {list(table.index)}, the training table has the index {list(train.index)} "
                f"and the test table {list(test.index)}; each row should be in exactly one of them."
            )
        for part in (train, test):
            for name in table.columns:
                if name not in part or list(part[name]) != list(table.loc[part.index, name]):
                    raise Wrong(f"The column `{name}` is not the same as in the table that was passed.")


@item("split", points=1)
def test_size(case: Case) -> None:
    """The test table contains the requested fraction of the pitches, at least one and not all of them."""
    for n, share in ((2, 0.98), (3, 0.05), (5, 0.5), (24, 0.05), (24, 0.12), (24, 0.3)):
        wanted = min(max(1, round(share * n)), n - 1)
        found = split(case, share, 1, np.resize(np.arange(40, 40 + n), 2 * n + 1))[2]["pitch"].nunique()
        if found != wanted:
            raise Wrong(f"With {n} pitches and share={share}, the test table has {found} pitches, not {wanted}.")


@item("split", points=1)
def test_seed(case: Case) -> None:
    """The same seed gives the same split, and different seeds give different splits."""
    pitches = np.repeat(np.arange(40, 60), 2)
    tests = [tuple(split(case, 0.3, seed, pitches)[2]["pitch"]) for seed in range(5)]
    again = tuple(split(case, 0.3, 0, pitches, seconds=4.0)[2]["pitch"])  # another limit, so that the call is repeated
    if (count := len(set(tests))) < 3:
        splits = "the same split" if count == 1 else "only two different splits"
        raise Wrong(f"Five different seeds gave {splits}: use the seed to choose the pitches.")
    if again != tests[0]:
        raise Wrong("The same seed gave two different splits.")


def scaled(x_train: np.ndarray, x_test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both arrays, scaled with the mean and standard deviation of the first."""
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    deviation = np.where(deviation == 0, 1, deviation)
    return (x_train - mean) / deviation, (x_test - mean) / deviation


def spread(x: np.ndarray) -> np.ndarray:
    """Return offsets that keep the columns of an array from being constant: steps larger than any sampled value."""
    return np.arange(len(x))[:, None] * [300.0, 1000.0]


@item("standardise", points=5)
def test_with_training_numbers(case: Case) -> None:
    """Both arrays are scaled with the mean and standard deviation of the training notes."""
    for x_train, x_test in case.samples_of(arrays(float, [(3, 20), 2]), arrays(float, [(2, 10), 2])):
        x_train, x_test = x_train + spread(x_train), x_test - spread(x_test)
        reply = case.call("standardise", x_train, x_test)
        both = np.concatenate([x_train, x_test])
        leaked = (both - both.mean(axis=0)) / both.std(axis=0)
        if _is_close(reply, (leaked[: len(x_train)], leaked[len(x_train) :])):
            raise Wrong(
                "The mean and standard deviation were computed from the test notes too: use only the training notes."
            )
        if _is_close(reply, (scaled(x_train, x_train)[0], scaled(x_test, x_test)[0])):
            raise Wrong(
                "The test notes were scaled with their own mean and standard deviation: use those of the training "
                "notes."
            )
        case.expect(reply, scaled_as(scaled(x_train, x_test)), given=(x_train, x_test))


def scaled_as(expected: Any) -> Rule:
    return close_to(expected, SINGLE, SINGLE)


def _is_close(reply: Reply, expected: Any) -> bool:
    return not reply.error and not scaled_as(expected).complain(reply.value)


@item("standardise", points=1)
def test_constant_column(case: Case) -> None:
    """A column that is constant in the training notes is centred, but not divided by its standard deviation of 0."""
    x_train, x_test = np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[2.0, 7.0]])
    reply = case.call("standardise", x_train, x_test)
    # A column with the same mean and a standard deviation of 1: mistakes in it have already lost points.
    varied = case.call("standardise", np.array([[1.0, 4.0], [3.0, 6.0]]), x_test)
    wanted, own = [x[:, 1] for x in scaled(x_train, x_test)], _second_columns(varied)
    accepted = [wanted, [wanted[0], own[1]]] if own else [wanted]
    found = _second_columns(reply)
    if found is None or all(scaled_as(each).complain(found) for each in accepted):
        case.expect(reply, scaled_as(scaled(x_train, x_test)), given=(x_train, x_test))


def _second_columns(reply: Reply) -> list[np.ndarray] | None:
    """Return the second column of both arrays, for two training notes and one test note; None if there is none."""
    if reply.error or not isinstance(reply.value, (tuple, list)):
        return None
    if [np.shape(part) for part in reply.value] != [(2, 2), (1, 2)]:
        return None
    return [np.asarray(part)[:, 1] for part in reply.value]


def neighbours(case: Case, seed: int) -> tuple[Reply, list[np.ndarray], np.ndarray]:
    """Return the reply of the student's `baseline` for clustered points, the accepted predictions, and the labels."""
    rng = np.random.default_rng([case.scenario.seed, seed])
    labels = rng.integers(0, 3, 60)
    x = rng.normal(0, 1, (60, 4)) * [1, 1000, 1, 0.01] + labels[:, None] * [1.5, 0, 1.5, 0.015]
    x[-1, 1] += 50_000  # an outlier that distorts the statistics of all notes and of the test notes
    parts = (x[:40], labels[:40], x[40:], labels[40:])
    reply = case.call("baseline", *parts)
    scalings = [scaled(x[:40], x[40:])]
    with contextlib.suppress(NotChecked):  # a baseline may scale without `standardise`
        own = case.call("standardise", x[:40], x[40:]).returned
        if isinstance(own, (tuple, list)) and [np.shape(part) for part in own] == [(40, 4), (20, 4)]:
            scalings.append((own[0], own[1]))  # a wrong `standardise` has already lost points
    right = [KNeighborsClassifier(n_neighbors=1).fit(a, labels[:40]).predict(b) for a, b in scalings]
    if not reply.error and not isinstance(reply.value, dict):
        raise Wrong(f"`baseline` returned {show(reply.value)}; it should return a dictionary.")
    return reply, right, labels[40:]


@item("baseline", points=3)
def test_predictions(case: Case) -> None:
    """`predictions` are the labels of the nearest training notes after the features are standardised."""
    for seed in range(3):
        reply, right, _ = neighbours(case, seed)
        if reply.error:
            case.expect(reply, close_to({"predictions": right[0]}))
        if "predictions" not in reply.value:
            raise Wrong("The dictionary has no key `predictions`.")
        if all(close_to(each).complain(reply.value["predictions"]) for each in right):
            raise Wrong(
                "On notes that are not in this notebook, `predictions` differ from those of a one-nearest-neighbour "
                "classifier trained on standardised features."
            )


@item("baseline", points=2)
def test_accuracy(case: Case) -> None:
    """`accuracy` is the fraction of the predictions that are correct."""
    for seed in range(3):
        reply, right, labels = neighbours(case, seed)
        if reply.error:
            case.expect(reply, close_to({"accuracy": np.mean(right[0] == labels)}))
        own = np.asarray(reply.value.get("predictions", right[0]))
        expected = np.mean(own == labels) if own.shape == labels.shape else np.mean(right[0] == labels)
        case.expect(reply.value.get("accuracy"), close_to(float(expected)), name="the entry `accuracy`")
