"""nbgrader's gradebook: write scores through its own API, and keep what people entered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Assignment as Released
from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SolutionCell,
    SourceCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution, is_task, parse_utc
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import joinedload, selectinload
from traitlets.config import Config

from autograder.assignment.settings import Assignment
from autograder.common.encoders import encode_path, one_line
from autograder.errors import AutograderError, PartlyWritten
from autograder.grading.verdict import GradedSubmission, ItemVerdict, Verdict
from autograder.results.points import LATE
from autograder.scheduling.parallel import parallel_map
from autograder.submission.folders import read_start

from .database import open_gradebook
from .formgrader import Beside, index_cells, notebook_path, read_fingerprints, take_fingerprints, write_notebook

Scores = dict[str, dict[str, tuple[float | None, str | None]]]
UNANSWERED = "No response."


TIMESTAMP = re.compile(
    r"\d{4}-\d\d?-\d\d?[ T]\d\d?:\d\d(:\d\d(\.\d{1,9})?)?( ?([+-]\d\d:?\d\d|[A-Za-z]{1,20}(/[A-Za-z_]{1,30}){0,2}))?",
    re.ASCII,
)
"""What a `timestamp.txt` may say. dateutil would take other words for time zones, and read files of such names."""


def handed_in(folder: Path) -> datetime | None:
    """Return the time in a submission's `timestamp.txt`, in UTC. nbgrader compares only this time with the gradebook's:
    with any other, its formgrader would ask for the submission to be graded again."""
    if folder.is_symlink():
        return None
    try:
        text = read_start(folder / "timestamp.txt", 200).strip()
        return parse_utc(text) if TIMESTAMP.fullmatch(text) else None
    except (OSError, ValueError, OverflowError):
        return None


def record(
    db_url: str,
    assignment: Assignment,
    release: NotebookNode,
    results: Iterable[GradedSubmission],
    autograded: Path | None = None,
    before: Mapping[str, NotebookNode] | None = None,
    beside: Mapping[str, Beside] | None = None,
) -> None:
    """Update cells, students and automatic scores, and keep manual scores, extra credit and comments.

    If this fails for some students, it is still done for all others; PartlyWritten then names those students.

    If an answer has changed since a person graded it, it is marked to be graded again. The earlier answers are in
    `before`, by student, or in `autograded`, the folder of the notebooks that the formgrader shows. If `autograded` is
    given, the notebooks in it are also written, each with its student's cells of `beside`.
    """
    found = list(results)
    if autograded is not None:
        _rename_folders(autograded, {encode_path(graded.student): graded.student for graded in found})
    if before is not None:
        earlier = {student: take_fingerprints(notebook) for student, notebook in before.items()}
    else:
        earlier = _read_shown(autograded, assignment, found)
    answers = {name for name, cell in index_cells(release).items() if is_grade(cell) and is_solution(cell)}
    answers -= {item.id for item in assignment.judged_items}
    failed: dict[str, Exception] = {}
    with open_gradebook(db_url) as gradebook:
        _record_cells(gradebook, assignment, release)
        submitted = _submissions(gradebook, assignment, found)
        for graded in found:
            student, executed = graded.student, graded.executed
            with _left_out(failed, student), gradebook.db.begin_nested():
                changed = _changed(earlier.get(student), executed, answers)
                unanswered = _unanswered(executed, release, answers)
                _record_scores(submitted[student], assignment, graded.verdict, unanswered, changed)
        gradebook.db.commit()
    if autograded is not None:

        def show(student: str, executed: NotebookNode | None) -> None:
            write_notebook(autograded, student, assignment, executed, release, (beside or {}).get(student, {}))

        failed |= parallel_map(show, {each.student: each.executed for each in found if each.student not in failed})
    if failed:
        raise PartlyWritten.of("gradebook row", failed)


@contextmanager
def _left_out(failed: dict[str, Exception], student: str) -> Iterator[None]:
    """Store an error that concerns only one student; errors of the database itself are raised."""
    try:
        yield
    except OperationalError:
        raise
    except Exception as error:
        failed[student] = error


def _record_cells(gradebook: Gradebook, assignment: Assignment, release: NotebookNode) -> None:
    """Record the cells that nbgrader itself records of a released notebook: grade, solution, task and source cells."""
    gradebook.update_or_create_assignment(assignment.name)
    kernel = json.dumps(release.metadata.get("kernelspec", {}))
    notebook = gradebook.update_or_create_notebook(assignment.name, assignment.name, kernelspec=kernel)
    known = [*notebook.grade_cells, *notebook.solution_cells, *notebook.task_cells, *notebook.source_cells]
    left = {(type(cell), cell.name): cell for cell in known}
    grown = False
    for kind, name, values in _entries(release):
        entry = left.pop((kind, name), None)
        if entry is None:
            gradebook.db.add(kind(name=name, notebook=notebook, **values))
            grown = True
        else:
            for key, value in values.items():
                setattr(entry, key, value)
    for entry in left.values():
        _forget(gradebook, entry)
    gradebook.db.commit()
    for submission in notebook.submissions if grown else ():
        _complete(gradebook, notebook, submission)


def _entries(release: NotebookNode) -> Iterator[tuple[type, str, dict[str, Any]]]:
    for name, cell in index_cells(release).items():
        if is_grade(cell) or is_task(cell):
            values = {"max_score": float(cell.metadata.nbgrader.points), "cell_type": cell.cell_type}
            yield (GradeCell if is_grade(cell) else TaskCell), name, values
        if is_solution(cell):
            yield SolutionCell, name, {}
        if not (is_grade(cell) or is_solution(cell) or is_locked(cell) or is_task(cell)):
            continue
        checksum = cell.metadata.nbgrader.get("checksum") or compute_checksum(cell)
        values = {"cell_type": cell.cell_type, "locked": is_locked(cell), "source": cell.source, "checksum": checksum}
        yield SourceCell, name, values


def _forget(gradebook: Gradebook, entry: Any) -> None:
    """Remove a cell that the release no longer has, unless a person has graded it."""
    grades, comments = getattr(entry, "grades", None) or [], getattr(entry, "comments", None) or []
    by_hand = any(grade.manual_score is not None or grade.extra_credit for grade in grades)
    if by_hand or any(comment.manual_comment for comment in comments):
        gradebook.db.rollback()
        raise AutograderError(
            f"The gradebook contains points or comments that a person entered for the cell {entry.name}, which the "
            "release no longer contains: restore the cell, or move the gradebook to another folder to start a new one."
        )
    for row in [*grades, *comments, entry]:
        gradebook.db.delete(row)


def _complete(gradebook: Gradebook, notebook: Notebook, submission: SubmittedNotebook) -> None:
    """Add grades and comments for new cells of the release to a submission that was recorded earlier."""
    graded = {grade.cell_id for grade in submission.grades}
    commented = {comment.cell_id for comment in submission.comments}
    for cell in [*notebook.grade_cells, *notebook.task_cells]:
        if cell.id not in graded:
            gradebook.db.add(Grade(cell=cell, notebook=submission))
    for cell in [*notebook.solution_cells, *notebook.task_cells]:
        if cell.id not in commented:
            gradebook.db.add(Comment(cell=cell, notebook=submission))


def _submissions(
    gradebook: Gradebook, assignment: Assignment, results: list[GradedSubmission]
) -> dict[str, SubmittedNotebook]:
    """Return the entry of each student, which is created if it does not exist."""
    names = {encode_path(graded.student): graded.student for graded in results}
    _rename_students(gradebook, names)
    students = {student.id for student in gradebook.students}
    gradebook.db.add_all(Student(id=name) for name in names if name not in students)
    gradebook.db.commit()
    known = {entry.student_id: entry for entry in gradebook.assignment_submissions(assignment.name)}
    released = gradebook.find_assignment(assignment.name)
    for graded in results:
        name, came = encode_path(graded.student), graded.submitted_at
        if name not in known:
            gradebook.db.add(_new_submission(released, name, came))
        elif came is not None:
            known[name].timestamp = parse_utc(came)
    gradebook.db.commit()
    entries = _all_of(gradebook, assignment)
    return {names[entry.assignment.student_id]: entry for entry in entries if entry.assignment.student_id in names}


def _rename_folders(autograded: Path, names: Mapping[str, str]) -> None:
    """Rename the folders of notebooks as `_rename_students` renames students in the gradebook."""
    for encoded, name in names.items():
        if encoded != name and name not in names and (autograded / name).is_dir():
            with suppress(OSError):  # it is rewritten anyway; without it, changes of answers are not noticed
                (autograded / name).rename(autograded / encoded)


def _rename_students(gradebook: Gradebook, names: Mapping[str, str]) -> None:
    """Rename students whom an older version recorded under unencoded names, with all their submissions."""
    for encoded, name in names.items():
        if encoded == name or name in names:
            continue
        older = gradebook.db.get(Student, name)
        if older is None:
            continue
        newer = gradebook.db.get(Student, encoded)
        if newer is None:
            newer = Student(id=encoded, first_name=older.first_name, last_name=older.last_name, email=older.email)
            gradebook.db.add(newer)
        taken = {submission.assignment_id for submission in newer.submissions}
        for submission in list(older.submissions):
            if submission.assignment_id not in taken:
                submission.student = newer
        gradebook.db.flush()
        if not older.submissions:
            gradebook.db.delete(older)
    gradebook.db.commit()


def _all_of(gradebook: Gradebook, assignment: Assignment) -> list[SubmittedNotebook]:
    """Return the same as nbgrader's `notebook_submissions`, with grades, comments and their cells in one query, because
    a query per student would be slow."""
    found = (
        gradebook.db.query(SubmittedNotebook)
        .join(SubmittedNotebook.notebook)
        .join(Notebook.assignment)
        .filter(Notebook.name == assignment.name, Released.name == assignment.name)
        .options(
            joinedload(SubmittedNotebook.assignment),
            selectinload(SubmittedNotebook.grades).joinedload(Grade.cell),
            selectinload(SubmittedNotebook.comments).joinedload(Comment.cell),
        )
    )
    return list(found)


def _new_submission(released: Released, student: str, came: datetime | None) -> SubmittedAssignment:
    """Create what nbgrader's `add_submission` creates, without its commit per student, which would be slow."""
    submission = SubmittedAssignment(assignment_id=released.id, student_id=student, timestamp=parse_utc(came))
    for notebook in released.notebooks:
        entry = SubmittedNotebook(notebook_id=notebook.id, assignment=submission)
        graded = [*notebook.grade_cells, *notebook.task_cells]
        commented = [*notebook.solution_cells, *notebook.task_cells]
        entry.grades = [Grade(cell_id=cell.id) for cell in graded]
        entry.comments = [Comment(cell_id=cell.id) for cell in commented]
    return submission


