"""The feedback page of a student: one self-contained HTML file in which nothing of the student's can run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from .assignment import Assignment, Item
from .books import Manual, folder_of, points_by_item, read_executed, read_verdicts, write_text
from .pages import environment
from .verdict import ItemVerdict, Verdict

MARKS = {"passed": "✓", "failed": "✗", "ungraded": "?"}
WORDS = {"passed": "met", "failed": "missed", "ungraded": "for a person"}
LONGEST = 4000
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]")
PATHS = re.compile(r"(?:/[\w.+@-]+)+/(?=(?:site-packages|ipykernel|bench|run-|kernels-)[\w/.-]*)|/tmp/[\w./-]*/?")


@dataclass(frozen=True)
class Part:
    """An item as the page shows it; `points` None means that a person has yet to give them."""

    item: Item
    verdict: ItemVerdict | None
    points: float | None
    comment: str | None
    images: list[str]


@dataclass(frozen=True)
class ShownCell:
    kind: str
    source: str
    texts: list[str]
    images: list[str]


def write_feedback(out: Path, assignment: Assignment, manual: Manual) -> None:
    """Writes the page of every student who has a verdict."""
    for verdict in read_verdicts(out, assignment):
        executed = read_executed(out, assignment, verdict.student)
        page = feedback_page(assignment, verdict, executed, manual.get(verdict.student, {}))
        write_text(folder_of(out, assignment, verdict.student) / "feedback.html", page)


def feedback_page(
    assignment: Assignment,
    verdict: Verdict,
    executed: NotebookNode | None,
    manual: Mapping[str, tuple[float | None, str | None]],
) -> str:
    given = points_by_item(assignment, verdict, manual)
    judged = {item.id: item for item in verdict.items}
    figures = _figures(executed)
    parts = [
        Part(item, judged.get(item.id), given[item.id], manual.get(item.id, (None, None))[1], figures.get(item.id, []))
        for item in assignment.items
    ]
    return (
        environment()
        .get_template("feedback.html")
        .render(
            assignment=assignment,
            verdict=verdict,
            total=sum(points or 0.0 for points in given.values()),
            most=sum(item.points for item in assignment.items),
            waiting=[part.item.title for part in parts if part.points is None],
            findings=[finding for finding in verdict.findings if finding.audience == "both"],
            parts=parts,
            cells=shown_cells(executed),
            marks=MARKS,
            words=WORDS,
        )
    )


def _figures(executed: NotebookNode | None) -> dict[str, list[str]]:
    """The pictures of each task's cell, by grade_id."""
    cells = executed.cells if executed is not None else []
    return {
        cell.metadata.get("nbgrader", {}).get("grade_id", ""): _images(cell)
        for cell in cells
        if cell.cell_type == "code" and str(cell.metadata.get("nbgrader", {}).get("grade_id", "")).endswith("plots")
    }


def shown_cells(executed: NotebookNode | None) -> list[ShownCell]:
    """The notebook as text and pictures; HTML, SVG and scripts among the outputs are never passed on."""
    cells = executed.cells if executed is not None else []
    return [
        ShownCell(cell.cell_type, cleaned(cell.source), _texts(cell), _images(cell))
        for cell in cells
        if cell.source.strip()
    ]


def _texts(cell: NotebookNode) -> list[str]:
    texts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            texts.append(str(output.text))
        elif output.output_type == "error":
            texts.append("\n".join(map(str, output.get("traceback", []))) or f"{output.ename}: {output.evalue}")
        elif "image/png" not in output.get("data", {}):
            texts.append(str(output.get("data", {}).get("text/plain", "")))
    return [cleaned(text) for text in texts if text.strip()]


def _images(cell: NotebookNode) -> list[str]:
    data: list[Any] = [output.get("data", {}).get("image/png") for output in cell.get("outputs", [])]
    return [re.sub(r"[^A-Za-z0-9+/=]", "", image) for image in data if isinstance(image, str)]


def cleaned(text: str) -> str:
    """Text without terminal escapes and server paths, cut where it is too long."""
    text = PATHS.sub("", ESCAPES.sub("", text))
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]}\n[… {len(text) - LONGEST:,} characters left out …]\n{text[-LONGEST // 2 :]}"
    return text
