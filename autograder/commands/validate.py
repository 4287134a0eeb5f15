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
from autograder.execution.evidence import KERNEL_DIED, RunCell
from autograder.execution.kernels import Kernels, kernels
from autograder.execution.options import Options
from autograder.grading.grade import grade
from autograder.grading.verdict import ENDS, ItemVerdict, Verdict
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
        problems += [f"A check has an error: {p.fault}" for i in solved.items for p in i.properties if p.fault]
        problems += [
            f"The release earns {i.points} points in {i.id} without a solution{_name_passed(i)}."
            for i in untouched.items
            if i.points
        ]
        return problems or list(_empty_each_cell(assignment, source))


def _empty_each_cell(assignment: Assignment, source: Kernels) -> Iterator[str]:
    """Empty each cell of code in turn: the items of other cells must still get full points."""
    stubs = cells_by_id(load_release(assignment))
    cells = [cell for cell in assignment.cells if cell in stubs and stubs[cell].cell_type == "code"]
    for cell in cells:
        # In an assignment that was written for nbgrader, tests may depend on earlier cells, as they do there.
        others = [
            item.id
            for item in assignment.judged_items
            if item.cell != cell and (item.graded_by != "test cell" or cell in item.needs)
        ]
        if not others:
            continue
        verdict = _graded(assignment, build_submission(assignment, {cell: stubs[cell].source}), source)
        for item in _find_poor(verdict):
            if item.id in others:
                advice = (
                    f"Check the stand-in for {cell} in exercise.py."
                    if cell in assignment.item(item.id).needs
                    else f"Add {cell!r} to `needs` of the item {item.id} in assignment.toml, and define a stand-in for "
                    "it in exercise.py: see Stand-ins in docs/instructor.md."
                )
                yield (
                    f"If the cell {cell} is not completed, the solution loses points in {item.id}: {item.message} "
                    + advice
                )


def _name_passed(item: ItemVerdict) -> str:
    """Name the checks that an item passed."""
    passed = [f"`{rule.id}`" for rule in item.properties if rule.status == "passed"]
    return f"; it passes the check{'s' if len(passed) > 1 else ''} {', '.join(passed)}" if passed else ""


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
        for cell in graded.record.first.cells:
            if cell.status == "ran" or cell.index is None:
                continue
            name = f"The cell {cell.role}" if cell.role in assignment.cells else f"Cell number {cell.index + 1}"
            problems.append(f"{name} {_describe_end(cell)}.")
    return problems


def _describe_end(cell: RunCell) -> str:
    """Describe how a cell that did not finish ended, in words that follow its name."""
    if cell.is_stub:
        return ENDS["not filled in"]
    if cell.incomplete:
        return f"calls `{cell.incomplete}`, which is not complete"
    if cell.status == "error":
        return ENDS["kernel ended"] if cell.error == KERNEL_DIED else f"stops with {cell.error}"
    return ENDS["time limit" if cell.status == "timeout" else "not run"]


def _graded(assignment: Assignment, notebook: NotebookNode, source: Kernels) -> Verdict:
    submission = prepare("solution", notebook, load_release(assignment), assignment)
    return grade(assignment, submission, source, Options()).verdict
