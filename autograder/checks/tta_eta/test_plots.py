"""Items lr-plots and bs-plots: one figure that shows the list as bars."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from autograder.checks.tta_eta.sweep import Sweep, close, number
from autograder.execution.evidence import Axes, Bar, Figures, FigureSeen
from autograder.grading.case import Case, Undecided, Wrong, forall, items, points

pytestmark = items("lr-plots", "bs-plots")
QUANTITIES = {
    "train_time": "time to accuracy",
    "total_energy": "energy to accuracy",
    "test_accuracy": "test accuracy",
    "epochs": "epochs",
}
WORDS = {
    "train_time": r"time|tta|second",
    "total_energy": r"energy|eta\b|joule",
    "test_accuracy": r"accura|acc\b",
    "epochs": r"epoch",
}
UNITS = {
    "train_time": r"\b(m?s|h|mins?|std|ore|sn|сек|с|мин|ч)\b|\b(mill?i)?(se[ckg]|minut|stunde|hour|hora|heure|godz)"
    r"|сек|мин|час|秒|分|小时|小時|초|분|saniye|dakika|giây|phút|δευτ|ثان|सेकं",
    "total_energy": r"\b([km]?J|[km]?Wh|к?Дж)\b|jou?l|julio|джоул|焦|ジュール|줄|τζάουλ|جول|जूल"
    r"|watt.?(hour|stunde|heure)",
}
"""Units in a label, in the languages that students have used so far and some others."""

OTHER_UNITS = {
    r"%|per ?cent": 100.0,
    r"\bmin|мин|分|분": 1 / 60,
    r"\bms\b|mill?ise[ckg]|ミリ秒|毫秒|мс": 1e3,
    r"\bkj\b|kilojou?l|кдж|千焦|キロジュール": 1e-3,
    r"\bk?wh\b": 1 / 3600,
}
"""Other units that a plot may use if its text names them, and their conversion factors."""
RATE, SIZE = r"rate|\blrs?\b", r"batch|\bbs\b"
"""Words by which a label names the learning rate or the batch size."""
LEAST_SPREAD = 0.05
"""The difference between the highest and the lowest bar is visible if it is at least this share of the axis."""


@dataclass(frozen=True)
class Panel:
    """One subplot with bars; `values` are the settings that it may show."""

    axes: Axes
    values: tuple[float, ...]

    @cached_property
    def bars(self) -> list[Bar]:
        return sorted((b for b in self.axes.bars if math.isfinite(length(b))), key=lambda b: centre(b))

    @cached_property
    def categories(self) -> list[float | None]:
        """The value of the swept setting that the axis shows under each bar."""
        ticks = self.axes.ticks if all(b.upright for b in self.bars) else self.axes.yticks
        shown = []
        for bar in self.bars:
            near = [tick for tick in ticks if abs(tick.at - centre(bar)) <= 0.6 and tick.text] if ticks else []
            text = min(near, key=lambda tick: abs(tick.at - centre(bar))).text if near else ""
            value = parse(text)
            wanted = [v for v in self.values if value is not None and close(value, v, 1e-3)]
            at = [v for v in self.values if close(centre(bar), v, 1e-2)]
            shown.append(wanted[0] if wanted else at[0] if at else None)
        return shown

    @cached_property
    def named(self) -> bool:
        """Whether each bar is at a different one of the values."""
        found = [c for c in self.categories if c is not None]
        return len(found) == len(self.bars) and len(set(found)) == len(found)

    def shows(self, truth: dict[float, float]) -> bool:
        """Whether the bars show these values, matched by category or, if the axis names none, in order."""
        if self.named and self.bars:
            return self._fits(dict(zip(self.categories, self.bars, strict=True)), truth)
        return self._shows_in_order(truth)

    def is_mislabelled(self, truth: dict[float, float]) -> bool:
        """Whether the bars show these values in the order of the list, but above the names of other settings."""
        return self._shows_in_order(truth) and not self.shows(truth)

    def _shows_in_order(self, truth: dict[float, float]) -> bool:
        return len(self.bars) == len(truth) and self._fits(dict(zip(truth, self.bars, strict=True)), truth)

    def _fits(self, bars: Mapping[float | None, Bar], truth: dict[float, float]) -> bool:
        """Whether each value that is known is the height of the bar of its setting."""
        wanted = {value: t for value, t in truth.items() if math.isfinite(t)}
        return bool(wanted) and all(v in bars and self._is(bars[v], t) for v, t in wanted.items())

    def _is(self, bar: Bar, truth: float) -> bool:
        ends = (length(bar), length(bar) + (bar.y if bar.upright else bar.x))
        scales = [1.0, *(scale for unit, scale in OTHER_UNITS.items() if re.search(unit, self.words))]
        return any(close(end, scale * truth, 1e-3) for end in ends for scale in scales)

    @cached_property
    def words(self) -> str:
        a = self.axes
        return " ".join((a.title, a.ylabel, a.xlabel, *a.legend, *(bar.label for bar in a.bars[:1]))).lower()


def length(bar: Bar) -> float:
    return bar.height if bar.upright else bar.width


def centre(bar: Bar) -> float:
    return bar.x + bar.width / 2 if bar.upright else bar.y + bar.height / 2


def parse(text: str) -> float | None:
    """Return the number in a tick label, which may be a power; None if there is none or it is too large."""
    plain = text.replace("−", "-").replace("\\mathdefault", "").replace("{10", "10")
    if power := re.search(r"(\d{1,4})\^\{?(-?\d{1,3})\}?(?!\d)", plain):
        try:
            return float(power[1]) ** int(power[2])
        except (OverflowError, ZeroDivisionError):
            return None
    found = re.search(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?", plain.replace(",", ""))
    return float(found.group()) if found and "^" not in plain else None


@dataclass(frozen=True)
class Picture:
    """The figure to be graded, and what it should show."""

    case: Case
    sweep: Sweep
    figure: FigureSeen
    truths: dict[str, dict[float, float]]
    figures: int = 1
    """The number of figures that contain these plots."""

    @cached_property
    def panels(self) -> list[Panel]:
        values = dict.fromkeys(value for truth in self.truths.values() for value in truth if math.isfinite(value))
        shown = tuple(dict.fromkeys((*self.sweep.values, *values)))  # other settings lose points in the loop, not here
        return [Panel(self._with_ticks(axes), shown) for axes in self.figure.axes if axes.bars]

    def _with_ticks(self, axes: Axes) -> Axes:
        """Return a subplot with the labels of a shared axis that are shown only under the lowest subplot."""
        if any(tick.text for tick in axes.ticks):
            return axes
        others = [self.figure.axes[i] for i in axes.shared_x if i < len(self.figure.axes)]
        named = next((other for other in others if any(tick.text for tick in other.ticks)), None)
        return axes if named is None else axes.model_copy(update={"ticks": named.ticks})

    @cached_property
    def shown(self) -> dict[str, Panel]:
        """The panel that shows each quantity, identified by its bars."""
        found: dict[str, Panel] = {}
        for quantity, truth in self.truths.items():
            free = [p for p in self.panels if p not in found.values()]
            fitting = [p for p in free if p.shows(truth)] or [p for p in free if p.is_mislabelled(truth)]
            best = [p for p in fitting if re.search(WORDS[quantity], p.words)] or fitting
            if best:
                found[quantity] = best[0]
        return found

    def meant(self, quantity: str) -> Panel | None:
        """Return the panel whose bars show the quantity, or else one whose text names it."""
        if quantity in self.shown:
            return self.shown[quantity]
        free = [p for p in self.panels if p not in self.shown.values()]
        named = [p for p in free if re.search(WORDS[quantity], p.words)]
        return named[0] if named else None


def without_energy(
    case: Case, figure: FigureSeen, wanted: dict[str, dict[float, float]]
) -> dict[str, dict[float, float]]:
    """Leave out energy if the student's own list is not used: a student who measured no energy need not plot it."""
    panels = [axes for axes in figure.axes if axes.bars]
    optional = case.item.cell.replace("plots", "loop") in case.evidence.stand_ins or not Sweep.of(case).rows
    if optional and len(panels) < len(wanted):
        return {quantity: values for quantity, values in wanted.items() if quantity != "total_energy"}
    return wanted


