"""A challenge is fair: its curves stop where they should, its trials ask for what they are named for."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.assignment.exercise import setting_key
from autograder.assignment.scenario import draw
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
    challenge = draw(assignment, seed)
    p = assignment.parameters
    stops = [
        first_stop([plan.value(epoch) for epoch in range(p.max_epochs)], p.threshold, p.patience)
        for plan in challenge.plans
    ]
    n_rates = len(p.learning_rates)
    for loop in (range(n_rates), range(n_rates, n_rates + len(p.batch_sizes))):
        assert sum(stops[plan] is None for plan in loop) >= 1, "one training must reach the cap"
        errors = [challenge.plans[plan].test_errors for plan in loop]
        assert max(errors) - min(errors) >= 0.07 * challenge.n_test
    finite = [stop for stop in stops if stop is not None]
    assert max(Counter(finite).values()) == 1, "equal numbers of epochs would hide rows that were mixed up"


@pytest.mark.parametrize("seed", range(25))
def test_every_setting_has_its_own_plan(assignment: Assignment, seed: int) -> None:
    challenge = draw(assignment, seed)
    p = assignment.parameters
    keys = [setting_key(rate, p.default_batch_size) for rate in p.learning_rates]
    keys += [setting_key(p.default_learning_rate, size) for size in p.batch_sizes]
    assert set(keys) == set(challenge.settings)
    served = [plan for plans in challenge.settings.values() for plan in plans]
    assert sorted([*served, *challenge.spares]) == list(range(len(challenge.plans)))


def test_trials_hold_required_stops_and_required_non_stops(assignment: Assignment) -> None:
    for seed in range(10):
        trials = draw(assignment, seed).trials
        for family in ("plain", "any"):
            stops = [first_stop(t.val_accuracy, t.threshold, t.patience) for t in trials if t.family == family]
            assert sum(stop is None for stop in stops) >= 3
            assert sum(stop is not None for stop in stops) >= 3


def test_kernel_is_not_told_what_a_trial_is_for(assignment: Assignment) -> None:
    document = draw(assignment, 3).for_kernel()
    assert '"family"' not in document
    assert "first_stop" not in document


def test_same_seed_same_challenge_and_another_seed_another(assignment: Assignment) -> None:
    first, again, other = (draw(assignment, seed) for seed in (5, 5, 6))
    assert first == again
    assert first.nonce != other.nonce
    assert (first.data()["uiowa_test_labels.npy"] == again.data()["uiowa_test_labels.npy"]).all()


def test_sizes_cannot_be_guessed_from_the_default_data(assignment: Assignment) -> None:
    for seed in range(20):
        challenge = draw(assignment, seed)
        sizes = {challenge.n_train, challenge.n_test, challenge.n_features, challenge.n_classes}
        assert len(sizes) == 4
        assert not sizes & {66247, 14904, 120, 10}
