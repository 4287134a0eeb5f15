"""Item plot: one figure that shows both accuracies by epoch."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from autograder.checks.fixed_epochs.trained import MEASURES, Curves, Work
from autograder.execution.evidence import Axes, Curve, Figures, FigureSeen
from autograder.grading.case import Case, Undecided, Wrong, forall, items, points

pytestmark = items("plot")
NAMES = {"accuracy": "training accuracy", "val_accuracy": "validation accuracy"}
TRAINING, VALIDATION = r"train", r"val|held|dev"
PERCENT = re.compile(r"%|per ?cent")
DRAWN = 1e-3
"""How far a point may be from the accuracy that it shows."""


@dataclass(frozen=True)
class Picture:
    """The figure to be graded.

    `wanted` contains the curves that it may show: the recorded ones first, then those of the training runs.
    """

    figure: FigureSeen
    wanted: tuple[Curves, ...]

    @cached_property
    def curves(self) -> list[tuple[Axes, Curve]]:
        return [(axes, curve) for axes in self.figure.axes for curve in axes.curves if len(curve.y) > 1]

    @cached_property
    def shown(self) -> dict[str, tuple[Axes, Curve]]:
        """The curve that shows each accuracy, identified by its points."""
        found: list[dict[str, tuple[Axes, Curve]]] = [{}]
        for wanted in self.wanted:
            pairs = {
                name: next((each for each in self.curves if self._is(each, wanted[name])), None) for name in MEASURES
            }
            found.append({name: pair for name, pair in pairs.items() if pair is not None})
        return max(found, key=len)

    def _is(self, drawn: tuple[Axes, Curve], truth: tuple[float, ...]) -> bool:
        curve = drawn[1]
        if len(curve.y) != len(truth) or not any(map(math.isfinite, truth)):
            return False
        scale = 100.0 if self.in_percent and max(curve.y) > 1 else 1.0
        ordered = [y for _, y in sorted(zip(curve.x, curve.y, strict=True))]
        return any(
            all(math.isnan(true) or abs(y - scale * true) <= scale * DRAWN for y, true in zip(ys, truth, strict=True))
            for ys in (curve.y, ordered)
        )

    @cached_property
    def in_percent(self) -> bool:
        return any(PERCENT.search(self.words(axes)) for axes in self.figure.axes)

    def words(self, axes: Axes) -> str:
        """Return all text in and around the axes, in lower case."""
        own = (axes.title, axes.xlabel, axes.ylabel, *axes.legend, *axes.texts)
        ticks = (tick.text for tick in axes.yticks)
        of_figure = (self.figure.title, self.figure.ylabel, *self.figure.legend)
        return " ".join((*own, *ticks, *of_figure)).lower()


def picture(case: Case) -> Picture:
    """Return the figure to be graded: the one that shows the most of the required curves.

    In a tie, it is the last of the figures that the task's own cell drew.
    """
    work = Work.of(case)
    drawn = case.evidence.of(Figures)
    before = {f.number for event in drawn if event.cell < min(case.cells, default=0) for f in event.value}
    own = {f.number for event in drawn if event.cell in case.cells for f in event.value} - before
    wanted = (*([work.recorded_curves] if work.rows else []), *work.sources)
    candidates = [Picture(figure, wanted) for figure in (drawn[-1].value if drawn else ())]
    ranked = sorted(candidates, key=lambda p: (len(p.shown), p.figure.number in own, p.figure.number))
    ranked = [p for p in ranked if p.shown or p.figure.number in own]
    if not ranked:
        case.missing("No figure was drawn")
    if not wanted:
        raise Undecided(
            "There is a figure, but there are no recorded values to compare it with. This item needs review."
        )
    case.judge_by(ranked[-1].figure.number)
    return ranked[-1]


def with_curves(case: Case) -> Picture:
    """Return the figure; raise Wrong or Undecided if it contains no curves."""
    seen = picture(case)
    if seen.curves:
        return seen
    if any(len(axes.curves) > 1 for axes in seen.figure.axes):
        raise Undecided("The figure was drawn point by point. This item needs review.")
    if any(axes.bars for axes in seen.figure.axes):
        raise Wrong("The figure shows bars; draw a line for each of the two accuracies.")
    raise Wrong("The figure contains no line.")


@points(2)
def test_training_accuracy(case: Case) -> None:
    """A line shows the training accuracy of every epoch."""
    _hold_line(case, "accuracy")


@points(2)
def test_validation_accuracy(case: Case) -> None:
    """A line shows the validation accuracy of every epoch, in the same figure."""
    _hold_line(case, "val_accuracy")


def _hold_line(case: Case, name: str) -> None:
    if name not in with_curves(case).shown:
        raise Wrong(f"No line in the figure shows the {NAMES[name]} as it was recorded, with one point per epoch.")


@points(1)
def test_epochs_across(case: Case) -> None:
    """The horizontal axis shows the epochs in order."""
    seen = with_curves(case)

    def rule(drawn: tuple[Axes, Curve]) -> str | None:
        x = sorted(drawn[1].x)
        if x[0] in (0, 1) and all(math.isclose(b - a, 1, abs_tol=1e-6) for a, b in pairwise(x)):
            return None
        across = f"{x[0]:.4g}, {x[1]:.4g}, … on the horizontal axis"
        return f"The points of one line are at {across}; they should be at epochs 1, 2, …"

    forall(seen.shown.values() or seen.curves[:2], rule)


@points(1)
def test_labels(case: Case) -> None:
    """Both axes have a label."""
    seen = with_curves(case)
    figure = seen.figure

    def rule(axes: Axes) -> str | None:
        below = [figure.axes[i].xlabel for i in axes.shared_x if i < len(figure.axes)]
        beside = [figure.axes[i].ylabel for i in axes.shared_y if i < len(figure.axes)]
        lacking = [
            which
            for which, labels in (
                ("horizontal", (axes.xlabel, figure.xlabel, *below)),
                ("vertical", (axes.ylabel, figure.ylabel, *beside)),
            )
            if not any(label.strip() for label in labels)
        ]
        if len(lacking) == 2:
            return "Neither axis has a label."
        return f"The {lacking[0]} axis has no label." if lacking else None

    shown = seen.shown.values() or seen.curves
    forall({id(axes): axes for axes, _ in shown}.values(), rule)


@points(1)
def test_told_apart(case: Case) -> None:
    """A legend or other text in the figure shows which line is which."""
    seen = with_curves(case)
    if len(seen.curves) < 2:
        raise Wrong("The figure has only one line, so there is nothing to tell apart.")
    if len(seen.shown) < 2:
        pairs = seen.curves[:2]
    else:
        pairs = [seen.shown[name] for name in MEASURES]
        (first, training), (second, validation) = pairs
        if first is second and _names(training, VALIDATION, TRAINING) and _names(validation, TRAINING, VALIDATION):
            raise Wrong("The labels of the training accuracy and the validation accuracy are swapped in the legend.")
    if not _told(seen, pairs):
        raise Wrong("Nothing in the figure shows which line is which: give each line a label and add a legend.")


def _names(curve: Curve, word: str, other: str) -> bool:
    return bool(re.search(word, curve.name.lower())) and not re.search(other, curve.name.lower())


def _told(seen: Picture, pairs: list[tuple[Axes, Curve]]) -> bool:
    (first, one), (second, other) = pairs
    if first is not second:
        both = (_own_words(first), _own_words(second))
        if all(both) and both[0] != both[1]:
            return True
    words = " ".join(seen.words(axes) for axes in (first, second))
    legends = [*first.legend, *(second.legend if second is not first else ()), *seen.figure.legend]
    named = bool(one.name and other.name and one.name != other.name) or len({*legends}) >= 2
    return named or bool(re.search(TRAINING, words) and re.search(VALIDATION, words))


def _own_words(axes: Axes) -> str:
    return " ".join((axes.title, axes.ylabel, *axes.legend, *axes.texts)).strip().lower()