def truths(sweep: Sweep) -> dict[str, dict[float, float]]:
    """Return the values in the list by quantity and setting; energy is left out if the list has none."""
    found = {}
    for quantity in QUANTITIES:
        values = {number(row, sweep.key): number(row, column(sweep, quantity)) for row in sweep.rows}
        values = {_nearest(key, sweep.values): value for key, value in values.items()}
        if quantity != "total_energy" or any(math.isfinite(v) for v in values.values()):
            found[quantity] = values
    return found


def column(sweep: Sweep, quantity: str) -> str:
    """Return the key of a quantity in the rows; a misspelt key loses points for the list, not for the plot."""
    keys = {key for row in sweep.rows for key in row.entries or {}} - {"batch_size", "learning_rate"}
    other = sorted(key for key in keys - set(QUANTITIES) if re.search(WORDS[quantity], key.lower()))
    return quantity if quantity in keys or not other else other[0]


def trained_truths(sweep: Sweep) -> dict[str, dict[float, float]]:
    """Return the values that a missing list should contain, from the training runs themselves."""
    found = {
        "train_time": {sweep.used(fit): fit.seconds for fit in sweep.fits},
        "total_energy": {sweep.used(fit): fit.joules for fit in sweep.fits},
        "test_accuracy": {sweep.used(fit): sweep.accuracy(fit) for fit in sweep.fits},
        "epochs": {sweep.used(fit): float(fit.epochs_run) for fit in sweep.fits},
    }
    return {q: {_nearest(k, sweep.values): v for k, v in t.items()} for q, t in found.items() if t}


