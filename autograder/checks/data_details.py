"""Item data-details, for every assignment that has it: four numbers that are computed from the data."""

from __future__ import annotations

from autograder.grading.case import Case, Wrong, items, points

__all__ = ["pytestmark", "test_classes", "test_features", "test_test_notes", "test_training_notes"]

pytestmark = items("data-details")


def check(case: Case, name: str, expected: int, meaning: str) -> None:
    value = case.evidence.value(name, case.cells)
    if value is None:
        case.missing(f"{name} is not defined")
    if value.number is None:
        raise Wrong(f"{name} must be a number, but it is of type {value.type}.")
    if value.number != expected:
        raise Wrong(
            f"{name} was {value.number:g}, but it must be {meaning}. Your notebook was run on different data: "
            "compute the number from the arrays."
        )


@points(1)
def test_training_notes(case: Case) -> None:
    """`n_tr` is the number of rows of the training data."""
    check(case, "n_tr", case.scenario.n_train, "the number of training notes")


@points(1)
def test_test_notes(case: Case) -> None:
    """`n_ts` is the number of rows of the test data."""
    check(case, "n_ts", case.scenario.n_test, "the number of test notes")


@points(1.5)
def test_features(case: Case) -> None:
    """`n_feat` is the number of columns of the data."""
    check(case, "n_feat", case.scenario.n_features, "the number of features of a note")


@points(1.5)
def test_classes(case: Case) -> None:
    """`n_class` is the number of distinct labels."""
    check(case, "n_class", case.scenario.n_classes, "the number of instruments among the labels")
