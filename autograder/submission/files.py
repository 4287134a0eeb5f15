"""The files that a student submitted, listed and opened; `choosing` tells which of them counts.

Nothing is followed out of the folder, nothing is unpacked to disk, and nothing is read beyond a limit.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from autograder.common.units import MB
from autograder.errors import SubmissionError, Unreadable

from . import archives
from .decoding import DOWNLOAD, LONGEST_NOTE, linked_host

LARGEST = 120 * MB
"""Bytes of one file; a notebook with a hundred large pictures has a tenth of them."""

MAX_ENTRIES = 5_000
"""Files and folders that are looked at."""

KINDS = (
    ("notebook", (".ipynb", ".ipynb.txt", ".ipynb.json")),
    ("json", (".json",)),
    ("script", (".py", ".py.txt")),
    ("archive", (".zip", ".tar", ".tar.gz", ".tgz")),
)
"""Kinds of files that may hold the submission, the better ones first."""

MOVED = (errno.ENOENT, errno.ELOOP, errno.ENXIO, errno.ENOTDIR)
"""What opening says where there is no plain file."""

OTHERS = {
    ".html": "a web page",
    ".htm": "a web page",
    ".pdf": "a PDF",
    ".doc": "a text document",
    ".docx": "a text document",
    ".odt": "a text document",
    ".7z": "an archive of a kind that is not opened",
    ".rar": "an archive of a kind that is not opened",
    ".xz": "an archive of a kind that is not opened",
    ".bz2": "an archive of a kind that is not opened",
    ".gz": "an archive of a kind that is not opened",
    ".zst": "an archive of a kind that is not opened",
    ".url": "a link and not the file",
    ".webloc": "a link and not the file",
    ".desktop": "a link and not the file",
    ".lnk": "a link and not the file",
    ".gdoc": "a link and not the file",
}

NOTES = (".url", ".webloc", ".desktop", ".gdoc", ".txt", ".md", ".rtf")
"""How the names of files end in which a link to the notebook is looked for."""


@dataclass(frozen=True)
class File:
    """A file that may be the submission: `name` as it may be shown, `member` its name in the archive at `path`."""

    path: Path
    name: str
    modified: float = 0.0
    member: str | None = None

    @property
    def title(self) -> str:
        """The file's own name, without the folders or the archive that it lies in."""
        return (self.member or self.path.name).rpartition("/")[2]

    def read(self) -> bytes:
        """What is in it; SubmissionError where that cannot be had."""
        with _opened(self.path, self.name) as stream:
            if self.member is not None:
                return archives.read(stream, shown(self.path.name), self.member, LARGEST)
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            size = self.path.stat().st_size / MB
            raise SubmissionError(
                f"{self.name} has {size:.0f} MB, and {LARGEST / MB:.0f} MB are read at most: clear its outputs, save "
                "it and submit that file."
            )
        return content


def kind_of(name: str) -> str:
    """The kind of a file by its name, `other` if it is none of `KINDS`."""
    plain = name.strip().rstrip(".").casefold()
    return next((kind for kind, endings in KINDS if plain.endswith(endings)), "other")


def shown(name: str) -> str:
    """A name that can be printed anywhere: what has no glyph of its own, or turns the text around, is escaped."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name[:200])
    return text if len(text) <= 80 else f"{text[:50]}…{text[-29:]}"


def list_files(folder: Path) -> tuple[list[File], list[str]]:
    """The regular files in and below a folder, and sentences on what looks like a submission and is none."""
    files, refused, seen = [], [], 0
    for place, entry in _walk(folder):
        seen += 1
        if seen > MAX_ENTRIES:
            refused.append(f"There are more than {MAX_ENTRIES:,} files in the folder: submit the notebook alone.")
            break
        kind = kind_of(entry.name)
        if kind == "other":
            continue
        name = shown((place / entry.name).relative_to(folder).as_posix())
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISREG(mode):
            files.append(File(place / entry.name, name, entry.stat(follow_symlinks=False).st_mtime))
        elif kind != "json":
            refused.append(f"{name} is {_what(mode)}: submit the file itself.")
    return files, refused


def _walk(folder: Path) -> Iterator[tuple[Path, os.DirEntry[str]]]:
    """Every entry that is not hidden, with its folder; links are given and not followed."""
    waiting = [folder]
    while waiting:
        place = waiting.pop(0)
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if not archives.is_hidden(entry.name):
                yield place, entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))


def _what(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a link to another place, and links are not followed"
    return "a folder, not a file" if stat.S_ISDIR(mode) else "a pipe or a device, not a file"


def _opened(path: Path, name: str) -> BinaryIO:
    """Opens a regular file that is no link; never waits, as for the other end of a pipe. SubmissionError where there
    is none, Unreadable where this machine does not let it be read."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in MOVED:
            raise SubmissionError(f"{name} cannot be opened, it is no plain file: submit the file itself.") from None
        raise Unreadable(f"{name} cannot be opened ({error.strerror}): see who may read it.") from None
    if not stat.S_ISREG(mode := os.fstat(number).st_mode):
        os.close(number)
        raise SubmissionError(f"{name} is {_what(mode)}: submit the file itself.")
    return os.fdopen(number, "rb")


def list_members(archive: File) -> tuple[list[File], list[str]]:
    """The files in an archive that may be the submission, or why there are none."""
    try:
        with _opened(archive.path, archive.name) as stream:
            names = archives.names(stream, archive.name)
    except SubmissionError as error:
        return [], [str(error)]
    found = [
        File(archive.path, shown(f"{archive.name}: {name}"), archive.modified, name)
        for name in names
        if kind_of(name) in ("notebook", "json", "script")
    ]
    return found, [] if found else [_nothing_in(archive, names)]


def _nothing_in(archive: File, names: list[str]) -> str:
    """Why there is nothing to be read in an archive."""
    inner = next((name for name in names if kind_of(name) == "archive"), None)
    if inner is not None:
        return f"{archive.name} holds another archive, {shown(inner)}, which is not opened: submit the notebook itself."
    found = [(name, what) for name in names if (what := OTHERS.get(Path(name).suffix.casefold()))]
    others = f", and {shown(found[0][0])} is {found[0][1]}" if found else ""
    return f"There is no notebook in {archive.name}{others}: submit the notebook itself."


def explain_missing(folder: Path, notebook_name: str) -> str:
    """Why there is no submission in a folder: what lies there instead."""
    entries = [Path(entry.path) for _, (_, entry) in zip(range(MAX_ENTRIES), _walk(folder), strict=False)]
    for path in entries:
        if path.suffix.casefold() in NOTES and (host := _linked_host(path)):
            return f"There is no notebook in the folder, and {shown(path.name)} is a link to {host}: {DOWNLOAD}."
    for path in entries:
        if what := OTHERS.get(path.suffix.casefold()):
            return (
                f"There is no notebook in the folder, and {shown(path.name)} is {what}: submit "
                f"{notebook_name} itself, as Jupyter saves it."
            )
    return f"There is no notebook in the folder: submit {notebook_name}."


def _linked_host(path: Path) -> str:
    try:
        with _opened(path, path.name) as stream:
            return linked_host(stream.read(LONGEST_NOTE + 1).decode("latin-1"))
    except (SubmissionError, Unreadable):
        return ""
