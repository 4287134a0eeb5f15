"""What the HTML pages share: templates, their filters, and drawing a training curve from a message."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

TEMPLATES = Path(__file__).resolve().parent / "templates"
STRIP = re.compile(r"threshold (?P<threshold>[\d.]+), patience \d+[:,] on val_accuracy (?P<curve>[\d. |]+?) it ")


@cache
def environment() -> Environment:
    """The templates; every value is escaped unless it is markup that was made here."""
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.globals["css"] = Markup((TEMPLATES / "base.css").read_text(encoding="utf-8"))
    made.filters.update(points=points, prose=prose, strip_chart=strip_chart, link=link)
    return made


def points(value: float) -> str:
    """Points with as many digits as they need, two at most."""
    return f"{round(value, 2):g}"


def prose(text: str) -> Markup:
    """Escaped text in which `code` is marked as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def link(student: str) -> str:
    return f"{quote(student)}/feedback.html"


def strip_chart(message: str) -> Markup:
    """The training curve that a message tells of, drawn by epoch against the threshold; empty if it tells of none."""
    found = STRIP.search(message)
    if found is None:
        return Markup("")
    goal = float(found["threshold"])
    parts = found["curve"].split()
    stop = parts.index("|") if "|" in parts else None
    values = [float(part) for part in parts if part != "|"]
    low, high = min([*values, goal]) - 0.01, max([*values, goal]) + 0.01
    step, height, left = 34, 84, 12

    def y(value: float) -> float:
        return round(8 + (high - value) / (high - low) * (height - 16), 1)

    width = left * 2 + step * len(values)
    right = width + 36  # room for the threshold's number, beside the curve
    shapes = [
        f'<line x1="0" x2="{width}" y1="{y(goal)}" y2="{y(goal)}" stroke="#55606e" stroke-dasharray="5 4"/>',
        f'<text x="{width + 4}" y="{y(goal) + 4}" font-size="11" fill="#55606e">{goal:g}</text>',
    ]
    for epoch, value in enumerate(values):
        x, above = left + step * epoch + step // 2, value > goal
        fill = "#0b5c8a" if above else "#ffffff"
        shapes.append(f'<circle cx="{x}" cy="{y(value)}" r="6" fill="{fill}" stroke="#0b5c8a" stroke-width="2"/>')
        shapes.append(f'<text x="{x}" y="{height + 14}" text-anchor="middle" font-size="11">{epoch + 1}</text>')
    if stop is not None:
        x = left + step * stop
        shapes.append(f'<line x1="{x}" x2="{x}" y1="0" y2="{height}" stroke="#a3242b" stroke-width="3"/>')
    label = "Validation accuracy by epoch; filled dots are above the threshold"
    label += f"; training was stopped after epoch {stop}." if stop is not None else "; training was not stopped."
    return Markup(
        f'<svg role="img" aria-label="{label}" width="{right}" height="{height + 20}" '
        f'viewBox="0 0 {right} {height + 20}">{"".join(shapes)}</svg>'
    )
