"""Items lr-loop and bs-loop: how each model was trained."""

from __future__ import annotations

import math
from collections.abc import Callable

from autograder.checks.tta_eta.sweep import Sweep, close, count_epochs, number
from autograder.execution.evidence import KERNEL_DIED, Fit, Use
from autograder.grading.case import Case, NotChecked, Undecided, Wrong, forall, items, points

pytestmark = items("lr-loop", "bs-loop")
Trained = tuple[Fit, float | None]
ACTIVATIONS = ("Activation", "ReLU", "Softmax")
"""Layer classes that do what the preceding layer's `activation` can also do."""
NEUTRAL = ("InputLayer", "Flatten")
"""Layer classes that leave rows of numbers unchanged."""


def trained(case: Case) -> Sweep:
    """Return the loop with its training runs, or call `case.missing` if there are none."""
    sweep = Sweep.of(case)
    if not sweep.fits:
        if sweep.rows and sweep.recorded is not None:
            raise Undecided("The list has rows, but no call to Model.fit was observed. This item needs review.")
        case.missing("No model was trained")
    cells = [case.evidence.cells[fit.cell] for fit in sweep.fits]
    if any(cell.status == "timeout" or cell.error == KERNEL_DIED for cell in cells):
        case.missing("The loop did not finish")
    return sweep


def hold(sweep: Sweep, rule: Callable[[Trained], str | None], *, over_all: bool = False) -> None:
    """Raise Wrong if a training run breaks the rule; if some runs are missing, the others earn their share.

    If an error ended the loop, the remaining runs are assumed to be like the earlier ones, except in checks of what
    varies between runs (`over_all`).
    """
    forall(sweep.intended, rule)
    if (share := count_trained(sweep) / len(sweep.values)) < 1 and (over_all or not is_cut_short(sweep)):
        raise NotChecked(describe_missing(sweep), share=share)


def count_trained(sweep: Sweep) -> int:
    """Return the number of training runs that finished."""
    return len([fit for fit in sweep.fits if fit.error is None])


def is_cut_short(sweep: Sweep) -> bool:
    """Whether an error ended the cell of the last training run."""
    return sweep.case.evidence.cells[sweep.fits[-1].cell].status == "error"


def describe_missing(sweep: Sweep) -> str:
    """Describe how many of the models were trained, and which settings are missing."""
    count, wanted = count_trained(sweep), len(sweep.values)
    used = {sweep.used(fit) for fit in sweep.fits if fit.error is None}
    missing = [f"{value:g}" for value in sweep.values if not any(close(each, value, 1e-4) for each in used)]
    models = f"{count} models" if count > 1 else "1 model" if count else "No model"
    hint = f" Missing: {', '.join(missing)}." if missing else ""
    return f"{models} finished training; there should be one for each of the {wanted} values.{hint}"


def describe_unwanted(sweep: Sweep, fit: Fit) -> str:
    """Explain why a training run is not one of those that the task asks for."""
    setting = sweep.label(sweep.used(fit))
    if any(close(sweep.used(fit), value, 1e-4) for value in sweep.values):
        return f"More than one training run used {setting}."
    return f"One training run used {setting}, which is not one of the {len(sweep.values)} required values."


def where(sweep: Sweep, fit: Fit, value: float | None) -> str:
    return sweep.label(value if value is not None else sweep.used(fit))


@points(2)
def test_every_setting_is_trained_once(case: Case) -> None:
    """There is one training run for each value: none is missing and none is repeated."""
    sweep = trained(case)
    count, wanted = count_trained(sweep), len(sweep.values)
    if count > wanted:
        raise Wrong(f"{count} models were trained; there should be one for each of the {wanted} values.")
    failed = next((fit for fit in sweep.fits if fit.error), None)
    if failed is not None and not is_cut_short(sweep):
        raise Wrong(f"A training run raised {failed.error}.")
    if count < wanted:
        raise Wrong(describe_missing(sweep), share=count / wanted)
    used_values = [sweep.used(fit) for fit in sweep.fits]
    if len({f"{value:.5g}" for value in used_values}) > 1:
        forall(
            sweep.intended,
            lambda t: (
                None if t[1] is not None and close(sweep.used(t[0]), t[1], 1e-4) else describe_unwanted(sweep, t[0])
            ),
        )


