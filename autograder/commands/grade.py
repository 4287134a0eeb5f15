"""Grade one notebook or a whole class: the command `autograde`, and the functions behind the package's public API."""

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
    """Writes what people read of a class. It imports nbgrader, which takes seconds, only when there is something to
    write."""

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
        assignment: whose checks decide.
        submitted: the folder with a folder for each student, as nbgrader has it.
        out: the folder for the results, which may hold those of other assignments too.
        options: how submissions are run.
        jobs: how many are graded at a time; 0 is one more than there are cores.
        kernel: whether kernels are forked from a warm process or started one by one.
        sandbox: what isolates the submissions.
        scheduler: the address of a Dask scheduler whose workers grade; empty to grade on this machine.
        only: the students whose submissions are graded; empty for all.
        on_start: called with each student whose submission is begun.
        on_done: called with each that is done, its number and the number of all.
        log: called with sentences about the run as a whole.

    Returns:
        The verdicts, by student.

    Raises:
        AutograderError: one of its kinds, with a sentence for the grader.
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
    """Grade one notebook; nothing is written.

    Args:
        assignment: whose checks decide.
        path: the notebook, or the script or archive that holds it.
        options: how it is run.
        kernel: whether the kernel is forked from a warm process or started by itself.
        sandbox: what isolates it.

    Returns:
        The verdict with the evidence and the executed notebook; what cannot be read gets a verdict that says so.

    Raises:
        AutograderError: no kernel can be started, or the assignment is not complete.
    """
    from autograder.grading.grade import grade_folder  # here: the checks take pytest along

    with kernels(kernel, sandbox, assignment.exercise.instruments) as source, TemporaryDirectory() as place:
        name = assignment.notebook_name if path.suffix == ".ipynb" else path.name
        shutil.copyfile(path, Path(place, name))
        return grade_folder(assignment, Path(place), path.stem, source, options or Options())
