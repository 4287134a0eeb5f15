"""Item training: how the model was trained."""

from __future__ import annotations

import math

from autograder.checks.fixed_epochs.trained import Trained, Work, close
from autograder.execution.evidence import Fit, Use
from autograder.grading.case import Case, Undecided, Wrong, items, points

pytestmark = items("training")


def trained(case: Case) -> Trained:
    """Return the training run, or call `case.missing` if there is none."""
    work = Work.of(case)
    if work.training is None:
        if work.rows and not _stopped(case):
            raise Undecided("Rows were recorded, but no call to Model.fit was observed. This item needs review.")
        case.missing("No model was trained")
    return work.training


def _stopped(case: Case) -> bool:
    return any(case.evidence.cells[number].status != "ran" for number in case.cells)


@points(1)
def test_the_model_is_new(case: Case) -> None:
    """The model is a new, untrained one from `get_model`."""
    fit = trained(case).first
    given = {other.parameters for other in case.evidence.of(Fit) if case.evidence.cells[other.cell].role == "given"}
    if len(given) == 1 and fit.parameters not in given:
        raise Wrong("The model differs from the one that get_model() returns.")
    if fit.trained_before or fit.initial_epoch:
        raise Wrong("The model had been trained before: create a new one with get_model().")


@points(1)
def test_optimizer(case: Case) -> None:
    """The optimizer is Adam."""
    found = trained(case).first.optimizer
    if found != "Adam":
        raise Wrong(f"The optimizer was {found}; it should be Adam.")


@points(2)
def test_learning_rate(case: Case) -> None:
    """The optimizer has the required learning rate."""
    rate, wanted = trained(case).first.learning_rate, case.parameters.learning_rate
    if rate is None:
        raise Undecided("The learning rate of the optimizer could not be read.")
    if not close(rate, wanted, 1e-4):
        raise Wrong(f"The learning rate was {rate:.4g}; it should be {wanted:g}.")


@points(3)
def test_batch_size(case: Case) -> None:
    """`fit` is called with the required batch size."""
    wanted = case.parameters.batch_size
    if other := [fit.batch_size for fit in trained(case).fits if fit.batch_size != wanted]:
        raise Wrong(f"fit was called with batch size {other[0]}; it should be {wanted}.")


@points(3)
def test_epochs(case: Case) -> None:
    """The model is trained for exactly the required number of epochs."""
    training, wanted = trained(case), case.parameters.epochs
    if failed := next((fit for fit in training.fits if fit.error), None):
        raise Wrong(f"Training raised {failed.error}.")
    if training.epochs != wanted:
        early = len(training.fits) == 1 and training.epochs < training.first.epochs == wanted
        hint = " A callback stopped it early." if early else ""
        raise Wrong(f"The model was trained for {training.epochs} epochs instead of {wanted}.{hint}")


@points(1)
def test_training_data(case: Case) -> None:
    """The model is trained on the scaled training notes and their labels."""
    n = case.scenario.n_train
    for fit in trained(case).fits:
        held_back = fit.validation.train if fit.validation else 0
        if fit.data.test:
            continue  # loses points in the check of the test set instead
        if fit.data.other or not fit.data.train:
            raise Wrong("fit was given rows that are not in the scaled training data.")
        if fit.data.labels_fit is False:
            raise Wrong("The labels given to fit do not match the rows.")
        if fit.data.train + held_back < n - 1:
            raise Wrong(f"Only {fit.data.train} of the {n} training notes were given to fit.")


@points(2)
def test_validation_split(case: Case) -> None:
    """The required fraction of the training notes is held out for validation."""
    n, wanted = case.scenario.n_train, case.parameters.validation_split
    for fit in trained(case).fits:
        if fit.validation is None:
            split = fit.validation_split or 0.0
            if not math.isclose(split, wanted, abs_tol=1e-6):
                raise Wrong(f"validation_split was {split:g}; it should be {wanted:g}.")
        elif fit.validation.test:
            raise Wrong(f"The test set was used for validation; hold out {wanted:.0%} of the training notes instead.")
        elif abs(fit.validation.train / n - wanted) > 0.01 or fit.data.train + fit.validation.train > n + 1:
            raise Wrong(f"The validation data were not {wanted:.0%} of the training notes.")


@points(1)
def test_test_set_is_kept_apart(case: Case) -> None:
    """The test set is not used, in `fit` or anywhere else, until training has finished."""
    training = trained(case)
    if any(fit.data.test for fit in training.fits):
        raise Wrong("Test notes were among the data given to fit.")
    last = training.fits[-1]
    uses = [use for use in case.evidence.of(Use) if use.data.test and use.model == last.model]
    if any(use.sequence < last.sequence for use in uses):
        raise Wrong("The model was used on the test set before its training had finished.")
