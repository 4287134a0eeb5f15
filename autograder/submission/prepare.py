"""A submission as it will be run: repaired in small steps, every cell with its role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.assignment.settings import ROOT, Assignment
from autograder.errors import ReleaseError, SubmissionError
from autograder.grading.verdict import Finding

from .files import File, about_choice, candidates, find_file, others
from .parsing import read, read_notebook
from .repair import EXTRA, GIVEN, is_filled, repaired

__all__ = [
    "EXTRA",
    "GIVEN",
    "Submission",
    "find_file",
    "load_release",
    "prepare",
    "read_folder",
    "read_notebook",
]

MOST_TRIED = 10
"""Files of the best kind, and as many of others, that are tried until one can be read in which something is filled
in."""


@dataclass(frozen=True)
class Submission:
    """A repaired notebook; `roles` tells for each of its cells the task's grade_id, `given` or `extra`."""

    student: str
    notebook: NotebookNode
    roles: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def load_release(assignment: Assignment, root: Path = ROOT) -> NotebookNode:
    """The notebook that the students were given."""
    path = root / "release" / assignment.name / assignment.notebook_name
    if not path.is_file():
        raise ReleaseError(f"There is no {path.relative_to(root)}: run `make release` first.")
    return nbformat.read(path, as_version=4)


@dataclass(frozen=True)
class Candidate:
    """A file that can be read, with its notebook and what had to be put right to read it."""

    file: File
    notebook: NotebookNode
    findings: list[Finding]


def read_folder(folder: Path, assignment: Assignment) -> tuple[NotebookNode, list[Finding]]:
    """The notebook that was handed in and what is to be said of the files; see `choose`."""
    chosen, findings = choose(folder, assignment, load_release(assignment))
    return chosen.notebook, findings


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
            candidate = Candidate(file, *read(file))
        except SubmissionError as error:
            errors += [error] if file in files else []
            continue
        if is_filled(candidate.notebook, release, assignment):
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
    return chosen, [*findings, *passed, *about_choice(chosen.file, several, assignment), *chosen.findings]


def _in_turn(folder: Path, assignment: Assignment, files: list[File]) -> Iterator[File]:
    """The files of the best kind, then those of others."""
    yield from files[:MOST_TRIED]
    yield from others(folder, assignment, files)[:MOST_TRIED]


def prepare(student: str, notebook: NotebookNode, release: NotebookNode, assignment: Assignment) -> Submission:
    """Gives every cell its role and restores the given cells; the notebook that comes in is left as it is."""
    repair = repaired(notebook, release, assignment)
    made = nbformat.v4.new_notebook(metadata=release.metadata, cells=repair.cells)
    return Submission(student, made, tuple(role or EXTRA for role in repair.roles), tuple(repair.findings))
