"""nbgrader's gradebook: scores go in through its own API, what a person entered stays."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, SubmittedNotebook
from nbgrader.utils import compute_checksum
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from .assignment import Assignment
from .books import write_text
from .errors import AutograderError
from .verdict import ItemVerdict, Verdict

Result = tuple[Verdict, NotebookNode | None, datetime]
Manual = dict[str, dict[str, tuple[float | None, str | None]]]


@contextmanager
def opened(db_url: str) -> Iterator[Gradebook]:
    """The gradebook; what the database refuses becomes a sentence."""
    _find_tools()
    try:
        with warnings.catch_warnings(), Gradebook(db_url) as gradebook:
            warnings.simplefilter("ignore", SAWarning)  # nbgrader's own way of adding a submission
            yield gradebook
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise AutograderError(
            f"The gradebook {db_url.removeprefix('sqlite:///')} cannot be used ({reason}): close the program that "
            "holds it, or, if it was made by an older nbgrader, run `nbgrader db upgrade`."
        ) from None


def _find_tools() -> None:
    """nbgrader calls the program `alembic`, which lies beside the interpreter."""
    beside = str(Path(sys.executable).parent)
    if beside not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = beside + os.pathsep + os.environ.get("PATH", "")


def record(db_url: str, assignment: Assignment, release: NotebookNode, results: Iterable[Result]) -> None:
    """Brings cells, students and automatic scores up to date; manual scores and comments are not touched."""
    with opened(db_url) as gradebook:
        _record_cells(gradebook, assignment, release)
        answers = {_grade_id(cell): cell.source for cell in release.cells if _grade_id(cell)}
        for verdict, executed, handed_in in results:
            gradebook.update_or_create_student(verdict.student)
            submission = gradebook.update_or_create_submission(assignment.name, verdict.student, timestamp=handed_in)
            _record_scores(submission.notebooks[0], verdict, _untouched(executed, answers))
        gradebook.db.commit()


def _record_cells(gradebook: Gradebook, assignment: Assignment, release: NotebookNode) -> None:
    """What nbgrader itself notes of a released notebook: its grade, solution and source cells."""
    gradebook.update_or_create_assignment(assignment.name)
    kernel = json.dumps(release.metadata.get("kernelspec", {}))
    gradebook.update_or_create_notebook(assignment.name, assignment.name, kernelspec=kernel)
    place = (assignment.name, assignment.name)
    for cell in release.cells:
        details = cell.metadata.get("nbgrader", {})
        name = _grade_id(cell)
        if details.get("grade"):
            points = float(details["points"])
            gradebook.update_or_create_grade_cell(name, *place, max_score=points, cell_type=cell.cell_type)
        if details.get("solution"):
            gradebook.update_or_create_solution_cell(name, *place)
        if name:
            gradebook.update_or_create_source_cell(
                name,
                *place,
                cell_type=cell.cell_type,
                locked=bool(details.get("locked")),
                source=cell.source,
                checksum=compute_checksum(cell),
            )


def _record_scores(notebook: SubmittedNotebook, verdict: Verdict, untouched: set[str]) -> None:
    items = {item.id: item for item in verdict.items}
    for grade in notebook.grades:
        score = _auto_score(grade.name, items, untouched, verdict)
        changed = grade.auto_score != score
        grade.auto_score = score
        if grade.manual_score is None:
            grade.needs_manual_grade = score is None
        elif changed:
            grade.needs_manual_grade = True
    for comment in notebook.comments:
        item = items.get(comment.name)
        if item is not None:
            comment.auto_comment = item.message
        else:
            comment.auto_comment = "No response." if comment.name in untouched else None


def _auto_score(name: str, items: dict[str, ItemVerdict], untouched: set[str], verdict: Verdict) -> float | None:
    """The automatic score of a grade cell; None for what a person has to read."""
    if name in items:
        return items[name].points
    return 0.0 if name in untouched or verdict.state == "failed to run" else None


def _untouched(executed: NotebookNode | None, answers: dict[str, str]) -> set[str]:
    """The written answers that still stand as they were released."""
    cells = executed.cells if executed is not None else []
    written = {_grade_id(cell): cell for cell in cells if cell.cell_type == "markdown" and _grade_id(cell)}
    return {name for name, cell in written.items() if cell.source.strip() in ("", answers.get(name, "").strip())}


def manual_scores(db_url: str, assignment: Assignment) -> Manual:
    """By student and item what a person entered: the score (with extra credit) and the comment, None where nothing."""
    found: Manual = {}
    with opened(db_url) as gradebook:
        for submission in gradebook.assignment_submissions(assignment.name):
            entries: dict[str, tuple[float | None, str | None]] = {}
            for notebook in submission.notebooks:
                comments = {comment.name: comment.manual_comment for comment in notebook.comments}
                for grade in notebook.grades:
                    score = _entered(grade.manual_score, grade.extra_credit, grade.auto_score)
                    comment = comments.get(grade.name)
                    if score is not None or comment:
                        entries[grade.name] = (score, comment)
            found[submission.student.id] = entries
    return found


def _entered(manual: float | None, extra: float | None, auto: float | None) -> float | None:
    if manual is None and not extra:
        return None
    return (manual if manual is not None else auto or 0.0) + (extra or 0.0)


def write_autograded(folder: Path, student: str, assignment: Assignment, executed: NotebookNode | None) -> None:
    """Puts the executed notebook where nbgrader's formgrader looks for it."""
    if executed is not None:
        write_text(folder / student / assignment.name / assignment.notebook_name, nbformat.writes(executed))


def _grade_id(cell: NotebookNode) -> str:
    details = cell.metadata.get("nbgrader", {})
    return str(details.get("grade_id", "")) if isinstance(details, dict) else ""
