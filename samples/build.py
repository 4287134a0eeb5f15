"""Lays out the sample class as students would have handed it in: `<folder>/<student>/tta-eta/`."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat

from autograder.assignment.settings import Assignment

from .filling import fill, leave_out_missing, read_description, write_submission
from .own_runs import own_runs, show

SAMPLES = Path(__file__).resolve().parent
ASSIGNMENT = "tta-eta"

# Files that are no notebooks although their name says so, and were submitted all the same.
RAW = {"olive": "olive.html", "sage": "sage.txt"}


def students() -> list[str]:
    described = [path.stem for path in (SAMPLES / "students").glob("*.py")]
    return sorted([*described, *RAW])


def build(folder: Path) -> list[Path]:
    """Writes every sample submission, in place of what was there for this student; returns the files."""
    assignment = Assignment.load(ASSIGNMENT)
    release = nbformat.read(assignment.release_folder / assignment.notebook_name, as_version=4)
    written, runs = [], own_runs()
    for student in students():
        place = folder / student / ASSIGNMENT
        shutil.rmtree(place, ignore_errors=True)
        if student in RAW:
            place.mkdir(parents=True)
            target = shutil.copyfile(SAMPLES / "raw" / RAW[student], place / assignment.notebook_name)
        else:
            description = leave_out_missing(read_description(SAMPLES / "students" / f"{student}.py"), release)
            notebook = fill(release, description)
            if student in runs:
                show(notebook, runs[student], assignment)
            target = write_submission(notebook, description, place, ASSIGNMENT)
        written.append(target)
    return written