@points(2)
def test_each_model_is_new(case: Case) -> None:
    """Each iteration starts with a new, untrained model from `get_model`."""
    sweep = trained(case)
    given = {structure(fit) for fit in case.evidence.of(Fit) if case.evidence.cells[fit.cell].role == "given"}

    def rule(t: Trained) -> str | None:
        fit, value = t
        if len(given) == 1 and structure(fit) not in given:
            model = f"the model differs from the one that get_model() returns{differs(fit, given)}"
            return f"At {where(sweep, fit, value)}, {model}."
        if not fit.trained_before and fit.initial_epoch == 0:
            return None
        return f"At {where(sweep, fit, value)}, the model had been trained before: create a new one in each iteration."

    hold(sweep, rule, over_all=True)


def structure(fit: Fit) -> tuple[tuple[object, object], ...]:
    """Return what identifies a model.

    It is the units and the activation of each layer, even if the activation is a separate layer, and every layer of
    another kind.
    """
    found: list[tuple[object, object]] = []
    for layer in fit.layers:
        kind, activation = layer.get("class"), layer.get("activation")
        if "units" in layer:
            found.append((layer["units"], activation))
        elif kind in ACTIVATIONS and found and found[-1][1] == "linear":
            found[-1] = (found[-1][0], activation if kind == "Activation" else str(kind).lower())
        elif kind not in NEUTRAL and activation != "linear":
            found.append((kind, None))
    return tuple(found)


def differs(fit: Fit, given: set[tuple[tuple[object, object], ...]]) -> str:
    """Describe the first layer in which a model differs from the given one, or the numbers of layers if they differ."""
    (wanted,) = given
    found = structure(fit)
    if len(found) == len(wanted):
        for number, (own, other) in enumerate(zip(found, wanted, strict=True), 1):
            if own != other:
                dense = f"{other[0]} units and {other[1]}"
                if isinstance(own[0], str):
                    return f": layer {number} is of type {own[0]}, not a Dense layer with {dense}"
                return f": layer {number} has {own[0]} units and {own[1] or 'another activation'}, not {dense}"
    return f": it has {len(found)} layers, not {len(wanted)}" if len(found) != len(wanted) else ""


@points(2)
def test_optimizer(case: Case) -> None:
    """The optimizer is Adam with this iteration's learning rate."""
    sweep = trained(case)

    def rule(t: Trained) -> str | None:
        fit, value = t
        wanted = sweep.fixed if sweep.loop == "bs" else value
        if fit.optimizer != "Adam":
            return f"At {where(sweep, fit, value)}, the optimizer was {fit.optimizer}; it should be Adam."
        if fit.learning_rate is None:
            raise Undecided("The learning rate of an optimizer could not be read.")
        if wanted is None or close(fit.learning_rate, wanted, 1e-4):
            return None
        place = where(sweep, fit, value)
        return f"At {place}, Adam had the learning rate {fit.learning_rate:.4g}; it should be {wanted:g}."

    hold(sweep, rule, over_all=sweep.loop == "lr")


@points(2)
def test_batch_size(case: Case) -> None:
    """`fit` is called with this iteration's batch size."""
    sweep = trained(case)

    def rule(t: Trained) -> str | None:
        fit, value = t
        wanted = sweep.fixed if sweep.loop == "lr" else value
        if wanted is None or close(float(fit.batch_size), wanted, 1e-6):
            return None
        return (
            f"At {where(sweep, fit, value)}, fit was called with batch size {fit.batch_size}; it should be {wanted:g}."
        )

    hold(sweep, rule, over_all=sweep.loop == "bs")


@points(1)
def test_training_data(case: Case) -> None:
    """The model is trained on the scaled training notes and their labels."""
    sweep, n = trained(case), case.scenario.n_train

    def rule(t: Trained) -> str | None:
        fit, value = t
        held_back = fit.validation.train if fit.validation else 0
        if fit.data.test:
            return None
        if fit.data.other or not fit.data.train:
            return f"At {where(sweep, fit, value)}, fit was given rows that are not in the scaled training data."
        if fit.data.labels_fit is False:
            return f"At {where(sweep, fit, value)}, the labels do not match the rows."
        if fit.data.train + held_back < n - 1:
            return f"At {where(sweep, fit, value)}, only {fit.data.train} of the {n} training notes were given to fit."
        return None

    hold(sweep, rule)


