"""The preflight: before a class is graded, one kernel runs the solution, which must get full points.

Where it does not, no submission would be graded fairly: a library that the kit does not work with, a sandbox that
lets no kernel start, checks that fail. Grading stops then with the cause, before any result is written.
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

from autograder.assignment.settings import ROOT, Assignment
from autograder.assignment.source import source_path
from autograder.errors import KernelFailed
from autograder.execution.kernels import Kernels
from autograder.execution.self_test import run_self_test
from autograder.grading.verdict import Done, Verdict

from .task import Task

STUDENT = "solution"


@contextlib.contextmanager
def solution_task(task: Task) -> Iterator[Task | None]:
    """A task that grades the solution as `task` is graded, into a folder that goes afterwards; None without a source.

    Only a source that holds its solution can be tried: the release of a package has none.
    """
    path = source_path(task.assignment)
    if not path.is_file():
        yield None
        return
    with TemporaryDirectory(prefix="preflight-") as place:
        folder = Path(place, STUDENT)
        folder.mkdir()
        shutil.copy(path, folder)
        yield replace(task, student=STUDENT, folder=folder, out=Path(place, "graded"), basis="")


def require_full_points(assignment: Assignment, done: Done) -> None:
    """Raise KernelFailed with the cause where the solution did not get full points."""
    verdict = done.verdict
    if reason := find_reason(verdict):
        raise KernelFailed(
            f"Nothing was graded, because the solution of {assignment.name} does not get full points here: {reason} "
            f"Versions: {list_versions()}; docs/versions.md lists those that were tried."
        )


def list_versions() -> str:
    """The versions of Python and of the packages that decide most often whether the solution runs."""
    versions = [f"Python {platform.python_version()}"]
    for package in ("tensorflow-cpu", "tensorflow", "keras", "numpy", "matplotlib", "ipykernel", "ipython"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions.append(f"{package} {metadata.version(package)}")
    return ", ".join(versions)


def find_reason(verdict: Verdict) -> str:
    """Why a solution did not get full points; empty if it did."""
    lost = [item for item in verdict.items if item.points != item.max_points]
    if not lost:
        return ""
    findings = [finding.text for finding in verdict.findings if finding.kind in ("evidence", "kernel ended")]
    first = verdict.reason if verdict.state == "needs a person" and all(i.points is None for i in lost) else ""
    return " ".join(filter(None, [first or f"{lost[0].id}: {lost[0].message}", *findings[:1]]))


def try_kernels(assignment: Assignment, kernels: Kernels, root: Path = ROOT) -> None:
    """Where there is no solution, a small notebook of the kit's own takes its place."""
    if not source_path(assignment, root).is_file():
        run_self_test(assignment, kernels)
