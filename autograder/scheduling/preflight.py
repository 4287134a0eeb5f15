"""The preflight: before a class is graded, the solution is graded, which must get full points.

If it does not, no submission would be graded fairly: perhaps a library is incompatible, no kernel can start in the
sandbox, or checks fail. Grading then stops with the cause, before any result is written.
"""

from __future__ import annotations

import contextlib
import platform
import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from autograder.assignment.source import source_path
from autograder.common.cells import grade_id
from autograder.common.encoders import one_line
from autograder.errors import KernelFailed
from autograder.execution.self_test import run_self_test
from autograder.grading.verdict import ENDS, Done, ItemVerdict, Verdict
from autograder.results.store import ResultStore

from .executor import Executor, Failed
from .task import Task

STUDENT = "solution"

ADVICE = (
    "Install versions that requirements.in allows (`make setup` installs those of requirements.lock), and run the same "
    "command again; docs/versions.md lists the tested versions."
)

FAILURES = {
    "died": "the grading process died twice while it graded the solution",
    "crashed": "the grading process crashed twice while it graded the solution",
    "memory": "grading the solution took too much memory",
    "overdue": "grading the solution took too long",
}


def run_preflight(task: Task, executor: Executor[Task, Done]) -> None:
    """Have a worker grade the solution of the task's assignment like a submission.

    If there is no solution, as in the package for Gradescope, a small test notebook is run instead.

    Raises:
        KernelFailed: the solution does not get full points; the message says why and what to do.
    """
    with _solution_task(task) as solution:
        if solution is None:
            if task.kernels is not None:
                run_self_test(task.assignment, task.kernels)
            return
        for _, outcome in executor.run([solution]):
            if isinstance(outcome, Failed):
                raise KernelFailed(f"Nothing was graded, because {FAILURES[outcome.reason]}.")
            _require_full_points(solution, outcome.verdict)


@contextlib.contextmanager
def _solution_task(task: Task) -> Iterator[Task | None]:
    """Yield a task that grades the solution like `task`, into a temporary folder; None if there is no source."""
    path = source_path(task.assignment)
    if not path.is_file():
        yield None
        return
    with TemporaryDirectory(prefix="preflight-") as place:
        folder = Path(place, STUDENT)
        folder.mkdir()
        shutil.copy(path, folder)
        store = ResultStore(Path(place, "graded"), task.assignment)
        yield replace(task, store=store, student=STUDENT, folder=folder, basis="")


def _require_full_points(solution: Task, verdict: Verdict) -> None:
    lost = [item for item in verdict.items if item.points != item.max_points]
    if lost:
        reason = _describe_stopped_cell(solution) or _describe_loss(verdict, lost)
        raise KernelFailed(
            f"Nothing was graded, because the solution of {solution.assignment.name} does not get full points here: "
            f"{reason} Versions: {list_versions()}. {ADVICE}"
        )


def _describe_stopped_cell(solution: Task) -> str:
    """Describe the first cell in which the solution stopped, with its error; empty if it ran completely."""
    record = solution.store.read_record(STUDENT)
    notebook = solution.store.read_executed(STUDENT)
    for cell in record.first.cells if record is not None else ():
        if cell.status == "ran" or cell.index is None:
            continue
        name = grade_id(notebook.cells[cell.index]) if notebook is not None else ""
        place = f"cell {name!r}" if name else f"cell {cell.index + 1}"
        if cell.status != "error":
            return f"{place} {ENDS['time limit' if cell.status == 'timeout' else 'not run']}."
        message = one_line(cell.fault or cell.message, 200).rstrip(".")
        error = ": ".join(filter(None, [cell.error, message]))
        return f"{place} stops with {error}{f' on {cell.line}' if cell.line else ''}."
    return ""


def list_versions() -> str:
    """List the versions of Python and of the packages that most often decide whether the solution runs."""
    versions = [f"Python {platform.python_version()}"]
    for package in ("tensorflow-cpu", "tensorflow", "keras", "numpy", "matplotlib", "ipykernel", "ipython"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions.append(f"{package} {metadata.version(package)}")
    return ", ".join(versions)


def _describe_loss(verdict: Verdict, lost: list[ItemVerdict]) -> str:
    """Describe why a solution that ran completely lost points."""
    findings = [finding.text for finding in verdict.findings if finding.kind in ("evidence", "kernel ended")]
    first = verdict.reason if verdict.state == "needs review" and all(i.points is None for i in lost) else ""
    return " ".join(filter(None, [first or f"{lost[0].id}: {lost[0].message}", *findings[:1]]))
