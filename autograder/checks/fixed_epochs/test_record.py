"""Item record: the list of rows and the summary have the right structure and the correct values."""

from __future__ import annotations

import math

from autograder.checks.fixed_epochs.trained import MEASURES, Work, close, number, same
from autograder.execution.evidence import Value
from autograder.grading.case import Case, Undecided, Wrong, forall, items, points

pytestmark = items("record")


def recorded(case: Case) -> Work:
    """Return the recorded work, or call `case.missing` if there are no rows."""
    work = Work.of(case)
    if work.recorded is None:
        case.missing("history_rows is not defined")
    if not work.rows:
        case.missing("history_rows contains no rows")
    return work


def verified(case: Case) -> Work:
    """Return the recorded work; raise Undecided or Wrong if its rows cannot be compared with a training run."""
    work = recorded(case)
    if not work.sources:
        raise Undecided("history_rows has rows, but no call to Model.fit was observed. This item needs review.")
    if not any(row.entries for row in work.rows):
        raise Wrong("The rows of history_rows are not dictionaries.")
    return work


def needs_number(where: str, entries: dict[str, Value] | None, key: str) -> str | None:
    """Return a complaint if the key has no usable number."""
    value = (entries or {}).get(key)
    if value is None:
        return f"In {where}, the key {key!r} is missing."
    if value.number is None:
        return f"In {where}, {key} is of type {value.type}; it must be a number."
    return None if math.isfinite(value.number) else f"In {where}, {key} is {value.number}."


def hold(case: Case, key: str) -> Work:
    """Return the recorded work; raise Wrong if a row has no number under the key."""
    work = verified(case)
    places = list(enumerate(work.rows, start=1))
    forall(places, lambda each: needs_number(f"row {each[0]} of history_rows", each[1].entries, key))
    return work


@points(2)
def test_structure(case: Case) -> None:
    """`history_rows` is a list with one dictionary for each epoch."""
    work = recorded(case)
    assert work.recorded is not None
    if work.recorded.type not in ("list", "tuple"):
        raise Wrong(f"history_rows is of type {work.recorded.type}; it must be a list of dictionaries.")
    if bad := next((row for row in work.rows if row.entries is None), None):
        raise Wrong(f"A row of history_rows is of type {bad.type}; it must be a dictionary.")
    if len(work.rows) > 1 and len({row.identity for row in work.rows}) < len(work.rows):
        raise Wrong("The same dictionary was appended every time: create a new one for each epoch.")
    lengths = {len(curves[MEASURES[0]]) for curves in work.sources}
    rows = work.recorded.length or len(work.rows)
    if lengths and rows not in lengths:
        raise Wrong(f"history_rows has {rows} rows, but the model was trained for {min(lengths)} epochs.")


@points(1)
def test_epoch(case: Case) -> None:
    """`epoch` counts the epochs from 1."""
    work = hold(case, "epoch")
    found = [number(row, "epoch") for row in work.rows]
    if found == list(range(len(found))):
        raise Wrong("epoch counts from 0; the first epoch is number 1.")
    if found != list(range(1, len(found) + 1)):
        wrong = next(place for place, value in enumerate(found, start=1) if value != place)
        raise Wrong(f"In row {wrong} of history_rows, epoch is {found[wrong - 1]:g}; it should be {wrong}.")


@points(2)
def test_accuracy(case: Case) -> None:
    """`accuracy` is the accuracy on the training notes in each epoch, between 0 and 1."""
    _hold_curve(case, "accuracy")


@points(2)
def test_val_accuracy(case: Case) -> None:
    """`val_accuracy` is the accuracy on the validation notes after each epoch, between 0 and 1."""
    _hold_curve(case, "val_accuracy")


def seen_in_work(work: Work) -> None:
    """Raise Undecided if the numbers can only be compared with a stand-in.

    They may come from a training run that was not observed.
    """
    if work.training is None:
        raise Undecided(
            "No call to Model.fit that could have produced these numbers was observed. This item needs review."
        )


