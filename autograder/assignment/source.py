"""The instructor's notebook: update its numbers and validate its metadata."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.common.cells import cells_by_id, grader_metadata
from autograder.errors import ReleaseError, suggest

from .settings import Assignment

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
MARKED = re.compile(r"<!--(?P<key>[a-z][\w -]*)-->(?P<shown>[^<]*)<!--/-->")
COURSE_URL = re.compile(r'(?<=os\.environ\.get\("COURSE_URL", )"[^"]*"')
COLAB = "https://colab.research.google.com"
FLAGS = ("grade", "solution", "locked")


def source_path(assignment: Assignment) -> Path:
    """Return the path of the instructor's notebook."""
    return assignment.source_folder / assignment.notebook_name


def read(path: Path) -> NotebookNode:
    """Read the notebook at `path`; raise ReleaseError if there is none or it is invalid."""
    try:
        notebook: NotebookNode = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except FileNotFoundError:
        raise ReleaseError(f"There is no notebook at {path}.") from None
    except (ValueError, nbformat.ValidationError) as error:
        raise ReleaseError(f"{path} cannot be read as a notebook: {error}.") from None
    return notebook


def dumps(notebook: NotebookNode) -> str:
    """Serialise a notebook; equal notebooks give equal text."""
    return str(nbformat.writes(notebook, version=4)) + "\n"


