"""`python -m tests.hostile.company`: test that hostile submissions in a class do not affect the points of honest ones.

Honest submissions are graded alone and then, with the same scenarios, in a class whose other submissions contain a
broken file or several attacks of the table each: all those that need no lowered limits. The exit status is 1 unless
each honest submission has the same points in every item, no process of the grader used more than MAX_MEGABYTES, the
bait is untouched, and no process or temporary file is left.
"""

from __future__ import annotations

import contextlib
import csv
import ctypes
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import nbformat
import psutil
import typer

from autograder.assignment.settings import Assignment
from autograder.commands.grade import grade_class
from autograder.execution.options import Options
from autograder.execution.sandbox import Engine
from autograder.grading.verdict import Done
from samples.build import build, students
from tests.fidelity.build import notebook, variant, variant_names

from . import bait
from .row import FileRow, Row
from .table import rows
from .trial import with_attack

NAME = "tta-eta"
MAX_MEGABYTES = 700
BROKEN_FILES = 4
"""One in this many hostile submissions is a broken file."""

SANDBOXED = ("runtime.fork_server", "bwrap", "podman", "conmon")
"""Names in the commands of processes that run submissions, which have their own limits."""

BECOME_SUBREAPER = 36
"""Option of `prctl`: orphans become children of this process and are therefore found; see prctl(2)."""


@dataclass
class Watch:
    """Observes the grader's processes: the peak memory in megabytes, by command."""

    peaks: dict[str, float] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        ctypes.CDLL(None).prctl(BECOME_SUBREAPER, 1, 0, 0, 0)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        main = psutil.Process()
        while not self._ended.wait(0.2):
            for process in (main, *main.children(recursive=True)):
                with contextlib.suppress(psutil.Error, OSError, StopIteration):
                    command = " ".join(process.cmdline())
                    if command and not any(word in command for word in SANDBOXED):
                        self.peaks[command] = max(self.peaks.get(command, 0.0), _read_peak(process.pid))


def _read_peak(pid: int) -> float:
    """Return the peak memory of a process until now, in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


def main(
    honest: Annotated[int, typer.Option(min=1, help="honest submissions")] = 20,
    company: Annotated[int, typer.Option(min=1, help="hostile submissions")] = 40,
    jobs: Annotated[int, typer.Option(min=1, help="submissions at a time")] = 2,
    engine: Annotated[Literal["bwrap", "podman"], typer.Option("--sandbox", help="the sandbox")] = "bwrap",
) -> None:
    """Grade honest submissions alone and among hostile ones, and compare the points."""
    with tempfile.TemporaryDirectory(prefix="company-") as place, bait.laid() as laid, Watch() as watch:
        temporary, before = Path(place, "t"), _list_children()
        with _temporary_files_in(temporary):
            names = _lay_honest(Path(place, "alone", "submitted"), honest)
            alone = _grade(Path(place, "alone"), jobs, engine)
            _lay_honest(Path(place, "among", "submitted"), honest)
            _lay_hostile(Path(place, "among", "submitted"), company, laid)
            among = _grade(Path(place, "among"), jobs, engine)
        faults = [
            f"{name}: {alone[name]} alone, {among[name]} in company" for name in names if among[name] != alone[name]
        ]
        faults += [] if laid.is_untouched() else ["the bait was changed"]
        faults += [f"{path.name} is left in the temporary folder" for path in temporary.iterdir()]
        faults += [f"a process is left: {command}" for command in _list_children() if command not in before]
    faults += [
        f"{megabytes:.0f} MB: {command[:200]}"
        for command, megabytes in watch.peaks.items()
        if megabytes > MAX_MEGABYTES
    ]
    print(*faults, sep="\n")
    print(
        f"{len(names)} honest submissions among {company} hostile ones: {len(faults)} faults; the largest process of "
        f"the grader used {max(watch.peaks.values()):.0f} MB"
    )
    sys.exit(1 if faults else 0)


@contextlib.contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Make this process, and all processes that it starts, create their temporary files there."""
    folder.mkdir()
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"], tempfile.tempdir = str(folder), None
    try:
        yield
    finally:
        tempfile.tempdir = None
        del os.environ["TMPDIR"]
        if before is not None:
            os.environ["TMPDIR"] = before


def _list_children() -> list[str]:
    """Return the commands of remaining processes, except multiprocessing's own helper, which ends with this process."""
    commands = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            command = " ".join(process.cmdline())
            if "resource_tracker" not in command and process.status() != psutil.STATUS_ZOMBIE:
                commands.append(command[:200])
    return commands


def _lay_honest(folder: Path, count: int) -> list[str]:
    """Write `count` honest submissions: the sample class, then the corpus of correct variants."""
    build(folder)
    names = students()[:count]
    for student in students()[count:]:
        shutil.rmtree(folder / student)
    for name in variant_names()[: count - len(names)]:
        _write(folder / f"variant-{name}", notebook(variant(name)))
        names.append(f"variant-{name}")
    return names


def _lay_hostile(folder: Path, count: int, laid: bait.Bait) -> None:
    """Write `count` hostile submissions, whose names sort between those of the others."""
    attacks = [row for row in rows().values() if isinstance(row, Row) and not row.limits and not row.task]
    files = [row for row in rows().values() if isinstance(row, FileRow)]
    broken = count // BROKEN_FILES
    names = iter(f"{'abcdefghijklmnopqrstuvwxyz'[number % 26]}-hostile-{number}" for number in range(count))
    for row in files[:: max(1, len(files) // max(1, broken))][:broken]:
        place = folder / next(names) / NAME
        place.mkdir(parents=True)
        row.make(place, nbformat.writes(with_attack()))
    for number in range(count - broken):
        code = [laid.into(row.cell) for row in attacks[number :: count - broken]]
        _write(folder / next(names), with_attack(*code))


def _write(folder: Path, document: nbformat.NotebookNode) -> None:
    (folder / NAME).mkdir(parents=True)
    nbformat.write(document, folder / NAME / f"{NAME}.ipynb")


def _print_done(done: Done, number: int, total: int) -> None:
    print(f"{number}/{total} {done.student}: {done.verdict.points:g}, {done.verdict.state}", flush=True)


def _grade(folder: Path, jobs: int, engine: Engine) -> dict[str, list[str]]:
    """Grade a class; return the row of grades.csv of each student."""
    grade_class(
        Assignment.load(NAME),
        folder / "submitted",
        folder / "graded",
        Options(seed=3),
        jobs=jobs,
        sandbox=engine,
        on_done=_print_done,
    )
    with (folder / "graded" / NAME / "grades.csv").open(encoding="utf-8", newline="") as table:
        return {row[0]: row[1:] for row in csv.reader(table)}


if __name__ == "__main__":
    typer.run(main)
