"""One edit in assignment.toml changes the notebook and the judging alike."""

from __future__ import annotations

import json

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.assignment.source import refresh
from autograder.execution.kernels import Kernels
from autograder.execution.options import Options
from autograder.grading.grade import grade
from autograder.grading.verdict import Verdict
from autograder.submission.prepare import prepare
from tests.places import COURSE

CHANGES = {
    "stricter target": {"threshold": 0.98, "patience": 2},
    "four learning rates": {"learning_rates": (0.0001, 0.001, 0.01, 0.1), "max_epochs": 300},
    "larger batches": {"batch_sizes": (64, 256, 1024, 4096, 8192), "default_batch_size": 256},
}


def changed(assignment: Assignment, **parameters: object) -> Assignment:
    document = assignment.model_dump()
    document["parameters"] |= parameters
    return Assignment.model_validate(document)


@pytest.fixture(scope="module")
def source(assignment: Assignment) -> NotebookNode:
    return nbformat.read(COURSE / "source" / assignment.name / assignment.notebook_name, as_version=4)


def graded(assignment: Assignment, notebook: NotebookNode, release: NotebookNode, kernels: Kernels) -> Verdict:
    copy = nbformat.from_dict(json.loads(json.dumps(notebook)))
    return grade(assignment, prepare("s", copy, release, assignment), kernels, Options(seed=3)).verdict


@pytest.mark.parametrize("name", CHANGES)
def test_solution_follows_the_settings(
    assignment: Assignment, source: NotebookNode, warm_kernels: Kernels, name: str
) -> None:
    other = changed(assignment, **CHANGES[name])
    notebook = refresh(nbformat.from_dict(json.loads(json.dumps(source))), other)
    verdict = graded(other, notebook, notebook, warm_kernels)
    assert {item.id: item.message for item in verdict.items if item.points != item.max_points} == {}


def test_old_numbers_lose_the_points_that_they_break(
    assignment: Assignment, source: NotebookNode, warm_kernels: Kernels
) -> None:
    other = changed(assignment, threshold=0.98)
    notebook = refresh(nbformat.from_dict(json.loads(json.dumps(source))), other)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "lr-loop":
            cell.source = cell.source.replace("THRESHOLD", "0.95")
    verdict = graded(other, notebook, notebook, warm_kernels)
    assert [item.id for item in verdict.items if item.points != item.max_points] == ["lr-loop"]
    assert "they should be 0.98 and 3" in verdict.items[2].message


def test_points_scale_with_the_item(assignment: Assignment, source: NotebookNode, warm_kernels: Kernels) -> None:
    document = assignment.model_dump()
    document["items"] = [item | {"points": 30.0} if item["id"] == "callback" else item for item in document["items"]]
    other = Assignment.model_validate(document)
    notebook = refresh(nbformat.from_dict(json.loads(json.dumps(source))), other)
    assert graded(other, notebook, notebook, warm_kernels).points == 103
