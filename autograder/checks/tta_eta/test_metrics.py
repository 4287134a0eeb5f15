"""Items lr-metrics and bs-metrics: the list of metrics has the right structure and the correct values."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from autograder.checks.tta_eta.sweep import Sweep, close, count_epochs, number
from autograder.execution.evidence import Fit, Value
from autograder.grading.case import Case, NotChecked, Undecided, Wrong, forall, items, points

pytestmark = items("lr-metrics", "bs-metrics")
ONE_DICTIONARY = "The same dictionary was appended every time: create a new one in each iteration."
METRICS = "[n for n, v in globals().items() if hasattr(v, 'reset_state') and hasattr(v, 'result') and n[:1] != '_']"
"""An expression for the names of all metric objects of a notebook."""

NEEDED = ("batch_size", "learning_rate", "epochs", "test_accuracy", "train_time")


def recorded(case: Case) -> Sweep:
    """Return the loop with its rows, or call `case.missing` if there are none."""
    sweep = Sweep.of(case)
    if sweep.recorded is None:
        case.missing(f"{sweep.name} is not defined")
    if not sweep.rows:
        case.missing(f"{sweep.name} contains no rows")
    return sweep


def verified(case: Case) -> Sweep:
    """Return the loop; raise Undecided or Wrong if its rows cannot be compared with training runs."""
    sweep = recorded(case)
    if not sweep.fits:
        raise Undecided(f"{sweep.name} has rows, but no call to Model.fit was observed. This item needs review.")
    if not any(row.entries for row in sweep.rows):
        raise Wrong(f"The rows of {sweep.name} are not dictionaries.")
    if is_one_dictionary(sweep):
        raise NotChecked(ONE_DICTIONARY)
    return sweep


def is_one_dictionary(sweep: Sweep) -> bool:
    known = [row.identity for row in sweep.rows if row.identity is not None]
    return len(set(known)) < len(known)


def place(sweep: Sweep, row: Value) -> str:
    index = next((i for i, other in enumerate(sweep.rows) if other is row), 0)
    return f"row {index + 1} of {sweep.name}"


def needs_number(sweep: Sweep, row: Value, key: str) -> str | None:
    """Return a complaint if the key has no usable number in the row."""
    value = (row.entries or {}).get(key)
    if value is None:
        return f"In {place(sweep, row)}, the key {key!r} is missing."
    if value.number is None:
        return f"In {place(sweep, row)}, {key} is of type {value.type}; it must be a number."
    return None if math.isfinite(value.number) else f"In {place(sweep, row)}, {key} is {value.number}."


def hold(case: Case, key: str, rule: Callable[[Sweep, Value, Fit], str | None]) -> None:
    """Compare one key of every row with the training run that the row describes."""
    sweep = verified(case)
    forall(sweep.rows, lambda row: needs_number(sweep, row, key))
    forall(sweep.pairs, lambda pair: rule(sweep, *pair))
    if len(sweep.pairs) < len(sweep.rows):
        count = "1 model was" if len(sweep.fits) == 1 else f"{len(sweep.fits)} models were"
        raise Wrong(f"{sweep.name} has {len(sweep.rows)} rows, but only {count} trained.")


@points(2)
def test_structure(case: Case) -> None:
    """The list contains one dictionary for each setting, with all the keys (`total_energy` may be absent)."""
    sweep = recorded(case)
    assert sweep.recorded is not None
    if sweep.recorded.type not in ("list", "tuple"):
        raise Wrong(f"{sweep.name} is of type {sweep.recorded.type}; it must be a list of dictionaries.")
    if bad := next((row for row in sweep.rows if row.entries is None), None):
        raise Wrong(f"{place(sweep, bad).capitalize()} is of type {bad.type}; it must be a dictionary.")
    if is_one_dictionary(sweep):
        raise Wrong(ONE_DICTIONARY)
    rows = sweep.recorded.length or len(sweep.rows)  # only the first rows of a long list are described
    # A loop over other settings has already lost points for that; a loop that was stopped has too few rows.
    stopped = any(case.evidence.cells[fit.cell].status == "timeout" for fit in sweep.fits)
    if rows != len(sweep.values) and (stopped or rows != len(sweep.fits)):
        count = "1 row" if rows == 1 else f"{rows} rows"
        raise Wrong(f"{sweep.name} has {count}; it should have one for each of the {len(sweep.values)} settings.")
    forall(NEEDED, lambda key: _missing_key(sweep, key))


def _missing_key(sweep: Sweep, key: str) -> str | None:
    lacking = [row for row in sweep.rows if key not in (row.entries or {})]
    return f"The key {key!r} is missing from {place(sweep, lacking[0])}." if lacking else None


@points(2)
def test_settings(case: Case) -> None:
    """In every row, `batch_size` and `learning_rate` are the values used in that iteration."""
    sweep = recorded(case)
    if is_one_dictionary(sweep):
        raise NotChecked(ONE_DICTIONARY)
    for key in (sweep.key, sweep.fixed_key):
        forall(sweep.rows, lambda row, key=key: needs_number(sweep, row, key))  # type: ignore[misc]
    forall(sweep.rows, lambda row: _fixed(sweep, row))
    left = list(sweep.values)
    for row in sweep.rows:
        value = number(row, sweep.key)
        match = next((v for v in left if close(value, v, 1e-4)), None)
        if match is None and not any(r is row and close(value, sweep.used(fit), 1e-4) for r, fit in sweep.pairs):
            raise Wrong(
                f"In {place(sweep, row)}, {sweep.key} is {value:g}, which is not the value that this row should have."
            )
        if match is not None:
            left.remove(match)
    crossed = [row for row, fit in sweep.pairs if _crossed(sweep, row, fit)]
    if crossed:
        raise Wrong(f"In {place(sweep, crossed[0])}, {sweep.key} is not the value that this model was trained with.")


def _fixed(sweep: Sweep, row: Value) -> str | None:
    value = number(row, sweep.fixed_key)
    own = [sweep.used_fixed(fit) for other, fit in sweep.pairs if other is row]
    if close(value, sweep.fixed, 1e-4) or any(close(value, used, 1e-4) for used in own):
        return None
    return f"In {place(sweep, row)}, {sweep.fixed_key} is {value:g}; it should be {sweep.fixed:g}."


def _crossed(sweep: Sweep, row: Value, fit: Fit) -> bool:
    """Whether the row has the setting of another training run, in a loop whose runs had the required settings."""
    used = sorted(f"{sweep.used(f):.5g}" for f in sweep.fits)
    right = used == sorted(f"{value:.5g}" for value in sweep.values)
    return right and not close(number(row, sweep.key), sweep.used(fit), 1e-4)


@points(2)
def test_epochs(case: Case) -> None:
    """`epochs` is the number of epochs for which the model was trained."""

    def rule(sweep: Sweep, row: Value, fit: Fit) -> str | None:
        value = number(row, "epochs")
        if value == fit.epochs_run:
            return None
        hint = ""
        if value == fit.epochs_run - 1:
            hint = " Your value is the index of the last epoch, counted from 0."
        elif value == fit.epochs:
            hint = " Your value is the epochs argument of fit, not the number of epochs that ran."
        ran = f"the model was trained for {count_epochs(fit.epochs_run)}"
        return f"In {place(sweep, row)}, epochs is {value:g}, but {ran}.{hint}"

    hold(case, "epochs", rule)


@points(3)
def test_test_accuracy(case: Case) -> None:
    """`test_accuracy` is the accuracy of this model on the test data, between 0 and 1."""
    sweep = verified(case)
    truths = [sweep.accuracy(fit) for _, fit in sweep.pairs]
    values = [number(row, "test_accuracy") for row, _ in sweep.pairs]
    wrong = not all(close(v, t, 1e-4) for v, t in zip(values, truths, strict=True))
    if len(truths) > 1 and wrong:
        if all(close(v, t, 1e-4) for v, t in zip(values, running_means(truths), strict=True)):
            raise Wrong(
                "From the second row on, test_accuracy is the average accuracy of all models trained so far"
                f"{explain_mean(case)} Evaluate each model separately."
            )
        if agrees_from_earlier(sweep, values, truths):
            raise Wrong(
                "test_accuracy is an average that includes the accuracies of earlier models, even in the other loop"
                f"{explain_mean(case)} Evaluate each model separately."
            )
        if all(close(v, 100 * t, 1e-4) for v, t in zip(values, truths, strict=True)):
            raise Wrong("test_accuracy is a percentage; it must be a number between 0 and 1.")

    def rule(sweep: Sweep, row: Value, fit: Fit) -> str | None:
        value, truth = number(row, "test_accuracy"), sweep.accuracy(fit)
        if abs(value - truth) <= 1e-4:
            return None
        other = next((f for f in sweep.fits if f is not fit and abs(sweep.accuracy(f) - value) <= 1e-4), None)
        hint = " Your value is the accuracy of another model." if other else ""
        on_test_data = f"the accuracy of this model on the test data is {truth:.4f}"
        return f"In {place(sweep, row)}, test_accuracy is {value:.4f}; {on_test_data}.{hint}"

    hold(case, "test_accuracy", rule)


def running_means(truths: list[float]) -> list[float]:
    return list(np.cumsum(truths) / np.arange(1, len(truths) + 1))


def agrees_from_earlier(sweep: Sweep, values: list[float], truths: list[float]) -> bool:
    """Whether the values are running means that include models of the other loop, trained before this one."""
    if not sweep.fits:
        return False
    other = [fit for fit in sweep.other.fits if fit.end <= sweep.fits[0].begin]
    before = [sweep.accuracy(fit) for fit in other]
    return any(
        all(
            close(v, t, 1e-4)
            for v, t in zip(values, running_means([*before[start:], *truths])[-len(truths) :], strict=True)
        )
        for start in range(len(before))
    )


def explain_mean(case: Case) -> str:
    """Return the end of a sentence: the cause of a mean over several models, if the notebook shows it."""
    names = case.look(METRICS).returned
    if not isinstance(names, list) or not names:
        return "."
    which = f"the metric object {names[0]}" if len(names) == 1 else "one metric object"
    return f": {which} was used for all models and never reset."


@points(2)
def test_train_time(case: Case) -> None:
    """`train_time` is the time from just before `fit` to just after it, in seconds."""
    sweep = verified(case)
    starts = [fit.end - number(row, "train_time") for row, fit in sweep.pairs]
    is_never_restarted = len(starts) > 1 and max(starts) - min(starts) < 0.01 * sweep.fits[0].seconds
    if is_never_restarted and max(starts) <= sweep.fits[0].begin:
        raise Wrong(
            "In every row, train_time is measured from the same moment, before the first training run: restart the "
            "clock right before each fit."
        )

    def rule(sweep: Sweep, row: Value, fit: Fit) -> str | None:
        return _measured(sweep, row, "train_time", "s", fit.seconds, {k: c[0] for k, c in case.scenario.costs.items()})

    hold(case, "train_time", rule)


def _measured(sweep: Sweep, row: Value, key: str, unit: str, truth: float, costs: dict[str, float]) -> str | None:
    value = number(row, key)
    if close(value, truth, 0.01):
        return None
    hint = ""
    if close(value, 1000 * truth, 0.01) or close(1000 * value, truth, 0.01):
        hint = f" The unit should be {unit}."
    elif close(value - truth, costs["evaluate"], 0.2):
        hint = " Your value also covers the evaluation."
    elif close(value - truth, costs["compile"], 0.2):
        hint = " Your value also covers compiling the model."
    verb = "used" if unit == "J" else "took"
    return f"In {place(sweep, row)}, {key} is {value:.4g} {unit}, but fit alone {verb} {truth:.4g} {unit}.{hint}"


@points(1)
def test_total_energy(case: Case) -> None:
    """`total_energy` is the energy used by `fit`, in joules; it is absent, None or NaN if it was not measured."""
    sweep = verified(case)
    given = [(row.entries or {}).get("total_energy") for row in sweep.rows]
    nothing = [
        value is None or value.type == "NoneType" or (value.number is not None and math.isnan(value.number))
        for value in given
    ]
    if all(nothing) and not sweep.windowed:
        return
    if not sweep.windowed:
        raise Wrong("total_energy contains numbers, but no energy was measured during fit: omit it or set it to None.")
    hold(
        case,
        "total_energy",
        lambda s, row, fit: _measured(
            s, row, "total_energy", "J", fit.joules, {k: c[1] for k, c in case.scenario.costs.items()}
        ),
    )
