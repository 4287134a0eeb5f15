"""What results were made from, so that what is unchanged is neither graded nor published again."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from autograder.assignment.settings import ROOT, Assignment
from autograder.execution.options import Options

from .store import write_text

NAME = ".published"
"""The file beside a class's results that holds a hash of what they were published from and of how they were left."""

GRADER = ("*.py", "*.ini", "*.html", "*.css")
"""The files of the kit that a verdict may depend on."""

PUBLISHER = ("autograder/**/*.py", "autograder/**/*.ini", "autograder/reporting/templates/*", "nbgrader_config.py")
"""The files of the kit that published results depend on, beside an assignment's own `source/` and `release/`."""


def hash_basis(assignment: Assignment, options: Options) -> str:
    """Hash everything but the submission that a verdict depends on."""
    digest = hashlib.sha256(assignment.model_dump_json().encode())
    digest.update(repr(options).encode())
    release = ROOT / "release" / assignment.name
    for path in (release / assignment.notebook_name, *sorted(release.glob("*.py"))):
        if path.is_file():  # a release that is missing is told of where it is needed
            digest.update(path.name.encode() + path.read_bytes())
    for pattern in GRADER:
        for path in sorted((ROOT / "autograder").rglob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def hash_gradebook(out: Path) -> str:
    """Hash the gradebook, which changes with everything that an instructor enters there; empty if there is none."""
    try:
        return hashlib.sha256((out / "gradebook.db").read_bytes()).hexdigest()
    except OSError:
        return ""


def mark_current(out: Path, assignment: Assignment, gradebook: str) -> None:
    """Note that all results are published.

    Args:
        out: the folder of results.
        assignment: whose results.
        gradebook: the hash of the gradebook when the points given by hand were read.
    """
    write_text(out / assignment.name / NAME, _hash_state(out, assignment, gradebook))


def is_current(out: Path, assignment: Assignment) -> bool:
    """Whether nothing has changed since: verdicts, gradebook, the kit, the published files themselves."""
    path = out / assignment.name / NAME
    return path.is_file() and path.read_text("utf-8") == _hash_state(out, assignment, hash_gradebook(out))


def invalidate(out: Path, assignment: Assignment) -> None:
    """Forget that results are published; call it before any is written, because the run may be killed meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        (out / assignment.name / NAME).unlink()


def _hash_state(out: Path, assignment: Assignment, gradebook: str) -> str:
    digest = hashlib.sha256(f"{gradebook} {os.environ.get('FORMGRADER', '')}".encode())
    for path in _find_inputs(assignment):
        digest.update(path.read_bytes())
    for line in sorted(_describe_files(out, assignment)):
        digest.update(line.encode("utf-8", "replace"))
    return digest.hexdigest()


def _find_inputs(assignment: Assignment) -> list[Path]:
    """The files of the kit and of the assignment that published results depend on."""
    patterns = (*PUBLISHER, f"source/{assignment.name}/*", f"release/{assignment.name}/*")
    return sorted({path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()})


def _describe_files(out: Path, assignment: Assignment) -> Iterator[str]:
    """Name, size and time of every file of the class that is not hidden."""
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
