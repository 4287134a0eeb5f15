"""Item histogram: a figure of the levels."""

from __future__ import annotations

from autograder.execution.evidence import Axes, Figures, FigureSeen
from autograder.rubric import Case, Undecided, Wrong, item

N_NOTES = 216
"""Notes that the given cell makes."""


def figure_of(case: Case) -> tuple[FigureSeen, Axes]:
    """The figure of the task's cells with most bars, and its axes."""
    seen = [figure for event in case.evidence.of(Figures) if event.cell in case.cells for figure in event.value]
    found = [(figure, axes) for figure in seen for axes in figure.axes]
    if not found:
        case.missing("The cell does not show a figure")
    figure, axes = max(found, key=lambda pair: len(pair[1].bars))
    case.judge_by(figure.number)
    if not axes.bars:
        raise Undecided("The figure has no bars, but it may show a histogram in a different way: it needs review.")
    return figure, axes


@item("histogram", points=2)
def test_levels(case: Case) -> None:
    """The bars count all notes, in at least 8 bins."""
    _, axes = figure_of(case)
    bars = [bar for bar in axes.bars if bar.upright] or list(axes.bars)
    heights = [bar.height if bar.upright else bar.width for bar in bars]
    widths = [bar.width if bar.upright else bar.height for bar in bars]
    area = sum(height * width for height, width in zip(heights, widths, strict=True))
    if not (abs(sum(heights) - N_NOTES) < 0.5 or abs(area - 1) < 0.01 or abs(sum(heights) - 1) < 0.01):
        raise Wrong(f"The bars count {sum(heights):g} notes; there are {N_NOTES}.")
    if len(bars) < 8:
        raise Wrong(f"The histogram has {len(bars)} bins; it should have at least 8.")


@item("histogram", points=2)
def test_labels(case: Case) -> None:
    """Both axes are labelled, and the label of the level names its unit."""
    figure, axes = figure_of(case)
    across, up = axes.xlabel or figure.xlabel, axes.ylabel or figure.ylabel
    missing = [name for name, label in (("horizontal", across), ("vertical", up)) if not label.strip()]
    if missing:
        share = 0.5 if len(missing) == 1 else 0.0
        raise Wrong(
            f"The {missing[0]} axis has no label." if len(missing) == 1 else "Neither axis has a label.", share=share
        )
    if "db" not in f"{across} {up}".lower() and "decibel" not in f"{across} {up}".lower():
        raise Wrong("The label of the level does not name the unit dB.", share=0.5)
