"""Three ways of grading one submission, each with a setup that is done once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.common.cells import cells_by_id
from autograder.errors import AutograderError
from autograder.execution.kernels import Kernels, kernels
from autograder.execution.options import Options
from benchmarks import ROOT
from benchmarks.rivals import OTTER
from samples.filling import write_submission
from tests.fidelity.outcome import Case
from tests.fidelity.outcome import grade as grade_with_kit

from . import lab
from .results import Result

CELL_SECONDS = 900
"""Time limit of a cell in nbgrader (default 30), so long that a busy machine costs no points."""

RUN_SECONDS = 3600
"""Time limit of a whole submission in Otter, which has none for a cell."""

STUDENT = "student"


@dataclass(frozen=True)
class Kit:
    """This kit with its defaults: simulated training, in the sandbox."""

    assignment: Assignment
    kernels: Kernels

    def grade(self, case: Case) -> Result:
        started = time.monotonic()
        outcome = grade_with_kit(case, self.assignment, self.kernels, Options(seed=lab.SEED))
        seconds = time.monotonic() - started
        lost = {name: outcome.item(name).message for name in outcome.lost}
        return Result(seconds, lost, outcome.verdict.reason or "")


@dataclass(frozen=True)
class Nbgrader:
    """`nbgrader autograde` with hidden tests and real training."""

    assignment: Assignment
    course: Path

    def grade(self, case: Case) -> Result:
        with tempfile.TemporaryDirectory(prefix="compare-") as place:
            root = Path(place)
            shutil.copytree(self.course, root, dirs_exist_ok=True)
            name = self.assignment.name
            release = nbformat.read(root / "release" / name / self.assignment.notebook_name, as_version=4)
            folder = root / "submitted" / STUDENT / name
            write_submission(lab.fill_in(release, self.assignment, case.description), case.description, folder, name)
            api = nbgrader_api(root)
            started = time.monotonic()
            with warnings.catch_warnings(action="ignore"):  # SQLAlchemy warns about each submission
                answer = api.autograde(name, STUDENT)
            seconds = time.monotonic() - started
            if not answer["success"]:
                log = answer.get("log", "").replace(f"{root}/", "")
                return Result(seconds, all_lost(self.assignment, "not graded"), find_reason(log))
            return Result(seconds, self._lost(root))

    def _lost(self, root: Path) -> dict[str, str]:
        from nbgrader.api import Gradebook

        name = self.assignment.name
        with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
            submission = gradebook.find_submission_notebook(name, name, STUDENT)
            grades = {grade.name: grade.auto_score or 0.0 for grade in submission.grades}
        path = root / "autograded" / STUDENT / name / self.assignment.notebook_name
        cells = cells_by_id(nbformat.read(path, as_version=4)) if path.exists() else {}
        lost = {}
        for item in self.assignment.judged_items:
            test = f"{item.id}-tests"
            if grades.get(test, 0.0) < item.points:
                lost[item.id] = error_of(cells[test]) if test in cells else "its test cell is not in the notebook"
        return lost


@dataclass(frozen=True)
class Otter:
    """`otter run` with hidden tests and real training, without a container."""

    assignment: Assignment
    package: Path
    release: NotebookNode

    def grade(self, case: Case) -> Result:
        with tempfile.TemporaryDirectory(prefix="compare-") as place:
            folder = Path(place)
            notebook = lab.fill_in(self.release, self.assignment, case.description)
            path = write_submission(notebook, case.description, folder, self.assignment.name)
            started = time.monotonic()
            problem = run_otter(self.package, path)
            seconds = time.monotonic() - started
            if problem or not (folder / "results.json").exists():
                return Result(seconds, all_lost(self.assignment, "not graded"), problem or "there are no results")
            tests = json.loads((folder / "results.json").read_text(encoding="utf-8"))["tests"]
        found = {test["name"]: test for test in tests}
        lost = {}
        for item in self.assignment.judged_items:
            test = found.get(item.id, {})
            if (test.get("score") or 0.0) < item.points:
                lost[item.id] = last_line(test.get("output", "not graded"))
        return Result(seconds, lost)


def run_otter(package: Path, path: Path) -> str:
    """Grade one file with Otter, which writes results.json beside it; return what went wrong, "" if nothing did."""
    command = [str(OTTER), "run", "-a", str(package), "-o", ".", "--no-logo", path.name]
    with subprocess.Popen(
        command,
        cwd=path.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as started:
        try:
            _, errors = started.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            return f"It ran longer than {RUN_SECONDS} s."
    return last_line(errors) if started.returncode else ""


def nbgrader_api(root: Path):
    """Return nbgrader's API for a separate course."""
    from nbgrader.apps.api import NbGraderAPI
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = config.Exchange.root = str(root)
    config.Execute.timeout = CELL_SECONDS
    config.Execute.iopub_timeout = config.Execute.startup_timeout = 120  # seconds, because the machine may be busy
    config.NbGraderAPI.log_level = logging.ERROR
    return NbGraderAPI(config=config)


