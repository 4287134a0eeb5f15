"""Item callback: `TrainToAccuracy` stops at the right epoch, for the right reason."""

from __future__ import annotations

from autograder.assignment.exercise import Trial
from autograder.checks.tta_eta.trials import first_stop
from autograder.execution.evidence import CallbackDriven, TrialResult
from autograder.grading.case import Case, NotChecked, Undecided, Wrong, items, points
from autograder.grading.verdict import CurveChart

pytestmark = items("callback")
JUDGED = ("plain", "any")
"""Families of trials that are compared with the rule itself, not with what the same class does on a related curve."""

NAMES_USED = "[f.__code__.co_names for f in vars(TrainToAccuracy).values() if hasattr(f, '__code__')]"
"""An expression for the names that each function of the class uses."""

Answer = tuple[Trial, TrialResult]


def answers(case: Case, family: str) -> list[Answer]:
    """Return the results of the class in the trials of a family."""
    driven = case.evidence.of(CallbackDriven)
    if not driven:
        if any(case.evidence.cells[index].status == "ran" for index in case.cells):
            raise Wrong("The class TrainToAccuracy is not defined after its cell has run.")
        case.missing("The class TrainToAccuracy is not defined")
    trials, results = case.scenario.trials, driven[-1].results
    complaint = NotChecked if family not in JUDGED else Wrong
    errors = {result.error for result in results}
    if len(errors) == 1 and None not in errors:
        error = (errors.pop() or "").rstrip(".")
        if error.startswith("NotImplementedError"):
            raise complaint("TrainToAccuracy is not complete.")
        raise complaint(f"On every training curve, TrainToAccuracy raised {error}.")
    if len(trials) != len(results):
        raise Undecided("The record of the callback's behaviour is not complete.")
    if all(r.stop is None and not (r.error and t.validated) for t, r in zip(trials, results, strict=True)):
        message = f"Your callback never stopped the training, whatever the curve.{find_missing_model(case)}"
        if complaint is NotChecked:
            raise NotChecked(message)
        raise Wrong(message, picture(find_shortest_stop(trials), None))
    found = list(zip(trials, results, strict=True))
    told: dict[str, str] = {}  # each error is reported with one curve, whichever checks it affects
    for trial, result in found:
        if result.error and result.error not in told:
            told[result.error] = f"{describe(trial)} raised {result.error.rstrip('.')}."
    return [
        (trial, result.model_copy(update={"error": told.get(result.error or "")}))
        for trial, result in found
        if trial.family == family
    ]


def find_shortest_stop(trials: list[Trial]) -> Trial:
    """Return the shortest curve on which training should stop."""
    stopping = [
        trial for trial in trials if first_stop(trial.val_accuracy, trial.threshold, trial.patience) is not None
    ]
    return min(stopping, key=lambda trial: len(trial.val_accuracy))


def find_missing_model(case: Case) -> str:
    """Return a hint if the class sets `stop_training` on itself and not on the model."""
    try:
        names = case.look(NAMES_USED).returned
    except Undecided:  # the check can be decided without the hint
        return ""
    used = [name for function in names for name in function] if isinstance(names, list) else []
    is_set_elsewhere = "stop_training" in used and "model" not in used
    return " It must set stop_training on the model: self.model.stop_training = True." if is_set_elsewhere else ""


def pairs(case: Case, family: str) -> list[tuple[Answer, Answer]]:
    found = answers(case, family)
    return list(zip(found[::2], found[1::2], strict=True))


def curve(trial: Trial, last: int | None = None) -> str:
    """Return the values of the curve in words; a remark marks the end of training within it."""
    shown = [f"{value:.4g}" for value in trial.val_accuracy]
    if last is not None and last + 1 < len(shown):
        shown[last] += " (training stopped here)"
    return ", ".join(shown)


def arguments(trial: Trial) -> str:
    passed = f" passed by {trial.call}" if trial.family == "arguments" else ""
    return f"threshold {trial.threshold:g} and patience {trial.patience}{passed}"


def describe(trial: Trial, last: int | None = None) -> str:
    """Return the start of a sentence about a trial."""
    return f"{describe_arguments(trial)}, on the val_accuracy values {curve(trial, last)}, your callback"


def describe_arguments(trial: Trial) -> str:
    return "Without arguments" if trial.call == "default" else f"With {arguments(trial)}"


def picture(trial: Trial, stopped: int | None, complaint: str = "") -> CurveChart | None:
    """Return the curve chart for the feedback page, with a caption that ends with the complaint.

    Return None if training ended at the right epoch and only the comparison with a related curve failed: the chart
    alone would explain nothing.
    """
    due = first_stop(trial.val_accuracy, trial.threshold, trial.patience)
    if stopped == due:
        return None
    return CurveChart(
        threshold=trial.threshold,
        patience=trial.patience,
        val_accuracy=tuple(trial.val_accuracy),
        stopped=None if stopped is None else stopped + 1,
        due=None if due is None else due + 1,
        caption=complaint and f"{describe_arguments(trial)}, your callback {complaint}",
    )


def after(epoch: int | None) -> str:
    return "did not stop training" if epoch is None else f"stopped training after epoch {epoch + 1}"


def no_error(answer: Answer) -> None:
    _, result = answer
    if result.error:
        raise Wrong(result.error)


