"""The students' folders, and what may be read there: plain files of bounded size and number, nothing through a link."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.assignment.settings import Assignment
from autograder.common.units import MB
from autograder.errors import AutograderError, UsageError

from .files import shown

LARGEST = 200 * MB
"""Of what is larger, which nobody reads, only the size counts."""

MAX_BYTES = 1_000 * MB
"""What is read of one student's files; beyond it, too, only sizes count."""

MAX_ENTRIES = 100_000
MAX_DEPTH = 50
"""Folders within folders; libraries that walk through far deeper ones stop with a RecursionError."""

MAX_NAMED = 3
"""Files that a sentence names."""

CANVAS = re.compile(r"([^_]+)_(?:LATE_)?\d+_\d+_.")
"""How Canvas begins the name of a file, with the student's name before the first sign."""


class _Unreadable(Exception):
    """Why a person has to look into the folder."""


@dataclass(frozen=True)
class Contents:
    """What a folder holds, as a hash of names and contents; `trouble` is a sentence on why that cannot be told."""

    digest: str
    trouble: str = ""


def students(submitted: Path, assignment: Assignment) -> dict[str, Path]:
    """The folder of each student: `submitted/<student>/<assignment>`, or the student's own if it holds the files.

    Who submitted other assignments only is left out. A hidden folder counts if it holds one of the assignment.
    """
    others = {name.lower() for name in assignment.course.assignments()} - {assignment.name.lower()}
    found = {
        folder.name: _inner(folder, assignment)
        for folder in _folders(submitted, assignment)
        if (not folder.name.startswith(".") or _inner(folder, assignment) != folder)
        and _is_text(folder.name)
        and not _holds_others_only(folder, others)
    }
    if not found:
        raise AutograderError(
            loose_notebooks(submitted, assignment)
            or f"There are no submissions in {submitted}: each belongs into {submitted}/<student>/{assignment.name}/."
        )
    return found


def loose_notebooks(submitted: Path, assignment: Assignment) -> str:
    """A sentence on the notebooks that lie beside the students' folders, where nobody grades them; "" for none.

    Canvas names them `doe_11_990017_tta-eta.ipynb` or `doe_LATE_11_990017_tta-eta.ipynb`, after the student.
    """
    loose = sorted(p.name for p in submitted.iterdir() if p.suffix.lower() == ".ipynb" and not p.name.startswith("."))
    loose = [name for name in loose if not _is_folder(submitted / name)]
    if not loose:
        return ""
    names = ", ".join(shown(name) for name in loose[:MAX_NAMED]) + (", …" if len(loose) > MAX_NAMED else "")
    what = "1 notebook is" if len(loose) == 1 else f"{len(loose):,} notebooks are"
    students = [match[1] for name in loose if (match := CANVAS.match(name))]
    place = f"{submitted}/{shown(students[0]) if students else '<student>'}/{assignment.name}"
    example = f", {shown(loose[0])} into {place}" if len(students) == len(loose) else f", {place}"
    return f"{what} in no student's folder and not graded ({names}): put each into one{example}."


def misnamed(submitted: Path) -> list[str]:
    """The folders whose names are bytes that are no text, which neither a table nor a gradebook can hold."""
    folders = [path for path in submitted.iterdir() if _is_folder(path) and not path.name.startswith(".")]
    return [ascii(path.name) for path in folders if not _is_text(path.name)]


def _folders(submitted: Path, assignment: Assignment) -> list[Path]:
    try:
        return sorted(path for path in submitted.iterdir() if _is_folder(path))
    except (FileNotFoundError, NotADirectoryError):
        reason = "There is no folder"
    except OSError as error:
        reason = f"Submissions cannot be read ({error.strerror}) from"
    raise UsageError(f"{reason} {submitted}: put submissions into {submitted}/<student>/{assignment.name}/.")


def _is_folder(path: Path) -> bool:
    """Links count: nobody's submission may be missing in silence."""
    return path.is_dir() or (path.is_symlink() and not path.is_file())


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


def _holds_others_only(folder: Path, others: set[str]) -> bool:
    """Whether all that lies in a student's folder is folders of assignments, and none of them the one in question."""
    if folder.is_symlink():
        return False
    try:
        inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return False
    return bool(inside) and all(path.name.lower() in others and _is_folder(path) for path in inside)


def contents(folder: Path, basis: str) -> Contents:
    """The folder's contents, hashed with the `basis`. Small files come first: a limit leaves out data, not work."""
    digest, left = hashlib.sha256(basis.encode()), MAX_BYTES
    try:
        for _, name in sorted((path.lstat().st_size, str(path.relative_to(folder))) for path in _files(folder)):
            digest.update(os.fsencode(name) + b"\0")
            left -= _add(folder / name, min(left, LARGEST), digest)
    except FileNotFoundError:
        return Contents("", "It disappeared while the class was graded: put it back, and run the same command again.")
    except OSError as error:
        return Contents("", f"Its folder cannot be read ({error.strerror}): see who may read it.")
    except _Unreadable as error:
        return Contents("", str(error))
    return Contents(digest.hexdigest()[:32])


def read_files(folder: Path) -> dict[str, bytes]:
    """The plain files that `contents` would read, by their names in the folder."""
    found, left = {}, MAX_BYTES
    for size, name in sorted((path.lstat().st_size, str(path.relative_to(folder))) for path in _files(folder)):
        path = folder / name
        if size <= min(left, LARGEST) and stat.S_ISREG(path.lstat().st_mode):
            found[name] = path.read_bytes()
            left -= size
    return found


def _files(folder: Path) -> Iterator[Path]:
    """All that is no folder. What is hidden is no work, and no verdict depends on it."""
    if folder.is_symlink():
        raise _Unreadable("Its folder is a link, which is not followed: put the files themselves there.")
    count = 0
    for place, folders, files in os.walk(folder, onerror=_raise, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        if len(Path(place).relative_to(folder).parts) > MAX_DEPTH:
            raise _Unreadable(f"Its folders are nested more than {MAX_DEPTH} deep.")
        count += len(folders) + len(files)
        if count > MAX_ENTRIES:
            raise _Unreadable(f"Its folder holds more than {MAX_ENTRIES:,} files.")
        yield from (Path(place, name) for name in files)


def _raise(error: OSError) -> None:
    raise error


def _add(path: Path, most: int, digest: Any) -> int:
    """Adds a file to the hash and answers how many bytes were read: none of what is longer, cannot be read, or is a
    link, a pipe or a device."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        digest.update(f"error {error.errno}".encode())
        return 0
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        kind = stat.S_IFMT(found.st_mode)
        digest.update(f"kind {kind} size {found.st_size} ".encode())
        text = file.read(found.st_size) if kind == stat.S_IFREG and found.st_size <= most else b""
    digest.update(text)
    return len(text)


def read_start(path: Path, most: int) -> str:
    """The beginning of a plain text file, at most so many characters; OSError or ValueError if it is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    with os.fdopen(descriptor, encoding="utf-8") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a file.")
        return file.read(most)