def _hold_curve(case: Case, key: str) -> None:
    """Raise Wrong, with the likely reason, if the values of a column are not what Keras reported."""
    work = hold(case, key)
    values = work.recorded_curves[key]
    if any(_agrees(values, curves[key]) for curves in work.sources):
        return
    truth, other = (work.sources[0][name] for name in (key, *set(MEASURES) - {key}))
    if all(math.isnan(true) for true in truth):
        raise Undecided(f"The autograder did not record the {key} that Keras reported. This item needs review.")
    if same(values, other):
        raise Wrong(f"{key} contains the values of {next(iter(set(MEASURES) - {key}))}.")
    if same(values, truth, 100.0):
        raise Wrong(f"{key} is given in percent; it must be a number between 0 and 1.")
    seen_in_work(work)
    pairs = list(zip(values, truth, strict=False))
    place = next((place for place, (value, true) in enumerate(pairs) if not same([value], [true])), 0)
    reported = f"Keras reported {truth[place]:.4g} for this epoch"
    raise Wrong(f"In row {place + 1} of history_rows, {key} is {values[place]:.4g}, but {reported}.")


def _agrees(values: tuple[float, ...], truth: tuple[float, ...]) -> bool:
    """Whether the rows agree with the true values.

    Missing or extra rows at either end lose points only in the check of the structure.
    """
    both = min(len(values), len(truth))
    return same(values[:both], truth[:both]) or same(values[-both:], truth[-both:])


def summed(case: Case) -> tuple[Work, dict[str, Value]]:
    """Return the work and the entries of the summary."""
    work = Work.of(case)
    if work.summary is None:
        case.missing("summary is not defined")
    if work.summary.entries is None:
        raise Wrong(f"summary is of type {work.summary.type}; it must be a dictionary.")
    return work, work.summary.entries


def measured(case: Case, key: str) -> tuple[Work, float]:
    """Return the work and the number under a key of the summary."""
    work, entries = summed(case)
    if complaint := needs_number("the summary", entries, key):
        raise Wrong(complaint)
    if not work.costs:
        raise Undecided("summary is defined, but no call to Model.fit was observed. This item needs review.")
    return work, entries[key].number or 0.0


@points(1)
def test_epochs(case: Case) -> None:
    """`epochs` in the summary is the number of epochs for which the model was trained."""
    work, value = measured(case, "epochs")
    truths = [len(curves["accuracy"]) for curves in work.sources]
    if value not in truths:
        hint = " Your value is the index of the last epoch, counted from 0." if value + 1 in truths else ""
        raise Wrong(f"In the summary, epochs is {value:g}, but the model was trained for {truths[0]} epochs.{hint}")


@points(1)
def test_train_time(case: Case) -> None:
    """`train_time` in the summary is the time from just before `fit` to just after it, in seconds."""
    work, value = measured(case, "train_time")
    _hold_cost(case, "train_time", "s", value, [seconds for seconds, _ in work.costs], 0)


@points(1)
def test_total_energy(case: Case) -> None:
    """`total_energy` in the summary is the energy used by `fit`, in joules; absent, None or NaN if not measured."""
    work, entries = summed(case)
    given = entries.get("total_energy")
    nothing = given is None or given.type == "NoneType" or (given.number is not None and math.isnan(given.number))
    stood_in = "training" in case.evidence.stand_ins
    if nothing and (stood_in or not work.windowed):
        return
    if not stood_in and work.training is not None and not work.windowed:
        raise Wrong("total_energy is a number, but no energy was measured during fit: omit it or set it to None.")
    work, value = measured(case, "total_energy")
    _hold_cost(case, "total_energy", "J", value, [joules for _, joules in work.costs], 1)


def _hold_cost(case: Case, key: str, unit: str, value: float, truths: list[float], place: int) -> None:
    if any(close(value, truth, 0.01) for truth in truths):
        return
    truth = truths[0]
    costs = {name: cost[place] for name, cost in case.scenario.costs.items()}
    hint = ""
    if close(value, 1000 * truth, 0.01) or close(1000 * value, truth, 0.01):
        hint = f" The unit should be {unit}."
    elif close(value - truth, costs["evaluate"], 0.2):
        hint = " Your value also covers the evaluation."
    elif close(value - truth, costs["compile"], 0.2):
        hint = " Your value also covers compiling the model."
    if not hint:
        seen_in_work(Work.of(case))
    verb = "used" if unit == "J" else "took"
    raise Wrong(f"In the summary, {key} is {value:.4g} {unit}, but fit alone {verb} {truth:.4g} {unit}.{hint}")
