"""Submissions described as text: a percent-format Python file, filled into the release of an assignment.

The sample class of `make demo` and the corpora that test the autograder are stored this way, because a description
shows only the student's part, can be read and compared line by line, and can be filled into every new release.

    # /// submission
    # title = "Counts hits in a row"
    # transforms = ["metadata lost"]
    # ///

    # %% callback
    class TrainToAccuracy(callbacks.Callback): ...

    # %% a look at the data after="data-details"
    print(n_tr)

    # %% lr-comment [markdown]
    # Training takes longest at the lowest rate.

A cell whose title is the grade_id of a solution cell replaces that cell; a cell with `after` or `before` is
inserted there; all other cells stay as they were released.
"""

from __future__ import annotations

import copy
import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import jupytext
import nbformat
from nbconvert import PythonExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from pydantic import BaseModel, ConfigDict, ValidationError

from autograder.common.cells import grade_id
from autograder.errors import SubmissionError

HEADER = re.compile(r"\A# /// submission\n(?P<toml>(?:#.*\n)+?)# ///\n")


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Header(Frozen):
    """The header of a description; `file` is the type of file that the student submits.

    `expected` tells readers how many points a fair teacher would give.
    `order` lists cells (by grade_id) in the order that the student gave them, within the places that they had.
    """

    title: str
    style: str = ""
    expected: str = ""
    file: Literal["notebook", "percent script", "plain script"] = "notebook"
    transforms: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


class ExtraCell(Frozen):
    """A cell that the student inserted next to a solution cell."""

    kind: Literal["code", "markdown"]
    source: str
    anchor: str
    side: Literal["before", "after"]


class Description(Frozen):
    name: str
    header: Header
    cells: Mapping[str, str]
    extras: tuple[ExtraCell, ...] = ()


def read_description(path: Path) -> Description:
    """Read a description; raise SubmissionError if it is invalid."""
    return parse_description(path.read_text(encoding="utf-8"), path.stem)


def parse_description(text: str, name: str) -> Description:
    head = HEADER.match(text)
    if head is None:
        raise SubmissionError(f"{name}: a description begins with a block `# /// submission`.")
    toml = "\n".join(line.removeprefix("#").strip() for line in head["toml"].splitlines())
    try:
        header = Header.model_validate(tomllib.loads(toml))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise SubmissionError(f"{name}: the header is invalid: {error}.") from None
    cells: dict[str, str] = {}
    extras: list[ExtraCell] = []
    body = text[head.end() :].lstrip()
    for cell in jupytext.reads(body, fmt="py:percent").cells if body else ():
        title = cell.metadata.get("title", "")
        if side := _side(cell):
            extras.append(ExtraCell(kind=cell.cell_type, source=cell.source, anchor=cell.metadata[side], side=side))
        elif not title or title in cells:
            raise SubmissionError(f"{name}: a cell has no title, or the same one as another: {cell.source[:40]!r}.")
        else:
            cells[title] = cell.source
    return Description(name=name, header=header, cells=cells, extras=tuple(extras))


def _side(cell: NotebookNode) -> Literal["before", "after"] | None:
    return "after" if "after" in cell.metadata else "before" if "before" in cell.metadata else None


def fill(release: NotebookNode, description: Description) -> NotebookNode:
    """Return the release with the student's part filled in; raise SubmissionError if it lacks a described cell."""
    notebook = copy.deepcopy(release)
    places = {_solution_id(cell): cell for cell in notebook.cells if _solution_id(cell)}
    wanted = {*description.cells, *(extra.anchor for extra in description.extras)}
    if unknown := wanted - set(places):
        raise SubmissionError(f"{description.name}: the release has no solution cell {', '.join(sorted(unknown))}.")
    for name, source in description.cells.items():
        places[name].source = source
    notebook.cells = _reordered(_with_extras(notebook.cells, description), description.header.order)
    for transform in description.header.transforms:
        if transform not in TRANSFORMS:
            raise SubmissionError(f"{description.name}: unknown transform {transform!r}.")
        TRANSFORMS[transform](notebook)
    return notebook


