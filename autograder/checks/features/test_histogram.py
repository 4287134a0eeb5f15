"""Item histogram: a figure of the levels."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd

from autograder.common.cells import cells_by_id
from autograder.execution.evidence import Axes, Bar, FigureSeen
from autograder.rubric import Case, Undecided, Wrong, item


def figure_of(case: Case) -> tuple[FigureSeen, Axes]:
    """Return the figure from the task's cells with the most bars, and its axes."""
    found = [(figure, axes) for figure in case.figures for axes in figure.axes]
    if not found:
        case.missing("The cell does not show a figure")
    figure, axes = max(found, key=lambda pair: len(pair[1].bars))
    case.judge_by(figure.number)
    if not axes.bars:
        raise Undecided(
            "The figure has no bars, but it may show a histogram in a different way. This item needs review."
        )
    return figure, axes


@cache
def make_levels(release: Path) -> np.ndarray:
    """Return the levels of all notes, as the provided cell computes them: the student may have changed the table."""
    names = {"np": np, "pd": pd}
    exec(cells_by_id(nbformat.read(release, as_version=4))["data"].source, names)
    return names["notes"]["level"].to_numpy()


def upright(bars: tuple[Bar, ...]) -> list[Bar]:
    """Return the bars of a histogram, with horizontal bars converted to vertical ones."""
    turned = {"upright": True}
    return [
        bar
        if bar.upright
        else bar.model_copy(update=turned | {"x": bar.y, "y": bar.x, "width": bar.height, "height": bar.width})
        for bar in bars
    ]


def find_shares(bars: list[Bar], n_notes: int) -> list[float]:
    """Return the share of the notes that each bar represents, whether its height is a count, a share or a density."""
    heights, areas = [bar.height for bar in bars], [bar.height * bar.width for bar in bars]
    for sizes, total in ((heights, n_notes), (heights, 1), (heights, 100), (areas, 1), (areas, 100), (areas, n_notes)):
        counts = np.array(sizes) * n_notes / total  # not whole numbers if the bars show other notes
        if abs(counts.sum() - n_notes) < 0.5 and np.allclose(counts, counts.round(), atol=0.02):
            return list(counts / n_notes)
    if np.allclose(heights, np.round(heights)):
        raise Wrong(f"The bars add up to {sum(heights):g} notes; there are {n_notes}.")
    raise Wrong(f"The bars do not include all {n_notes} notes.")


@item("histogram", points=2)
def test_levels(case: Case) -> None:
    """The bars show how the levels of all notes are distributed, in at least 8 bins."""
    bars = upright(figure_of(case)[1].bars)
    levels = make_levels(case.assignment.release_folder / case.assignment.notebook_name)
    shares = find_shares(bars, len(levels))
    edges = sorted({round(bar.x, 6) for bar in bars})
    if len(edges) < 8:
        raise Wrong(f"The histogram has {len(edges)} bins; it should have at least 8.")
    centres = [bar.x + bar.width / 2 for bar in bars]
    if np.allclose(np.unique(np.round(centres, 6)), np.arange(len(edges))):
        return  # categories, which are at 0, 1, 2, … whatever the levels are
    bin_width = (edges[-1] - edges[0]) / (len(edges) - 1)
    mean = float(np.dot(shares, centres))
    spread = float(np.sqrt(np.dot(shares, (np.array(centres) - mean) ** 2)))
    if abs(mean - levels.mean()) > bin_width or abs(spread - levels.std()) > bin_width:
        raise Wrong(
            f"The bars do not show the levels: the values shown have a mean of {mean:.3g} and a standard deviation of "
            f"{spread:.3g}; those of the levels are {levels.mean():.3g} and {levels.std():.3g}."
        )


@item("histogram", points=2)
def test_labels(case: Case) -> None:
    """Both axes are labelled, and the label for the level includes its unit."""
    figure, axes = figure_of(case)
    across, up = axes.xlabel or figure.xlabel, axes.ylabel or figure.ylabel
    missing = [name for name, label in (("horizontal", across), ("vertical", up)) if not label.strip()]
    if missing:
        share = 0.5 if len(missing) == 1 else 0.0
        raise Wrong(
            f"The {missing[0]} axis has no label." if len(missing) == 1 else "Neither axis has a label.", share=share
        )
    of_level = across if axes.bars[0].upright else up
    if "db" not in of_level.lower() and "decibel" not in of_level.lower():
        raise Wrong("The label for the level does not include the unit dB.", share=0.5)
