"""Charts of the class report, as SVG that takes its colours from the page. While the pointer is over a mark, its
description is shown above the axes, by a rule in the page's style sheet and without a script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from markupsafe import Markup, escape
from matplotlib.ticker import MaxNLocator

from autograder.common.encoders import make_visible

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 340, 232, 50, 42, 38
"""Size of a chart in pixels, and the margins for the axes and above them."""

WIDE = 20.0
"""Ratio of the largest to the smallest value from which on an axis is logarithmic."""

MAX_TICKS = 7

MAX_DOTS = 40
"""Maximum number of values for which all are drawn; of more values, only those beyond the whiskers are drawn."""

Values = Sequence[tuple[str, float]]
"""Named values, such as each student's time."""


@dataclass(frozen=True)
class Scale:
    """The scale of the vertical axis."""

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Scale:
        low, high = min(values), max(values)
        if low > 0 and high / low > WIDE:
            low, high = low / 1.3, high * 1.3
            return cls(low, high, True, _decades(low, high))
        ticks = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(min(low, 0), high or 1)
        return cls(float(ticks[0]), float(ticks[-1]), False, tuple(map(float, ticks)))

    def y(self, value: float) -> float:
        place = math.log if self.log else float
        share = (place(value) - place(self.low)) / (place(self.high) - place(self.low))
        return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)


def _decades(low: float, high: float) -> tuple[float, ...]:
    """Return the powers of ten in the range, with steps between them if there are few; at most seven in total."""
    powers = [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    inside: list[float] = []
    for steps in ((1, 2, 5), (1, 3), (1,)):
        inside = [step * power for power in powers for step in steps if low <= step * power <= high]
        if len(inside) <= MAX_TICKS:
            break
    return tuple(inside[:: math.ceil(len(inside) / MAX_TICKS)])


def histogram(totals: Sequence[float], most: float, bins: int = 10) -> Markup:
    """Draw the distribution of points, as bars of equal steps from 0 to `most`."""
    counts = [0] * bins
    for points in totals:
        counts[max(0, min(bins - 1, int(points / most * bins)))] += 1
    edges = [f"{round(number * most / bins, 1):g}" for number in range(bins + 1)]
    step = (WIDTH - LEFT - 12) / bins
    top = max([*counts, 1])
    ticks = tuple(float(tick) for tick in MaxNLocator(4, integer=True).tick_values(0, top))
    scale = Scale(0.0, max(ticks), False, ticks)
    shapes = _frame(scale, f"Points (of {most:g})", "Submissions")
    for number, count in enumerate(counts):
        x, y = round(LEFT + number * step, 1), scale.y(count)
        described = f"{edges[number]} to {edges[number + 1]} points: {count}"
        bar = f'<rect class="bar" x="{x + 1.5}" y="{y}" width="{step - 3:.1f}" height="{HEIGHT - BOTTOM - y:.1f}"/>'
        shapes.append(_mark(bar, described))
        shapes.append(_text(x + step / 2, y - 4, str(count or ""), "value"))
    shapes += [_text(LEFT + number * step, HEIGHT - BOTTOM + 15, edge) for number, edge in enumerate(edges)]
    summary = "; ".join(f"{edges[i]} to {edges[i + 1]}: {count}" for i, count in enumerate(counts) if count)
    return _svg(f"Number of submissions by points. {summary}", shapes)


def boxes(groups: Mapping[str, Values], across: str, up: str, unit: str) -> Markup:
    """Draw a box plot for each group, with whiskers of at most 1.5 interquartile ranges, and its values."""
    scale = Scale.of([value for values in groups.values() for _, value in values])
    shapes = _frame(scale, across, f"{up} ({unit})" if unit else up)
    step = (WIDTH - LEFT - 12) / len(groups)
    summary = []
    for number, (group, values) in enumerate(groups.items()):
        middle = LEFT + (number + 0.5) * step
        shapes.append(_text(middle, HEIGHT - BOTTOM + 15, group))
        if values:
            drawn, described = _box(values, scale, middle, step, f"{across} {group}", unit)
            shapes += drawn
            summary.append(described)
    return _svg(f"{up} by {across.lower()}. {'; '.join(summary)}.", shapes)


def _box(values: Values, scale: Scale, x: float, step: float, name: str, unit: str) -> tuple[list[str], str]:
    """Return the shapes of a box around `x`, and its description, which is shown for the whole column."""
    half = min(15.0, step / 3)
    numbers = [value for _, value in values]
    low, _, high = quantiles(numbers, n=4, method="inclusive") if len(numbers) > 1 else numbers * 3
    inside = [value for value in numbers if low - 1.5 * (high - low) <= value <= high + 1.5 * (high - low)]
    centre = median(numbers)
    count = f"{len(numbers)} {'value' if len(numbers) == 1 else 'values'}"
    described = f"{name}: median {centre:.3g}{unit and f' {unit}'}, middle half {low:.3g} to {high:.3g}, {count}"
    drawn = [
        f'<rect class="column" x="{x - step / 2:.1f}" y="{TOP}" width="{step:.1f}" height="{HEIGHT - BOTTOM - TOP}"/>',
        f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{scale.y(min(inside))}" y2="{scale.y(max(inside))}"/>',
        f'<rect class="box" x="{x - half:.1f}" y="{scale.y(high)}" width="{2 * half:.1f}" '
        f'height="{scale.y(low) - scale.y(high):.1f}"/>',
        f'<line class="median" x1="{x - half:.1f}" x2="{x + half:.1f}" y1="{scale.y(centre)}" y2="{scale.y(centre)}"/>',
    ]
    shapes = [_mark("".join(drawn), *described.split(", ", 1))]
    shown = values if len(values) <= MAX_DOTS else [pair for pair in values if pair[1] not in set(inside)]
    for place, (who, value) in enumerate(shown):
        aside = x + (place % 5 - 2) * half / 4
        dot = f'<circle class="dot" cx="{aside:.1f}" cy="{scale.y(value)}" r="3"/>'
        shapes.append(_mark(dot, f"{who}: {value:.4g}{unit and f' {unit}'}", name))
    return shapes, described


def _frame(scale: Scale, across: str, up: str) -> list[str]:
    """Return lines at the ticks of the vertical axis, and the labels of both axes."""
    shapes = []
    for tick in scale.ticks:
        y = scale.y(tick)
        shapes.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - 8}" y1="{y}" y2="{y}"/>')
        shapes.append(_text(LEFT - 6, y + 4, f"{tick:g}", "axis", "end"))
    up += ", log" if scale.log else ""
    centre = (TOP + HEIGHT - BOTTOM) / 2
    shapes.append(_text((LEFT + WIDTH) / 2, HEIGHT - 6, across, "label"))
    turned = f'transform="rotate(-90 12 {centre})"'
    shapes.append(f'<text class="label" x="12" y="{centre}" text-anchor="middle" {turned}>{escape(up)}</text>')
    return shapes


def _mark(shape: str, *described: str) -> str:
    """Return a shape with the lines of text that are shown while the pointer is over it."""
    lines = [_text(WIDTH - 8, 13 + 14 * number, line, "told", "end") for number, line in enumerate(described)]
    return f'<g class="mark">{shape}{"".join(lines)}</g>'


def _text(x: float, y: float, text: str, kind: str = "axis", anchor: str = "middle") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(make_visible(text))}</text>'


def _svg(label: str, shapes: Sequence[str]) -> Markup:
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    return Markup(
        f'<svg class="chart" role="img" aria-label="{escape(make_visible(label))}" {size}>{"".join(shapes)}</svg>'
    )