def _record_scores(
    notebook: SubmittedNotebook, assignment: Assignment, verdict: Verdict, unanswered: set[str], changed: set[str]
) -> None:
    items = {item.id: item for item in verdict.items}
    for grade in notebook.grades:
        score = _auto_score(grade.name, items, unanswered, verdict)
        moved = grade.auto_score != score or grade.name in changed
        grade.auto_score = score
        if grade.manual_score is None:
            grade.needs_manual_grade = score is None
        elif moved:
            grade.needs_manual_grade = True
    for comment in notebook.comments:
        judged = [items[item.id] for item in assignment.items if item.cell == comment.name and item.id in items]
        comment.auto_comment = _auto_comment(judged) or (UNANSWERED if comment.name in unanswered else None)


def _auto_score(name: str, items: dict[str, ItemVerdict], unanswered: set[str], verdict: Verdict) -> float | None:
    """Return the automatic score of a grade cell; None if a person has to grade it."""
    if name in items:
        return items[name].points
    return 0.0 if name in unanswered or verdict.state == "failed to run" else None


def _auto_comment(items: list[ItemVerdict]) -> str:
    """Return the comment on a solution cell: the messages of the items that grade it. A check cell has no comment."""
    if len(items) == 1:
        return items[0].message
    return "\n\n".join(f"{item.title}: {item.message}" for item in items)


