"""From the bytes of a file to the JSON document of a notebook, or one sentence on why they hold none."""

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
    (b"\x1f\x8b", "a packed archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "a text document"),
    (b"\x80\x04", "pickled data"),
    (b"\x93NUMPY", "an array of NumPy"),
)
"""How files begin that are no text, and what they are."""

MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""Byte order marks of encodings other than UTF-8, the longer ones first."""

CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: .*)?$|^={7}$", re.MULTILINE)
"""A line that a version control system leaves in a file that two people changed."""


LATIN = "cp1252"
"""The encoding of texts that are saved in no other one; in it everything can be read, rightly or not."""

JAPANESE = ("cp932", "euc_jp")
KANA = re.compile("[\u3041-\u30fe]{2}")
"""Japanese syllables, which hardly ever come out where a text in another encoding is taken for Japanese."""

NAMES = {LATIN: "Latin-1", "cp932": "Shift JIS (cp932)", "euc_jp": "EUC-JP"}

LONGEST_NOTE = 1_000
"""Characters of a file that holds hardly more than a link."""

LINK = re.compile(r"https?://([\w.-]{1,60})", re.ASCII)
DOWNLOAD = "download the notebook from there (in Colab: File, Download, Download .ipynb) and submit that file"

MAX_VALUES = 4_000_000
"""Numbers, and lists and objects, of a document; a hundred MB can hold more of them than fit into memory."""


@dataclass
class Reading:
    """A file on its way to a notebook, and what was seen of it; `odd` are the things left out or put right, `encoding`
    is that of its text."""

    name: str
    encoding: str = "utf-8-sig"
    findings: list[Finding] = field(default_factory=list)
    odd: dict[str, None] = field(default_factory=dict)

    def note(self, kind: str, text: str, cell: str | None = None) -> None:
        self.findings.append(Finding(kind=kind, text=text, cell=cell, audience="both"))

    def refuse(self, what: str, advice: str = "save it again in Jupyter and submit that file") -> SubmissionError:
        return SubmissionError(f"{self.name} {what}: {advice}.")


def decoded(content: bytes, reading: Reading) -> str:
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
        letters = "letters like ä may be wrong" if encoding == LATIN else "letters may be wrong"
        reading.note("encoding", f"The file was saved as {name} and read so; {letters}. Save it as UTF-8.")
    if "\x00" in text:
        reading.note("zero bytes", "The file held zero bytes, as a failing disk leaves them; they were left out.")
        text = text.replace("\x00", "")
    return text.replace("\r\n", "\n")


def _decoded_by_guess(content: bytes) -> tuple[str, str]:
    """The encoding and the text of what is not UTF-8: Japanese where it reads as such, or else Latin-1."""
    for encoding in JAPANESE:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if KANA.search(text):
            return encoding, text
    return LATIN, content.decode(LATIN, "replace")


def linked_host(text: str) -> str:
    """Where a link leads that a short text holds, "" if there is none; a property list names its own format first."""
    hosts = LINK.findall(text) if len(text) <= LONGEST_NOTE else []
    return str(hosts[-1]) if hosts else ""


class _Crowded(Exception):
    """There are more values in the text than should be held in memory."""


class _Decoder(json.JSONDecoder):
    """Reads JSON of which every part can be had: a number that is none becomes None, of a key that stands twice the
    last value counts; both are told."""

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
        self._reading.odd["numbers too large or not finite"] = None
        return None

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            self._reading.odd["keys that stand twice in one place, of which the last counted"] = None
        return made


def parsed(text: str, reading: Reading) -> dict[str, Any]:
    """The JSON object in the text that holds the notebook; SubmissionError says what is there instead."""
    begin = len(text) - len(text.lstrip())
    try:
        if text.count("[") + text.count("{") > MAX_VALUES:
            raise _Crowded
        document, end = _Decoder(reading).raw_decode(text, begin)
    except _Crowded:
        advice = "clear its outputs, save it and submit that file"
        raise reading.refuse("holds far more values than a notebook has", advice) from None
    except RecursionError:
        raise reading.refuse("is nested too deeply to be a notebook") from None
    except ValueError as error:
        raise _no_json(text, error, reading) from None
    if text[end:].strip():
        if CONFLICT.search(text):
            raise _no_json(text, None, reading)
        reading.note("text after the end", "The file goes on after the end of the notebook; that part was left out.")
    if not isinstance(document, dict) or not {"cells", "worksheets"} & set(document):
        raise reading.refuse("is JSON, but no notebook, as it has no cells", "submit the notebook itself")
    return document


def _no_json(text: str, error: ValueError | None, reading: Reading) -> SubmissionError:
    """Why a text that should be a notebook is none."""
    if found := CONFLICT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        advice = "resolve the conflict, save it again in Jupyter and submit that file"
        return reading.refuse(f"holds marks of a merge conflict, the first in line {line}", advice)
    begins = text.lstrip()[:20]
    if re.match(r"<(?:!doctype|html|\?xml|head|body)", begins, re.IGNORECASE):
        return reading.refuse("is a web page (HTML), not a notebook", "submit the .ipynb file itself")
    if not begins.startswith("{") and (host := linked_host(text)):
        return reading.refuse(f"holds a link to {host}, not a notebook", DOWNLOAD)
    if reading.encoding == LATIN:
        return reading.refuse(
            "is neither saved as UTF-8 nor in another encoding that is known", "save it again in Jupyter as UTF-8"
        )
    if not begins.startswith("{"):
        return reading.refuse(
            "cannot be read as a notebook, it is not JSON", "submit the notebook itself, as Jupyter saves it"
        )
    if isinstance(error, json.JSONDecodeError):
        line = error.lineno
        if error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated string"):
            return reading.refuse(
                f"ends in the middle, after line {text.count(chr(10)) + 1}; only a part of it was saved"
            )
        return reading.refuse(
            f"cannot be read as a notebook, from line {line}, column {error.colno}, on it is not JSON"
        )
    return reading.refuse("cannot be read as a notebook, it is not JSON")
