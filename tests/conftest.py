"""Fixtures that several tests share: the assignment, the release, and one source of kernels for all runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.execution.kernels import Kernels, kernels
from autograder.execution.limits import Limits
from autograder.execution.options import Options
from autograder.grading.grade import grade
from autograder.grading.verdict import GradedSubmission
from autograder.submission.prepare import load_release, prepare

Grade = Callable[..., GradedSubmission]


@pytest.fixture(scope="session")
def assignment() -> Assignment:
    return Assignment.load("tta-eta")


@pytest.fixture(scope="session")
def release(assignment: Assignment) -> NotebookNode:
    return load_release(assignment)


@pytest.fixture(scope="session")
def warm_kernels() -> Iterator[Kernels]:
    with kernels() as source:
        yield source


@pytest.fixture(scope="session")
def grade_notebook(assignment: Assignment, release: NotebookNode, warm_kernels: Kernels) -> Grade:
    """Return a function that grades a notebook in memory: `grade_notebook(notebook, seed=1)`."""

    def run(
        notebook: NotebookNode, *, seed: int = 1, cell: float = 60.0, training: str = "scripted"
    ) -> GradedSubmission:
        submission = prepare("student", notebook, release, assignment)
        options = Options(seed=seed, training=training, limits=Limits(cell=cell))  # type: ignore[arg-type]
        return grade(assignment, submission, warm_kernels, options)

    return run
