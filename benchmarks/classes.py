"""Made-up classes of complete, correct submissions, no two of them alike."""

from __future__ import annotations

import random
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.assignment.source import cells_by_id, read, source_path
from autograder.reporting.answers import written_items

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
"""Lines of a student's own in a task, so that no two submissions are near-identical."""


def notebook(assignment: Assignment, number: int) -> NotebookNode:
    """The solution in the words of student `number`."""
    dice = random.Random(number)
    made = read(source_path(assignment))
    cells = cells_by_id(made)
    for item in written_items(assignment):
        cells[item.cell].source = " ".join(dice.choices(WORDS, k=40))
    own = [
        f"note_{line} = {dice.choice(WORDS)!r}, {dice.random():.3f}, len({dice.choice(WORDS)!r})"
        for line in range(SPREAD)
    ]
    cells["data-details"].source += "\n" + "\n".join(dice.sample(own, SPREAD // 2))
    return made


def hand_in(assignment: Assignment, submitted: Path, count: int, files: dict[str, bytes] | None = None) -> list[str]:
    """Writes `submitted/<student>/<assignment>/`, with `files` beside each notebook; returns the students."""
    students = [f"s{number:04d}" for number in range(count)]
    for number, student in enumerate(students):
        folder = submitted / student / assignment.name
        folder.mkdir(parents=True)
        nbformat.write(notebook(assignment, number), folder / assignment.notebook_name)
        for name, content in (files or {}).items():
            (folder / name).write_bytes(content)
    return students
