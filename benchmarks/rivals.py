"""Grade the same submissions with nbgrader and with Otter, one after another, as both do.

Each function yields the seconds of one submission at a time, so that all graders can be measured alternately: the speed
of a machine changes from minute to minute.
"""

from __future__ import annotations

import io
import json
import logging
import os
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from nbgrader.apps.api import NbGraderAPI
from traitlets.config import Config

from autograder.assignment.release import course_configuration, helpers
from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.assignment.source import source_path
from autograder.errors import AutograderError
from autograder.reporting.database import open_gradebook
from benchmarks import ROOT

from .classes import hand_in
from .scale import whole_class

OTTER = ROOT / ".venv-bench" / "bin" / "otter"

CLASS = 100

CHECKS = {
    "details": "assert (n_tr, n_feat) == Xtr_scale.shape and n_ts == len(Xts_scale)",
    "callback": "assert issubclass(TrainToAccuracy, callbacks.Callback)",
    "lr": "assert [row['learning_rate'] for row in metrics_vs_lr] == LEARNING_RATES",
    "bs": "assert [row['batch_size'] for row in metrics_vs_bs] == BATCH_SIZES",
}
"""Tests for Otter, as few and as fast as possible, because the comparison is about running the notebook."""


def small_data(assignment: Assignment) -> dict[str, bytes]:
    """Return the files beside a notebook with real training: the scenario's small data and the helper module."""
    files = dict(helpers(assignment))
    for name, array in sample_scenario(assignment, 1, training="real").data().items():
        np.save(content := io.BytesIO(), array, allow_pickle=False)
        files[name] = content.getvalue()
    return files


def in_a_class(assignment: Assignment, times: int) -> Iterator[float]:
    """Yield the seconds per submission of this kit in a class of CLASS, on all cores, for the whole command."""
    for _ in range(times):
        yield whole_class(assignment, CLASS)["seconds"] / CLASS


def nbgrader_for_real(assignment: Assignment, times: int) -> Iterator[float]:
    """Yield the seconds per submission of `nbgrader autograde`: plain kernels, real training on small data."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        students = hand_in(assignment, root / "submitted", times, small_data(assignment))
        source = root / "source" / assignment.name
        source.mkdir(parents=True)
        shutil.copy(source_path(assignment), source)
        config = Config()
        config.CourseDirectory.root = config.Exchange.root = place
        config.ExecutePreprocessor.timeout = 3600
        config.NbGraderAPI.log_level = logging.ERROR
        with open_gradebook(f"sqlite:///{root / 'gradebook.db'}"):
            api = NbGraderAPI(config=config)
        _must(api.generate_assignment(assignment.name))
        for student in students:
            yield _seconds(api, assignment, student)


def nbgrader_with_bench(assignment: Assignment, times: int) -> Iterator[float]:
    """Yield the same with the kit's instruments in plain kernels, so that training is simulated and takes no time."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        students = hand_in(assignment, root / "submitted", times)
        settings = {"OUT": str(root / "graded"), "SUBMITTED": str(root / "submitted")}
        before = dict(os.environ)
        os.environ.update(settings)
        try:
            config = course_configuration(assignment.course)
        finally:
            os.environ.clear()
            os.environ.update(before)
        config.CourseDirectory.root = str(root)
        config.GradeSubmission.kernel = "plain"
        config.NbGraderAPI.log_level = logging.ERROR
        api = NbGraderAPI(config=config)
        for student in students:
            yield _seconds(api, assignment, student)


def _seconds(api: NbGraderAPI, assignment: Assignment, student: str) -> float:
    started = time.monotonic()
    _must(api.autograde(assignment.name, student))
    return time.monotonic() - started


def _must(result: dict[str, str]) -> None:
    if not result["success"]:
        raise AutograderError(f"nbgrader failed: {result.get('log', '')[:3000]}")


def otter_for_real(assignment: Assignment, times: int) -> Iterator[float]:
    """Yield the seconds of `otter run`, which grades one submission without its container, with real training."""
    if not OTTER.exists():
        raise AutograderError("Otter is not installed: `make bench` installs it into .venv-bench.")
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        files = small_data(assignment)
        students = hand_in(assignment, root / "submitted", times, files)
        package = _package(root, files)
        for student in students:
            yield _otter(root / "submitted" / student / assignment.name, assignment, package)


def _package(root: Path, files: dict[str, bytes]) -> Path:
    """Build Otter's autograder with the tests in CHECKS."""
    tests = root / "tests"
    tests.mkdir()
    for name, code in CHECKS.items():
        case = {"name": name, "points": 1, "suites": [{"type": "doctest", "cases": [{"code": f">>> {code}\n"}]}]}
        (tests / f"{name}.py").write_text(f"OK_FORMAT = True\n\ntest = {case!r}\n", encoding="utf-8")
    for name, content in files.items():
        (root / name).write_bytes(content)
    _call([str(OTTER), "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment", *files], root)
    with zipfile.ZipFile(root / "autograder.zip") as made:
        assert "otter_config.json" in made.namelist()
    return root / "autograder.zip"


def _otter(folder: Path, assignment: Assignment, package: Path) -> float:
    started = time.monotonic()
    _call([str(OTTER), "run", "-a", str(package), "-o", ".", "--no-logo", assignment.notebook_name], folder)
    seconds = time.monotonic() - started
    tests = json.loads((folder / "results.json").read_text(encoding="utf-8"))["tests"]
    scores = [test.get("score") for test in tests if test["name"] in CHECKS]
    if scores != [1.0] * len(CHECKS):
        raise AutograderError(f"Otter graded wrongly, so its time is meaningless: {tests}")
    return seconds


def _call(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AutograderError(f"`otter {command[1]}` failed: {done.stderr[-1000:]}")
