"""List and open the files that a student submitted; `choosing` decides which of them is graded.

Links are not followed, nothing is unpacked to disk, and nothing is read beyond a limit.
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
"""Maximum size of a file in bytes; a notebook with a hundred large pictures is a tenth of that."""

MAX_ENTRIES = 5_000
"""Maximum number of files and folders that are listed."""

KINDS = (
    ("notebook", (".ipynb", ".ipynb.txt", ".ipynb.json")),
    ("json", (".json",)),
    ("script", (".py", ".py.txt")),
    ("archive", (".zip", ".tar", ".tar.gz", ".tgz")),
)
"""Kinds of files that may contain the submission, the best first."""

MOVED = (errno.ENOENT, errno.ELOOP, errno.ENXIO, errno.ENOTDIR)
"""Error numbers of opening a path that does not exist or is not a regular file."""

OTHERS = {
    ".html": "a web page",
    ".htm": "a web page",
    ".pdf": "a PDF",
    ".doc": "a text document",
    ".docx": "a text document",
    ".odt": "a text document",
    ".7z": "an archive of an unsupported type",
    ".rar": "an archive of an unsupported type",
    ".xz": "an archive of an unsupported type",
    ".bz2": "an archive of an unsupported type",
    ".gz": "an archive of an unsupported type",
    ".zst": "an archive of an unsupported type",
    ".url": "a link, not the notebook itself",
    ".webloc": "a link, not the notebook itself",
    ".desktop": "a link, not the notebook itself",
    ".lnk": "a link, not the notebook itself",
    ".gdoc": "a link, not the notebook itself",
}

NOTES = (".url", ".webloc", ".desktop", ".gdoc", ".txt", ".md", ".rtf")
"""Extensions of files that are searched for a link to the notebook."""


@dataclass(frozen=True)
class File:
    """A file that may be the submission: `name` is safe to show, `member` is its name in the archive at `path`."""

    path: Path
    name: str
    modified: float = 0.0
    member: str | None = None

    @property
    def title(self) -> str:
        """The file's own name, without its folders or its archive."""
        return (self.member or self.path.name).rpartition("/")[2]

    def read(self) -> bytes:
        """Return its content; raise SubmissionError if it cannot be read."""
        with _opened(self.path, self.name) as stream:
            if self.member is not None:
                return archives.read(stream, shown(self.path.name), self.member, LARGEST)
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            size = self.path.stat().st_size / MB
            raise SubmissionError(
                f"{self.name} is {size:.0f} MB; the limit is {LARGEST / MB:.0f} MB. Clear its outputs, save it and "
                "submit that file."
            )
        return content


def kind_of(name: str) -> str:
    """Return the kind of a file by its name, `other` if it is not in `KINDS`."""
    plain = name.strip().rstrip(".").casefold()
    return next((kind for kind, endings in KINDS if plain.endswith(endings)), "other")


def shown(name: str) -> str:
    """Return a name that can be printed anywhere: invisible characters, such as control characters, are escaped."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name[:200])
    return text if len(text) <= 80 else f"{text[:50]}…{text[-29:]}"


def list_files(folder: Path) -> tuple[list[File], list[str]]:
    """Return the regular files in and below a folder, and a sentence on other entries named like a submission."""
    files, refused, seen = [], [], 0
    for place, entry in _walk(folder):
        seen += 1
        if seen > MAX_ENTRIES:
            refused.append(f"There are more than {MAX_ENTRIES:,} files in the folder: submit only the notebook.")
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
    """Yield every entry that is not hidden, with its folder; links are included but not followed."""
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
    """Open a regular file that is not a link, without ever waiting, as for the other end of a pipe.

    Raises SubmissionError if there is no such file, and Unreadable if this machine does not allow reading it.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in MOVED:
            raise SubmissionError(
                f"{name} cannot be opened, because it is missing or not a regular file: submit the file itself."
            ) from None
        raise Unreadable(f"{name} cannot be opened ({error.strerror}): check its permissions.") from None
    if not stat.S_ISREG(mode := os.fstat(number).st_mode):
        os.close(number)
        raise SubmissionError(f"{name} is {_what(mode)}: submit the file itself.")
    return os.fdopen(number, "rb")


def list_members(archive: File) -> tuple[list[File], list[str]]:
    """Return the files in an archive that may be the submission, or a sentence on why there are none."""
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
    """Return a sentence on why an archive contains no submission."""
    inner = next((name for name in names if kind_of(name) == "archive"), None)
    if inner is not None:
        return (
            f"{archive.name} contains another archive, {shown(inner)}; nested archives are not supported: submit the "
            "notebook itself."
        )
    found = [(name, what) for name in names if (what := OTHERS.get(Path(name).suffix.casefold()))]
    others = f", only other files such as {shown(found[0][0])} ({found[0][1]})" if found else ""
    return f"There is no notebook in {archive.name}{others}: submit the notebook itself."


def explain_missing(folder: Path, notebook_name: str) -> str:
    """Return a sentence on why a folder contains no submission, and on what it contains instead."""
    entries = [Path(entry.path) for _, (_, entry) in zip(range(MAX_ENTRIES), _walk(folder), strict=False)]
    for path in entries:
        if path.suffix.casefold() in NOTES and (host := _linked_host(path)):
            return f"There is no notebook in the folder, and {shown(path.name)} is a link to {host}: {DOWNLOAD}."
    for path in entries:
        if what := OTHERS.get(path.suffix.casefold()):
            return (
                f"There is no notebook in the folder, only other files such as {shown(path.name)} ({what}): submit "
                f"{notebook_name} itself, as Jupyter saves it."
            )
    return f"There is no notebook in the folder: submit {notebook_name}."


def _linked_host(path: Path) -> str:
    try:
        with _opened(path, path.name) as stream:
            return linked_host(stream.read(LONGEST_NOTE + 1).decode("latin-1"))
    except (SubmissionError, Unreadable):
        return ""
