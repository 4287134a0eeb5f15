"""Whole classes: the time for each size and a second run, the memory of processes, and a cluster."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import psutil

from autograder.assignment.settings import Assignment
from autograder.commands.grade import grade_class
from autograder.errors import AutograderError
from autograder.grading.verdict import Done
from benchmarks import ROOT

from .classes import hand_in
from .dask_processes import start_scheduler, start_worker

POLL_SECONDS = 0.02
"""Seconds between two readings of the memory."""


def whole_class(assignment: Assignment, size: int) -> dict[str, float]:
    """Measure the seconds of `autograde` on a class of complete submissions, and of the same command again."""
    with tempfile.TemporaryDirectory() as place:
        hand_in(assignment, Path(place, "submitted"), size)
        first = _command(assignment, place)
        points = Path(place, "graded", assignment.name, "grades.csv").read_text(encoding="utf-8").splitlines()[1:]
        most = f",{sum(item.points for item in assignment.judged_items):g},"
        if len(points) != size or not all(most in line for line in points):
            raise AutograderError("A complete submission did not get full points, so the time is meaningless.")
        return {"size": size, "seconds": first, "again": median(_command(assignment, place) for _ in range(3))}


def _command(assignment: Assignment, place: str) -> float:
    command = [sys.executable, "-m", "autograder", "autograde", "--assignment", assignment.name]
    command += ["--submitted", f"{place}/submitted", "--out", f"{place}/graded"]
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AutograderError(f"autograde failed: {done.stdout[-500:]}")
    return time.monotonic() - started


def memory(assignment: Assignment, size: int) -> dict[str, float]:
    """Measure the peak private memory, in bytes, of kernels and of grading processes; medians over a class."""
    most: dict[int, tuple[str, int]] = {}
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(most, ended))
    watch.start()
    try:
        whole_class(assignment, size)
    finally:
        ended.set()
        watch.join()
    found: dict[str, list[int]] = {"kernel": [], "worker": []}
    for kind, own in most.values():
        found[kind].append(own)
    if not found["kernel"]:
        raise AutograderError("The kernels' memory could not be read: run this as root.")
    return {kind: median(values) for kind, values in found.items()} | {"kernels": len(found["kernel"])}


def _watch(most: dict[int, tuple[str, int]], ended: threading.Event) -> None:
    """Record the peak private memory of every kernel and worker."""
    while not ended.wait(POLL_SECONDS):
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error, OSError):
                if (kind := _kind(process)) and (own := process.memory_full_info().uss) > most.get(
                    process.pid, ("", 0)
                )[1]:
                    most[process.pid] = (kind, own)


def _kind(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    if (
        "runtime.fork_server" in line
        and "runtime.fork_server" in " ".join(process.parent().cmdline())
        and process.num_threads() > 1
    ):
        return "kernel"
    return "worker" if "multiprocessing.spawn" in line else ""


def cluster(assignment: Assignment, size: int, times: int) -> dict[str, list[float]]:
    """Measure the seconds per submission on one Dask worker with one core, and on two with one each, alternately."""
    found: dict[str, list[float]] = {"one": [], "two": []}
    with tempfile.TemporaryDirectory() as place, start_scheduler() as address:
        hand_in(assignment, Path(place, "submitted"), size)
        usable = sorted(os.sched_getaffinity(0))
        for number in range(2 * times):
            name, cores = ("one", usable[:1]) if number % 2 == 0 else ("two", [usable[0], usable[1 % len(usable)]])
            with contextlib.ExitStack() as stack:
                for worker, core in enumerate(cores):
                    stack.enter_context(start_worker(address, Path(place, f"{number}-{worker}"), core))
                _rate(assignment, place, address, f"{number}-first", len(cores) * 2)  # starts the kernels
                found[name].append(_rate(assignment, place, address, f"{number}", size))
    return found


def _rate(assignment: Assignment, place: str, address: str, out: str, size: int) -> float:
    """Return the seconds per submission between the first result and the last."""
    done: list[float] = []

    def hear(_: Done, number: int, total: int) -> None:
        done.append(time.monotonic())

    with tempfile.TemporaryDirectory() as part:
        for folder in sorted(Path(place, "submitted").iterdir())[:size]:
            shutil.copytree(folder, Path(part, folder.name))
        how = {"jobs": 1, "sandbox": "auto", "scheduler": address}
        grade_class(assignment, Path(part), Path(place, out), on_done=hear, **how)
    return (done[-1] - done[0]) / (len(done) - 1)
