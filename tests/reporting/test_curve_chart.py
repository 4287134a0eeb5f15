"""The check of the callback draws the curve of its message, and nothing else of the scenario."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.checks.tta_eta.trials import first_stop
from autograder.execution.evidence import CallbackDriven, Evidence, RunCell, TrialResult
from autograder.grading.checker import judge
from autograder.grading.verdict import PropertyVerdict

Ends = Callable[[list[float], float, int], int | None]


def counts_an_equal_epoch(values: list[float], threshold: float, patience: int) -> int | None:
    return first_stop([value + 1e-9 for value in values], threshold, patience)


def never_forgets(values: list[float], threshold: float, patience: int) -> int | None:
    hits = [epoch for epoch, value in enumerate(values) if value > threshold]
    return hits[patience - 1] if len(hits) >= patience else None


def stops_one_late(values: list[float], threshold: float, patience: int) -> int | None:
    due = first_stop(values, threshold, patience)
    return due + 1 if due is not None and due + 1 < len(values) else None


def never_stops(values: list[float], threshold: float, patience: int) -> int | None:
    return None


@pytest.fixture
def missed(assignment: Assignment) -> Callable[[Ends], dict[str, PropertyVerdict]]:
    """The rules that a callback misses which stops as the function says."""

    def judged(ends: Ends) -> dict[str, PropertyVerdict]:
        scenario = sample_scenario(assignment, 7)
        asked = scenario.trials
        results = tuple(TrialResult(stop=ends(t.val_accuracy, t.threshold, t.patience), error=None) for t in asked)
        evidence = Evidence(
            cells=(RunCell(role="callback", index=0, status="ran"),),
            events=(CallbackDriven(cell=0, sequence=1, results=results),),
            training="scripted",
            gpus=1,
        )
        item = next(item for item in judge(assignment, scenario, evidence).items if item.id == "callback")
        return {rule.id: rule for rule in item.properties if rule.status == "failed"}

    return judged


@pytest.mark.parametrize("ends", [counts_an_equal_epoch, never_forgets, stops_one_late])
def test_a_picture_holds_what_its_message_holds(
    missed: Callable[[Ends], dict[str, PropertyVerdict]], ends: Ends
) -> None:
    rules = missed(ends)
    drawn = [rule for rule in rules.values() if rule.chart is not None]
    assert drawn
    for rule in drawn:
        chart = rule.chart
        assert chart is not None
        curve, _, end = rule.message.partition(" on the val_accuracy values ")[2].partition(", your callback ")
        assert [f"{value:.4g}" for value in chart.val_accuracy] == re.findall(r"[\d.]+", curve)
        assert f"threshold {chart.threshold:g} and patience {chart.patience}" in rule.message
        stopped = "did not stop training" if chart.stopped is None else f"stopped training after epoch {chart.stopped}"
        assert end.startswith(stopped)
        due = first_stop(list(chart.val_accuracy), chart.threshold, chart.patience)
        assert chart.due == (None if due is None else due + 1)
        assert f"training should have {'continued' if due is None else f'stopped after epoch {due + 1}'}:" in end
        assert chart.stopped != chart.due
        assert set(chart.model_dump()) == {"threshold", "patience", "val_accuracy", "stopped", "due", "caption"}
        assert chart.caption == rule.message.replace(f" on the val_accuracy values {curve},", "")


def test_of_a_callback_that_never_stops_one_curve_is_drawn(
    missed: Callable[[Ends], dict[str, PropertyVerdict]],
) -> None:
    rule = missed(never_stops)["stops_on_plain_curves"]
    assert rule.message.startswith("Your callback never stopped the training")
    assert rule.chart is not None
    assert rule.chart.stopped is None
    assert rule.chart.due is not None


def test_the_shortest_wrong_curve_is_drawn(missed: Callable[[Ends], dict[str, PropertyVerdict]]) -> None:
    chart = missed(stops_one_late)["stops_on_plain_curves"].chart
    assert chart is not None
    assert len(chart.val_accuracy) == 3, "three epochs above the threshold at once"
    assert chart.due == 3


def test_an_end_that_is_right_in_itself_is_not_drawn_as_wrong(
    missed: Callable[[Ends], dict[str, PropertyVerdict]],
) -> None:
    def early_unless_interrupted(values: list[float], threshold: float, patience: int) -> int | None:
        above = [value > threshold for value in values]
        is_interrupted = False in above[above.index(True) :] if True in above else False
        return first_stop(values, threshold, patience if is_interrupted else patience - 1)

    rule = missed(early_unless_interrupted)["a_miss_starts_the_count_again"]
    assert "the epochs above the threshold must be consecutive" in rule.message
    assert rule.chart is None
