"""A submission as it will be run: repaired in small steps, every cell with its role."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.errors import ReleaseError, SubmissionError
from autograder.notebooks.cells import grade_id

from .files import File, about_choice, candidates, find_file, others
from .finding import Finding
from .parsing import Parsed, read, read_notebook
from .repair import EXTRA, GIVEN, is_filled, repaired
from .saved_outputs import SavedOutputs, from_notebook

__all__ = [
    "EXTRA",
    "GIVEN",
    "SHOWN",
    "Submission",
    "find_file",
    "load_release",
    "prepare",
    "prepare_folder",
    "read_folder",
    "read_notebook",
]

SHOWN = "shown"
"""The role of a given cell that only shows the student something, and is not run."""

log = logging.getLogger(__name__)

MAX_TRIED = 10
"""Files of the best kind, and as many of others, that are tried until one can be read in which something is filled
in."""


@dataclass(frozen=True)
class Submission:
    """A repaired notebook; `roles` tells for each of its cells the task's grade_id, `given`, `shown` or `extra`.

    `saved_outputs` are what the student's own run left in the file.
    """

    student: str
    notebook: NotebookNode
    roles: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    saved_outputs: SavedOutputs = field(default_factory=SavedOutputs)


def load_release(assignment: Assignment) -> NotebookNode:
    """Read the notebook that the students were given; raises ReleaseError if there is none."""
    path = assignment.release_folder / assignment.notebook_name
    if not path.is_file():
        raise ReleaseError(f"There is no {path.relative_to(assignment.course.root)}: run `make release` first.")
    return nbformat.read(path, as_version=4)


@dataclass(frozen=True)
class Candidate:
    """A file that can be read, and what it holds."""

    file: File
    parsed: Parsed


def read_folder(folder: Path, assignment: Assignment) -> tuple[NotebookNode, list[Finding]]:
    """The notebook that was handed in and what is to be said of the files; see `choose`."""
    chosen, findings = choose(folder, assignment, load_release(assignment))
    return chosen.parsed.notebook, findings


def prepare_folder(folder: Path, assignment: Assignment, student: str) -> Submission:
    """Find, read and repair what lies in a student's folder; raises SubmissionError where nothing can be read."""
    release = load_release(assignment)
    chosen, findings = choose(folder, assignment, release)
    submission = prepare(student, chosen.parsed.notebook, release, assignment)
    saved = _read_saved_outputs(chosen, assignment)
    return replace(submission, findings=(*findings, *submission.findings), saved_outputs=saved)


def _read_saved_outputs(chosen: Candidate, assignment: Assignment) -> SavedOutputs:
    """The saved outputs; none where they cannot be read, for no verdict may depend on them."""
    try:
        return from_notebook(chosen.parsed.document, assignment)
    except Exception as error:
        log.warning("The saved outputs of %s could not be read (%s).", chosen.file.name, type(error).__name__)
        return SavedOutputs()


def choose(folder: Path, assignment: Assignment, release: NotebookNode) -> tuple[Candidate, list[Finding]]:
    """The likeliest file in which something is filled in, or else the likeliest that can be read.

    Archives and scripts beside a notebook are looked into only if nothing is filled in the notebook.

    Returns the file with its notebook, and all that is to be said of the files. Raises SubmissionError with what is
    wrong with the likeliest file if none can be read.
    """
    files, findings = candidates(folder, assignment)
    errors: list[SubmissionError] = []
    untouched: list[Candidate] = []
    chosen = None
    for file in _in_turn(folder, assignment, files):
        try:
            candidate = Candidate(file, read(file))
        except SubmissionError as error:
            errors += [error] if file in files else []
            continue
        if is_filled(candidate.parsed.notebook, release, assignment):
            chosen = candidate
            break
        untouched.append(candidate)
    passed = [Finding(kind="not read", text=str(error), audience="both") for error in errors]
    if chosen is not None:
        names = [candidate.file.name for candidate in untouched]
        passed += [
            Finding(kind="left aside", text=f"{n} was passed over because no task in it is filled in.", audience="both")
            for n in names
        ]
    elif (chosen := next((candidate for candidate in untouched if candidate.file in files), None)) is None:
        raise errors[0]
    several = files if chosen.file in files else [*files, chosen.file]
    return chosen, [*findings, *passed, *about_choice(chosen.file, several, assignment), *chosen.parsed.findings]


def _in_turn(folder: Path, assignment: Assignment, files: list[File]) -> Iterator[File]:
    """The files of the best kind, then those of others."""
    yield from files[:MAX_TRIED]
    yield from others(folder, assignment, files)[:MAX_TRIED]


def prepare(student: str, notebook: NotebookNode, release: NotebookNode, assignment: Assignment) -> Submission:
    """Gives every cell its role and restores the given cells; the notebook that comes in is left as it is."""
    repair = repaired(notebook, release, assignment)
    made = nbformat.v4.new_notebook(metadata=release.metadata, cells=repair.cells)
    roles = tuple(_final_role(cell, role, assignment) for cell, role in zip(repair.cells, repair.roles, strict=True))
    return Submission(student, made, roles, tuple(repair.findings))


def _final_role(cell: NotebookNode, role: str | None, assignment: Assignment) -> str:
    is_shown = role == GIVEN and grade_id(cell) in assignment.exercise.only_shown
    return SHOWN if is_shown else role or EXTRA
