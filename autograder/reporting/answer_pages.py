"""Pages with the written answers of a class, question by question, for graders who grade one question at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment, Item
from autograder.common.cells import grade_id
from autograder.results.files import write_text
from autograder.results.points import Manual
from autograder.results.store import ResultStore
from autograder.submission.saved_outputs import SavedOutputs

from .answers import Lost, own_results, rubrics, unanswered, written_items
from .class_data import ClassData
from .markdown import Renderer
from .pages import environment, formgrader_page
from .similarity import words

MAX_ANSWERS = 50
"""Maximum number of different answers on a page; their figures make it large."""


@dataclass(frozen=True)
class Answer:
    """An answer, the students who gave it word for word, with the related items in which they lost points, and saved
    results of one of them, `measured_by`."""

    students: list[str]
    lost: dict[str, tuple[Lost, ...]]
    text: Markup
    results: Mapping[str, object]
    measured_by: str


def page_name(item: Item, number: int) -> str:
    """Return the file name of a page with answers to a question; `number` counts from 1."""
    return f"answers-{item.id}-{number}.html"


def write_answer_pages(store: ResultStore, release: NotebookNode, manual: Manual, known: ClassData) -> None:
    """Write the pages beside the class report, and remove those that are no longer needed."""
    written = set()
    for item in written_items(store.assignment):
        answers = group_answers(store.assignment, item, release, known)
        chunks = [answers[place : place + MAX_ANSWERS] for place in range(0, max(len(answers), 1), MAX_ANSWERS)]
        for number, chunk in enumerate(chunks, 1):
            path = store.folder / page_name(item, number)
            write_text(path, answers_page(store.assignment, item, chunk, (number, len(chunks)), manual, known))
            written.add(path)
    for path in store.folder.glob("answers-*.html"):
        if path not in written:
            path.unlink()


def group_answers(assignment: Assignment, item: Item, release: NotebookNode, known: ClassData) -> list[Answer]:
    """Return the answers to a question, identical ones first and as one; missing answers are omitted."""
    students: dict[tuple[str, ...], list[str]] = {}
    cells: dict[tuple[str, ...], NotebookNode] = {}
    for student, notebook in known.notebooks.items():
        cell = _find(notebook, item.cell)
        if cell is not None and item.id not in unanswered(assignment, release, notebook):
            key = tuple(words(cell.source))
            students.setdefault(key, []).append(student)
            cells.setdefault(key, cell)
    found = []
    for key, several in students.items():
        results = {name: own_results(assignment, item, known.own.get(name, SavedOutputs())) for name in several}
        measured_by = next((name for name, own in results.items() if own["table"] or own["figures"]), several[0])
        text = Renderer().render(cells[key].source, cells[key].get("attachments"))
        lost = {name: few for name in several if (few := known.lost.get(name, {}).get(item.id))}
        found.append(Answer(several, lost, text, results[measured_by], measured_by))
    return sorted(found, key=lambda answer: len(answer.students) == 1)


def find_without_cell(item: Item, known: ClassData) -> list[str]:
    """Return the students whose notebook ran but has no cell for the answer to a question."""
    return [name for name, notebook in known.notebooks.items() if notebook and _find(notebook, item.cell) is None]


def _find(notebook: NotebookNode | None, name: str) -> NotebookNode | None:
    cells = notebook.cells if notebook is not None else []
    return next((cell for cell in cells if grade_id(cell) == name), None)


def answers_page(
    assignment: Assignment,
    item: Item,
    answers: Sequence[Answer],
    place: tuple[int, int],
    manual: Manual,
    known: ClassData,
) -> str:
    """Return a page as HTML; `place` is its number and the number of pages."""
    number, count = place
    rubric = rubrics(assignment).get(item.cell, "")
    return (
        environment()
        .get_template("answers.html")
        .render(
            assignment=assignment,
            item=item,
            answers=answers,
            rubric=Renderer().render(rubric) if rubric else "",
            number=number,
            links=list(_links(item, count)),
            without_cell=find_without_cell(item, known) if number == count else [],
            others=[(other, page_name(other, 1)) for other in written_items(assignment) if other is not item],
            points={student: given.get(item.id, (None, None))[0] for student, given in manual.items()},
            pages={student: formgrader_page(key) for student, key in known.members.items() if key},
        )
    )


def _links(item: Item, count: int) -> Iterator[tuple[int, str]]:
    return ((number, page_name(item, number)) for number in range(1, count + 1))