def all_lost(assignment: Assignment, reason: str) -> dict[str, str]:
    return {item.id: reason for item in assignment.judged_items}


def error_of(cell: NotebookNode) -> str:
    """Return the error with which a cell ended, or what it wrote to stderr, for which nbgrader gives no points."""
    outputs = cell.get("outputs", [])
    if errors := [output for output in outputs if output.output_type == "error"]:
        return f"{errors[-1].ename}: {errors[-1].evalue}"
    written = "".join(output.text for output in outputs if output.get("name") == "stderr")
    return f"written to stderr: {last_line(written)}" if written else "no points and no error"


def find_reason(log: str) -> str:
    """Return the last exception in a log of nbgrader, whose last line only refers to it, or else the first error."""
    raised = re.findall(r"^ *((?:\w+\.)*\w*(?:Error|Exception|Timeout|Missing)\w*\b.*)$", log, re.MULTILINE)
    errors = re.findall(r"^\[ERROR\] (.*)$", log, re.MULTILINE)
    return raised[-1] if raised else errors[0] if errors else last_line(log)


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def kit_version(assignment: Assignment) -> str:
    files = sorted(path for path in (ROOT / "autograder").rglob("*.py") if "__pycache__" not in path.parts)
    release = assignment.release_folder / assignment.notebook_name
    return digest(path.read_bytes() for path in [*files, release])


def nbgrader_version(assignment: Assignment) -> str:
    source = nbformat.writes(lab.nbgrader_source(assignment)).encode()
    return digest([source, *lab.course_files(assignment).values()])


def otter_version(assignment: Assignment) -> str:
    tests = [lab.otter_test(item).encode() for item in assignment.judged_items]
    release = nbformat.writes(lab.otter_release(assignment)).encode()
    return digest([release, *tests, *lab.course_files(assignment).values()])


@contextlib.contextmanager
def kit(assignment: Assignment, work: Path) -> Iterator[Kit]:
    with kernels() as source:
        yield Kit(assignment, source)


@contextlib.contextmanager
def nbgrader(assignment: Assignment, work: Path) -> Iterator[Nbgrader]:
    from autograder.reporting.database import open_gradebook

    course = work / "course"
    shutil.rmtree(course, ignore_errors=True)
    source = course / "source" / assignment.name
    lab.write_files(lab.course_files(assignment), source)
    lab.write_notebook(lab.nbgrader_source(assignment), source / assignment.notebook_name)
    with open_gradebook(f"sqlite:///{course / 'gradebook.db'}"):
        answer = nbgrader_api(course).generate_assignment(assignment.name)
    if not answer["success"]:
        raise AutograderError(f"nbgrader cannot generate the assignment: {answer.get('log', '')[-1500:]}")
    yield Nbgrader(assignment, course)


@contextlib.contextmanager
def otter(assignment: Assignment, work: Path) -> Iterator[Otter]:
    folder = work / "course"
    shutil.rmtree(folder, ignore_errors=True)
    yield Otter(assignment, lab.otter_package(assignment, folder), lab.otter_release(assignment))


def digest(contents: Iterable[bytes]) -> str:
    made = hashlib.sha256()
    for content in contents:
        made.update(hashlib.sha256(content).digest())
    return made.hexdigest()[:16]


PREPARE = {"kit": kit, "nbgrader": nbgrader, "otter": otter}
"""The function that sets up each grader, in the order in which they run."""

VERSIONS = {"kit": kit_version, "nbgrader": nbgrader_version, "otter": otter_version}
"""The function that returns the version of each grader, without setting it up."""
