"""Grading on a Dask cluster of real processes on loopback: the same results, also when workers are lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import cluster
from autograder.assignment import ROOT, Assignment
from autograder.autograde import autograde
from autograder.errors import AutograderError
from autograder.options import Options
from autograder.verdict import Done
from samples.build import build

NAME = "tta-eta"
STUDENTS = ("basil", "hazel", "olive")


@pytest.fixture
def submitted(tmp_path: Path) -> Path:
    """A few samples."""
    build(tmp_path / "all")
    for student in STUDENTS:
        shutil.copytree(tmp_path / "all" / student, tmp_path / "submitted" / student)
    return tmp_path / "submitted"


@contextlib.contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of Dask, with all that it starts."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    started = subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments], env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


@pytest.fixture
def scheduler() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with process("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show"):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.2)
        yield f"tcp://127.0.0.1:{port}"


def worker(scheduler: str, folder: Path) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    place = ("--local-directory", str(folder), "--host", "127.0.0.1", "--no-dashboard")
    return process("worker", scheduler, "--nworkers", "1", "--nthreads", "1", *place)


def graded(submitted: Path, out: Path, scheduler: str = "", tell: object = None) -> dict[str, bytes]:
    """The results of each student, without the time that they took."""

    def hear(done: Done, number: int, total: int) -> None:
        if callable(tell):
            tell(done)

    autograde(
        Assignment.load(NAME), submitted, out, Options(seed=5), jobs=1, kernel="auto", walls="auto",
        scheduler=scheduler, tell=hear,
    )  # fmt: skip
    found = {student: (out / NAME / student / "results.json").read_bytes() for student in STUDENTS}
    found["grades"] = (out / NAME / "grades.csv").read_bytes()
    return {
        name: b"\n".join(line for line in text.splitlines() if b"execution_time" not in line)
        for name, text in found.items()
    }


@pytest.mark.slow
def test_results_are_those_of_a_local_run(submitted: Path, scheduler: str, tmp_path: Path) -> None:
    with worker(scheduler, tmp_path / "one"), worker(scheduler, tmp_path / "two"):
        assert graded(submitted, tmp_path / "far", scheduler) == graded(submitted, tmp_path / "near")


def test_a_worker_that_is_killed_loses_nothing(submitted: Path, scheduler: str, tmp_path: Path) -> None:
    """The only worker is killed while it grades; another one comes and does all the work."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(worker(scheduler, tmp_path / "one"))

        def kill_and_replace() -> None:
            time.sleep(12)
            os.killpg(first.pid, signal.SIGKILL)
            stack.enter_context(worker(scheduler, tmp_path / "two"))

        killer = threading.Thread(target=kill_and_replace)
        killer.start()
        heard: list[Done] = []
        graded(submitted, tmp_path / "out", scheduler, heard.append)
        killer.join()
        assert sorted(done.student for done in heard) == sorted(STUDENTS)
        assert all("process" not in done.verdict.reason for done in heard)


def test_without_a_scheduler_it_says_what_to_do(submitted: Path, tmp_path: Path) -> None:
    with pytest.raises(AutograderError, match=r"no Dask scheduler at tcp://127.0.0.1:9 .*make scheduler"):
        graded(submitted, tmp_path / "out", "tcp://127.0.0.1:9")


def test_without_workers_it_ends_and_keeps_what_is_graded(
    submitted: Path, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 2.0)
    with pytest.raises(AutograderError, match=r"has no worker.*make worker"):
        graded(submitted, tmp_path / "out", scheduler)
