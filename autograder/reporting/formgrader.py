"""Build the notebooks that nbgrader's formgrader shows: a box for points for each item, and nothing that can run.

nbconvert renders them for the browser of a grader, who is logged in there. Students' texts are therefore rendered and
sanitised here, and stored in the notebook as HTML that no Markdown renderer changes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import nbformat
from markupsafe import Markup
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution

from autograder.assignment.settings import Assignment
from autograder.common.cells import grade_id
from autograder.common.encoders import encode_path
from autograder.common.images import picture
from autograder.results.files import write_text
from autograder.submission.parsing import new_cell
from autograder.submission.prepare import load_release

from .markdown import Renderer, protect, remove_comments, render_formula, render_plain

Beside = Mapping[str, NotebookNode]
"""Cells to insert for the grader, which no student wrote, by the name of the cell after them."""

FINGERPRINT = "autograder_source_sha256"
"""The key in the metadata of a cell with HTML for the hash of the Markdown from which it was made."""

MISSING = "This cell was not in the submitted notebook."
NOTHING = "No part of this submission could be run."
ALT = "Image drawn by this cell"


def notebook_path(folder: Path, student: str, assignment: Assignment) -> Path:
    """Return the path of a student's notebook in nbgrader's folder of autograded notebooks."""
    return folder / encode_path(student) / assignment.name / assignment.notebook_name


def write_notebook(
    folder: Path,
    student: str,
    assignment: Assignment,
    executed: NotebookNode | None,
    release: NotebookNode | None = None,
    beside: Beside = MappingProxyType({}),
) -> None:
    """Write the executed notebook to where nbgrader looks for it; if nothing was run, write one with only the boxes."""
    path = notebook_path(folder, student, assignment)
    write_text(path, nbformat.writes(build_notebook(executed, release or load_release(assignment), beside)))


def build_notebook(
    executed: NotebookNode | None, release: NotebookNode, beside: Beside = MappingProxyType({})
) -> NotebookNode:
    """Return the notebook with exactly the release's nbgrader cells, so that each has its box for points.

    The cells of `beside` are inserted before the cells with their names.
    """
    given = index_cells(release)
    cells, places = [], {}
    renderer = Renderer()
    for number, cell in enumerate(executed.cells if executed is not None else []):
        name = grade_id(cell)
        known = name in given and name not in places and cell.cell_type == given[name].cell_type
        cells.append(_copy_inert(cell, f"cell-{number}", given[name] if known else None, renderer))
        if known:
            places[name] = cells[-1]
    before = None
    for name, cell in given.items():
        if name not in places and (is_grade(cell) or is_solution(cell)):
            places[name] = _make_placeholder(cell, MISSING if executed is not None else NOTHING)
            cells.insert(cells.index(before) + 1 if before is not None else 0, places[name])
        before = places.get(name, before)
    for name, added in beside.items():
        if name in places:
            cells.insert(cells.index(places[name]), added)
    made = nbformat.v4.new_notebook(metadata=release.metadata)
    made.cells = cells
    return made


def _make_placeholder(cell: NotebookNode, text: str) -> NotebookNode:
    """Return the replacement of a graded cell that the submission lacks."""
    name = f"missing-{grade_id(cell)}"[:64]
    if cell.cell_type == "code":
        return new_cell("code", f"# {text}", cell.metadata, name)
    return new_cell("markdown", f"*{text}*", cell.metadata, name)


def _copy_inert(cell: NotebookNode, cell_id: str, given: NotebookNode | None, renderer: Renderer) -> NotebookNode:
    """Copy a cell; a locked cell gets the text of the release, and a student's text becomes HTML."""
    metadata = dict(given.metadata) if given is not None else {}
    locked = given is not None and is_locked(given)
    source = given.source if given is not None and locked else cell.source
    if cell.cell_type == "code":
        made = new_cell("code", source, metadata, cell_id)
        made.execution_count = cell.execution_count if isinstance(cell.execution_count, int) else None
        made.outputs = [shown for output in cell.outputs if (shown := _make_output_inert(output, renderer))]
        return made
    if locked:
        return new_cell("markdown", source, metadata, cell_id)
    html = renderer.render(source, cell.get("attachments")) if cell.cell_type == "markdown" else render_plain(source)
    return new_cell("markdown", protect(html), metadata | {FINGERPRINT: fingerprint(source)}, cell_id)


def _make_output_inert(output: NotebookNode, renderer: Renderer) -> NotebookNode | None:
    """Keep streams and errors, which the formgrader escapes, and the best harmless form of rich outputs."""
    if output.output_type in ("stream", "error"):
        return output
    data, metadata = output.get("data", {}), {}
    if (shown := picture(data)) is not None:
        kind, _, content = shown.removeprefix("data:").partition(";base64,")
        data, metadata = {kind: content}, {kind: {"alt": ALT}}
    elif (html := _render_output(data, renderer)).striptags() or "<img src" in html:
        data = {"text/html": protect(html)}
    else:
        data = {"text/plain": str(data.get("text/plain", ""))}
    if not any(data.values()):
        return None
    return nbformat.from_dict({"output_type": "display_data", "data": data, "metadata": metadata})


def _render_output(data: Mapping[str, Any], renderer: Renderer) -> Markup:
    """Return the HTML of an output, or that of its Markdown or formula, sanitised; empty if it has none of these."""
    if isinstance(html := data.get("text/html"), str):
        return renderer.clean(html)
    if isinstance(text := data.get("text/markdown"), str):
        return renderer.render(text)
    tex = data.get("text/latex")
    return render_formula(tex) if isinstance(tex, str) else Markup()


def fingerprint(source: str) -> str:
    """Return a hash that is the same for two answers if and only if their Markdown, without comments, is the same."""
    return hashlib.sha256(_escape_tags(source).encode("utf-8", "replace")).hexdigest()


def _escape_tags(source: str) -> str:
    """Return Markdown as in older versions of these notebooks, so that old and new hashes are equal."""
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", remove_comments(source))


def take_fingerprints(notebook: NotebookNode | None) -> dict[str, str]:
    """Return the fingerprint of the student's text in each cell, by name."""
    return {name: fingerprint(cell.source) for name, cell in index_cells(notebook).items()}


def read_fingerprints(path: Path) -> dict[str, str]:
    """Return the fingerprints stored in a notebook; an older notebook contains the Markdown itself."""
    notebook = _read(path)
    noted = {name: cell.metadata.get(FINGERPRINT) for name, cell in index_cells(notebook).items()}
    return take_fingerprints(notebook) | {name: str(value) for name, value in noted.items() if value}


def _read(path: Path) -> NotebookNode:
    """Read a notebook; return an empty one if nbgrader, which writes in place, was interrupted."""
    try:
        made = nbformat.reader.reads(path.read_text(encoding="utf-8"))
        return made if isinstance(made.get("cells"), list) else nbformat.v4.new_notebook()
    except (OSError, ValueError):
        return nbformat.v4.new_notebook()


def index_cells(notebook: NotebookNode | None) -> dict[str, NotebookNode]:
    """Return the cells with nbgrader metadata by grade_id; if several have the same id, the first."""
    found: dict[str, NotebookNode] = {}
    for cell in notebook.cells if notebook is not None else []:
        if name := grade_id(cell):
            found.setdefault(name, cell)
    return found
