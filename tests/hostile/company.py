"""`python -m tests.hostile.company`: honest submissions keep their points when hostile ones are graded among them.

Honest submissions are graded alone, then, with the same scenarios, in a class in which the others hold every attack of
the table that needs no lowered limits, several to a notebook, or a broken file. Ends with status 1 unless each honest
submission has the same points in every item, no process of the grader's ever held more than MAX_MEGABYTES, the bait is
untouched, and no process and no temporary file is left.
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
"""Of so many hostile submissions, one is a broken file."""

SANDBOXED = ("runtime.fork_server", "bwrap", "podman", "conmon")
"""In the commands of processes in which, or with which, submissions run: they have limits of their own."""

BECOME_SUBREAPER = 36
"""For `prctl`: orphans become children of this process, and so are seen; see prctl(2)."""


@dataclass
class Watch:
    """Looks at the grader's processes: the most megabytes that one held, by its command."""

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
    """The most megabytes that a process has held until now."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


def main(
    honest: Annotated[int, typer.Option(min=1, help="honest submissions")] = 20,
    company: Annotated[int, typer.Option(min=1, help="hostile submissions")] = 40,
    jobs: Annotated[int, typer.Option(min=1, help="submissions at a time")] = 2,
    engine: Annotated[Literal["bwrap", "podman"], typer.Option("--sandbox", help="what protects")] = "bwrap",
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
        faults += [] if laid.is_untouched() else ["the bait is touched"]
        faults += [f"{path.name} is left in the temporary folder" for path in temporary.iterdir()]
        faults += [f"a process is left: {command}" for command in _list_children() if command not in before]
    faults += [
        f"{megabytes:.0f} MB: {command[:200]}"
        for command, megabytes in watch.peaks.items()
        if megabytes > MAX_MEGABYTES
    ]
    print(*faults, sep="\n")
    print(
        f"{len(names)} honest submissions among {company} hostile ones: {len(faults)} things went otherwise than they "
        f"must; the largest process of the grader held {max(watch.peaks.values()):.0f} MB"
    )
    sys.exit(1 if faults else 0)


@contextlib.contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Have this process and all that it starts make their temporary files there."""
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
    """The commands of processes that are left, but for multiprocessing's own helper, which ends with this one."""
    commands = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            command = " ".join(process.cmdline())
            if "resource_tracker" not in command and process.status() != psutil.STATUS_ZOMBIE:
                commands.append(command[:200])
    return commands


def _lay_honest(folder: Path, count: int) -> list[str]:
    """Lay out so many honest submissions: the sample class, and the corpus of right work after it."""
    build(folder)
    names = students()[:count]
    for student in students()[count:]:
        shutil.rmtree(folder / student)
    for name in variant_names()[: count - len(names)]:
        _write(folder / f"variant-{name}", notebook(variant(name)))
        names.append(f"variant-{name}")
    return names


def _lay_hostile(folder: Path, count: int, laid: bait.Bait) -> None:
    """Lay out so many hostile submissions, whose names come between those of the others."""
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
    """Grade a class; the row of grades.csv of each student."""
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
