"""Grade one notebook or a whole class: the functions of the public API, and of the command `autograde`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from autograder.assignment.settings import Assignment
from autograder.execution.kernels import SandboxChoice, Start, kernels
from autograder.execution.options import Options
from autograder.grading.verdict import Done, GradedSubmission, Verdict
from autograder.results.store import ResultStore
from autograder.scheduling import class_run

Report = Callable[[Done, int, int], None]


class _Publisher:
    """Writes gradebook, tables and pages of a class; imports nbgrader, which takes seconds, only when needed."""

    def prepare(self, store: ResultStore) -> None:
        from autograder.reporting import publish

        publish.prepare(store)

    def write(self, store: ResultStore, folders: Mapping[str, Path]) -> list[Verdict]:
        from autograder.reporting import publish

        return publish.write(store, folders)


def grade_class(
    assignment: Assignment,
    submitted: Path,
    out: Path,
    options: Options | None = None,
    *,
    jobs: int = 0,
    kernel: Start = "auto",
    sandbox: SandboxChoice = "any",
    scheduler: str = "",
    only: Collection[str] = (),
    on_start: Callable[[str], None] = lambda student: None,
    on_done: Report = lambda done, number, total: None,
    log: Callable[[str], None] = print,
) -> list[Verdict]:
    """Grade every submission that is new or changed, and write gradebook, tables and pages of the class.

    Args:
        assignment: the assignment to grade.
        submitted: the folder with one subfolder per student, as in nbgrader.
        out: the folder for the results, which may also contain those of other assignments.
        options: how submissions are run.
        jobs: how many submissions are graded at a time; 0 means one more than the number of cores.
        kernel: whether kernels are forked from a warm process or started one by one.
        sandbox: the sandbox in which submissions are run.
        scheduler: the address of a Dask scheduler whose workers grade; empty to grade on this machine.
        only: the students whose submissions are graded; empty for all.
        on_start: called with each student when grading of the submission starts.
        on_done: called with each result, its number and the total number.
        log: called with messages about the run as a whole.

    Returns:
        The verdicts, by student.

    Raises:
        AutograderError: a subclass, with a message for the grader.
    """
    return class_run.autograde(
        ResultStore(out, assignment),
        submitted,
        options or Options(),
        _Publisher(),
        jobs=jobs or class_run.default_jobs(),
        kernel=kernel,
        isolation=sandbox,
        scheduler=scheduler,
        only=only,
        on_start=on_start,
        on_done=on_done,
        log=log,
    )


def grade_notebook(
    assignment: Assignment,
    path: Path,
    options: Options | None = None,
    *,
    kernel: Start = "auto",
    sandbox: SandboxChoice = "any",
) -> GradedSubmission:
    """Grade one notebook without writing any files.

    Args:
        assignment: the assignment to grade.
        path: the notebook, or the script or archive that contains it.
        options: how the notebook is run.
        kernel: whether the kernel is forked from a warm process or started separately.
        sandbox: the sandbox of the notebook.

    Returns:
        The verdict with the evidence and the executed notebook. For an unreadable file, the verdict says so.

    Raises:
        AutograderError: no kernel can be started, or the assignment is not complete.
    """
    from autograder.grading.grade import grade_folder  # here, because the checks import pytest

    with kernels(kernel, sandbox, assignment.exercise.instruments) as source, TemporaryDirectory() as place:
        name = assignment.notebook_name if path.suffix == ".ipynb" else path.name
        shutil.copyfile(path, Path(place, name))
        return grade_folder(assignment, Path(place), path.stem, source, options or Options())
