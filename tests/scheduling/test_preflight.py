"""A machine or a library on which even the solution loses points: grading ends with the cause and writes no results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner, Result

from autograder import cli
from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.execution import kernels as kernels_module
from autograder.execution.evidence import Evidence, RunCell
from autograder.grading.saved_runs import EDITION, SavedRun, SavedRuns
from autograder.grading.verdict import GradedSubmission
from autograder.scheduling import class_run, preflight, task, workers
from tests.scheduling.test_interruption import Here, hand_in, no_kernels, quick_verdict

NAME = "tta-eta"
CAUSE = "In row 1 of metrics_vs_lr, test_accuracy is 0.0954; the accuracy of this model on the test data is 0.9905."

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Grades two submissions by the command, in this process."""
    monkeypatch.setattr(workers, "LocalExecutor", Here)
    hand_in(tmp_path / "submitted", "ada", "bob")

    def run(*options: str) -> Result:
        folders = ["--submitted", str(tmp_path / "submitted"), "--out", str(tmp_path / "graded")]
        return CliRunner().invoke(cli.app, ["autograde", "--assignment", NAME, *folders, *options])

    return run


def solution_loses_points(assignment: Assignment, folder: Path, student: str, *rest: object) -> GradedSubmission:
    """Stands for grading with a library that makes the solution, and it alone, lose points."""
    graded = quick_verdict(assignment, folder, student, *rest)
    if student != preflight.STUDENT:
        return graded
    items = [
        item.model_copy(update={"points": 3.0, "message": CAUSE}) if item.id == "lr-metrics" else item
        for item in graded.verdict.items
    ]
    return GradedSubmission(graded.verdict.model_copy(update={"items": tuple(items)}), graded.record, graded.executed)


def test_a_solution_that_loses_points_ends_it_with_the_cause(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_run, "kernels", no_kernels)
    monkeypatch.setattr(task, "grade_folder", solution_loses_points)
    done = run()
    assert done.exit_code == 1
    said = f"Nothing was graded, because the solution of {NAME} does not get full points here: lr-metrics: {CAUSE}"
    assert said in done.output
    assert f"keras {metadata.version('keras')}" in done.output
    assert not (tmp_path / "graded").exists()
    monkeypatch.setattr(task, "grade_folder", quick_verdict)
    assert run().exit_code == 0, "the next run grades"
    assert {"ada", "bob"} <= {path.name for path in (tmp_path / "graded" / NAME / "students").iterdir()}


def solution_stops(assignment: Assignment, folder: Path, student: str, *rest: object) -> GradedSubmission:
    """Stands for grading with a library with which the solution stops in its second cell."""
    graded = solution_loses_points(assignment, folder, student, *rest)
    if student != preflight.STUDENT:
        return graded
    cells = (
        RunCell(role="given", index=0, status="ran"),
        RunCell(role="callback", index=1, status="error", error="StopIteration", line="line 2: Sequential()"),
        RunCell(role="lr-plots", index=2, status="error", error="NameError", message="name 'x' is not defined"),
    )
    evidence = Evidence(cells=cells, events=(), training="scripted", gpus=1)
    run = SavedRun(purpose="first", replaced=(), scenario=sample_scenario(assignment, 1), evidence=evidence)
    named = {"nbgrader": {"grade_id": "callback"}}
    cells = [nbformat.v4.new_code_cell("1", metadata=metadata) for metadata in ({}, named, {})]
    return replace(
        graded, record=SavedRuns(edition=EDITION, runs=(run,)), executed=nbformat.v4.new_notebook(cells=cells)
    )


def test_the_cell_in_which_the_solution_stops_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_run, "kernels", no_kernels)
    monkeypatch.setattr(task, "grade_folder", solution_stops)
    done = run()
    assert done.exit_code == 1
    cause = "cell 'callback' stops with StopIteration on line 2: Sequential()."
    assert f"does not get full points here: {cause} Versions: Python 3" in done.output
    assert "Install versions that requirements.in allows (`make setup`" in done.output
    assert "NameError" not in done.output, "what comes first is the cause"
    assert not (tmp_path / "graded").exists()


def test_a_gradebook_that_was_there_stays(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_run, "kernels", no_kernels)
    monkeypatch.setattr(task, "grade_folder", quick_verdict)
    assert run().exit_code == 0
    hand_in(tmp_path / "submitted", "cleo")
    monkeypatch.setattr(task, "grade_folder", solution_loses_points)
    before = {path: path.read_bytes() for path in (tmp_path / "graded").rglob("*") if path.is_file()}
    assert run().exit_code == 1
    assert {path: path.read_bytes() for path in (tmp_path / "graded").rglob("*") if path.is_file()} == before


def test_an_instrument_that_does_not_load_ends_it_with_the_cause(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_runtime = kernels_module._lay_runtime

    def lay_broken_runtime(folder: Path) -> Path:
        runtime = lay_runtime(folder)
        (module,) = runtime.rglob("instruments/shell.py")
        module.write_text("raise ImportError(\"cannot import name 'Shell' from 'library'\")\n", encoding="utf-8")
        return runtime

    monkeypatch.setattr(kernels_module, "_lay_runtime", lay_broken_runtime)
    done = run("--kernel", "plain", "--sandbox", "none")
    assert done.exit_code == 1
    assert "Nothing was graded" in done.output
    assert "ImportError: cannot import name 'Shell' from 'library'" in done.output
    assert not (tmp_path / "graded").exists()
