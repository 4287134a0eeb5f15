"""Start a new term without students: move all results and submissions of the old one aside."""

from __future__ import annotations

import re
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from autograder.errors import AutograderError, UsageError
from autograder.results.files import write_text
from autograder.results.lock import hold_lock

CURRENT = "current.txt"
"""The file in the folder of the old terms that contains the name of the current one."""

NAME = re.compile(r"\w[\w.-]{0,63}")


def new_term(term: str, out: Path, submitted: Path, terms: Path = Path("terms")) -> list[str]:
    """Move the results and the submissions into `terms/<name of the old term>/` and store the name of the new term.

    Nothing is deleted or overwritten, and either all folders are moved or none. Return sentences that describe what was
    done; raise AutograderError if the folders cannot be moved.
    """
    old = _name_of_the_old(terms)
    target = terms / old
    _check(term, old, terms)
    there = {kind: folder for kind, folder in (("graded", out), ("submitted", submitted)) if folder.exists()}
    if there and target.exists():
        raise AutograderError(f"{target} already exists and is not overwritten: rename it first.")
    with hold_lock(out) if out.is_dir() else nullcontext():
        _found(terms)
        moves = {folder: target / kind for kind, folder in there.items()}
        if moves:
            _move(moves, target)
    write_text(terms / CURRENT, f"{term}\n")
    moved = [f"Moved {folder} to {kept}." for folder, kept in moves.items()] or ["There was nothing to move."]
    return [*moved, f"Started the term {term}. The next make autograde creates a new gradebook."]


def _name_of_the_old(terms: Path) -> str:
    """Return the name of the old term; today's date if it has none."""
    try:
        name = (terms / CURRENT).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return f"{datetime.now(UTC):%Y-%m-%d}"
    except (OSError, UnicodeDecodeError) as error:
        raise AutograderError(
            f"{terms / CURRENT} cannot be read ({error}): write the name of the old term into it."
        ) from None
    if not NAME.fullmatch(name):
        raise AutograderError(
            f"{terms / CURRENT} does not contain the name of a term: write the name of the old term into it."
        )
    return name


def _check(term: str, old: str, terms: Path) -> None:
    if not NAME.fullmatch(term):
        raise UsageError(
            f"{term!r} is not a valid term name: use letters, digits, dots, hyphens and underscores, as in 2027-spring."
        )
    if term in (old, CURRENT) or (terms / term).exists():
        raise UsageError(f"The term {term} already exists: choose another name.")


def _found(terms: Path) -> None:
    """Create the folder of the terms, and exclude it from the repository, in which students' work does not belong."""
    if not (terms / ".gitignore").exists():
        write_text(terms / ".gitignore", "*\n")


def _move(moves: dict[Path, Path], target: Path) -> None:
    """Rename all folders or none."""
    done: list[tuple[Path, Path]] = []
    try:
        target.mkdir()
        for folder, kept in moves.items():
            folder.rename(kept)
            done.append((folder, kept))
    except OSError as error:
        for origin, kept in done:
            kept.rename(origin)
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        raise AutograderError(
            f"{folder} cannot be moved to {target} ({error.strerror}), so nothing was moved: move it yourself."
        ) from None
