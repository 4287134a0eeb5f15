"""Hashes of everything that results depend on, so that what is unchanged is neither graded nor published again."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from autograder.assignment.course import PACKAGE
from autograder.assignment.release import find_given_files
from autograder.assignment.settings import Assignment
from autograder.execution.options import Options

from .files import write_text
from .store import ResultStore

NAME = ".published"
"""The file with a hash of what a class's results were published from and of the published files."""

GRADER = ("*.py", "*.ini", "*.html", "*.css")
"""The files of this package that a verdict may depend on."""

PUBLISHER = ("**/*.py", "**/*.ini", "reporting/templates/*")
"""The files of this package that published results depend on."""


def hash_basis(assignment: Assignment, options: Options) -> str:
    """Hash everything that a verdict depends on, except the submission."""
    digest = hashlib.sha256(assignment.model_dump_json().encode())
    digest.update(repr(options).encode())
    notebook = assignment.release_folder / assignment.notebook_name
    given = {notebook.name: notebook} | find_given_files(assignment)
    for name, path in given.items():
        if path.is_file():  # a missing release is reported where it is needed
            digest.update(name.encode() + path.read_bytes())
    digest.update(repr(assignment.read_tests()).encode())
    files = {path for pattern in GRADER for path in PACKAGE.rglob(pattern)} | set(_find_checks(assignment))
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def hash_gradebook(store: ResultStore) -> str:
    """Hash the gradebook, which changes with everything that an instructor enters there; empty if there is none."""
    try:
        return hashlib.sha256(store.gradebook.read_bytes()).hexdigest()
    except OSError:
        return ""


def mark_current(store: ResultStore, gradebook: str) -> None:
    """Record that all results are published.

    Args:
        store: the results.
        gradebook: the hash of the gradebook when the manual points were read.
    """
    write_text(store.folder / NAME, _hash_state(store, gradebook))


def is_current(store: ResultStore) -> bool:
    """Whether nothing has changed since `mark_current`: verdicts, gradebook, the kit, the published files."""
    path = store.folder / NAME
    return path.is_file() and path.read_text("utf-8") == _hash_state(store, hash_gradebook(store))


def invalidate(store: ResultStore) -> None:
    """Remove the record that results are published; call it before writing any, because the run may be killed."""
    with contextlib.suppress(FileNotFoundError):
        (store.folder / NAME).unlink()


def _hash_state(store: ResultStore, gradebook: str) -> str:
    digest = hashlib.sha256(f"{gradebook} {os.environ.get('FORMGRADER', '')}".encode())
    for path in _find_inputs(store.assignment):
        digest.update(path.read_bytes())
    for line in sorted(_describe_files(store)):
        digest.update(line.encode("utf-8", "replace"))
    return digest.hexdigest()


def _find_inputs(assignment: Assignment) -> list[Path]:
    """Return the files of the kit and of the assignment that published results depend on."""
    kit = [path for pattern in PUBLISHER for path in PACKAGE.glob(pattern)]
    own = [*_find_checks(assignment), *assignment.source_folder.glob("*"), *assignment.release_folder.glob("*")]
    files = {*kit, *own, assignment.course.root / "nbgrader_config.py"}
    return sorted(path for path in files if path.is_file())


def _find_checks(assignment: Assignment) -> list[Path]:
    """Return the files of the assignment's checks, which may be outside this package."""
    return list(assignment.checks_folder.rglob("*.py"))


def _describe_files(store: ResultStore) -> Iterator[str]:
    """Yield name, size and time of every file of the class that is not hidden."""
    places = [store.folder, *store.autograded.glob(f"*/{store.assignment.name}")]
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
