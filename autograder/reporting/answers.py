"""The written answers, which a person grades: remarks about them, and what a grader needs to see with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import nbformat
from markupsafe import Markup
from nbformat import NotebookNode

from autograder.assignment.exercise import Series
from autograder.assignment.settings import Assignment, Item
from autograder.assignment.source import BEGIN, END, read, source_path
from autograder.common.cells import cells_by_id, grade_id, grader_metadata
from autograder.common.encoders import make_visible
from autograder.errors import ReleaseError
from autograder.grading.verdict import Verdict
from autograder.results.points import Given, points_by_item
from autograder.submission.saved_outputs import Row, SavedOutputs, SavedSeries

from .pages import environment
from .similarity import groups, words

MARK = "generated-by-the-grader"
"""The tag of cells that the autograder adds for the person who grades; no student wrote them."""


@dataclass(frozen=True)
class Remark:
    """What a grader should know before reading an answer; `students` are others with the same or a similar answer."""

    kind: Literal["empty", "as released", "identical", "nearly identical"]
    students: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        if self.kind == "empty":
            return "The answer is empty."
        if self.kind == "as released":
            return "The answer is still the placeholder text."
        *others, last = map(make_visible, self.students)
        names = f"those of {', '.join(others)} and {last}" if others else f"that of {last}"
        return f"The answer is {self.kind} to {names}."


Remarks = Mapping[str, Mapping[str, Remark]]
"""Remarks by student and item."""


@dataclass(frozen=True)
class Lost:
    """An item that lost points; `points` are those that it kept."""

    item: Item
    points: float


def written_items(assignment: Assignment) -> tuple[Item, ...]:
    return tuple(item for item in assignment.items if item.graded_by == "person")


def unanswered(assignment: Assignment, release: NotebookNode | None, executed: NotebookNode | None) -> set[str]:
    """Return the items whose answer is empty or still the placeholder; all written items if there is no notebook."""
    if executed is None:
        return {item.id for item in written_items(assignment)}
    found = set()
    for item in written_items(assignment):
        answer, given = _answer(executed, item.cell), _answer(release, item.cell)
        if answer is not None and (not words(answer) or words(answer) == words(given or "")):
            found.add(item.id)
    return found


def rubrics(assignment: Assignment) -> dict[str, str]:
    """Return the grader's notes on each written answer, as Markdown, from the solution cells of the source notebook;
    empty if there is no readable source."""
    try:
        cells = cells_by_id(read(source_path(assignment)))
    except ReleaseError:
        return {}
    return {item.cell: _without_marks(cells[item.cell]) for item in written_items(assignment) if item.cell in cells}


def _without_marks(cell: NotebookNode) -> str:
    lines = str(cell.source).split("\n")
    return "\n".join(line for line in lines if BEGIN not in line and END not in line).strip()


def remarks(
    assignment: Assignment, release: NotebookNode, notebooks: Mapping[str, NotebookNode | None]
) -> dict[str, dict[str, Remark]]:
    """Return the remarks about each student's answers, which are compared with those of all other students."""
    found: dict[str, dict[str, Remark]] = {student: {} for student in notebooks}
    for item in written_items(assignment):
        given = _answer(release, item.cell)
        answers = {student: _answer(notebook, item.cell) for student, notebook in notebooks.items()}
        texts = {student: text for student, text in answers.items() if text is not None}
        sequences = {}
        for student, text in texts.items():
            if not words(text):
                found[student][item.id] = Remark("empty")
            elif given is not None and words(text) == words(given):
                found[student][item.id] = Remark("as released")
            else:
                sequences[student] = words(text)
        for group in groups(sequences):
            kind: Literal["identical", "nearly identical"] = "identical" if group.least == 1 else "nearly identical"
            for student in group.students:
                others = tuple(other for other in group.students if other != student)
                found[student][item.id] = Remark(kind, others)
    return found


