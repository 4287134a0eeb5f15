"""What nbgrader notes about cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode


def grader_metadata(cell: NotebookNode) -> dict[str, Any]:
    """What nbgrader noted about the cell; empty when it is none of nbgrader's."""
    return dict(cell.metadata.get("nbgrader", {}))


def grade_id(cell: Mapping[str, Any]) -> str:
    """The name that nbgrader knows the cell by; empty for none, whatever a student's file holds in its place."""
    metadata = cell.get("metadata")
    details = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return str(details.get("grade_id", "")) if isinstance(details, dict) else ""


def cells_by_id(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The cells that have a `grade_id`, by it."""
    return {name: cell for cell in notebook.cells if (name := grade_id(cell))}
