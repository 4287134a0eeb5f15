"""Assignments of nbgrader's: the one that `nbgrader quickstart` makes, and two more in its style."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.assignment.course import Course
from autograder.assignment.source import dumps
from tests.places import ROOT

MEAN = '''def mean(x):
    """Return the mean of a list of numbers."""
    ### BEGIN SOLUTION
    if not x:
        raise ValueError("no numbers")
    return sum(x) / len(x)
    ### END SOLUTION'''

MEAN_TESTS = '''"""`mean` works for lists of numbers."""
x = [1, 2, 3, 6]
assert mean(x) == 3
### BEGIN HIDDEN TESTS
assert mean([0.5]) == 0.5, "the mean of one number is that number"
### END HIDDEN TESTS'''

SCORE = """score = 0.0
for x, expected in [([1], 0), ([1, 3], 1), ([2, 4, 9], 9), ([5, 5], 0)]:
    score += 0.5 * (abs(spread(x) - expected) < 1e-9)
score"""

SCORE_OF_SQUARES = """done = [squared(n) == n**2 for n in range(4)]
import numpy as np
np.float64(3) * np.mean(done)"""

WORDS_TESTS = """def check(text, expected):
    assert words(text) == expected, f"for {text!r}"

check("a b", 2)
### BEGIN HIDDEN TESTS
check("  a   b ", 2)
check("", 0)
### END HIDDEN TESTS"""


def make_quickstart(root: Path) -> Course:
    """Move the notebook with tests that `nbgrader quickstart` makes, with all that lies beside it."""
    course = _make_course(root / "moved")
    command = [sys.executable, "-m", "nbgrader", "quickstart", "course101"]
    subprocess.run(command, cwd=root, check=True, capture_output=True, timeout=600)
    shutil.copytree(root / "course101" / "source" / "ps1", course.source / "problem1")
    (course.source / "problem1" / "problem2.ipynb").unlink()
    (course.source / "problem1" / "assignment.toml").touch()
    return course


def make_statistics(root: Path) -> Course:
    """Hidden tests, partial credit, a whole cell as the solution, a name that a later cell uses for something else."""
    spread = "def spread(x):\n    return sum((each - mean(x)) ** 2 for each in x) / len(x) if len(x) < 3 else 9"
    cells = [
        nbformat.v4.new_markdown_cell("# Statistics"),
        _cell("mean", MEAN, solution=True),
        _cell("test_mean", MEAN_TESTS, points=2),
        _cell("spread", spread, solution=True),
        _cell("test_spread", SCORE, points=2),
        nbformat.v4.new_code_cell("x = 'another x'\ndel x"),
        _cell("mean_again", "assert mean([2]) == 2", points=0),
        _cell("when", "The median resists outliers.", solution=True, points=3, code=False),
    ]
    return _write(root, "statistics", cells)


def make_texts(root: Path) -> Course:
    """Tests in a function of the test cell, a score of NumPy's, code for a person, and a task answered in new cells."""
    cells = [
        _cell("words", "def words(text):\n    return len(text.split())", solution=True),
        _cell("test_words", WORDS_TESTS, points=1.5),
        _cell(
            "squared", "def squared(n):\n    ### BEGIN SOLUTION\n    return n * n\n    ### END SOLUTION", solution=True
        ),
        _cell("test_squared", SCORE_OF_SQUARES, points=3),
        _cell("own-use", "print(words('one two'))", solution=True, points=2),
        _cell("essay", "Write about it in cells below.", points=4, code=False, task=True),
    ]
    return _write(root, "texts", cells)


def _write(root: Path, name: str, cells: list[NotebookNode]) -> Course:
    course = _make_course(root)
    folder = course.source / name
    folder.mkdir(parents=True)
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    (folder / f"{name}.ipynb").write_text(dumps(notebook), encoding="utf-8")
    (folder / "assignment.toml").touch()
    return course


def _make_course(root: Path) -> Course:
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    return Course(root)


def _cell(
    name: str,
    source: str,
    *,
    solution: bool = False,
    points: float | None = None,
    code: bool = True,
    task: bool = False,
) -> NotebookNode:
    noted: dict[str, Any] = {
        "grade": points is not None and not task,
        "grade_id": name,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": task,
    }
    noted |= {} if points is None else {"points": points}
    make: Any = nbformat.v4.new_code_cell if code else nbformat.v4.new_markdown_cell
    return make(source, metadata={"nbgrader": noted})
