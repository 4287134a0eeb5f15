"""A chart of a training curve by epoch, with where the callback stopped and where it should have stopped."""

from __future__ import annotations

import math

from markupsafe import Markup, escape

from autograder.grading.verdict import CurveChart

STEP = 48
"""Pixels from one epoch to the next."""

REACH, GAP = 44, 12
"""Pixels from the threshold's line to the farthest dot, and to the nearest dot that is not on the line."""

LEFT, MIDDLE, AXIS, TALLEST, NARROWEST = 46, 92, 178, 206, 250

LETTER = 8
"""Upper bound of the mean width of a letter in pixels."""


def draw(chart: CurveChart) -> Markup:
    """Draw the chart as SVG that takes its colours from the page. Distances from the threshold are drawn as their
    square root, so that a value close to it can be distinguished from one on it."""
    width = max(NARROWEST, LEFT + STEP * len(chart.val_accuracy) + 12)
    shapes = [
        f'<line class="goal" x1="{LEFT - 6}" x2="{width - 4}" y1="{MIDDLE}" y2="{MIDDLE}"/>',
        f'<text class="axis" x="{LEFT - 10}" y="{MIDDLE + 4}" text-anchor="end">{chart.threshold:g}</text>',
        f'<text class="axis" x="{LEFT - 10}" y="{AXIS}" text-anchor="end">epoch</text>',
    ]
    furthest = max((abs(value - chart.threshold) for value in chart.val_accuracy), default=0.0)
    for epoch, value in enumerate(chart.val_accuracy, 1):
        shapes.append(_dot(chart, epoch, value, furthest))
    shapes += [_end(chart, "stopped", chart.stopped), _end(chart, "due", chart.due)]
    size = f'width="{width}" height="{TALLEST}" viewBox="0 0 {width} {TALLEST}"'
    return Markup(
        f'<svg class="curve-chart" role="img" aria-label="{escape(described(chart))}" {size}>{"".join(shapes)}</svg>'
    )


def described(chart: CurveChart) -> str:
    """Describe the chart in words."""
    values = ", ".join(
        f"epoch {epoch} {value:.4g} ({_side(value, chart.threshold)})"
        for epoch, value in enumerate(chart.val_accuracy, 1)
    )
    return f"Validation accuracy by epoch, against the threshold {chart.threshold:g}: {values}. {conclude(chart)}"


def conclude(chart: CurveChart) -> str:
    """Describe where training stopped and where it should have stopped."""
    ended = "Did not stop" if chart.stopped is None else f"Stopped after epoch {chart.stopped}"
    due = "should have continued" if chart.due is None else f"should have stopped after epoch {chart.due}"
    return f"{ended}; {due}."


def _side(value: float, goal: float) -> str:
    return "above" if value > goal else "equal" if value == goal else "below"


def _x(epoch: int) -> int:
    return LEFT + STEP * (epoch - 1) + STEP // 2


def _dot(chart: CurveChart, epoch: int, value: float, furthest: float) -> str:
    above = value > chart.threshold
    far = abs(value - chart.threshold)
    away = 0.0 if far == 0 else GAP + (REACH - GAP) * math.sqrt(far / furthest)
    x, y = _x(epoch), round(MIDDLE + (-away if above else away), 1)
    label = y - 11 if above or not far else y + 19
    side = _side(value, chart.threshold)
    title = f"Epoch {epoch}: {value:.4g}, {'equal to' if side == 'equal' else side} the threshold"
    return (
        f'<circle class="{"hit" if above else "miss"}" cx="{x}" cy="{y}" r="6"><title>{title}</title></circle>'
        f'<text class="value" x="{x}" y="{label}" text-anchor="middle">{value:.4g}</text>'
        f'<text class="axis" x="{x}" y="{AXIS}" text-anchor="middle">{epoch}</text>'
    )


WORDS = {"stopped": ("stopped here", "did not stop"), "due": ("should stop here", "should have continued")}


def _end(chart: CurveChart, kind: str, epoch: int | None) -> str:
    """Draw a bar after the epoch at which training stopped (text above), or should have stopped (text below)."""
    text, top, bottom = (14, 6, AXIS - 16) if kind == "stopped" else (TALLEST - 6, 24, TALLEST - 4)
    if epoch is None:
        return f'<text class="{kind}" x="{LEFT - 6}" y="{text}">{WORDS[kind][1]}</text>'
    x = _x(epoch) + STEP // 2
    anchor, shift = ("end", -6) if x - 6 > LETTER * len(WORDS[kind][0]) else ("start", 6)
    return (
        f'<line class="{kind}" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'
        f'<text class="{kind}" x="{x + shift}" y="{text}" text-anchor="{anchor}">{WORDS[kind][0]}</text>'
    )
