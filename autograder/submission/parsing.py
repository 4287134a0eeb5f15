"""Turn the bytes of a file into a valid notebook: what is invalid is omitted or corrected, and reported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
from nbformat import NotebookNode

from autograder.common.units import MB

from .decoding import CONFLICT, Reading, decoded, parsed
from .files import File, kind_of, shown
from .findings import Finding

NEWEST = 4
"""The newest major version of the notebook format that can be read."""

MAX_CELLS = 2_000
MAX_TEXT = 20 * MB
"""Maximum number of characters in all cells together."""

MAX_ATTACHED = 5 * MB
"""Maximum number of characters of the pictures attached to one cell."""

MAX_LINES, MAX_SCRIPT = 5_000, 300_000
"""Maximum numbers of lines and characters of a script."""

TYPES = {"code": "code", "markdown": "markdown", "raw": "raw", "heading": "markdown", "html": "markdown"}
"""Types of cells, including those of formats before 4, and the types that replace them."""

OTHER_KERNELS = re.compile(r"(?:ir|xr|julia|octave|bash|javascript|scala|sos)\b", re.IGNORECASE)
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Parsed:
    """A file that could be read: its notebook without outputs, findings about what was invalid, and the original
    document, which is not validated."""

    notebook: NotebookNode
    findings: list[Finding]
    document: dict[str, Any]


def read_notebook(source: File | Path) -> NotebookNode:
    """Read a notebook file or a Python script as a notebook of format 4; raise SubmissionError if that fails."""
    return read(source).notebook


def read(source: File | Path) -> Parsed:
    """Read a notebook file or a Python script; raise SubmissionError, which says why, if that fails."""
    file = File(source.resolve(), shown(source.name)) if isinstance(source, Path) else source
    reading = Reading(file.name)
    try:
        return _read(file, reading)
    except MemoryError:
        raise reading.refuse("is too large to be read", "clear its outputs, save it and submit that file") from None


def _read(file: File, reading: Reading) -> Parsed:
    text = decoded(file.read(), reading)
    is_script = kind_of(file.title) == "script" and not text.lstrip().startswith("{")
    document = _from_script(text, reading) if is_script else parsed(text, reading)
    notebook = _notebook(document, reading)
    if reading.odd:
        text = "The file is not entirely valid as a notebook, which was corrected"
        reading.findings.append(Finding(kind="invalid notebook", text=f"{text}: {', '.join(reading.odd)}."))
    return Parsed(notebook, reading.findings, document)


def _from_script(text: str, reading: Reading) -> dict[str, Any]:
    """Convert a script to a notebook: from percent format, from nbconvert's format, or split at blank lines."""
    import jupytext  # here: scripts are rarely submitted, and this import is as slow as all others for reading

    if len(text) > MAX_SCRIPT or text.count("\n") > MAX_LINES:
        raise reading.refuse(f"has more than {MAX_LINES:,} lines or {MAX_SCRIPT:,} characters", "submit the notebook")
    text = re.sub(r"^# In\[[ \d]*\]:[ \t]*$", "# %%", text, flags=re.MULTILINE)
    text = re.sub(r"^get_ipython\(\)\.(?:system|run_line_magic)\(.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\n{4,}", "\n\n\n", text)
    format_name = "percent" if re.search(r"^# ?%%", text, flags=re.MULTILINE) else "light"
    try:
        return dict(jupytext.reads(text, fmt=f"py:{format_name}"))
    except Exception:
        raise reading.refuse("cannot be read as a script", "submit the notebook") from None


def _notebook(document: dict[str, Any], reading: Reading) -> NotebookNode:
    """Return a valid notebook with all cells of the document that can be recognised."""
    _check_version(document, reading)
    _check_kernel(document.get("metadata"), reading)
    if (count := len(raw := _raw_cells(document, reading))) > MAX_CELLS:
        raise reading.refuse(f"has {count:,} cells; the limit is {MAX_CELLS:,}", "submit only your solution")
    notebook = nbformat.v4.new_notebook()
    taken: set[str] = set()
    for place, cell in enumerate(raw):
        made = _cell(cell, reading)
        made.id = _cell_id(cell.get("id"), place, taken, reading)
        notebook.cells.append(made)
    if not notebook.cells:
        raise reading.refuse("contains no cells", "submit the notebook with your solution")
    if sum(len(cell.source) for cell in notebook.cells) > MAX_TEXT:
        raise reading.refuse(
            f"has more than {MAX_TEXT // MB} MB of code and text in its cells", "submit only your solution"
        )
    for number, cell in enumerate(notebook.cells, 1):
        if "<<<<<<<" in cell.source and CONFLICT.search(cell.source):
            text = (
                "The cell contains merge conflict markers (<<<<<<<, =======, >>>>>>>): keep one version and delete the "
                "markers."
            )
            reading.note("merge conflict", text, f"number {number}")
    return notebook


