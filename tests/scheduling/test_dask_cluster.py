"""Grading on a Dask cluster of real processes on loopback: the same results, also when workers are lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.assignment.settings import Assignment
from autograder.commands.grade import grade_class
from autograder.errors import AutograderError
from autograder.execution.options import Options
from autograder.grading.verdict import Done, Verdict
from autograder.scheduling import dask_cluster
from benchmarks.dask_processes import start_dask, start_scheduler, start_worker
from samples.build import build
from tests.places import ROOT

NAME = "tta-eta"
STUDENTS = ("basil", "hazel", "olive")


@pytest.fixture
def submitted(tmp_path: Path) -> Path:
    """A few samples."""
    build(tmp_path / "all")
    for student in STUDENTS:
        shutil.copytree(tmp_path / "all" / student, tmp_path / "submitted" / student)
    return tmp_path / "submitted"


def on(host: str) -> list[str]:
    """The beginning of a command that runs on that host."""
    return ["ip", "netns", "exec", host] if host else []


@pytest.fixture
def scheduler() -> Iterator[str]:
    with start_scheduler() as address:
        yield address


def graded(submitted: Path, out: Path, scheduler: str = "", tell: object = None) -> dict[str, bytes]:
    """The results of each student, without the time that they took."""

    def hear(done: Done, number: int, total: int) -> None:
        if callable(tell):
            tell(done)

    how = {"jobs": 1, "sandbox": "auto", "scheduler": scheduler}
    grade_class(Assignment.load(NAME), submitted, out, Options(seed=5), on_done=hear, **how)
    found = {student: (out / NAME / "students" / student / "results.json").read_bytes() for student in STUDENTS}
    found["grades"] = (out / NAME / "grades.csv").read_bytes()
    return {
        name: b"\n".join(line for line in text.splitlines() if b"execution_time" not in line)
        for name, text in found.items()
    }


@pytest.mark.slow
def test_results_are_those_of_a_local_run(submitted: Path, scheduler: str, tmp_path: Path) -> None:
    with start_worker(scheduler, tmp_path / "one"), start_worker(scheduler, tmp_path / "two"):
        assert graded(submitted, tmp_path / "far", scheduler) == graded(submitted, tmp_path / "near")


def test_a_worker_that_is_killed_loses_nothing(submitted: Path, scheduler: str, tmp_path: Path) -> None:
    """The only worker is killed while it grades; another one comes and does all the work."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(start_worker(scheduler, tmp_path / "one"))

        def kill_and_replace() -> None:
            time.sleep(12)
            os.killpg(first.pid, signal.SIGKILL)
            stack.enter_context(start_worker(scheduler, tmp_path / "two"))

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
    monkeypatch.setattr(dask_cluster, "MAX_SECONDS_WITHOUT_WORKER", 2.0)
    with pytest.raises(AutograderError, match=r"has no workers.*make worker"):
        graded(submitted, tmp_path / "out", scheduler)


HUB = "lab-hub"
HOSTS = ("lab-one", "lab-two")


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def hosts() -> Iterator[None]:
    """A host for the scheduler and two for workers, each a network namespace with a wire to the first."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("Network namespaces need root and the program ip.")
    try:
        for host in (HUB, *HOSTS):
            ip("netns", "add", host)
            ip("-n", host, "link", "set", "lo", "up")
        for number, host in enumerate(HOSTS, 1):
            ip("-n", HUB, "link", "add", f"to-{number}", "type", "veth", "peer", "name", "wire", "netns", host)
            for end, device, address in ((HUB, f"to-{number}", 1), (host, "wire", 2)):
                ip("-n", end, "addr", "add", f"10.87.{number}.{address}/24", "dev", device)
                ip("-n", end, "link", "set", device, "up")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"Network namespaces cannot be made here: {error.stderr.decode().strip()}")
    else:
        yield
    finally:
        for host in (HUB, *HOSTS):
            subprocess.run(["ip", "netns", "del", host], check=False, capture_output=True)


@contextlib.contextmanager
def workers_on_hosts(folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A scheduler on the hub, for which a worker that is silent for 20 s is gone, and a worker on each other host."""
    with contextlib.ExitStack() as stack:
        listen = ("--host", "0.0.0.0", "--port", "8786", "--no-dashboard", "--no-show")
        ttl = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "20s"}
        stack.enter_context(start_dask("scheduler", *listen, prefix=on(HUB), **ttl))
        started = []
        for number, host in enumerate(HOSTS, 1):
            place = ("--local-directory", str(folder / host), "--host", f"10.87.{number}.2", "--no-dashboard")
            command = ("worker", f"tcp://10.87.{number}.1:8786", "--nworkers", "1", "--nthreads", "1", *place)
            started.append(stack.enter_context(start_dask(*command, prefix=on(host))))
        yield started


@pytest.mark.slow
@pytest.mark.parametrize("how", ["is cut off", "hangs"])
def test_a_worker_on_another_host_that_fails_loses_nothing(
    hosts: None, submitted: Path, tmp_path: Path, how: str
) -> None:
    command = [sys.executable, "-m", "autograder", "autograde", "--submitted", str(submitted)]
    command += ["--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:8786"]
    with workers_on_hosts(tmp_path) as (first, _):
        run = subprocess.Popen([*on(HUB), *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert run.stdout is not None
        heard = run.stdout.readline()
        while not heard.startswith("1/3"):
            assert heard, "it ended before it began"
            heard = run.stdout.readline()
        if how == "is cut off":
            ip("-n", HUB, "link", "set", "to-1", "down")
        else:
            os.killpg(first.pid, signal.SIGSTOP)
        rest, _ = run.communicate(timeout=600)
        if how == "hangs":
            os.killpg(first.pid, signal.SIGCONT)
    assert run.returncode == 0, rest
    verdicts = [read(tmp_path / "out", student) for student in STUDENTS]
    assert all("process" not in verdict.reason for verdict in verdicts)


def read(out: Path, student: str) -> Verdict:
    return Verdict.model_validate_json((out / NAME / "students" / student / "verdict.json").read_bytes())
