"""Validate a release before students get it: the release must earn no points, the solution all points, and a mistake in
one task must not cost points in another. Also check that a student's notebook runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from autograder.assignment import release as releases
from autograder.assignment.settings import Assignment
from autograder.assignment.source import source_path, validate_source
from autograder.common.cells import cells_by_id
from autograder.errors import UsageError
from autograder.execution.kernels import Kernels, kernels
from autograder.execution.options import Options
from autograder.grading.grade import grade
from autograder.grading.verdict import ItemVerdict, Verdict
from autograder.submission.parsing import read_notebook
from autograder.submission.prepare import load_release, prepare
from autograder.testing import build_submission


def validate_release(assignment: Assignment) -> list[str]:
    """Return one sentence for each problem of source or release; an empty list if there is none."""
    validate_source(source_path(assignment), assignment)
    releases.check(assignment)
    released = assignment.release_folder / assignment.notebook_name
    with kernels(instruments=assignment.exercise.instruments) as source:
        solved = _graded(assignment, read_notebook(source_path(assignment)), source)
        untouched = _graded(assignment, read_notebook(released), source)
        problems = [f"{f.text} (cell {f.cell})" for f in solved.findings if f.kind == "provided cell stopped"]
        problems += [f"The solution loses points in {i.id}: {i.message}" for i in _find_poor(solved)]
        problems += [f"The unsolved release earns {i.points} points in {i.id}." for i in untouched.items if i.points]
        return problems or list(_break_needed_cells(assignment, source))


def _break_needed_cells(assignment: Assignment, source: Kernels) -> Iterator[str]:
    """Empty each cell that other items need, in turn: the items of other cells must still get full points."""
    stubs = cells_by_id(load_release(assignment))
    needed = {cell for item in assignment.judged_items for cell in item.needs}
    for cell in sorted(needed, key=assignment.cells.index):
        verdict = _graded(assignment, build_submission(assignment, {cell: stubs[cell].source}), source)
        for item in _find_poor(verdict):
            if assignment.item(item.id).cell != cell:
                yield (
                    f"If the cell {cell} is not completed, the solution loses points in {item.id}: {item.message} "
                    f"Check the stand-in for {cell} in exercise.py, and `needs` in assignment.toml."
                )


def _find_poor(verdict: Verdict) -> list[ItemVerdict]:
    return [item for item in verdict.items if item.points != item.max_points]


def validate_notebook(assignment: Assignment, path: Path) -> list[str]:
    """Return what to fix before this notebook is submitted: cells that stop and incomplete tasks, but no points."""
    if not path.is_file():
        raise UsageError(f"There is no notebook {path}.")
    with kernels(instruments=assignment.exercise.instruments) as source:
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


def _graded(assignment: Assignment, notebook: NotebookNode, source: Kernels) -> Verdict:
    submission = prepare("solution", notebook, load_release(assignment), assignment)
    return grade(assignment, submission, source, Options()).verdict