def _nearest(key: float, values: tuple[float, ...]) -> float:
    return next((value for value in values if close(key, value, 1e-3)), key)


def picture(case: Case) -> Picture:
    """Return the figure to be graded: the one that shows the most quantities of the list.

    In a tie, it is the last of the figures that the task's own cell drew.
    """
    sweep = Sweep.of(case)
    drawn = case.evidence.of(Figures)
    own = {f.number for event in drawn if event.cell in case.cells for f in event.value} - {
        f.number for event in drawn if event.cell < min(case.cells, default=0) for f in event.value
    }
    figures = drawn[-1].value if drawn else ()
    wanted = truths(sweep) if sweep.rows else trained_truths(sweep)
    candidates = [Picture(case, sweep, f, without_energy(case, f, wanted)) for f in figures]
    ranked = sorted(candidates, key=lambda p: (len(p.shown), p.figure.number in own, len(p.panels), p.figure.number))
    ranked = [p for p in ranked if p.shown or p.figure.number in own]
    if not ranked:
        case.missing("No figure was drawn")
    if not sweep.rows and not sweep.fits:
        raise Undecided(f"There is a figure, but no list {sweep.name} to compare it with. This item needs review.")
    best = ranked[-1]
    case.judge_by(best.figure.number)
    spread = [figure for figure in figures if figure.number in own and any(axes.bars for axes in figure.axes)]
    if len(best.shown) < len(best.truths) and len(spread) > 1:
        whole = Picture(case, sweep, join(spread, best.figure.number), best.truths, len(spread))
        best = whole if len(whole.shown) > len(best.shown) else best
    return best


def join(figures: list[FigureSeen], number: int) -> FigureSeen:
    """Join the plots of several figures into one, so that spreading them over several costs points only once."""
    axes: list[Axes] = []
    for figure in figures:
        first = len(axes)
        axes += [each.model_copy(update={"shared_x": tuple(first + i for i in each.shared_x)}) for each in figure.axes]
    return figures[0].model_copy(update={"number": number, "axes": tuple(axes)})


@points(2)
def test_one_figure_of_bar_plots(case: Case) -> None:
    """One figure contains a bar plot for each quantity: time, energy if it was measured, test accuracy, epochs."""
    seen = picture(case)
    wanted = len(seen.truths)
    if seen.figure.at_risk and (error := case.drawing_error(seen.figure.number)):
        raise Wrong(f"The figure cannot be drawn: Matplotlib raises {error}.")
    if seen.figures > 1:
        raise Wrong(f"The bar plots are in {seen.figures} figures; draw them side by side in one figure.")
    if len(seen.panels) >= wanted:  # additional plots, such as the cost of an epoch, are welcome
        return
    if not seen.panels and any(axes.lines for axes in seen.figure.axes):
        raise Wrong("The figure shows lines; the values should be shown as bars.")
    plots = f"{len(seen.panels)} bar plot{'s' if len(seen.panels) != 1 else ''}"
    raise Wrong(f"The figure contains {plots}; there should be {wanted}, all in one figure.")


@points(3)
def test_bars_are_the_recorded_values(case: Case) -> None:
    """The bars are as high as the values in the list."""
    seen = picture(case)
    lacking = [name for quantity, name in QUANTITIES.items() if quantity in seen.truths and quantity not in seen.shown]
    if lacking:
        source = f"recorded in {seen.sweep.name}" if seen.sweep.rows else "of the training runs"
        raise Wrong(f"No bar plot in the figure shows the {' or the '.join(lacking)} {source}.")


