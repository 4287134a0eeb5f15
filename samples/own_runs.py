"""Adds the outputs of a student's own run to a notebook: the tables of the checks, and the figures."""

from __future__ import annotations

import base64
import html
import io
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder.assignment.settings import Assignment
from autograder.common.cells import cells_by_id

KEPT = Path(__file__).with_suffix(".toml")

SWEPT = {"lr": ("learning_rate", "batch_size"), "bs": ("batch_size", "learning_rate")}
HEADS = ("epochs", "test_accuracy", "train_time (s)", "total_energy (J)")
AXES = ("Time to accuracy (s)", "Test accuracy", "Epochs")


def own_runs() -> dict[str, Any]:
    """Return the results of the students' own runs, by student."""
    return tomllib.loads(KEPT.read_text(encoding="utf-8"))


def show(notebook: NotebookNode, run: dict[str, Any], assignment: Assignment) -> None:
    """Write a run into the outputs of the cells that still have their ids."""
    cells = cells_by_id(notebook)
    fixed = {
        "lr": assignment.parameters.model_dump()["default_batch_size"],
        "bs": assignment.parameters.model_dump()["default_learning_rate"],
    }
    if run.get("dry"):
        cells["sample"].outputs = [_said("Dry run: 6000 training notes, at most 4 epochs.\n")]
    for loop, names in SWEPT.items():
        table = _table((*names, *HEADS), [(row[0], fixed[loop], *row[1:], "not measured") for row in run[loop]])
        if f"{loop}-loop-check" in cells:
            cells[f"{loop}-loop-check"].outputs = [_displayed("text/html", table)]
        if f"{loop}-plots" in cells:
            cells[f"{loop}-plots"].outputs = [_displayed("image/png", _bars(run[loop], names[0]))]


def _said(text: str) -> NotebookNode:
    made: NotebookNode = new_output("stream", name="stdout", text=text)
    return made


def _displayed(kind: str, content: str) -> NotebookNode:
    made: NotebookNode = new_output("display_data", {kind: content})
    return made


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [("th", heads), *(("td", row) for row in rows)]
    inside = ("".join(f"<{tag}>{html.escape(str(value))}</{tag}>" for value in line) for tag, line in lines)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in inside)}</table>"


def _bars(rows: Sequence[Sequence[float]], across: str) -> str:
    """Return a figure like those that the lab asks for, as a base64-encoded PNG image."""
    figure = Figure(figsize=(12, 3.5), layout="constrained")
    for axes, label, place in zip(figure.subplots(1, 3), AXES, (3, 2, 1), strict=True):
        heights = [row[place] for row in rows]
        axes.bar([f"{row[0]:g}" for row in rows], heights)
        axes.set_xlabel(across.replace("_", " ").capitalize())
        axes.set_ylabel(label)
        if place == 2:
            margin = 0.2 * (max(heights) - min(heights))
            axes.set_ylim(min(heights) - margin, max(heights) + margin)
    figure.savefig(drawn := io.BytesIO(), format="png", dpi=80)
    return base64.b64encode(drawn.getvalue()).decode()
