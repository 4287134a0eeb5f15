"""The graded cells of an instructor's notebook, from nbgrader's metadata: the items of an nbgrader assignment."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.common.cells import cells_by_id, grade_id, grader_metadata
from autograder.errors import AssignmentError, shorten_path

TEST_CELL = "test cell"
"""The value of `graded_by` for an item that is graded by a locked cell of the notebook, with asserts and points."""


def read_items(path: Path) -> list[dict[str, Any]]:
    """Read the items of a notebook: its graded cells with their points, in order.

    A test cell grades the last solution cell with code before it. All other graded cells are graded by a person.

    Args:
        path: the instructor's notebook.

    Raises:
        AssignmentError: the notebook cannot be read, or a test cell has no solution cell before it.
    """
    items = list(_find_items(_parse(_read(path))))
    for item in items:
        if not item["cell"]:
            raise AssignmentError(
                f"{shorten_path(path)}: there is no solution cell with code before the test cell {item['id']!r}."
            )
    return items


def read_tests(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Read the code of test cells, hidden tests included, by `grade_id`.

    Raises:
        AssignmentError: the notebook cannot be read, or it has no such cell.
    """
    cells = cells_by_id(_parse(_read(path)))
    for name in names:
        if name not in cells:
            raise AssignmentError(f"{shorten_path(path)}: there is no test cell {name!r}.")
    return {name: str(cells[name].source) for name in names}


def without_solutions(path: Path) -> NotebookNode:
    """Read a notebook and empty its solution cells; its test cells stay."""
    notebook = nbformat.from_dict(_parse(_read(path)))
    for cell in notebook.cells:
        if grader_metadata(cell).get("solution"):
            cell.source = ""
    return notebook


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise AssignmentError(f"There is no notebook {shorten_path(path)}.") from None


@lru_cache(maxsize=8)
def _parse(text: str) -> NotebookNode:
    """Parse a notebook; the result is cached, so callers must not change it."""
    try:
        notebook: NotebookNode = nbformat.reads(text, as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        raise AssignmentError(f"The instructor's notebook cannot be read: {error}.") from None
    return notebook


def _find_items(notebook: NotebookNode) -> Iterator[dict[str, Any]]:
    answer = ""
    for cell in notebook.cells:
        noted, name = grader_metadata(cell), grade_id(cell)
        if noted.get("solution") and cell.cell_type == "code":
            answer = name
        if not (noted.get("grade") or noted.get("task")) or not noted.get("points"):
            continue
        is_test = noted.get("grade") and not noted.get("solution")
        judged = {"cell": answer, "graded_by": TEST_CELL} if is_test else {"cell": name, "graded_by": "person"}
        yield {"id": name, "points": noted["points"], **judged}
