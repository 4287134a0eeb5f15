"""Archives that students submit, read in memory: names and single members, within limits, nothing unpacked.

Only what can be read piece by piece is accepted: zip members that are stored or deflated, and tar files, plain or
packed with gzip, whose headers are small. The decompressors for bzip2 and LZMA in `zipfile` return all of a member at
once, and `tarfile` reads a header of any length into memory, so a file of a kilobyte could take gigabytes.
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
"""Bytes that an archive may grow to while a member is looked for."""

LARGEST_HEADER = 1 * MB
"""Bytes of an extended header of a tar file; it holds a long name, and attributes that some systems keep of a file."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
OTHER_METHODS = {9: "Deflate64", zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "LZMA", 93: "Zstandard", 95: "xz"}
"""How a zip file can be compressed, by the numbers in its headers."""

LONG_NAME, EXTENDED, GLOBAL = tarfile.GNUTYPE_LONGNAME, (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE), tarfile.XGLTYPE
EXTENSIONS = (LONG_NAME, tarfile.GNUTYPE_LONGLINK, *EXTENDED, GLOBAL)
"""Entries of a tar file that describe the entry after them."""

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
    NotImplementedError,  # a method of packing that Python does not know; first, as it is a RuntimeError too
)
LINK = 0o120000
"""File type of a symbolic link, as zip keeps it."""


class _TooLarge(Exception):
    pass


class _UnknownMethod(Exception):
    pass


class _Bounded:
    """A stream that is read from its beginning to its end, and no further than to a limit."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, most: int) -> None:
        self._stream, self.left = stream, most

    def read(self, size: int) -> bytes:
        """Exactly so many bytes; fewer only at the end of the stream."""
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
    """A regular file in a tar file; its content is what the stream gives next."""

    name: str
    size: int


def is_hidden(name: str) -> bool:
    """Whether a path leads through what systems and tools put beside a file."""
    return any(part.startswith(".") or part in ("__MACOSX", "__pycache__") for part in name.split("/"))


def names(stream: BinaryIO, title: str) -> list[str]:
    """The names of the regular files in an archive; links, hidden files and paths that lead out of it are left out."""
    with _explained(title):
        listed = _zip_names(stream) if zipfile.is_zipfile(stream) else _tar_names(stream)
        return [name for name in listed if not is_hidden(name.removeprefix("./")) and not _leads_out(name)]


def read(stream: BinaryIO, title: str, member: str, most: int) -> bytes:
    """What the member holds; SubmissionError where it is too large, locked, broken or compressed in another way."""
    with _explained(title):
        read_member = _read_zip_member if zipfile.is_zipfile(stream) else _read_tar_member
        content = read_member(stream, member, most)
    if content is None or len(content) > most:
        raise SubmissionError(f"What is in {title} is larger than {most / MB:.0f} MB: submit the notebook itself.")
    return content


def _zip_names(stream: BinaryIO) -> list[str]:
    stream.seek(0)
    # Counted before zipfile makes an object of each.
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
    """The regular files of a tar file with the stream that stands at the beginning of their content.

    `tarfile.TarInfo` reads the headers; their extensions are read here, as `tarfile` takes them of any length.
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
    """What an extended header says of the next entry: `path`, `size`, and `sparse` for a file that has holes."""
    if not 0 <= header.size <= LARGEST_HEADER:
        raise _TooLarge
    block = content.read(_padded(header.size))[: header.size]
    if header.type == LONG_NAME:
        return {"path": block.partition(b"\0")[0].decode("utf-8", "surrogateescape")}
    return _pax_records(block) if header.type in EXTENDED else {}


def _pax_records(block: bytes) -> dict[str, str]:
    """The records `length key=value` that matter; see `man 5 pax`."""
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
    """A size in whole blocks."""
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _leads_out(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or name[1:2] == ":"


@contextmanager
def _explained(title: str) -> Iterator[None]:
    """Turns whatever is wrong with an archive into one sentence."""
    try:
        yield
    except _TooLarge:
        raise SubmissionError(f"{title} holds far more than one notebook: submit the notebook itself.") from None
    except _UnknownMethod as error:
        raise SubmissionError(
            f"{title} is compressed with a method that is not supported ({error}): submit the notebook itself, or an "
            "ordinary zip file."
        ) from None
    except BROKEN:
        raise SubmissionError(
            f"{title} cannot be opened, it is not whole or of another kind: submit the notebook itself."
        ) from None
    except RuntimeError:
        raise SubmissionError(f"{title} is locked with a password: submit the notebook itself.") from None
