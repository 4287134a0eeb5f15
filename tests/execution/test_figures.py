"""Figures are described by their bars, whichever way a histogram is drawn."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from autograder.execution.runtime.instruments.figures import describe_figure

LEVELS = np.array([1.0, 2, 2, 3, 3, 3, 7])
COUNTS, EDGES = np.histogram(LEVELS, bins=6)

WAYS = {
    "bars": lambda ax: ax.hist(LEVELS, bins=6),
    "outline": lambda ax: ax.hist(LEVELS, bins=6, histtype="step"),
    "filled outline": lambda ax: ax.hist(LEVELS, bins=6, histtype="stepfilled"),
    "stairs": lambda ax: ax.stairs(COUNTS, EDGES),
    "horizontal outline": lambda ax: ax.hist(LEVELS, bins=6, histtype="step", orientation="horizontal"),
    "horizontal stairs": lambda ax: ax.stairs(COUNTS, EDGES, orientation="horizontal"),
}


def describe_bars(draw):
    figure, ax = plt.subplots()
    try:
        draw(ax)
        return describe_figure(0, figure)["axes"][0]["bars"]
    finally:
        plt.close(figure)


@pytest.mark.parametrize("name", WAYS)
def test_a_histogram_has_the_same_bars_whichever_way_it_is_drawn(name):
    bars = describe_bars(WAYS[name])
    upright = not name.startswith("horizontal")
    place, size, height = ("x", "width", "height") if upright else ("y", "height", "width")
    assert {bar["upright"] for bar in bars} == {upright}
    assert [bar[place] for bar in bars] == pytest.approx(EDGES[:-1])
    assert [bar[size] for bar in bars] == pytest.approx(np.diff(EDGES))
    assert [bar[height] for bar in bars] == COUNTS.tolist()


def test_another_area_has_no_bars():
    assert describe_bars(lambda ax: ax.fill([0, 1, 2], [0, 3, 1])) == []
