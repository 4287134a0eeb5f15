"""Decode the bytes of a file to the JSON document of a notebook, or say in one sentence why that is not possible."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

from autograder.errors import SubmissionError

from .findings import Finding

BEGINNINGS = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "a text document"),
    (b"\x80\x04", "pickled data"),
    (b"\x93NUMPY", "a NumPy array"),
)
"""How common files that are not text begin, and what they are."""

MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""Byte order marks of encodings other than UTF-8, the longer ones first."""

CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: .*)?$|^={7}$", re.MULTILINE)
"""A line by which a version control system marks a merge conflict in a file."""

LATIN = "cp1252"
"""The encoding that is used if no other fits: it can decode any bytes, correctly or not."""

JAPANESE = ("cp932", "euc_jp")
KANA = re.compile("[\u3041-\u30fe]{2}")
"""Japanese syllables, which are rare in the result if a text in another encoding is decoded as Japanese."""

NAMES = {LATIN: "Latin-1", "cp932": "Shift JIS (cp932)", "euc_jp": "EUC-JP"}

LONGEST_NOTE = 1_000
"""Maximum number of characters of a file that contains little more than a link."""

LINK = re.compile(r"https?://([\w.-]{1,60})", re.ASCII)
DOWNLOAD = "download the notebook from there (in Colab: File, Download, Download .ipynb) and submit that file"

MAX_VALUES = 4_000_000
"""Maximum number of numbers, and of lists and objects, in a document: 100 MB can contain more than fit into memory."""


@dataclass
class Reading:
    """A file that is being read as a notebook, and the findings about it.

    `encoding` is that of its text; `odd` are the kinds of invalid content that were omitted or corrected.
    """

    name: str
    encoding: str = "utf-8-sig"
    findings: list[Finding] = field(default_factory=list)
    odd: dict[str, None] = field(default_factory=dict)

    def note(self, kind: str, text: str, cell: str | None = None) -> None:
        self.findings.append(Finding(kind=kind, text=text, cell=cell, audience="both"))

    def refuse(self, what: str, advice: str = "save it again in Jupyter and submit that file") -> SubmissionError:
        return SubmissionError(f"{self.name} {what}: {advice}.")


def decoded(content: bytes, reading: Reading) -> str:
    """Return the text of a file; raise SubmissionError if it is not text."""
    if not content.strip(b"\x00\r\n\t "):
        raise reading.refuse("is empty and cannot be read as a notebook")
    for beginning, what in BEGINNINGS:
        if content.startswith(beginning):
            raise reading.refuse(f"is {what}, not a notebook", "submit the notebook itself, as Jupyter saves it")
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), "utf-8-sig")
    if encoding == "utf-8-sig":
        encoding = {b"{\x00": "utf-16-le", b"\x00{": "utf-16-be"}.get(content[:2], encoding)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8-sig" or b"\x00" in content:
            raise reading.refuse("is not a text file", "submit the notebook itself, as Jupyter saves it") from None
        encoding, text = _decoded_by_guess(content)
    reading.encoding = encoding
    if encoding != "utf-8-sig":
        name = NAMES.get(encoding, encoding.upper().removesuffix("-LE").removesuffix("-BE"))
        letters = "letters such as ä may be wrong" if encoding == LATIN else "letters may be wrong"
        message = f"The file was read as {name}, because it is not in UTF-8; {letters}. Save it as UTF-8."
        reading.note("encoding", message)
    if "\x00" in text:
        message = "The file contained NUL bytes, perhaps because of a disk error; they were removed."
        reading.note("zero bytes", message)
        text = text.replace("\x00", "")
    return text.replace("\r\n", "\n")


def _decoded_by_guess(content: bytes) -> tuple[str, str]:
    """Return the encoding and the text of bytes that are not UTF-8: Japanese if the text looks like it, or Latin-1."""
    for encoding in JAPANESE:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if KANA.search(text):
            return encoding, text
    return LATIN, content.decode(LATIN, "replace")


def linked_host(text: str) -> str:
    """Return the host of the last link in a short text, "" for none; the first link in a property list is its DTD."""
    hosts = LINK.findall(text) if len(text) <= LONGEST_NOTE else []
    return str(hosts[-1]) if hosts else ""


class _Crowded(Exception):
    """The text contains more values than should be held in memory."""


class _Decoder(json.JSONDecoder):
    """Reads JSON leniently, and notes it: an invalid number becomes None, and of a duplicate key the last value is
    used."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(
            strict=False,
            parse_int=self._integer,
            parse_float=self._number,
            parse_constant=self._number,
            object_pairs_hook=self._object,
        )
        self._reading = reading
        self._count = 0

    def _integer(self, digits: str) -> Any:
        value = self._number(digits)
        return value if value is None or len(digits) > 19 else int(digits)

    def _number(self, digits: str) -> float | None:
        self._count += 1
        if self._count > MAX_VALUES:
            raise _Crowded
        if len(digits) < 400 and math.isfinite(value := float(digits)):
            return value
        self._reading.odd["numbers that are too large or not finite"] = None
        return None

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            self._reading.odd["duplicate keys (the last value was used)"] = None
        return made


def parsed(text: str, reading: Reading) -> dict[str, Any]:
    """Return the JSON object of the notebook; raise SubmissionError, which says what the text is instead."""
    begin = len(text) - len(text.lstrip())
    try:
        if text.count("[") + text.count("{") > MAX_VALUES:
            raise _Crowded
        document, end = _Decoder(reading).raw_decode(text, begin)
    except _Crowded:
        advice = "clear its outputs, save it and submit that file"
        raise reading.refuse("contains far too many values for a notebook", advice) from None
    except RecursionError:
        raise reading.refuse("is nested too deeply to be a notebook") from None
    except ValueError as error:
        raise _no_json(text, error, reading) from None
    if text[end:].strip():
        if CONFLICT.search(text):
            raise _no_json(text, None, reading)
        reading.note("text after the end", "The file continues after the end of the notebook; that part was ignored.")
    if not isinstance(document, dict) or not {"cells", "worksheets"} & set(document):
        raise reading.refuse("is valid JSON but not a notebook, because it has no cells", "submit the notebook itself")
    return document


def _no_json(text: str, error: ValueError | None, reading: Reading) -> SubmissionError:
    """Return the error that says why a text is not a notebook."""
    if found := CONFLICT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        advice = "resolve the conflict, save it again in Jupyter and submit that file"
        return reading.refuse(f"contains merge conflict markers, the first on line {line}", advice)
    begins = text.lstrip()[:20]
    if re.match(r"<(?:!doctype|html|\?xml|head|body)", begins, re.IGNORECASE):
        return reading.refuse("is a web page (HTML), not a notebook", "submit the .ipynb file itself")
    if not begins.startswith("{") and (host := linked_host(text)):
        return reading.refuse(f"contains a link to {host}, not a notebook", DOWNLOAD)
    if reading.encoding == LATIN:
        return reading.refuse(
            "is not in UTF-8 or in any other encoding that the autograder recognises",
            "save it again in Jupyter as UTF-8",
        )
    if not begins.startswith("{"):
        return reading.refuse(
            "is not a notebook, because it is not JSON", "submit the notebook itself, as Jupyter saves it"
        )
    if isinstance(error, json.JSONDecodeError):
        line = error.lineno
        if error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated string"):
            return reading.refuse(
                f"is incomplete (it ends after line {text.count(chr(10)) + 1}), because only a part of it was saved"
            )
        return reading.refuse(
            f"is not a valid notebook, because its JSON is invalid at line {line}, column {error.colno}"
        )
    return reading.refuse("is not a valid notebook, because it is not valid JSON")
