"""The lab, small enough for real training, written as an assignment for nbgrader and for Otter."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder.assignment.release import helpers
from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.assignment.source import read, refresh, source_path
from autograder.common.cells import cells_by_id, grade_id
from autograder.errors import AutograderError
from autograder.submission.prepare import load_release
from benchmarks.rivals import OTTER
from samples.filling import Description, fill
from tests.fidelity.changed import adapted, changed
from tests.fidelity.outcome import Case

SETTINGS = {
    "max_epochs": 60,
    "learning_rates": (0.0001, 0.001, 0.01),
    "batch_sizes": (64, 128, 256, 512),
}
"""Replace those of the lab, for every grader: fewer models are trained, and one that never stops does not take long."""

TYPED = {
    r"\b500\b": "60",
    r"0\.001, 0\.01, 0\.1\]": "0.001]",  # without the last setting
    r"0\.01, 0\.5, 1\.0\]": "0.5]",  # with another one
    r"0\.01(, ?)0\.1\1 ?1\.0": "0.01",
    r"1e-2, 1e-1, 1\.0": "1e-2",
    r"logspace\(-4, 0, 5\)": "logspace(-4, -2, 3)",
    r"arange\(-4, 1\)": "arange(-4, -1)",
    r"256, 512, 1024\]": "256]",
    r"512, 1024, 4096\]": "4096]",
    r"512(, ?)1024\1 ?2048": "512",
    r"range\(6, 12\)": "range(6, 10)",
    r"<= 2048": "<= 512",
    r"models\[2048\]": "models[512]",
    r"\[128\] \* 5": "[128] * 3",
    r"\[0\.001\] \* 6": "[0.001] * 4",
}
"""The same in the submissions, which type the numbers in different ways."""

SIZES = {"n_train": 1450, "n_test": 240, "n_features": 36, "n_classes": 7}
"""The sizes of the data, which differ from the students' own; the accuracies differ from model to model."""

SEED = 5
"""The random seed of the data and of the kit's scenario."""

HERE = Path(__file__).parent
ASSERTS = (HERE / "asserts.py").read_text(encoding="utf-8")


def small(assignment: Assignment) -> Assignment:
    """Return the assignment with the settings for real training."""
    return changed(assignment, SETTINGS)


def adapt(case: Case) -> Case:
    """Return the case as it would have been written for these settings."""
    return replace(case, description=adapted(case.description, TYPED))


def course_files(assignment: Assignment) -> dict[str, bytes]:
    """Return the files beside a notebook: the helpers, small data, and a stand-in for the energy library."""
    files = dict(helpers(assignment))
    for name, array in sample_scenario(assignment, SEED).model_copy(update=SIZES).data().items():
        np.save(content := io.BytesIO(), array, allow_pickle=False)
        files[name] = content.getvalue()
    return files | {f"zeus/{path.name}": path.read_bytes() for path in sorted((HERE / "zeus").glob("*.py"))}


def write_files(files: dict[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def nbgrader_source(assignment: Assignment) -> NotebookNode:
    """Return the instructor's notebook with hidden tests for each item, after the provided check of the task."""
    notebook = refresh(read(source_path(assignment)), assignment)
    judged = {item.cell for item in assignment.judged_items}
    for name, cell in cells_by_id(notebook).items():
        if name in judged:
            cell.metadata.nbgrader["grade"] = False
            cell.metadata.nbgrader.pop("points", None)
    notebook.cells = list(_with_tests(notebook, assignment, _nbgrader_test))
    return notebook


def otter_release(assignment: Assignment) -> NotebookNode:
    """Return the students' notebook with calls of Otter's checks in the same places."""
    notebook = deepcopy(refresh(load_release(assignment), assignment))
    begin = new_code_cell("import otter\n\ngrader = otter.Notebook()", id="otter-begin")
    notebook.cells = [begin, *_with_tests(notebook, assignment, _otter_check)]
    return notebook


def _with_tests(notebook: NotebookNode, assignment: Assignment, make) -> Iterator[NotebookNode]:
    """Yield the cells, with `make(item)` after each check, and without the existing tests of form."""
    ids = {item.id for item in assignment.judged_items} - {item.cell for item in assignment.judged_items}
    for cell in notebook.cells:
        if grade_id(cell) not in ids:
            yield cell
        for item in assignment.judged_items:
            if grade_id(cell) == f"{item.cell}-check":
                yield make(item)


def _nbgrader_test(item) -> NotebookNode:
    code = (
        '### BEGIN HIDDEN TESTS\n_hidden = {"__name__": "hidden"}\n'
        f"exec({ASSERTS!r}, _hidden)\n"
        f'_hidden["CHECKS"]["{item.id}"](globals())\n### END HIDDEN TESTS'
    )
    cell = new_code_cell(code, id=f"{item.id}-tests")
    about = {"grade": True, "grade_id": f"{item.id}-tests", "locked": True, "points": item.points}
    cell.metadata.nbgrader = about | {"schema_version": 3, "solution": False, "task": False}
    return cell


def _otter_check(item) -> NotebookNode:
    cell = new_code_cell(f'grader.check("{item.id}")', id=f"{item.id}-otter")
    cell.metadata.nbgrader = {"grade_id": f"{item.id}-tests"}  # so that it can be moved, see `fill_in`
    return cell


def fill_in(release: NotebookNode, assignment: Assignment, description: Description) -> NotebookNode:
    """Fill in the submission; if the student moved tasks, their tests move with them."""
    present = {grade_id(cell) for cell in release.cells}
    order = [
        name
        for task in description.header.order
        for name in (task, *(f"{item.id}-tests" for item in assignment.judged_items if item.cell == task))
        if name in present
    ]
    header = description.header.model_copy(update={"order": tuple(order)})
    return fill(release, description.model_copy(update={"header": header}))


def otter_test(item) -> str:
    """Return a test file for Otter, in its exception-based format."""
    return (
        f"{ASSERTS}\n\nfrom otter.test_files import test_case\n\nOK_FORMAT = False\n"
        f"name = {item.id!r}\npoints = {item.points!r}\n\n\n"
        f"@test_case(points={item.points!r}, hidden=True)\ndef test_item(env):\n    CHECKS[{item.id!r}](env)\n"
    )


def otter_package(assignment: Assignment, folder: Path) -> Path:
    """Write Otter's autograder with all tests into `folder`; return the zip file."""
    if not OTTER.exists():
        raise AutograderError("Otter is not installed: `make compare-fidelity` installs it into .venv-bench.")
    files = course_files(assignment)
    write_files(files, folder)
    tests = {f"tests/{item.id}.py": otter_test(item).encode() for item in assignment.judged_items}
    write_files(tests, folder)
    beside = sorted({name.partition("/")[0] for name in files})
    command = [str(OTTER), "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment", *beside]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AutograderError(f"`otter generate` failed: {done.stderr[-1000:]}")
    return folder / "autograder.zip"


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
