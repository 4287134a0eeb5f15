"""Archives that students hand in, read in memory: names and single members, within limits, nothing unpacked."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from autograder.errors import SubmissionError
from autograder.execution.limits import MB

MOST_MEMBERS = 5_000
UNPACKED = 300 * MB
"""Bytes that an archive may grow to while a member is looked for."""

MOST_EMPTY = 100
"""How often a reader may ask for more behind the end: tarfile does so for as long as a header says."""

BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    KeyError,
    MemoryError,
    NotImplementedError,  # a method of packing that Python does not know; first, as it is a RuntimeError too
)
LINK = 0o120000
"""File type of a symbolic link, as zip keeps it."""


class _TooLarge(Exception):
    pass


class _Bounded(io.RawIOBase):
    """A stream that gives so many bytes and no more."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, most: int) -> None:
        self._stream, self._left, self._empty = stream, most, 0

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(content)
        if self._left < 0:
            raise _TooLarge
        self._empty += not content and size != 0
        if self._empty > MOST_EMPTY:
            raise EOFError
        return content


def is_hidden(name: str) -> bool:
    """Whether a path leads through what systems and tools put beside a file."""
    return any(part.startswith(".") or part in ("__MACOSX", "__pycache__") for part in name.split("/"))


def names(stream: BinaryIO, title: str) -> list[str]:
    """The names of the regular files in an archive; links, hidden files and paths that lead out of it are left out."""
    with _explained(title):
        found = [entry.filename if isinstance(entry, zipfile.ZipInfo) else entry.name for entry in _files(stream)]
        return [name for name in found if not is_hidden(name.removeprefix("./")) and not _leads_out(name)]


def read(stream: BinaryIO, title: str, member: str, most: int) -> bytes:
    """What the member holds; SubmissionError where it is too large, locked or broken."""
    with _explained(title):
        content = _member(stream, member, most)
    if content is None or len(content) > most:
        raise SubmissionError(f"What is in {title} is larger than {most / MB:.0f} MB: hand in the notebook itself.")
    return content


def _member(stream: BinaryIO, member: str, most: int) -> bytes | None:
    if zipfile.is_zipfile(stream):
        with zipfile.ZipFile(stream) as archive, archive.open(member) as part:
            return part.read(most + 1)
    stream.seek(0)
    with _tar(stream) as tar:
        for entry in tar:
            if entry.name == member and entry.isreg() and entry.size <= most:
                part_of = tar.extractfile(entry)
                return part_of.read(most + 1) if part_of is not None else None
    return None


def _files(stream: BinaryIO) -> Iterator[zipfile.ZipInfo | tarfile.TarInfo]:
    if zipfile.is_zipfile(stream):
        stream.seek(0)
        # Counted before zipfile makes an object of each.
        if sum(block.count(b"PK\x01\x02") for block in iter(lambda: stream.read(1 << 20), b"")) > MOST_MEMBERS:
            raise _TooLarge
        with zipfile.ZipFile(stream) as archive:
            yield from (e for e in archive.infolist() if not e.is_dir() and e.external_attr >> 16 & 0o170000 != LINK)
        return
    stream.seek(0)
    with _tar(stream) as tar:
        for number, entry in enumerate(tar):
            if number >= MOST_MEMBERS:
                raise _TooLarge
            if entry.isreg() and not entry.issparse():
                yield entry


def _tar(stream: BinaryIO) -> tarfile.TarFile:
    packed = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    opened: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=stream) if packed else stream
    return tarfile.open(fileobj=_Bounded(opened, UNPACKED), mode="r|")


def _leads_out(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or name[1:2] == ":"


@contextmanager
def _explained(title: str) -> Iterator[None]:
    """Turns whatever is wrong with an archive into one sentence."""
    try:
        yield
    except _TooLarge:
        raise SubmissionError(f"{title} holds far more than one notebook: hand in the notebook itself.") from None
    except BROKEN:
        raise SubmissionError(
            f"{title} cannot be opened, it is not whole or of another kind: hand in the notebook itself."
        ) from None
    except RuntimeError:
        raise SubmissionError(f"{title} is locked with a password: hand in the notebook itself.") from None