def write_submission(notebook: NotebookNode, description: Description, folder: Path, stem: str) -> Path:
    """Write the file that the student submits (`<stem>.ipynb` or `<stem>.py`) into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    match description.header.file:
        case "notebook":
            path, text = folder / f"{stem}.ipynb", nbformat.writes(notebook)
        case "percent script":
            path, text = folder / f"{stem}.py", jupytext.writes(notebook, fmt="py:percent")
        case "plain script":
            path, text = folder / f"{stem}.py", PythonExporter().from_notebook_node(notebook)[0]
    path.write_text(text, encoding="utf-8")
    return path


def leave_out_missing(description: Description, release: NotebookNode) -> Description:
    """Return the part of a description that has a place in the release: an instructor may have removed tasks."""
    names = {_solution_id(cell) for cell in release.cells}
    return description.model_copy(
        update={
            "cells": {name: source for name, source in description.cells.items() if name in names},
            "extras": tuple(extra for extra in description.extras if extra.anchor in names),
            "header": description.header.model_copy(
                update={"order": tuple(name for name in description.header.order if name in names)}
            ),
        }
    )


def _solution_id(cell: NotebookNode) -> str | None:
    return grade_id(cell) if cell.metadata.get("nbgrader", {}).get("solution") else None


def _with_extras(cells: list[NotebookNode], description: Description) -> list[NotebookNode]:
    extended: list[NotebookNode] = []
    for cell in cells:
        beside = [extra for extra in description.extras if extra.anchor == _solution_id(cell)]
        extended += [_new_cell(extra) for extra in beside if extra.side == "before"]
        extended.append(cell)
        extended += [_new_cell(extra) for extra in beside if extra.side == "after"]
    return extended


def _new_cell(extra: ExtraCell) -> NotebookNode:
    cell_id = hashlib.sha256(f"{extra.anchor}{extra.side}{extra.source}".encode()).hexdigest()[:8]
    return _fresh_cell(extra.kind, extra.source, cell_id)


def _fresh_cell(kind: str, source: str, cell_id: str) -> NotebookNode:
    make = {"code": new_code_cell, "markdown": new_markdown_cell}[kind]
    return make(source, id=cell_id)  # type: ignore[no-untyped-call]


def _reordered(cells: list[NotebookNode], order: tuple[str, ...]) -> list[NotebookNode]:
    places = [place for place, cell in enumerate(cells) if grade_id(cell) in order]
    by_id = {grade_id(cells[place]): cells[place] for place in places}
    if unknown := set(order) - set(by_id):
        raise SubmissionError(f"The release has no cell {', '.join(sorted(unknown))} that could be moved.")
    moved = dict(zip(places, (by_id[grade_id] for grade_id in order), strict=True))
    return [moved.get(place, cell) for place, cell in enumerate(cells)]


def _lose_metadata(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata = NotebookNode()


def _lose_cell_ids(notebook: NotebookNode) -> None:
    notebook.nbformat_minor = 4
    for cell in notebook.cells:
        cell.pop("id", None)


def _pass_through_hosted_service(notebook: NotebookNode) -> None:
    """Save it as a hosted notebook service does: its own ids in the metadata, none of nbgrader's, format 4.0."""
    for place, cell in enumerate(notebook.cells):
        token = hashlib.sha256(f"{place}{cell.source}".encode()).hexdigest()[:12]
        cell.metadata = NotebookNode(id=token)
        cell.pop("id", None)
    notebook.nbformat_minor = 0
    notebook.metadata = nbformat.from_dict(
        {
            "accelerator": "GPU",
            "colab": {"provenance": [], "gpuType": "T4"},
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
            "language_info": {"name": "python"},
        }
    )


def _paste_into_new_cells(notebook: NotebookNode) -> None:
    """Replace each solution cell, as if the student had pasted its text into a new cell and deleted the original."""
    for place, cell in enumerate(notebook.cells):
        if _solution_id(cell):
            notebook.cells[place] = _fresh_cell(cell.cell_type, cell.source, f"pasted-{place}")


def _delete_check_cells(notebook: NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if not _is_check(cell)]


def _is_check(cell: NotebookNode) -> bool:
    nbgrader = cell.metadata.get("nbgrader", {})
    return bool(nbgrader.get("grade") and not nbgrader.get("solution"))


def _delete_instructions(notebook: NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type != "markdown" or _solution_id(cell)]


def _keep_outputs(notebook: NotebookNode) -> None:
    count = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = [new_output("stream", name="stdout", text="Epoch 1/500\n")]


TRANSFORMS: Mapping[str, Callable[[NotebookNode], None]] = {
    "metadata lost": _lose_metadata,
    "cell ids lost": _lose_cell_ids,
    "hosted notebook": _pass_through_hosted_service,
    "pasted into new cells": _paste_into_new_cells,
    "check cells deleted": _delete_check_cells,
    "instructions deleted": _delete_instructions,
    "outputs kept": _keep_outputs,
}
