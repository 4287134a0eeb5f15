"""What the books were written from and how they were left, so that an unchanged class is not written anew."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from autograder.assignment.settings import ROOT, Assignment

from .store import write_text

NAME = ".books"
"""The file beside a class's results that holds the ledger, as a hash."""

KIT = ("autograder/**/*.py", "autograder/**/*.ini", "autograder/reporting/templates/*", "nbgrader_config.py")
"""What decides how books are written, beside an assignment's own `source/` and `release/`."""


def gradebook_state(out: Path) -> str:
    """A hash of the gradebook; it changes with all that a person enters there."""
    try:
        return hashlib.sha256((out / "gradebook.db").read_bytes()).hexdigest()
    except OSError:
        return ""


def keep(out: Path, assignment: Assignment, gradebook: str) -> None:
    """Notes that all books are written; `gradebook` is its state when the points that a person gave were read."""
    write_text(out / assignment.name / NAME, _state(out, assignment, gradebook))


def holds(out: Path, assignment: Assignment) -> bool:
    """Whether nothing has changed since: verdicts, gradebook, the kit, the books themselves."""
    path = out / assignment.name / NAME
    return path.is_file() and path.read_text("utf-8") == _state(out, assignment, gradebook_state(out))


def forget(out: Path, assignment: Assignment) -> None:
    """Before anything is written: a run that is killed must not look as if it had come to its end."""
    with contextlib.suppress(FileNotFoundError):
        (out / assignment.name / NAME).unlink()


def _state(out: Path, assignment: Assignment, gradebook: str) -> str:
    digest = hashlib.sha256(f"{gradebook} {os.environ.get('FORMGRADER', '')}".encode())
    for path in _given(assignment):
        digest.update(path.read_bytes())
    for line in sorted(_left(out, assignment)):
        digest.update(line.encode("utf-8", "replace"))
    return digest.hexdigest()


def _given(assignment: Assignment) -> list[Path]:
    """The files of the kit and of the assignment that the books depend on."""
    patterns = (*KIT, f"source/{assignment.name}/*", f"release/{assignment.name}/*")
    return sorted({path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()})


def _left(out: Path, assignment: Assignment) -> Iterator[str]:
    """Name, size and time of every file of the class, as far as it is not hidden."""
    places = [out / assignment.name, *(out / "autograded").glob(f"*/{assignment.name}")]
    while places:
        with contextlib.suppress(FileNotFoundError), os.scandir(places.pop()) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    places.append(Path(entry.path))
                else:
                    found = entry.stat(follow_symlinks=False)
                    yield f"{entry.path} {found.st_size} {found.st_mtime_ns}\n"
