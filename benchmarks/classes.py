"""Generate classes of complete, correct submissions that are all different."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_solution

from autograder.assignment.settings import Assignment
from autograder.assignment.source import read, source_path
from autograder.common.cells import cells_by_id
from autograder.execution.kernels import kernels
from autograder.execution.options import Options
from autograder.grading.grade import grade
from autograder.reporting.answers import written_items
from autograder.submission.prepare import load_release, prepare

WORDS = [
    "rate",
    "batch",
    "step",
    "slow",
    "fast",
    "target",
    "energy",
    "joule",
    "second",
    "epoch",
    "noise",
    "curve",
    "large",
    "small",
    "early",
    "late",
    "often",
    "never",
]
SPREAD = 60
"""Number of additional lines in the first task, so that no two submissions are nearly identical."""


def notebook(assignment: Assignment, number: int) -> NotebookNode:
    """Return the solution as student `number` would write it."""
    rng = random.Random(number)
    made = read(source_path(assignment))
    cells = cells_by_id(made)
    for item in written_items(assignment):
        cells[item.cell].source = " ".join(rng.choices(WORDS, k=40))
    own = [
        f"note_{line} = {rng.choice(WORDS)!r}, {rng.random():.3f}, len({rng.choice(WORDS)!r})" for line in range(SPREAD)
    ]
    first = next(cell for cell in made.cells if cell.cell_type == "code" and is_solution(cell))
    first.source += "\n" + "\n".join(rng.sample(own, SPREAD // 2))
    return made


@cache
def own_outputs(assignment_name: str) -> dict[str, list[NotebookNode]]:
    """Return the outputs of the solution's cells, by name, because students submit notebooks that they have run."""
    assignment = Assignment.load(assignment_name)
    solution = prepare("own", read(source_path(assignment)), load_release(assignment), assignment)
    with kernels(instruments=assignment.exercise.instruments) as source:
        executed = grade(assignment, solution, source, Options(seed=1)).executed
    assert executed is not None
    return {name: cell.outputs for name, cell in cells_by_id(executed).items() if cell.cell_type == "code"}


def hand_in(assignment: Assignment, submitted: Path, count: int, files: dict[str, bytes] | None = None) -> list[str]:
    """Write `submitted/<student>/<assignment>/`, with `files` beside each notebook; return the students."""
    students = [f"s{number:04d}" for number in range(count)]
    for number, student in enumerate(students):
        folder = submitted / student / assignment.name
        folder.mkdir(parents=True)
        made = notebook(assignment, number)
        for cell_name, outputs in own_outputs(assignment.name).items():
            cells_by_id(made)[cell_name].outputs = outputs
        nbformat.write(made, folder / assignment.notebook_name)
        for name, content in (files or {}).items():
            (folder / name).write_bytes(content)
    return students