def lost_points(assignment: Assignment, verdict: Verdict, given: Given) -> dict[str, tuple[Lost, ...]]:
    """Return, by written answer, the items that lost points and whose cells produced what the answer is about; `given`
    are the points that a person gave this student."""
    kept = points_by_item(assignment, verdict, given)
    lost = [
        Lost(item, points)
        for item in assignment.items
        if item.graded_by != "person" and (points := kept[item.id]) is not None and points < item.points
    ]
    return {
        answer.id: tuple(each for each in lost if each.item.cell in cells_behind(assignment, answer))
        for answer in written_items(assignment)
    }


def cells_behind(assignment: Assignment, answer: Item) -> set[str]:
    """Return the cells that produce what a written answer is about: its plots, and the cells that these need."""
    series = _series(assignment, answer)
    plots = {series.plots} if series is not None else set()
    return plots.union(*(item.needs for item in assignment.items if item.cell in plots))


def followers(assignment: Assignment, changed: Item) -> list[Item]:
    """Return the items to look at again after the cell of an item was changed: those that need it, and the written
    answers about it."""
    return [
        item
        for item in assignment.items
        if changed.cell in (cells_behind(assignment, item) if item.graded_by == "person" else item.needs)
    ]


def _series(assignment: Assignment, answer: Item) -> Series | None:
    """Return the list of rows that a written answer is about."""
    return next((series for series in assignment.exercise.series if series.comment == answer.id), None)


def _answer(notebook: NotebookNode | None, name: str) -> str | None:
    """Return the text of an answer; None for cells of nbgrader's type *task*, which are answered in new cells below."""
    cells = notebook.cells if notebook is not None else []
    found = (cell for cell in cells if grade_id(cell) == name and not grader_metadata(cell).get("task"))
    return next((str(cell.source) for cell in found), None)


def beside(
    assignment: Assignment,
    rubrics: Mapping[str, str],
    own: SavedOutputs,
    noted: Mapping[str, Remark],
    lost: Mapping[str, tuple[Lost, ...]],
) -> dict[str, NotebookNode]:
    """Return, for each written answer, the cell to show before it in the formgrader, with the student's own numbers and
    figures, the remark, the items that lost points, and the rubric."""
    return {
        item.cell: _cell(
            item,
            environment()
            .get_template("beside.html")
            .render(
                item=item,
                remark=noted.get(item.id),
                lost=lost.get(item.id, ()),
                **own_results(assignment, item, own),
                rubric=Markup(rubrics.get(item.cell, "")),
            ),
        )
        for item in written_items(assignment)
    }


def own_results(assignment: Assignment, item: Item, own: SavedOutputs) -> dict[str, object]:
    """Return what an answer is about: the table of the student's own numbers (`swept` if there should be one, `dry` if
    it is from a dry run), and the student's own `figures` (`plotted` if there should be some).

    Figures of the graded run show other data and must not be compared with the answer.
    """
    series = _series(assignment, item)
    saved = own.loops.get(series.name, SavedSeries()) if series is not None else SavedSeries()
    return {
        "table": _table(own, series),
        "swept": series is not None and series.swept is not None,
        "dry": saved.dry,
        "figures": list(saved.pictures),
        "plotted": series is not None and bool(series.plots),
    }


def _cell(item: Item, text: str) -> NotebookNode:
    metadata = {"tags": [MARK], "editable": False, "deletable": False}
    return nbformat.v4.new_markdown_cell(text, id=f"beside-{item.id}"[:64], metadata=metadata)


def _table(own: SavedOutputs, series: Series | None) -> list[list[str]]:
    """Return a heading and the recorded rows with the costs per epoch, without columns that have no numbers."""
    if series is None or series.swept is None or not (rows := own.loops.get(series.name, SavedSeries()).rows):
        return []
    shown = [column for column in series.swept.columns if column.key != series.swept.other]
    columns = {column.heading: [row.get(column.key) for row in rows] for column in shown}
    columns |= {c.per_epoch: [_per_epoch(row, c.key) for row in rows] for c in shown if c.per_epoch}
    filled = {head: values for head, values in columns.items() if any(value is not None for value in values)}
    lines = zip(*filled.values(), strict=True)
    return [list(filled), *([("" if value is None else f"{value:.4g}") for value in line] for line in lines)]


def _per_epoch(row: Row, key: str) -> float | None:
    value, epochs = row.get(key), row.get("epochs") or 0
    return value / epochs if value is not None and epochs > 0 else None