@points(1)
def test_validation_split(case: Case) -> None:
    """20% of the training notes are held out for validation."""
    sweep, n = trained(case), case.scenario.n_train

    def rule(t: Trained) -> str | None:
        fit, value = t
        place = where(sweep, fit, value)
        if fit.validation is not None:
            if fit.validation.test:
                return f"At {place}, the test set was used for validation; hold out 20% of the training notes instead."
            share = fit.validation.train / n
            whole = fit.data.train + fit.validation.train <= n + 1
            return (
                None
                if abs(share - 0.2) < 0.01 and whole
                else f"At {place}, the validation data were not 20% of the training notes."
            )
        split = fit.validation_split or 0.0
        return (
            None
            if math.isclose(split, 0.2, abs_tol=1e-6)
            else f"At {place}, validation_split was {split:g}; it should be 0.2."
        )

    hold(sweep, rule)


@points(1)
def test_cap_of_epochs(case: Case) -> None:
    """`fit` is called with the maximum number of epochs that the lab allows."""
    sweep, cap = trained(case), case.parameters.max_epochs

    def rule(t: Trained) -> str | None:
        fit, value = t
        return (
            None
            if fit.epochs == cap
            else f"At {where(sweep, fit, value)}, fit was called with epochs={fit.epochs} instead of epochs={cap}."
        )

    hold(sweep, rule)


@points(2)
def test_callback_in_use(case: Case) -> None:
    """Each training run is stopped by a `TrainToAccuracy` that has the lab's threshold and patience and starts counting
    at 0."""
    sweep = trained(case)
    p = case.parameters

    def rule(t: Trained) -> str | None:
        fit, value = t
        place = where(sweep, fit, value)
        used = [callback for callback in fit.callbacks if callback.watched]
        if not used:
            return f"At {place}, TrainToAccuracy was not passed to fit as a callback."
        if fit.error and fit.validation is None and not fit.validation_split:
            return f"At {place}, there were no validation data, so TrainToAccuracy had no val_accuracy to use."
        known = used[0].threshold is not None and used[0].patience is not None
        if known and not (close(used[0].threshold, p.threshold, 1e-6) and used[0].patience == p.patience):
            made = f"was created with threshold {used[0].threshold:g} and patience {used[0].patience:g}"
            return f"At {place}, TrainToAccuracy {made}; they should be {p.threshold:g} and {p.patience}."
        fresh = fresh_stop(case, fit)
        if fresh is not None and fit.error is None and fit.epochs == p.max_epochs and fresh != fit.epochs_run:
            when = f"would have stopped it after {fresh}" if fresh > 0 else "would have continued"
            return (
                f"At {place}, training stopped after {count_epochs(fit.epochs_run)}, but a new TrainToAccuracy {when}: "
                "create a new one for each training run."
            )
        return None

    hold(sweep, rule, over_all=True)


def fresh_stop(case: Case, fit: Fit) -> int | None:
    """Return the number of epochs after which a new instance of the student's class ends this run.

    Return -1 if it would continue, and None if that is unknown.
    """
    if fit.fresh_stop is None or "callback" in case.evidence.stand_ins:
        return None
    return fit.fresh_stop or (case.parameters.max_epochs if fit.epochs_run == case.parameters.max_epochs else -1)


@points(1)
def test_test_set_is_kept_apart(case: Case) -> None:
    """The test set is not used before training is over: not in `fit`, not as validation data, not for evaluation."""
    sweep = trained(case)
    uses = [use for use in case.evidence.of(Use) if use.data.test]

    def rule(t: Trained) -> str | None:
        fit, value = t
        place = where(sweep, fit, value)
        if fit.data.test:
            return f"At {place}, test notes were among the data given to fit."
        if fit.validation is not None and fit.validation.test:
            return f"At {place}, the test set was used for validation, so it decided when training stopped."
        if early_use(sweep, uses, fit) and told_truly(sweep):
            return f"At {place}, the model was evaluated on the test set before its training was over."
        return None

    hold(sweep, rule)


def early_use(sweep: Sweep, uses: list[Use], fit: Fit) -> bool:
    """Whether the model was used on the test set before this training run ended, except after an earlier run."""
    own = [use for use in uses if use.model == fit.model and use.at <= fit.end and use.sequence < fit.sequence]
    fits = sweep.evidence.of(Fit)
    earlier = [other for other in fits if other.model == fit.model and other.sequence < fit.sequence]
    return any(not any(other.end <= use.at for other in earlier) for use in own)


def told_truly(sweep: Sweep) -> bool:
    """Whether the rows contain the true test accuracies; if not, an early evaluation loses points only for the rows."""
    return all(close(number(row, "test_accuracy"), sweep.accuracy(fit), 1e-4) for row, fit in sweep.pairs)
