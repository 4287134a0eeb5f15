"""Move results that an older version wrote directly into `OUT/<assignment>/` to their current place."""

from __future__ import annotations

import logging
from pathlib import Path

from autograder.common.encoders import encode_path
from autograder.errors import AutograderError, UsageError

from .store import SAVED_OUTPUTS, STUDENTS, ResultStore

ASIDE = ".students"
"""A temporary folder for the results of a student whose name is that of the folder `students`."""

FILES = ("verdict.json", "evidence.json", "results.json", "feedback.html", SAVED_OUTPUTS)
"""Files by which a student's results are recognised."""

log = logging.getLogger(__name__)


def find_earlier_results(store: ResultStore) -> list[Path]:
    """Return the folders of students that an older version wrote."""
    if not store.folder.is_dir():
        return []
    return [path for path in sorted(store.folder.iterdir()) if path.name != ASIDE and _holds_results(path)]


def require_results(store: ResultStore) -> None:
    """Raise UsageError if nothing of the assignment was graded, for example because the folder does not exist."""
    if not (any((store.folder / STUDENTS).glob("*/verdict.json")) or find_earlier_results(store)):
        raise UsageError(f"There are no results of {store.assignment.name} in {store.out} yet: run make autograde.")


def adopt_earlier_results(store: ResultStore) -> None:
    """Move results of an older version to their current place; no other process may write there meanwhile.

    Nothing is overwritten: if there are newer results of a student, the older ones stay where they are. Raises
    AutograderError if something cannot be moved; the next call then continues.
    """
    place = store.folder
    students = place / STUDENTS
    if _holds_results(students):  # first, or the others would be moved into it
        _move(students, place / ASIDE)
    for folder in find_earlier_results(store):
        _move(folder, students / encode_path(folder.name))
    if (place / ASIDE).is_dir():
        _move(place / ASIDE, students / encode_path(STUDENTS))


def _holds_results(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and any((folder / name).is_file() for name in FILES)


def _move(folder: Path, target: Path) -> None:
    if target.exists():
        log.warning("%s contains older results than %s and was not moved.", folder, target)
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)
    except OSError as error:
        raise AutograderError(f"{folder} cannot be moved to {target} ({error.strerror}): move it yourself.") from None
