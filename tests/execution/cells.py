"""Runs cells as a student's notebook would be run."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import nbformat
from nbformat import NotebookNode

from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.execution.evidence import Evidence
from autograder.execution.kernels import Kernels
from autograder.execution.limits import Limits
from autograder.execution.runner import Run, run
from autograder.submission.prepare import EXTRA, Submission


@dataclass(frozen=True)
class Done:
    """What a run left behind."""

    evidence: Evidence
    executed: NotebookNode


@contextmanager
def running(
    kernels: Kernels,
    assignment: Assignment,
    *cells: str,
    training: Literal["scripted", "real"] = "scripted",
    seed: int = 1,
    gpus: int = 1,
    limits: Limits | None = None,
) -> Iterator[Run]:
    """Cells that have been run, in a kernel that still lives."""
    sources = [textwrap.dedent(cell) for cell in cells]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    submission = Submission("student", notebook, (EXTRA,) * len(sources))
    scenario = sample_scenario(assignment, seed, training=training, gpus=gpus)
    with run(submission, scenario, kernels, limits=limits or Limits()) as live:
        yield live


def run_cells(kernels: Kernels, assignment: Assignment, *cells: str, **how: object) -> Done:
    """Run cells and end the kernel."""
    with running(kernels, assignment, *cells, **how) as live:  # type: ignore[arg-type]
        return Done(live.evidence, live.executed)
