"""Prepare a submission for its run: repair the notebook and give every cell a role."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.common.cells import grade_id
from autograder.common.encoders import make_visible
from autograder.errors import ReleaseError

from .choosing import Candidate, choose
from .findings import Finding
from .repair import EXTRA, GIVEN, repaired
from .saved_outputs import SavedOutputs, from_notebook

__all__ = [
    "EXTRA",
    "GIVEN",
    "SHOWN",
    "Submission",
    "load_release",
    "prepare",
    "prepare_folder",
]

SHOWN = "shown"
"""The role of a provided cell that only shows the student something and is not run."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Submission:
    """A repaired notebook.

    `roles` contains for each cell the grade_id of a task or of a test cell, `given`, `shown` or `extra`.
    `saved_outputs` are the outputs of the student's own run, from the file.
    """

    student: str
    notebook: NotebookNode
    roles: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    saved_outputs: SavedOutputs = field(default_factory=SavedOutputs)


def load_release(assignment: Assignment) -> NotebookNode:
    """Read the notebook that the students were given; raise ReleaseError if there is none."""
    path = assignment.release_folder / assignment.notebook_name
    if not path.is_file():
        raise ReleaseError(f"There is no {path.relative_to(assignment.course.root)}: run `make release` first.")
    return nbformat.read(path, as_version=4)


def prepare_folder(folder: Path, assignment: Assignment, student: str) -> Submission:
    """Find, read and repair the submission in a student's folder; raise SubmissionError if nothing can be read."""
    release = load_release(assignment)
    chosen, findings = choose(folder, assignment, release)
    submission = prepare(student, chosen.parsed.notebook, release, assignment)
    saved = _read_saved_outputs(chosen, assignment)
    return replace(submission, findings=(*findings, *submission.findings), saved_outputs=saved)


def _read_saved_outputs(chosen: Candidate, assignment: Assignment) -> SavedOutputs:
    """Return the saved outputs; empty ones if they cannot be read, because no verdict may depend on them."""
    try:
        return from_notebook(chosen.parsed.document, assignment)
    except Exception as error:
        log.warning(
            "The saved outputs of %s could not be read (%s).", make_visible(chosen.file.name), type(error).__name__
        )
        return SavedOutputs()


def prepare(student: str, notebook: NotebookNode, release: NotebookNode, assignment: Assignment) -> Submission:
    """Repair a copy of a notebook: give every cell a role, and restore the provided cells."""
    repair = repaired(notebook, release, assignment)
    made = nbformat.v4.new_notebook(metadata=release.metadata, cells=repair.cells)
    roles = tuple(_final_role(cell, role, assignment) for cell, role in zip(repair.cells, repair.roles, strict=True))
    return Submission(student, made, roles, tuple(repair.findings))


def _final_role(cell: NotebookNode, role: str | None, assignment: Assignment) -> str:
    if role == GIVEN and grade_id(cell) in assignment.only_shown:
        return SHOWN
    return grade_id(cell) if role == GIVEN and grade_id(cell) in assignment.test_cells else role or EXTRA
