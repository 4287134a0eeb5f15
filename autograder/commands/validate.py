"""Tries a notebook before it goes out: the release must earn no points, the solution all points."""

from __future__ import annotations

from pathlib import Path

from autograder.assignment import release as releases
from autograder.assignment.settings import Assignment
from autograder.assignment.source import source_path, validate_source
from autograder.errors import UsageError
from autograder.execution.kernels import Kernels, kernels
from autograder.execution.options import Options
from autograder.grading.grade import grade
from autograder.grading.verdict import Verdict
from autograder.submission.parsing import read_notebook
from autograder.submission.prepare import load_release, prepare


def validate_release(assignment: Assignment) -> list[str]:
    """One sentence for each thing that is wrong with source or release; an empty list is a pass."""
    validate_source(source_path(assignment), assignment)
    releases.check(assignment)
    released = assignment.release_folder / assignment.notebook_name
    with kernels() as source:
        solved = _graded(assignment, source_path(assignment), source)
        untouched = _graded(assignment, released, source)
    problems = [f"The solution loses points in {i.id}: {i.message}" for i in solved.items if i.points != i.max_points]
    problems += [f"The unsolved release earns {i.points} points in {i.id}." for i in untouched.items if i.points != 0]
    return problems


def validate_notebook(assignment: Assignment, path: Path) -> list[str]:
    """What stands in the way of handing this notebook in: cells that stop, tasks that are not filled in. No points."""
    if not path.is_file():
        raise UsageError(f"There is no notebook {path}.")
    with kernels() as source:
        submission = prepare("you", read_notebook(path), load_release(assignment), assignment)
        graded = grade(assignment, submission, source, Options())
    problems = [finding.text for finding in graded.verdict.findings]
    if graded.record is not None:
        for number, cell in enumerate(graded.record.first.cells):
            if cell.status == "ran":
                continue
            name = cell.role if cell.role in assignment.cells else f"number {number + 1}"
            reason = (
                "is not complete" if cell.error == "NotImplementedError" else f"stops with {cell.error or cell.status}"
            )
            problems.append(f"The cell {name} {reason}.")
    return problems


def _graded(assignment: Assignment, path: Path, source: Kernels) -> Verdict:
    submission = prepare(path.stem, read_notebook(path), load_release(assignment), assignment)
    return grade(assignment, submission, source, Options()).verdict
