"""The metadata that nbgrader stores in cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode


def grader_metadata(cell: NotebookNode) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell; empty if there are none."""
    return dict(cell.metadata.get("nbgrader", {}))


def grade_id(cell: Mapping[str, Any]) -> str:
    """Return nbgrader's name of a cell; empty if there is none, or if the metadata are invalid."""
    metadata = cell.get("metadata")
    details = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return str(details.get("grade_id", "")) if isinstance(details, dict) else ""


def cells_by_id(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """Return the cells that have a `grade_id`, by that id."""
    return {name: cell for cell in notebook.cells if (name := grade_id(cell))}