def number(value: float) -> str:
    """Format a number as people write it: 6, not 6.0; 0.0001, not 1e-04."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and value > 1 else str(value)


def settings(assignment: Assignment) -> str:
    """Return the code of the given cell `settings`: one constant per parameter."""
    parameters = assignment.parameters.model_dump()
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in parameters.items()}
    return "\n".join(f"{name.upper()} = {value!r}" for name, value in values.items())


def marked_text(assignment: Assignment) -> dict[str, str]:
    """Return the texts between `<!--key-->` and `<!--/-->`, by key: parameters, points of each item, total points, and
    the badge, which is empty unless an address is configured."""
    shown = {
        name: ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for name, value in assignment.parameters.model_dump().items()
    }
    shown |= {f"points {item.id}": number(item.points) for item in assignment.items}
    address = assignment.links.notebook
    badge = f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({address})" if address else ""
    return shown | {"points": number(assignment.max_points), "badge": badge}


def refresh(notebook: NotebookNode, assignment: Assignment) -> NotebookNode:
    """Return a copy of the notebook with the numbers and links of `assignment.toml` and without outputs.

    It updates the cell `settings`, the marked numbers in the text, the points of the graded cells and the address in
    the cell `setup`. Raise ReleaseError if the text marks a number that the assignment does not have.
    """
    fresh = deepcopy(notebook)
    shown = marked_text(assignment)
    points = {item.id: int(item.points) if item.points.is_integer() else item.points for item in assignment.items}

    def replace(match: re.Match[str]) -> str:
        key = match["key"]
        if key.startswith("points ") and key not in shown:
            raise ReleaseError(_describe_leftovers(notebook, key.removeprefix("points ")))
        if key not in shown:
            raise ReleaseError(f"The text contains <!--{key}-->, but the assignment has no value of that name.")
        return f"<!--{key}-->{shown[key]}<!--/-->"

    for cell in fresh.cells:
        grade_id = grader_metadata(cell).get("grade_id")
        if cell.cell_type == "markdown":
            cell.source = MARKED.sub(replace, cell.source)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if grade_id == "settings":
            cell.source = settings(assignment)
        if grade_id == "setup":
            cell.source = COURSE_URL.sub(f'"{assignment.links.files}"', cell.source)
        if grade_id in points and grader_metadata(cell).get("grade"):
            cell.metadata["nbgrader"]["points"] = points[grade_id]
    return fresh


def _describe_leftovers(notebook: NotebookNode, item_id: str) -> str:
    """Describe which cells belong to an item that is no longer in `assignment.toml`."""
    names = [str(grader_metadata(cell).get("grade_id", "")) for cell in notebook.cells]
    cells = ", ".join(name for name in names if name == item_id or name.startswith(f"{item_id}-"))
    remains = f"still has its cells: {cells}" if cells else f"still shows its points: <!--points {item_id}-->"
    return f"assignment.toml has no item {item_id!r}, but the notebook {remains}. Delete them, or put the item back."


def validate_source(path: Path, assignment: Assignment) -> None:
    """Validate the source notebook; raise ReleaseError with one sentence per problem, each on its own line."""
    notebook = read(path)
    found = [*_bad_cells(notebook), *_bad_tasks(notebook, assignment), *_bad_shown_cells(notebook, assignment)]
    if not found and dumps(refresh(notebook, assignment)) != dumps(notebook):
        found = ["The numbers in the notebook differ from those in assignment.toml; run `make release`."]
    if found:
        raise ReleaseError("\n".join(f"{path.name}: {sentence}" for sentence in found))


def solution_lines(cell: NotebookNode) -> tuple[list[str], list[str], bool]:
    """Return the lines between the solution markers, the other lines, and whether all markers are paired."""
    inside: list[str] = []
    outside: list[str] = []
    depth, balanced = 0, True
    for line in cell.source.splitlines():
        if BEGIN in line or END in line:
            depth += 1 if BEGIN in line else -1
            balanced = balanced and depth in (0, 1)
        else:
            (inside if depth else outside).append(line.strip())
    return inside, outside, balanced and depth == 0


def _bad_cells(notebook: NotebookNode) -> Iterator[str]:
    """Describe the problems of single cells that do not depend on the assignment."""
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        yield f"It is not a valid notebook: {str(error).splitlines()[0]}."
    ids = Counter(grader_metadata(cell).get("grade_id") for cell in notebook.cells if grader_metadata(cell))
    for grade_id, count in ids.items():
        if not grade_id:
            yield f"{count} of its cells have nbgrader metadata without a grade_id."
        elif count > 1:
            yield f"{count} cells have the grade_id {grade_id}."
    for place, cell in enumerate(notebook.cells, start=1):
        noted = grader_metadata(cell)
        name = noted.get("grade_id") or f"number {place}"
        inside, _, balanced = solution_lines(cell)
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count):
            yield f"Cell {name} has outputs; run `make release`."
        if noted and (absent := [flag for flag in FLAGS if flag not in noted]):
            fields = "fields" if len(absent) > 1 else "field"
            yield f"The nbgrader metadata of cell {name} lack the {fields} {', '.join(absent)}."
        if not balanced:
            yield f"Cell {name} contains an unpaired {BEGIN} or {END}."
        if cell.cell_type == "markdown" and any(MARKED.match(line.lstrip()) for line in cell.source.splitlines()):
            yield (
                f"A line of cell {name} begins with a <!--...--> comment; Markdown then treats the line as an HTML "
                "block."
            )
        if inside and not noted.get("solution"):
            yield f"Cell {name} contains a solution but is not marked as a solution cell."


def _bad_tasks(notebook: NotebookNode, assignment: Assignment) -> Iterator[str]:
    """Describe where the notebook's cells do not match the assignment's items."""
    cells = cells_by_id(notebook)
    if type(assignment.parameters).model_fields and "settings" not in cells:
        yield "There is no cell `settings` for the parameters."
    yield from _bad_solutions(cells, assignment)
    for item in assignment.items:
        noted = grader_metadata(cells[item.id]) if item.id in cells else {}
        if item.id in cells and not (noted.get("grade") or noted.get("task")):
            yield f"Cell {item.id} is not marked as graded."
        elif item.id not in cells and item.id not in assignment.cells:
            yield (
                f"No cell is worth the points of the item {item.id!r}: add a locked code cell of nbgrader's type "
                f"*Autograder tests*, with the grade_id {item.id!r} and {number(item.points)} points."
            )
        elif noted and noted.get("points") != item.points:
            yield f"Cell {item.id} is worth {noted.get('points')} points, but {number(item.points)} in assignment.toml."
    known = {item.id for item in assignment.items}
    for grade_id, cell in cells.items():
        noted = grader_metadata(cell)
        if noted.get("grade") and noted.get("points") != 0 and grade_id not in known:
            yield f"Cell {grade_id} is graded, but assignment.toml has no such item. Delete it, or put the item back."


def _bad_solutions(cells: dict[str, NotebookNode], assignment: Assignment) -> Iterator[str]:
    """Describe the problems of the solution cells. Without markers, nbgrader treats the whole cell as the solution,
    which is right for answers that a person or a test cell grades; below a cell of nbgrader's type *task*, students add
    cells of their own."""
    checked = {item.cell for item in assignment.checked_items}
    for name in assignment.cells:
        noted = grader_metadata(cells[name]) if name in cells else {}
        if name not in cells:
            yield f"There is no solution cell {name}."
        elif not noted.get("solution") and not noted.get("task"):
            yield f"Cell {name} is not marked as a solution cell."
        elif name in checked and not solution_lines(cells[name])[0]:
            yield f"Cell {name} contains no solution between {BEGIN} and {END}."


def _bad_shown_cells(notebook: NotebookNode, assignment: Assignment) -> Iterator[str]:
    """Describe the problems of the cells in `only_shown`."""
    cells = cells_by_id(notebook)
    for grade_id in assignment.only_shown:
        if grade_id not in cells:
            yield f"`only_shown` in assignment.toml refers to the unknown cell {grade_id!r}{suggest(grade_id, cells)}."
        elif cells[grade_id].cell_type != "code" or grade_id in assignment.cells:
            yield f"`only_shown` in assignment.toml refers to {grade_id}, which is not a provided code cell."