def _unanswered(executed: NotebookNode | None, release: NotebookNode, answers: set[str]) -> set[str]:
    """Return the written answers that are empty or still the placeholder text."""
    given, written = index_cells(release), index_cells(executed)
    return {
        name for name in answers & written.keys() if written[name].source.strip() in ("", given[name].source.strip())
    }


def _read_shown(
    folder: Path | None, assignment: Assignment, results: list[GradedSubmission]
) -> dict[str, dict[str, str]]:
    """Return the fingerprints of the answers that the formgrader currently shows, by student and cell."""
    if folder is None:
        return {}
    paths = {graded.student: notebook_path(folder, graded.student, assignment) for graded in results}
    return {student: read_fingerprints(path) for student, path in paths.items() if path.is_file()}


def _changed(before: Mapping[str, str] | None, executed: NotebookNode | None, answers: set[str]) -> set[str]:
    """Return the written answers that have changed since they were last recorded, by comparing fingerprints."""
    if before is None:
        return set()
    new = take_fingerprints(executed)
    return {name for name in answers & new.keys() if before.get(name) != new[name]}


def assign_late_penalties(db_url: str, assignment: Assignment, config: Config) -> None:
    """Run nbgrader's own preprocessor for each submission after the due date in the gradebook; the plugin named in the
    configuration decides the penalty."""
    with open_gradebook(db_url) as gradebook:
        entries = gradebook.assignment_submissions(assignment.name)
        late = [entry.student_id for entry in entries if entry.total_seconds_late or entry.late_submission_penalty]
    names = {"assignment": assignment.name, "notebook": assignment.name, "db_url": db_url}
    try:
        step = AssignLatePenalties(config=config)
        for student in late:
            step(nbformat.v4.new_notebook(), {"nbgrader": names | {"student": student}})
    except Exception as error:
        reason = f"{type(error).__name__}: {one_line(str(error), 200)}"
        raise AutograderError(
            f"The late penalties cannot be calculated ({reason}): check the penalty settings in nbgrader_config.py."
        ) from None


