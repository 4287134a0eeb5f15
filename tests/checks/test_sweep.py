"""Which row of a metrics list tells of which training."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from autograder.checks.tta_eta.sweep import assigned


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (3, 5), (5, 3), (6, 6)])
def test_rows_and_trainings_are_paired_as_well_as_can_be(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(shape[0])
    for _ in range(200):
        scores = rng.integers(0, 12, shape) / 2
        pairs = assigned(scores)
        best = scores[linear_sum_assignment(scores, maximize=True)].sum()
        assert sum(scores[pair] for pair in pairs) == pytest.approx(best)
        assert len(pairs) == min(shape)
        assert all(len(set(places)) == len(pairs) for places in zip(*pairs, strict=True))
