"""Read the archives that students submit: the names of their members and single members, in memory and within limits.

Nothing is unpacked to disk. Only formats that can be read in pieces are accepted: zip members that are stored or
deflated, and tar files, uncompressed or compressed with gzip, whose headers are small. The decompressors for bzip2 and
LZMA in `zipfile` return a whole member at once, and `tarfile` reads a header of any length into memory, so a file of a
kilobyte could take gigabytes.
"""

from __future__ import annotations

import gzip
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from autograder.common.units import MB
from autograder.errors import SubmissionError

MAX_MEMBERS = 5_000
UNPACKED = 300 * MB
"""Maximum number of bytes of an uncompressed tar file that are read to find a member."""

LARGEST_HEADER = 1 * MB
"""Maximum size, in bytes, of an extended header of a tar file, which contains a long name or attributes of a file."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
OTHER_METHODS = {9: "Deflate64", zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "LZMA", 93: "Zstandard", 95: "xz"}
"""Compression methods that cannot be read, by their numbers in the headers of a zip file."""

LONG_NAME, EXTENDED, GLOBAL = tarfile.GNUTYPE_LONGNAME, (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE), tarfile.XGLTYPE
EXTENSIONS = (LONG_NAME, tarfile.GNUTYPE_LONGLINK, *EXTENDED, GLOBAL)
"""Types of entries in a tar file that describe the entry after them."""

PAX_RECORD = re.compile(rb"(\d{1,20}) ([^=]+)=")

BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    MemoryError,
    NotImplementedError,  # an unknown compression method; also a RuntimeError, which is caught after these
)
LINK = 0o120000
"""File type of a symbolic link in a zip file."""


class _TooLarge(Exception):
    pass


class _UnknownMethod(Exception):
    pass


class _Bounded:
    """A stream that is read sequentially, up to a limit."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, most: int) -> None:
        self._stream, self.left = stream, most

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes, or fewer at the end of the stream."""
        if size > self.left:
            raise _TooLarge
        content = self._stream.read(size)
        self.left -= len(content)
        return content

    def skip(self, size: int) -> None:
        while size > 0:
            if not (content := self.read(min(size, MB))):
                raise EOFError
            size -= len(content)


@dataclass(frozen=True)
class _TarEntry:
    """A regular file in a tar file; its content comes next in the stream."""

    name: str
    size: int


def is_hidden(name: str) -> bool:
    """Whether a part of the path is hidden or was created by a system or tool, such as `__MACOSX`."""
    return any(part.startswith(".") or part in ("__MACOSX", "__pycache__") for part in name.split("/"))


def names(stream: BinaryIO, title: str) -> list[str]:
    """Return the names of the regular files in an archive, except links, hidden files and paths that lead out of it."""
    with _explained(title):
        listed = _zip_names(stream) if zipfile.is_zipfile(stream) else _tar_names(stream)
        return [name for name in listed if not is_hidden(name.removeprefix("./")) and not _leads_out(name)]


def read(stream: BinaryIO, title: str, member: str, most: int) -> bytes:
    """Return the content of a member; raise SubmissionError if it is too large, encrypted, damaged or unsupported."""
    with _explained(title):
        read_member = _read_zip_member if zipfile.is_zipfile(stream) else _read_tar_member
        content = read_member(stream, member, most)
    if content is None or len(content) > most:
        raise SubmissionError(f"The notebook in {title} is larger than {most / MB:.0f} MB: submit the notebook itself.")
    return content


def _zip_names(stream: BinaryIO) -> list[str]:
    stream.seek(0)
    # Count the members before zipfile creates an object for each.
    if sum(block.count(b"PK\x01\x02") for block in iter(lambda: stream.read(1 << 20), b"")) > MAX_MEMBERS:
        raise _TooLarge
    with zipfile.ZipFile(stream) as archive:
        entries = archive.infolist()
    return [e.filename for e in entries if e.filename and not e.is_dir() and e.external_attr >> 16 & 0o170000 != LINK]


def _read_zip_member(stream: BinaryIO, member: str, most: int) -> bytes:
    with zipfile.ZipFile(stream) as archive:
        entry = archive.getinfo(member)
        is_locked = entry.flag_bits & 1
        if entry.compress_type not in METHODS and not is_locked:
            raise _UnknownMethod(OTHER_METHODS.get(entry.compress_type, f"number {entry.compress_type}"))
        with archive.open(entry) as part:
            return part.read(most + 1)


def _tar_names(stream: BinaryIO) -> list[str]:
    return [entry.name for entry, _ in _tar_entries(stream)]


def _read_tar_member(stream: BinaryIO, member: str, most: int) -> bytes | None:
    for entry, content in _tar_entries(stream):
        if entry.name == member and entry.size <= most:
            read = content.read(entry.size)
            if len(read) < entry.size:
                raise EOFError
            return read
    return None


def _tar_entries(stream: BinaryIO) -> Iterator[tuple[_TarEntry, _Bounded]]:
    """Yield the regular files of a tar file, each with the stream at the beginning of its content.

    `tarfile.TarInfo` parses the headers; extended headers are read here, because `tarfile` reads them at any length.
    """
    content = _open_tar(stream)
    extension: dict[str, str] = {}
    for number in range(MAX_MEMBERS + 1):
        block = content.read(tarfile.BLOCKSIZE)
        if not block.strip(b"\0"):
            if not number:
                raise EOFError
            return
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if header.type in EXTENSIONS:
            extension |= _read_extension(header, content)
            continue
        entry = _TarEntry(extension.get("path", header.name), int(extension.get("size", header.size)))
        if header.type == tarfile.GNUTYPE_SPARSE or "sparse" in extension or entry.size < 0:
            raise tarfile.ReadError
        extension = {}
        begin = content.left
        if header.isreg():
            yield entry, content
        if header.isreg() or header.type not in tarfile.SUPPORTED_TYPES:
            content.skip(_padded(entry.size) - (begin - content.left))
    raise _TooLarge


def _open_tar(stream: BinaryIO) -> _Bounded:
    stream.seek(0)
    is_packed = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    return _Bounded(gzip.GzipFile(fileobj=stream) if is_packed else stream, UNPACKED)


def _read_extension(header: tarfile.TarInfo, content: _Bounded) -> dict[str, str]:
    """Return what an extended header says about the next entry: `path`, `size`, and `sparse` for a sparse file."""
    if not 0 <= header.size <= LARGEST_HEADER:
        raise _TooLarge
    block = content.read(_padded(header.size))[: header.size]
    if header.type == LONG_NAME:
        return {"path": block.partition(b"\0")[0].decode("utf-8", "surrogateescape")}
    return _pax_records(block) if header.type in EXTENDED else {}


def _pax_records(block: bytes) -> dict[str, str]:
    """Return the relevant ones of the records `length key=value`; see `man 5 pax`."""
    records, place = {}, 0
    while match := PAX_RECORD.match(block, place):
        place += max(int(match[1]), 1)
        key = match[2].decode("utf-8", "replace")
        if key in ("path", "size"):
            records[key] = block[match.end() : place - 1].decode("utf-8", "surrogateescape")
        elif key.startswith("GNU.sparse."):
            records["sparse"] = ""
    return records


def _padded(size: int) -> int:
    """Round a size up to whole blocks."""
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _leads_out(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or name[1:2] == ":"


@contextmanager
def _explained(title: str) -> Iterator[None]:
    """Turn any error in an archive into a SubmissionError of one sentence."""
    try:
        yield
    except _TooLarge:
        raise SubmissionError(
            f"{title} contains too many files or too much data: submit the notebook itself."
        ) from None
    except _UnknownMethod as error:
        raise SubmissionError(
            f"{title} is compressed with a method that is not supported ({error}): submit the notebook itself, or an "
            "ordinary zip file."
        ) from None
    except BROKEN:
        raise SubmissionError(
            f"{title} cannot be opened, because it is incomplete, damaged or not an archive of this type: submit the "
            "notebook itself."
        ) from None
    except RuntimeError:
        raise SubmissionError(f"{title} is password-protected: submit the notebook itself.") from None