def _check_version(document: dict[str, Any], reading: Reading) -> None:
    major = document.get("nbformat")
    if not isinstance(major, int | float) or isinstance(major, bool):
        reading.odd["missing format version"] = None
    elif major > NEWEST:
        raise reading.refuse(
            f"uses notebook format {major:g}, but only formats up to {NEWEST} are supported",
            "save it in an older format",
        )


def _check_kernel(metadata: Any, reading: Reading) -> None:
    """Note if the notebook was written for another language."""
    parts = {key: metadata.get(key) for key in ("kernelspec", "language_info")} if isinstance(metadata, dict) else {}
    kernel, language = (
        {**part} if isinstance(part, dict) else {} for part in (parts.get("kernelspec"), parts.get("language_info"))
    )
    names = [str(name) for name in (kernel.get("language"), language.get("name")) if name]
    if not names and OTHER_KERNELS.match(str(kernel.get("name", ""))):
        names = [str(kernel["name"])]
    if names and not any(name.lower().startswith(("python", "ipython")) for name in names):
        text = (
            f"The notebook was saved with a kernel for {shown(names[0])}, but it was run as Python. Choose a Python "
            "kernel and save it again."
        )
        reading.note("other language", text)


def _raw_cells(document: dict[str, Any], reading: Reading) -> list[dict[str, Any]]:
    """Return the cells as stored in the file, also in formats with worksheets."""
    found = document.get("cells")
    if not isinstance(found, list):
        sheets = document.get("worksheets")
        sheets = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else []
        found = [cell for cells in sheets if isinstance(cells, list) for cell in cells]
    kept = [cell for cell in found if isinstance(cell, dict)]
    if len(kept) < len(found):
        reading.odd["invalid entries in the list of cells"] = None
    return kept


def _cell(raw: dict[str, Any], reading: Reading) -> NotebookNode:
    kind = TYPES.get(str(raw.get("cell_type")))
    if kind is None:
        kind = "code" if {"outputs", "execution_count", "input"} & set(raw) else "raw"
        reading.odd["a cell of an unknown type"] = None
    source = _source(raw.get("source", raw.get("input")), reading)
    if raw.get("cell_type") == "heading":
        level = raw.get("level")
        source = f"{'#' * (level if isinstance(level, int) and 1 <= level <= 6 else 1)} {source}"
    made = new_cell(kind, source, _metadata(raw.get("metadata"), reading))
    attached = raw.get("attachments")
    if kind == "markdown" and attached:
        if _is_attachment(attached):
            made.attachments = nbformat.from_dict(attached)
        else:
            reading.odd["attachments that are too large or invalid"] = None
    return made


def new_cell(kind: str, source: str, metadata: Mapping[str, Any], cell_id: str = "") -> NotebookNode:
    """Create a cell of one of the three types, as nbformat's functions do, but without validating each cell."""
    name = cell_id or uuid4().hex[:8]
    made = NotebookNode(id=name, cell_type=kind, source=source, metadata=nbformat.from_dict(dict(metadata)))
    return NotebookNode(made, outputs=[], execution_count=None) if kind == "code" else made


def _source(raw: Any, reading: Reading) -> str:
    """Return the text of a cell, stored as a string or as lines; replace lone surrogates, which no kernel accepts."""
    if isinstance(raw, list):
        if not all(isinstance(line, str) for line in raw):
            reading.odd["lines of a cell that are not text"] = None
        raw = "".join(line for line in raw if isinstance(line, str))
    if not isinstance(raw, str):
        reading.odd["a cell without text"] = None
        raw = "" if raw is None or isinstance(raw, dict) else str(raw)
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    whole = re.sub("[\ud800-\udfff]", "\ufffd", text)
    if whole != text:
        reading.odd["incomplete Unicode characters"] = None
    return whole


def _metadata(raw: Any, reading: Reading) -> dict[str, Any]:
    """Return the part of a cell's metadata that is used: nbgrader's, with the cell's name in the assignment."""
    details = raw.get("nbgrader") if isinstance(raw, dict) else None
    name = details.get("grade_id") if isinstance(details, dict) else None
    if raw is not None and not isinstance(raw, dict):
        reading.odd["invalid metadata"] = None
    return {"nbgrader": details} if isinstance(name, str) else {}


def _is_attachment(raw: Any) -> bool:
    if not isinstance(raw, dict) or not all(isinstance(value, dict) for value in raw.values()):
        return False
    contents = [content for value in raw.values() for content in value.values()]
    return all(isinstance(c, str) for c in contents) and sum(map(len, contents)) <= MAX_ATTACHED


def _cell_id(raw: Any, place: int, taken: set[str], reading: Reading) -> str:
    name = raw if isinstance(raw, str) and CELL_ID.fullmatch(raw) else ""
    if (raw is not None and not name) or name in taken:
        reading.odd["duplicate or invalid cell ids"] = None
    while not name or name in taken:
        name, place = f"cell-{place}", place + MAX_CELLS
    taken.add(name)
    return name
