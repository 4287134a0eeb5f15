"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from autograder.errors import AutograderError

from .lock import is_running

TEMPORARY = re.compile(r"\..+\.(\d+)\.tmp(?:-journal)?")
"""A name given by `temporary_name`, or that of a database's journal beside it."""


def write_text(path: Path, text: str) -> None:
    """Write a file under a temporary name and then rename it; raise AutograderError if that fails.

    Lone surrogates, which a student's output may contain and UTF-8 cannot encode, are escaped.
    """
    temporary = temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        temporary.replace(path)
    except OSError as error:
        raise AutograderError(
            f"{path} cannot be written ({error.strerror}): free some disk space or choose another OUT; all results "
            "so far are kept."
        ) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def temporary_name(path: Path) -> Path:
    """Return the name that a file has while this process writes it."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def remove_leftovers(folder: Path) -> None:
    """Remove the unfinished files of processes that have ended, and of this one, from a folder."""
    for path in folder.rglob(".*.tmp*"):
        named = TEMPORARY.fullmatch(path.name)
        if named is not None and (int(named[1]) == os.getpid() or not is_running(int(named[1]))):
            with contextlib.suppress(OSError):
                path.unlink()


def remove(path: Path) -> None:
    """Remove a file if it exists; raise AutograderError if it cannot be removed."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise AutograderError(f"{path} cannot be removed ({error.strerror}): check its permissions.") from None
