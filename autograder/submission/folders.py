"""Find the students' folders and read their files: regular files of limited size and number, nothing through a link."""

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
"""Maximum size in bytes of a file that is hashed; a larger file is never graded, and only its size is hashed."""

MAX_BYTES = 1_000 * MB
"""Maximum number of bytes of one student's files; beyond this limit, too, only sizes are hashed."""

MAX_ENTRIES = 100_000
MAX_DEPTH = 50
"""Folders within folders; libraries that walk through far deeper ones stop with a RecursionError."""

MAX_NAMED = 3
"""Maximum number of files that a sentence names."""

CANVAS = re.compile(r"([^_]+)_(?:LATE_)?\d+_\d+_.")
"""How file names from Canvas begin: with the student's name, up to the first underscore."""


class _Unreadable(Exception):
    """The folder cannot be read; the text says why."""


@dataclass(frozen=True)
class Contents:
    """The contents of a folder as a hash of names and bytes; `trouble` is a sentence on why they cannot be read."""

    digest: str
    trouble: str = ""


def students(submitted: Path, assignment: Assignment) -> dict[str, Path]:
    """Return the folder of each student: `submitted/<student>/<assignment>`, or `submitted/<student>` without one.

    Students who submitted only other assignments are left out. A hidden folder is included only if it contains one
    of the assignment. Raises AutograderError if there are no submissions.
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
            or f"There are no submissions in {submitted}: put each submission in "
            f"{submitted}/<student>/{assignment.name}/."
        )
    return found


def loose_notebooks(submitted: Path, assignment: Assignment) -> str:
    """Return a sentence on notebooks that are not in a student's folder, where nobody grades them; "" for none.

    Canvas names them `doe_11_990017_tta-eta.ipynb` or `doe_LATE_11_990017_tta-eta.ipynb`, after the student.
    """
    loose = sorted(p.name for p in submitted.iterdir() if p.suffix.lower() == ".ipynb" and not p.name.startswith("."))
    loose = [name for name in loose if not _is_folder(submitted / name)]
    if not loose:
        return ""
    names = ", ".join(shown(name) for name in loose[:MAX_NAMED]) + (", …" if len(loose) > MAX_NAMED else "")
    what = "1 notebook is not in a student's folder and was not graded"
    if len(loose) > 1:
        what = f"{len(loose):,} notebooks are not in a student's folder and were not graded"
    advice = f"move {'it' if len(loose) == 1 else 'each'} to {submitted}/<student>/{assignment.name}"
    if match := CANVAS.match(loose[0]):
        advice += f", for example {shown(loose[0])} to {submitted}/{shown(match[1])}/{assignment.name}"
    return f"{what} ({names}): {advice}."


def misnamed(submitted: Path) -> list[str]:
    """Return the folders whose names are not valid text, which neither a table nor a gradebook can store."""
    folders = [path for path in submitted.iterdir() if _is_folder(path) and not path.name.startswith(".")]
    return [ascii(path.name) for path in folders if not _is_text(path.name)]


def _folders(submitted: Path, assignment: Assignment) -> list[Path]:
    try:
        return sorted(path for path in submitted.iterdir() if _is_folder(path))
    except (FileNotFoundError, NotADirectoryError):
        problem = f"There is no folder {submitted}"
    except OSError as error:
        problem = f"Submissions cannot be read from {submitted} ({error.strerror})"
    raise UsageError(f"{problem}: put submissions into {submitted}/<student>/{assignment.name}/.")


def _is_folder(path: Path) -> bool:
    """Whether a path is a folder, or a link to anything but a file: no submission may be omitted silently."""
    return path.is_dir() or (path.is_symlink() and not path.is_file())


def _is_text(name: str) -> bool:
    return name.encode("utf-8", "replace").decode() == name


def _inner(folder: Path, assignment: Assignment) -> Path:
    """Return the assignment's folder in a student's folder, or the latter if there is none or it cannot be read."""
    if folder.is_symlink():
        return folder
    try:
        inner = [path for path in folder.iterdir() if path.name.lower() == assignment.name.lower() and _is_folder(path)]
    except OSError:
        return folder
    return inner[0] if inner else folder


def _holds_others_only(folder: Path, others: set[str]) -> bool:
    """Whether a student's folder contains nothing but folders of other assignments."""
    if folder.is_symlink():
        return False
    try:
        inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return False
    return bool(inside) and all(path.name.lower() in others and _is_folder(path) for path in inside)


def contents(folder: Path, basis: str) -> Contents:
    """Hash the folder's contents together with `basis`, small files first: a limit then omits data, not notebooks."""
    digest, left = hashlib.sha256(basis.encode()), MAX_BYTES
    try:
        for _, name in sorted((path.lstat().st_size, str(path.relative_to(folder))) for path in _files(folder)):
            digest.update(os.fsencode(name) + b"\0")
            left -= _add(folder / name, min(left, LARGEST), digest)
    except FileNotFoundError:
        return Contents(
            "", "The submission folder disappeared during grading: put it back, and run the same command again."
        )
    except OSError as error:
        return Contents("", f"The submission folder cannot be read ({error.strerror}): check its permissions.")
    except _Unreadable as error:
        return Contents("", str(error))
    return Contents(digest.hexdigest()[:32])


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the regular files that `contents` would read, by their paths in the folder."""
    found, left = {}, MAX_BYTES
    for size, name in sorted((path.lstat().st_size, str(path.relative_to(folder))) for path in _files(folder)):
        path = folder / name
        if size <= min(left, LARGEST) and stat.S_ISREG(path.lstat().st_mode):
            found[name] = path.read_bytes()
            left -= size
    return found


def _files(folder: Path) -> Iterator[Path]:
    """Yield everything that is not a folder. Hidden folders are skipped: no verdict depends on them."""
    if folder.is_symlink():
        raise _Unreadable(
            "The submission folder is a link, and links are not followed: put the files themselves there."
        )
    count = 0
    for place, folders, files in os.walk(folder, onerror=_raise, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        if len(Path(place).relative_to(folder).parts) > MAX_DEPTH:
            raise _Unreadable(f"The folders of the submission are nested more than {MAX_DEPTH} levels deep.")
        count += len(folders) + len(files)
        if count > MAX_ENTRIES:
            raise _Unreadable(f"The submission folder contains more than {MAX_ENTRIES:,} files.")
        yield from (Path(place, name) for name in files)


def _raise(error: OSError) -> None:
    raise error


def _add(path: Path, most: int, digest: Any) -> int:
    """Add a file to the hash and return the number of bytes that were read: 0 if it has more than `most`, cannot be
    read, or is a link, a pipe or a device."""
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
    """Return at most `most` characters of a text file; raise OSError or ValueError if it is not one."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    with os.fdopen(descriptor, encoding="utf-8") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a file.")
        return file.read(most)
