"""A submission as it will be run: repaired in small steps, every cell with its role."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.assignment.settings import ROOT, Assignment
from autograder.errors import ReleaseError, SubmissionError
from autograder.grading.verdict import Finding

from .files import about_choice, candidates, find_file
from .parsing import read, read_notebook
from .repair import EXTRA, GIVEN, repaired

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

MOST_TRIED = 5
"""Files that are tried, the likeliest first, until one can be read."""


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


def read_folder(folder: Path, assignment: Assignment) -> tuple[NotebookNode, list[Finding]]:
    """The notebook that was handed in, from the likeliest file that can be read, and what is to be said of the files.

    Raises SubmissionError with what is wrong with the likeliest file if none can be read.
    """
    files, findings = candidates(folder, assignment)
    errors: list[SubmissionError] = []
    for file in files[:MOST_TRIED]:
        try:
            notebook, read_findings = read(file)
        except SubmissionError as error:
            errors.append(error)
            continue
        passed = [Finding(kind="not read", text=str(error), audience="both") for error in errors]
        return notebook, [*findings, *passed, *about_choice(file, files, assignment), *read_findings]
    raise errors[0]


def prepare(student: str, notebook: NotebookNode, release: NotebookNode, assignment: Assignment) -> Submission:
    """Gives every cell its role and restores the given cells; the notebook that comes in is left as it is."""
    repair = repaired(notebook, release, assignment)
    made = nbformat.v4.new_notebook(metadata=release.metadata, cells=repair.cells)
    return Submission(student, made, tuple(role or EXTRA for role in repair.roles), tuple(repair.findings))