def manual_scores(db_url: str, assignment: Assignment, students: Iterable[str] = ()) -> Scores:
    """Open the gradebook and return the result of `read_manual_scores`."""
    with open_gradebook(db_url) as gradebook:
        return read_manual_scores(gradebook, assignment, students)


def read_manual_scores(gradebook: Gradebook, assignment: Assignment, students: Iterable[str] = ()) -> Scores:
    """Return, by student and item, scores that do not come from the autograder's checks, and comments: the score that a
    person entered, with extra credit, or the 0 of an empty answer; None if there is none. A late penalty has the key
    `LATE`. The gradebook contains encoded names; `students` are the names to return."""
    judged = {item.id for item in assignment.judged_items}
    names = {encode_path(student): student for student in students}
    found: Scores = {}
    for notebook in _all_of(gradebook, assignment):
        comments = {comment.name: comment for comment in notebook.comments}
        name = notebook.assignment.student_id
        entries = found.setdefault(names.get(name, name), {})
        if notebook.late_submission_penalty:
            entries[LATE] = (-notebook.late_submission_penalty, None)
        for grade in notebook.grades:
            remark = comments.get(grade.name)
            comment = remark.manual_comment if remark is not None else None
            score = _by_hand(grade)
            if score is None and grade.name not in judged:
                score, comment = grade.auto_score, comment or (remark.auto_comment if remark is not None else None)
            if score is not None or comment:
                entries[grade.name] = (score, comment)
    return found


def members(db_url: str, assignment: Assignment, students: Iterable[str] = ()) -> dict[str, str]:
    """Return all students in the gradebook, with the id with which the formgrader shows the submission, "" if there is
    none. `students` is as in `manual_scores`."""
    names = {encode_path(student): student for student in students}
    with open_gradebook(db_url) as gradebook:
        pages = {student.id: "" for student in gradebook.students}
        entries = gradebook.notebook_submissions(assignment.name, assignment.name)
        pages |= {entry.assignment.student_id: entry.id for entry in entries}
    return {names.get(name, name): page for name, page in pages.items()}


def _by_hand(grade: Grade) -> float | None:
    if grade.manual_score is None and not grade.extra_credit:
        return None
    base = grade.manual_score if grade.manual_score is not None else grade.auto_score or 0.0
    return base + (grade.extra_credit or 0.0)
