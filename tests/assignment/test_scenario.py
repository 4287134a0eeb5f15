"""A scenario is fair: its curves stop where they should, its trials ask for what they are named for."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.assignment.exercise import setting_key
from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.checks.tta_eta.trials import NUDGE, first_stop


@given(st.lists(st.sampled_from([0.5, 0.95 - NUDGE, 0.95, 0.95 + NUDGE, 0.99]), max_size=12), st.integers(1, 6))
def test_reference_stops_at_the_first_full_run(values: list[float], patience: int) -> None:
    """The reference agrees with the rule written out over windows instead of a count."""
    windows = [all(v > 0.95 for v in values[end - patience + 1 : end + 1]) for end in range(patience - 1, len(values))]
    expected = windows.index(True) + patience - 1 if True in windows else None
    assert first_stop(values, 0.95, patience) == expected


@pytest.mark.parametrize("seed", range(25))
def test_curves_of_both_loops_hold_every_shape(assignment: Assignment, seed: int) -> None:
    scenario = sample_scenario(assignment, seed)
    p = assignment.parameters
    stops = [
        first_stop([plan.value(epoch) for epoch in range(p.max_epochs)], p.threshold, p.patience)
        for plan in scenario.plans
    ]
    n_rates = len(p.learning_rates)
    for loop in (range(n_rates), range(n_rates, n_rates + len(p.batch_sizes))):
        errors = [scenario.plans[plan].test_errors for plan in loop]
        assert len(set(errors)) == len(errors)
        assert 0.03 <= (max(errors) - min(errors)) / scenario.n_test <= 0.05, "they lie as close as in real runs"
    assert sum(stop is None for stop in stops) == 1, "one training must reach the cap"
    finite = [stop for stop in stops if stop is not None]
    assert max(Counter(finite).values()) == 1, "equal numbers of epochs would hide rows that were mixed up"


@pytest.mark.parametrize("seed", range(25))
def test_every_setting_has_its_own_plan(assignment: Assignment, seed: int) -> None:
    scenario = sample_scenario(assignment, seed)
    p = assignment.parameters
    keys = [setting_key(rate, p.default_batch_size) for rate in p.learning_rates]
    keys += [setting_key(p.default_learning_rate, size) for size in p.batch_sizes]
    assert set(keys) == set(scenario.settings)
    served = [plan for plans in scenario.settings.values() for plan in plans]
    assert sorted([*served, *scenario.spares]) == list(range(len(scenario.plans)))


def test_trials_hold_required_stops_and_required_non_stops(assignment: Assignment) -> None:
    for seed in range(10):
        trials = sample_scenario(assignment, seed).trials
        for family in ("plain", "any"):
            stops = [first_stop(t.val_accuracy, t.threshold, t.patience) for t in trials if t.family == family]
            assert sum(stop is None for stop in stops) >= 3
            assert sum(stop is not None for stop in stops) >= 3


def test_the_kernel_is_told_no_curve_cost_outcome_trial_or_stand_in(assignment: Assignment) -> None:
    scenario = sample_scenario(assignment, 3)
    told = scenario.setup()
    assert set(told) == {"seed", "names", "callback", "instruments", "data_files", "training", "gpus"}
    assert not set(scenario.files()) - set(scenario.data_files)


def test_the_kernels_seed_tells_nothing_of_the_scenarios(assignment: Assignment) -> None:
    """A notebook that knew 31 bits of the scenario's seed could try all others, and compute every curve."""
    seeds = [7 + number * 2**31 for number in range(4)]
    scenarios = [sample_scenario(assignment, seed) for seed in seeds]
    assert [scenario.seed for scenario in scenarios] == seeds
    assert len({scenario.setup()["seed"] for scenario in scenarios} - {7}) == len(seeds)
    assert not {scenario.setup()["seed"] for scenario in scenarios} & {seed % 2**31 for seed in seeds}


def test_same_seed_same_scenario_and_another_seed_another(assignment: Assignment) -> None:
    first, again, other = (sample_scenario(assignment, seed) for seed in (5, 5, 6))
    assert first == again
    assert first.plans != other.plans
    assert (first.data()["uiowa_test_labels.npy"] == again.data()["uiowa_test_labels.npy"]).all()


def test_sizes_cannot_be_guessed_from_the_default_data(assignment: Assignment) -> None:
    for seed in range(20):
        scenario = sample_scenario(assignment, seed)
        sizes = {scenario.n_train, scenario.n_test, scenario.n_features, scenario.n_classes}
        assert len(sizes) == 4
        assert not sizes & {66247, 14904, 120, 10}