@points(1)
def test_horizontal_axis(case: Case) -> None:
    """The learning rate or batch size is on the horizontal axis, and each bar is above the setting it belongs to."""
    seen = picture(case)

    def rule(panel: Panel) -> str | None:
        if not all(bar.upright for bar in panel.bars):
            return f"The bars are horizontal; the {seen.sweep.key.replace('_', ' ')} belongs on the horizontal axis."
        truth = next((seen.truths[q] for q, p in seen.shown.items() if p is panel), {})
        if truth and panel.is_mislabelled(truth):
            name, setting = next((c, v) for c, v in zip(panel.categories, truth, strict=True) if c != v)
            what = seen.sweep.key.replace("_", " ")
            return (
                f"The bar of {what} {setting:g} has the label {name:g}: the labels are in another order than the bars."
            )
        shown = [c for c in panel.categories if c is not None]
        if panel.named and len(shown) == len(panel.bars):
            return None
        return f"The horizontal axis does not show the {seen.sweep.key.replace('_', ' ')} under each bar."

    if not seen.panels:
        raise Wrong("The figure has no bars.")
    forall(seen.panels, rule)


@points(1)
def test_labels(case: Case) -> None:
    """Every axis has a label, with the unit where there is one."""
    seen = picture(case)
    if not seen.panels:
        raise Wrong("The figure has no bars.")
    forall(seen.panels, lambda panel: _label_complaint(seen, panel))


def _label_complaint(seen: Picture, panel: Panel) -> str | None:
    axes, figure = panel.axes, seen.figure
    below = [figure.axes[i].xlabel for i in axes.shared_x if i < len(figure.axes)]
    beside = [figure.axes[i].ylabel for i in axes.shared_y if i < len(figure.axes)]
    horizontal = " ".join((axes.xlabel, figure.xlabel, *below)).strip().lower()
    vertical = [axes.ylabel, figure.ylabel, *beside]
    has_vertical = any(label.strip() for label in vertical)
    if not horizontal:
        return f"A subplot has no label on its horizontal axis{'' if has_vertical else ', nor on its vertical axis'}."
    own, other = (RATE, SIZE) if seen.sweep.loop == "lr" else (SIZE, RATE)
    if re.search(other, horizontal) and not re.search(own, horizontal):
        return f"The label of the horizontal axis does not name the {seen.sweep.key.replace('_', ' ')}."
    quantity = next((q for q, p in seen.shown.items() if p is panel), None)
    if not has_vertical:
        return (
            f"The vertical axis of the plot of the {QUANTITIES[quantity]} has no label."
            if quantity
            else "A vertical axis has no label."
        )
    if quantity and (named := _swapped_with(quantity, " ".join([*vertical, axes.title]), seen)):
        return (
            f"The plot of the {QUANTITIES[quantity]} has the label of the {QUANTITIES[named]}: the labels are swapped."
        )
    if quantity in UNITS and not re.search(UNITS[quantity], " ".join([*vertical, axes.title]), re.IGNORECASE):
        return f"The axis label for the {QUANTITIES[quantity]} does not include a unit."
    return None


def _swapped_with(quantity: str, label: str, seen: Picture) -> str | None:
    """Return the other quantity that a label names instead of its own; None if it names none that is recognised."""
    text = re.sub(r"(time|energy)[ -]+to[ -]+accuracy", r"\1", label.lower())
    if re.search(WORDS[quantity], text):
        return None
    return next((other for other in seen.truths if other != quantity and re.search(WORDS[other], text)), None)


@points(1)
def test_vertical_range(case: Case) -> None:
    """The range of the vertical axis makes the differences between the bars visible."""
    seen = picture(case)
    if not seen.panels:
        raise Wrong("The figure has no bars.")

    def rule(quantity: str) -> str | None:
        # A plot of other values has lost points for them; their range says nothing about the choice of the axis.
        panel = seen.shown.get(quantity) if seen.shown else seen.meant(quantity)
        if panel is None or told_apart(panel):
            return None
        name = QUANTITIES[quantity]
        return f"In the plot of the {name}, the bars look the same: choose a vertical range in which they differ."

    forall(seen.truths, rule)


def told_apart(panel: Panel) -> bool:
    """Whether the visible ends of the highest and the lowest bar differ by a visible share of the axis."""
    ends = [(bar.y + bar.height) if bar.upright else (bar.x + bar.width) for bar in panel.bars]
    low, high = panel.axes.ylim if all(bar.upright for bar in panel.bars) else panel.axes.xlim
    low, high = min(low, high), max(low, high)
    if max(ends) - min(ends) < 1e-3 * max(map(abs, ends)):
        return low < max(ends)
    inside = [min(max(end, low), high) for end in ends]
    if panel.axes.yscale == "log" and low > 0:
        inside, low, high = [math.log(end) for end in inside], math.log(low), math.log(high)
    return (max(inside) - min(inside)) >= LEAST_SPREAD * (high - low)
