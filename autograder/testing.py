"""What the author of an assignment needs to test its checks with pytest.

The tests of an assignment are in the folder `tests` next to its checks; `pytest autograder/checks/<folder>` runs them::

    from autograder.testing import Grader, lost_points, make_fixture

    grader = make_fixture("my-task")

    def test_the_solution_has_all_points(grader: Grader) -> None:
        assert lost_points(grader.grade()) == {}

    def test_a_sum_is_not_a_mean(grader: Grader) -> None:
        assert lost_points(grader.grade({"mean": "def mean(x): return sum(x)"})) == {"mean": 2}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment
from autograder.assignment.source import read, source_path
from autograder.common.cells import cells_by_id
from autograder.errors import AssignmentError, suggest
from autograder.execution.kernels import Kernels, kernels
from autograder.execution.options import Options
from autograder.grading.grade import grade
from autograder.grading.verdict import GradedSubmission, Verdict
from autograder.submission.prepare import load_release, prepare

__all__ = ["Grader", "build_submission", "lost_points", "make_fixture", "messages", "pytest_ignore_collect"]

NO_CELLS: Mapping[str, str] = MappingProxyType({})


def build_submission(
    assignment: Assignment, cells: Mapping[str, str] = NO_CELLS, others: Literal["solution", "release"] = "solution"
) -> NotebookNode:
    """Build a submission from the source of some cells.

    Args:
        assignment: the one whose release is filled in.
        cells: the code or text of cells, by `grade_id`.
        others: what the other task cells contain: the instructor's solution, or the text of the release.

    Raises:
        AssignmentError: the release has no such cell.
        ReleaseError: there is no source or no release.
    """
    notebook = nbformat.from_dict(load_release(assignment))
    by_id = cells_by_id(notebook)
    for name in cells:
        if name not in by_id:
            raise AssignmentError(f"The release has no cell {name!r}{suggest(name, by_id)}.")
    solution = cells_by_id(read(source_path(assignment))) if others == "solution" else {}
    for name in assignment.cells:
        if name in by_id and name in solution:
            by_id[name].source = solution[name].source
    for name, source in cells.items():
        by_id[name].source = source
    return notebook


class Grader:
    """Grades submissions of one assignment, with one source of kernels for all of them.

    Use it as a context manager, or through the fixture that `make_fixture` returns.
    """

    def __init__(
        self, assignment: str | Assignment, course: Course | None = None, source: Kernels | None = None
    ) -> None:
        """Load the assignment.

        Args:
            assignment: the assignment or its name.
            course: the course that contains it; by default the one that `Course.find` returns.
            source: where kernels come from; by default the grader starts its own.
        """
        self.assignment = assignment if isinstance(assignment, Assignment) else Assignment.load(assignment, course)
        self._kernels = source
        self._stack = ExitStack()

    def __enter__(self) -> Grader:
        if self._kernels is None:
            self._kernels = self._stack.enter_context(kernels(instruments=self.assignment.exercise.instruments))
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    def run(self, notebook: NotebookNode, seed: int = 1) -> GradedSubmission:
        """Grade a notebook; the same seed gives the same scenario."""
        assert self._kernels is not None, "use the grader as a context manager: `with Grader(...) as grader:`"
        submission = prepare("student", notebook, load_release(self.assignment), self.assignment)
        return grade(self.assignment, submission, self._kernels, Options(seed=seed))

    def grade(
        self,
        cells: Mapping[str, str] = NO_CELLS,
        others: Literal["solution", "release"] = "solution",
        seed: int = 1,
    ) -> Verdict:
        """Build a submission from cells (see `build_submission`) and grade it."""
        return self.run(build_submission(self.assignment, cells, others), seed).verdict


def make_fixture(name: str, course: Course | None = None) -> Any:
    """Return a pytest fixture that provides one `Grader` for all tests of a module."""

    @pytest.fixture(scope="module", name="grader")
    def grader() -> Iterator[Grader]:
        with Grader(name, course) as opened:
            yield opened

    return grader


def lost_points(verdict: Verdict) -> dict[str, float]:
    """Return the lost points by item; an item that was not graded has lost all its points.

    Raises:
        AssertionError: a check ended with an error of its own.
    """
    faults = [rule.fault for item in verdict.items for rule in item.properties if rule.fault]
    assert not faults, f"A check has an error: {' '.join(faults)}"
    missing = {item.id: round(item.max_points - (item.points or 0.0), 4) for item in verdict.items}
    return {item: points for item, points in missing.items() if points}


def messages(verdict: Verdict) -> dict[str, str]:
    """Return the message that the student gets about each item."""
    return {item.id: item.message for item in verdict.items}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore the checks, which only the autograder runs; for the `conftest.py` of a folder with checks."""
    is_check = collection_path.is_file() and "tests" not in collection_path.parts[-2:-1]
    return True if is_check else None
