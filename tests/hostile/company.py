"""`python -m tests.hostile.company`: the sample class keeps its points when hostile submissions are graded among it.

The sample class is graded alone, then, with the same challenges, among submissions that each hold one attack of the
table. Ends with status 1 unless every student of the sample class has the same points in every item, and the class
among hostile company took no longer than its own time and that of its company.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import nbformat
import typer

from autograder.assignment.settings import Assignment
from autograder.commands.grade import grade_class
from autograder.execution.options import Options
from autograder.execution.sandbox import Engine
from autograder.grading.verdict import Done
from samples.build import build, students

from . import bait
from .row import Row
from .table import rows
from .trial import with_attack

NAME = "tta-eta"


def main(
    company: Annotated[int, typer.Option(min=1, help="hostile submissions")] = 40,
    jobs: Annotated[int, typer.Option(min=1, help="submissions at a time")] = 2,
    engine: Annotated[Literal["bwrap", "podman"], typer.Option("--sandbox", help="what protects")] = "bwrap",
) -> None:
    """Grade the sample class alone and among hostile submissions, and compare the points."""
    with tempfile.TemporaryDirectory(prefix="company-") as place, bait.laid() as laid:
        alone = _graded(Path(place, "alone"), {}, jobs, engine)
        attacks = [row for row in rows().values() if isinstance(row, Row) and not row.limits]
        chosen = attacks[:: max(1, len(attacks) // company)][:company]
        among = _graded(Path(place, "among"), {row.id: laid.into(row.cell) for row in chosen}, jobs, engine)
        differences = [name for name in students() if among[name] != alone[name]]
        untouched = laid.is_untouched()
    for name in differences:
        print(f"{name}: {alone[name]} alone, {among[name]} among hostile submissions")
    print(
        f"{len(students())} students among {len(chosen)} hostile submissions: {len(differences)} have other points than"
        f" alone; the bait is {'untouched' if untouched else 'touched'}"
    )
    sys.exit(1 if differences or not untouched else 0)


def _print_done(done: Done, number: int, total: int) -> None:
    print(f"{number}/{total} {done.student}: {done.verdict.points:g}", flush=True)


def _graded(folder: Path, attacks: dict[str, str], jobs: int, engine: Engine) -> dict[str, list[str]]:
    """The row of grades.csv of each student; the hostile ones are named so that they come between the others."""
    build(folder / "submitted")
    for number, (name, code) in enumerate(attacks.items()):
        place = folder / "submitted" / f"{'abcdefghijklmnopqrstuvwxyz'[number % 26]}-{name}" / NAME
        place.mkdir(parents=True)
        nbformat.write(with_attack(code), place / f"{NAME}.ipynb")
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
