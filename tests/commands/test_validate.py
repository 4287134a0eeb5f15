"""What `make validate NOTEBOOK=path` says to students before they submit."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from autograder.assignment.settings import Assignment
from autograder.commands.validate import validate_notebook
from autograder.execution.evidence import Evidence, RunCell
from autograder.grading.run_findings import find_provided_stop
from autograder.testing import build_submission
from tests.small_course import NAME, make_course


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return Assignment.load(NAME, make_course(tmp_path_factory.mktemp("course")))


def test_a_cell_that_calls_an_incomplete_function_is_named_by_its_place(assignment: Assignment, tmp_path: Path) -> None:
    notebook = build_submission(assignment, others="release")
    notebook.cells.append(nbformat.v4.new_code_cell("rms([1.0])"))
    path = tmp_path / "own.ipynb"
    nbformat.write(notebook, path)
    problems = validate_notebook(assignment, path)
    assert f"Cell number {len(notebook.cells)} calls `rms`, which is not complete." in problems
    assert not [problem for problem in problems if "provided cell" in problem]


def test_a_provided_cell_that_calls_an_incomplete_function_is_no_finding() -> None:
    cell = RunCell(role="given", index=2, status="error", error="NotImplementedError", incomplete="rms")
    assert find_provided_stop(Evidence(cells=(cell,), events=(), training="scripted", gpus=1)) == []
    other = cell.model_copy(update={"incomplete": ""})
    (finding,) = find_provided_stop(Evidence(cells=(other,), events=(), training="scripted", gpus=1))
    assert finding.cell == "number 3"
    own = RunCell(role="rms", index=1, status="ran")
    (after,) = find_provided_stop(Evidence(cells=(own, other), events=(), training="scripted", gpus=1))
    assert "check that cell first" in after.text
    assert "check that cell first" not in finding.text
