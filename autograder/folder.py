"""The students' folders, and what may be read there: plain files of bounded size and number, nothing through a link."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .assignment import Assignment
from .errors import AutograderError
from .submission import LARGEST

WORK = (".ipynb", ".py")
MOST_ENTRIES = 100_000
MOST_BYTES = 1_000_000_000
"""Of all files that may be the work, together."""


class _Unreadable(Exception):
    """Why a person has to look into the folder."""


@dataclass(frozen=True)
class Contents:
    """What a folder holds, as a hash of names and contents; `trouble` is a sentence on why that cannot be told."""

    digest: str
    trouble: str = ""


def students(submitted: Path, assignment: Assignment) -> dict[str, Path]:
    """The folder of each student: `submitted/<student>/<assignment>`, or the student's own if it holds the files."""
    found = {
        folder.name: _inner(folder, assignment) for folder in _folders(submitted, assignment) if _is_text(folder.name)
    }
    if not found:
        raise AutograderError(
            f"There are no submissions in {submitted}: each belongs into {submitted}/<student>/{assignment.name}/."
        )
    return found


def misnamed(submitted: Path) -> list[str]:
    """The folders whose names are bytes that are no text, which neither a table nor a gradebook can hold."""
    return [ascii(path.name) for path in submitted.iterdir() if _is_folder(path) and not _is_text(path.name)]


def _folders(submitted: Path, assignment: Assignment) -> list[Path]:
    try:
        return sorted(path for path in submitted.iterdir() if _is_folder(path))
    except FileNotFoundError:
        reason = "There is no folder"
    except OSError as error:
        reason = f"Submissions cannot be read ({error.strerror}) from"
    raise AutograderError(f"{reason} {submitted}: put submissions into {submitted}/<student>/{assignment.name}/.")


def _is_folder(path: Path) -> bool:
    """Links count: nobody's submission may be missing in silence."""
    return not path.name.startswith(".") and (path.is_dir() or (path.is_symlink() and not path.is_file()))


def _is_text(name: str) -> bool:
    return name.encode("utf-8", "replace").decode() == name


def _inner(folder: Path, assignment: Assignment) -> Path:
    """The assignment's folder in a student's; the student's own if there is none, or if it cannot be looked into."""
    if folder.is_symlink():
        return folder
    try:
        inner = [path for path in folder.iterdir() if path.name.lower() == assignment.name.lower() and _is_folder(path)]
    except OSError:
        return folder
    return inner[0] if inner else folder


def contents(folder: Path, basis: str) -> Contents:
    """The folder's contents, hashed with the `basis`, so far as a verdict can depend on them."""
    digest, size = hashlib.sha256(basis.encode()), 0
    try:
        for path in _work(folder):
            digest.update(os.fsencode(path.relative_to(folder)) + b"\0")
            size += _add(path, digest)
            if size > MOST_BYTES:
                raise _Unreadable(f"It holds more than {MOST_BYTES / 1e9:g} GB of notebooks and scripts.")
    except _Unreadable as error:
        return Contents("", str(error))
    return Contents(digest.hexdigest()[:32])


def _work(folder: Path) -> Iterator[Path]:
    """The files in which the work may be, in order. Of the others, and of what is hidden, no verdict depends."""
    if folder.is_symlink():
        raise _Unreadable("Its folder is a link, which is not followed: put the files themselves there.")
    count = 0
    for place, folders, files in os.walk(folder, onerror=_cannot_list, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        count += len(folders) + len(files)
        if count > MOST_ENTRIES:
            raise _Unreadable(f"Its folder holds more than {MOST_ENTRIES:,} files.")
        yield from (Path(place, name) for name in sorted(files) if name.lower().endswith(WORK))


def _cannot_list(error: OSError) -> None:
    if isinstance(error, FileNotFoundError):
        raise _Unreadable("It disappeared while the class was graded: put it back, and run the same command again.")
    raise _Unreadable(f"Its folder cannot be read ({error.strerror}): see who may read it.")


def _add(path: Path, digest: hashlib._Hash) -> int:
    """Adds a file to the hash and answers how many bytes it took.

    What is not a file, cannot be read, or is too large for a submission counts by that alone.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        digest.update(f"error {error.errno}".encode())
        return 0
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
            digest.update(f"mode {stat.S_IFMT(found.st_mode)} size {found.st_size}".encode())
            return 0
        text = file.read(LARGEST)
        digest.update(f"size {len(text)} ".encode() + text)
        return len(text)


def read_start(path: Path, most: int) -> str:
    """The beginning of a plain text file, at most so many characters; OSError or ValueError if it is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    with os.fdopen(descriptor, encoding="utf-8") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a file.")
        return file.read(most)
