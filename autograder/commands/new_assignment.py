"""Write a small but complete assignment: a notebook, its settings, its checks, and tests of the checks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.assignment import release as releases
from autograder.assignment.course import PACKAGE, Course
from autograder.assignment.settings import Assignment, name_checks
from autograder.assignment.source import dumps
from autograder.errors import UsageError, shorten_path

TEMPLATES = Path(__file__).resolve().parent / "templates"

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

CONFTEST = """\
\"\"\"Plain pytest runs the tests of the checks; the checks themselves are run by the autograder.\"\"\"

from autograder.testing import pytest_ignore_collect

__all__ = ["pytest_ignore_collect"]
"""

TITLE = """\
# {title}

Replace the lines `YOUR CODE HERE` and `YOUR ANSWER HERE` with your work.
The assignment is worth <!--points-->7<!--/--> points.
"""

RMS_TEXT = """\
## Loudness (<!--points rms-->3<!--/--> points)

Write `rms(x)`, which returns the root mean square of the array `x`: the square root of the mean of its squares.
"""

RMS = """\
def rms(x):
    ### BEGIN SOLUTION
    return np.sqrt(np.mean(x**2))
    ### END SOLUTION
"""

LOUDEST_TEXT = """\
## The loudest sound (<!--points loudest-->2<!--/--> points)

Write `loudest(table)`, which returns the name of the sound with the highest level.
The table has the columns `name` and `level`.
"""

LOUDEST = """\
def loudest(table):
    ### BEGIN SOLUTION
    return table.loc[table["level"].idxmax(), "name"]
    ### END SOLUTION
"""

COMMENT_TEXT = """\
## Written answer (<!--points comment-->2<!--/--> points)

Two sounds have the same root mean square. Do they sound equally loud?
"""

COMMENT = """\
<!-- ### BEGIN SOLUTION -->
**For the grader.** Not always: the ear does not hear all frequencies equally well.
<!-- ### END SOLUTION -->
"""


def create(name: str, course: Course) -> list[Path]:
    """Write a new assignment and its release.

    Args:
        name: the name of the assignment: lower-case words joined by hyphens.
        course: the course to which the assignment is added.

    Returns:
        The files for the author to edit.

    Raises:
        UsageError: the name cannot be used.
    """
    source, checks = course.source / name, course.checks / name_checks(name)
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a valid assignment name: use lower-case letters and digits, in words joined by "
            "hyphens, such as my-task."
        )
    for folder in (source, checks):
        if folder.exists():
            raise UsageError(f"{shorten_path(folder)} already exists: choose another name.")
    title = name.replace("-", " ").capitalize()
    is_own = course.checks == PACKAGE / "checks"
    values = {
        "name": name,
        "title": title,
        "folder": shorten_path(checks),
        "course": "" if is_own else ", Course(Path(__file__).resolve().parents[3])",
    }
    files = {
        source / "assignment.toml": _fill("assignment.toml", values),
        source / f"{name}.ipynb": dumps(make_notebook(title)),
        checks / f"test_{name_checks(name)}.py": _fill("checks.py.txt", values),
        checks / "tests" / f"test_{name_checks(name)}_samples.py": _fill("samples.py.txt", values, is_own),
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if not (course.checks / "conftest.py").exists():
        (course.checks / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    releases.release(Assignment.load(name, course))
    return list(files)


def _fill(template: str, values: dict[str, str], is_own: bool = True) -> str:
    text = (TEMPLATES / template).read_text(encoding="utf-8").format(**values)
    if is_own:
        return text
    imports = "from pathlib import Path\n\nfrom autograder import Course\n"
    return text.replace("from autograder.testing", f"{imports}from autograder.testing")


def make_notebook(title: str) -> NotebookNode:
    """Make the notebook with its solution."""
    cells = [
        make_cell("title", TITLE.format(title=title)),
        make_cell("imports", "import numpy as np\nimport pandas as pd", code=True),
        make_cell("rms-text", RMS_TEXT),
        make_cell("rms", RMS, code=True, points=3),
        make_cell("loudest-text", LOUDEST_TEXT),
        make_cell("loudest", LOUDEST, code=True, points=2),
        make_cell("comment-text", COMMENT_TEXT),
        make_cell("comment", COMMENT, points=2),
    ]
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    return nbformat.v4.new_notebook(cells=cells, metadata={**kernel, "language_info": {"name": "python"}})


def make_cell(grade_id: str, source: str, *, code: bool = False, points: float = 0) -> NotebookNode:
    """Make a cell with nbgrader's metadata: a task if it has points, otherwise a locked provided cell."""
    noted: dict[str, Any] = {
        "grade": points > 0,
        "grade_id": grade_id,
        "locked": points == 0,
        "schema_version": 3,
        "solution": points > 0,
        "task": False,
    }
    noted |= {"points": points} if points else {}
    make: Any = nbformat.v4.new_code_cell if code else nbformat.v4.new_markdown_cell
    return make(source.rstrip("\n"), id=grade_id, metadata={"nbgrader": noted})