def hold_against_reference(found: list[Answer]) -> None:
    """Raise Wrong with the shortest curve on which the class did not stop at the epoch that the rule requires."""
    for trial, result in sorted(found, key=lambda answer: len(answer[0].val_accuracy)):
        no_error((trial, result))
        expected = first_stop(trial.val_accuracy, trial.threshold, trial.patience)
        if result.stop != expected:
            raise complain(trial, result.stop, explain(trial))


def due(trial: Trial) -> str:
    epoch = first_stop(trial.val_accuracy, trial.threshold, trial.patience)
    return "should have continued" if epoch is None else f"should have stopped after epoch {epoch + 1}"


def explain(trial: Trial) -> str:
    """Return the reason why training should stop at the required epoch, or not at all."""
    last, length = first_stop(trial.val_accuracy, trial.threshold, trial.patience), trial.patience
    if last is None:
        row = f"{length} epochs in a row" if length > 1 else "1 epoch"
        return f"val_accuracy was never above the threshold for {row}."
    if length == 1:
        return f"epoch {last + 1} was the first one above the threshold."
    return f"epochs {last + 2 - length} to {last + 1} were the first {length} in a row above the threshold."


def complain(trial: Trial, stopped: int | None, reason: str) -> Wrong:
    """Return the complaint about a training curve, with its picture if training ended at the wrong epoch."""
    is_wrong_epoch = stopped != first_stop(trial.val_accuracy, trial.threshold, trial.patience)
    complaint = f"{after(stopped)}; {f'training {due(trial)}: ' if is_wrong_epoch else ''}{reason}"
    return Wrong(f"{describe(trial, stopped)} {complaint}", picture(trial, stopped, complaint))


def hold_alike(found: list[tuple[Answer, Answer]], reason: str, *, shift: bool = False, waits: bool = True) -> None:
    """Raise Wrong if training ends differently on two related curves.

    With `shift`, the second curve may have additional epochs at its beginning. With `waits`, a callback that always
    stops after the first epoch also fails: the property cannot be checked.
    """
    if all(result.stop is None for pair in found for _, result in pair):
        no_error(found[0][0])
        raise Wrong("Your callback never stopped the training, so this could not be checked.")
    if waits and all(result.stop == 0 for pair in found for _, result in pair):
        raise Wrong(
            "Your callback stops the training after the first epoch, whatever the curve, so this could not be checked."
        )
    for first, second in sorted(found, key=lambda pair: len(pair[1][0].val_accuracy)):
        no_error(first)
        no_error(second)
        longer = len(second[0].val_accuracy) - len(first[0].val_accuracy) if shift else 0
        expected = None if first[1].stop is None else first[1].stop + longer
        if second[1].stop != expected:
            trial, result = second
            raise complain(trial, result.stop, reason)


@points(3)
def test_stops_on_plain_curves(case: Case) -> None:
    """Training stops as soon as `val_accuracy` has been above the threshold for `patience` epochs in a row."""
    hold_against_reference(answers(case, "plain"))


@points(2)
def test_equal_is_a_miss(case: Case) -> None:
    """An epoch whose `val_accuracy` exactly equals the threshold does not count as above it."""
    hold_alike(pairs(case, "equal"), "a val_accuracy equal to the threshold is not above it.")


@points(2)
def test_a_miss_starts_the_count_again(case: Case) -> None:
    """An epoch at or below the threshold resets the count."""
    hold_alike(pairs(case, "reset"), "the epochs above the threshold must be consecutive.", shift=True)


@points(2)
def test_reads_val_accuracy(case: Case) -> None:
    """The callback uses the validation accuracy, not the training accuracy."""
    hold_alike(pairs(case, "val_accuracy"), "the callback must use only val_accuracy, whatever the value of accuracy.")
    if any(result.stop is not None for _, result in answers(case, "unvalidated")):
        raise Wrong("Without validation data there is no val_accuracy in logs, but the callback stopped the training.")


@points(2)
def test_honours_its_arguments(case: Case) -> None:
    """`threshold` and `patience` can be passed by keyword or by position."""
    found = answers(case, "arguments")
    if all(result.stop is None for _, result in found):
        no_error(found[0])
        raise Wrong("Your callback never stopped the training, so this could not be checked.")
    half = len(found) // 2
    base = found[0][1].stop
    for index, (trial, result) in enumerate(found):
        no_error((trial, result))
        reference = [first_stop(t.val_accuracy, t.threshold, t.patience) for t, _ in (found[index % half], found[0])]
        wanted = None if base is None or None in reference else base + reference[0] - reference[1]  # type: ignore[operator]
        if result.stop != wanted:
            # If this trial ended at the right epoch, the mistake is in the first trial.
            other, wanted_there = arguments(found[0][0]), due(found[0][0])
            first = f"the mistake is in another run: with {other}, it {after(base)}, but training {wanted_there}."
            raise complain(trial, result.stop, explain(trial) if picture(trial, result.stop) else first)


@points(1)
def test_defaults(case: Case) -> None:
    """Without arguments the threshold is 0.9 and the patience 3."""
    hold_alike(
        [(second, first) for first, second in pairs(case, "defaults")],
        "the defaults must be threshold 0.9 and patience 3.",
        waits=False,
    )


@points(1)
def test_instances_share_nothing(case: Case) -> None:
    """Two instances do not affect each other."""
    hold_alike(
        pairs(case, "instances"), "a second instance was in use at the same time, and must not affect the first."
    )


@points(2)
def test_right_on_every_curve(case: Case) -> None:
    """On every training curve, training stops at the right epoch, or continues if the target is not reached."""
    hold_against_reference(answers(case, "any"))
