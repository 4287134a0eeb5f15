"""Writes the sample class's submissions in the layout of submitted files: `<folder>/<student>/<assignment>/`."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat

from autograder.assignment.settings import Assignment

from .filling import fill, leave_out_missing, read_description, write_submission
from .own_runs import own_runs, show

SAMPLES = Path(__file__).resolve().parent
LAB = "tta-eta"
ASSIGNMENTS = ("features", "fixed-epochs", LAB)

# Files that were submitted for the lab under the name of a notebook but are not notebooks.
RAW = {"olive": "olive.html", "sage": "sage.txt"}


def students(assignment: str = LAB) -> list[str]:
    """Return the students who submitted something."""
    described = [path.stem for path in (SAMPLES / "students" / assignment).glob("*.py")]
    return sorted([*described, *(RAW if assignment == LAB else ())])


def build(folder: Path, name: str = LAB) -> list[Path]:
    """Write every sample submission for an assignment, replacing earlier ones; return the files."""
    assignment = Assignment.load(name)
    release = nbformat.read(assignment.release_folder / assignment.notebook_name, as_version=4)
    written, runs = [], own_runs() if name == LAB else {}
    for student in students(name):
        place = folder / student / name
        shutil.rmtree(place, ignore_errors=True)
        path = SAMPLES / "students" / name / f"{student}.py"
        if not path.is_file():
            place.mkdir(parents=True)
            target = shutil.copyfile(SAMPLES / "raw" / RAW[student], place / assignment.notebook_name)
        else:
            description = leave_out_missing(read_description(path), release)
            notebook = fill(release, description)
            if student in runs:
                show(notebook, runs[student], assignment)
            target = write_submission(notebook, description, place, name)
        written.append(target)
    return written
