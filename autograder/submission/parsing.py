"""From the bytes of a file to a notebook that can be run: whatever does not fit the format is left out and told."""

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
"""The major version of the notebook format that is read."""

MAX_CELLS = 2_000
MAX_TEXT = 20 * MB
"""Characters of all cells together."""

MAX_ATTACHED = 5 * MB
"""Characters of the pictures attached to one cell."""

MAX_LINES, MAX_SCRIPT = 5_000, 300_000
"""Lines and characters of a script."""

TYPES = {"code": "code", "markdown": "markdown", "raw": "raw", "heading": "markdown", "html": "markdown"}
"""Types of cells, those of the formats before 4 too, by what they are now."""

OTHER_KERNELS = re.compile(r"(?:ir|xr|julia|octave|bash|javascript|scala|sos)\b", re.IGNORECASE)
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Parsed:
    """A file that could be read: its notebook, without outputs, what had to be put right to read it, and the document
    as it stands in the file, of which nothing can be taken for granted."""

    notebook: NotebookNode
    findings: list[Finding]
    document: dict[str, Any]


def read_notebook(source: File | Path) -> NotebookNode:
    """Read a notebook of format 4 from a notebook file or a Python script; SubmissionError says why it is none."""
    return read(source).notebook


def read(source: File | Path) -> Parsed:
    """Read a notebook file or a Python script; SubmissionError says why it is none."""
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
        text = f"What does not fit the notebook format was left out or put right: {', '.join(reading.odd)}."
        reading.findings.append(Finding(kind="invalid notebook", text=text))
    return Parsed(notebook, reading.findings, document)


def _from_script(text: str, reading: Reading) -> dict[str, Any]:
    """A notebook from a script in percent format, in the form that nbconvert writes, or cut at blank lines."""
    import jupytext  # here: hardly anybody submits a script, and it takes as long as all else that reads

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
    """A valid notebook with all cells of the document that can be told."""
    _check_version(document, reading)
    _check_kernel(document.get("metadata"), reading)
    if (count := len(raw := _raw_cells(document, reading))) > MAX_CELLS:
        raise reading.refuse(f"has {count:,} cells, and {MAX_CELLS:,} are read at most", "submit your solution alone")
    notebook = nbformat.v4.new_notebook()
    taken: set[str] = set()
    for place, cell in enumerate(raw):
        made = _cell(cell, reading)
        made.id = _cell_id(cell.get("id"), place, taken, reading)
        notebook.cells.append(made)
    if not notebook.cells:
        raise reading.refuse("holds no cells", "submit the notebook with your solution")
    if sum(len(cell.source) for cell in notebook.cells) > MAX_TEXT:
        raise reading.refuse(
            f"has more than {MAX_TEXT // MB} MB of code and text in its cells", "submit your solution alone"
        )
    for number, cell in enumerate(notebook.cells, 1):
        if "<<<<<<<" in cell.source and CONFLICT.search(cell.source):
            text = (
                "The cell holds marks of a merge conflict (<<<<<<<, =======, >>>>>>>): keep one side and remove them."
            )
            reading.note("merge conflict", text, f"number {number}")
    return notebook


def _check_version(document: dict[str, Any], reading: Reading) -> None:
    major = document.get("nbformat")
    if not isinstance(major, int | float) or isinstance(major, bool):
        reading.odd["no version of the format"] = None
    elif major > NEWEST:
        raise reading.refuse(
            f"is a notebook of format {major:g}, and formats up to {NEWEST} are read", "save it in an older format"
        )


def _check_kernel(metadata: Any, reading: Reading) -> None:
    """Notes a notebook that was written for another language."""
    parts = {key: metadata.get(key) for key in ("kernelspec", "language_info")} if isinstance(metadata, dict) else {}
    kernel, language = (
        {**part} if isinstance(part, dict) else {} for part in (parts.get("kernelspec"), parts.get("language_info"))
    )
    names = [str(name) for name in (kernel.get("language"), language.get("name")) if name]
    if not names and OTHER_KERNELS.match(str(kernel.get("name", ""))):
        names = [str(kernel["name"])]
    if names and not any(name.lower().startswith(("python", "ipython")) for name in names):
        text = (
            f"The notebook was saved for {shown(names[0])}; it ran as Python. Choose a Python kernel and save it again."
        )
        reading.note("other kernel", text)


def _raw_cells(document: dict[str, Any], reading: Reading) -> list[dict[str, Any]]:
    """The cells as they stand in the file, also of formats that keep them in worksheets."""
    found = document.get("cells")
    if not isinstance(found, list):
        sheets = document.get("worksheets")
        sheets = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else []
        found = [cell for cells in sheets if isinstance(cells, list) for cell in cells]
    kept = [cell for cell in found if isinstance(cell, dict)]
    if len(kept) < len(found):
        reading.odd["cells that are none"] = None
    return kept


def _cell(raw: dict[str, Any], reading: Reading) -> NotebookNode:
    kind = TYPES.get(str(raw.get("cell_type")))
    if kind is None:
        kind = "code" if {"outputs", "execution_count", "input"} & set(raw) else "raw"
        reading.odd["an unknown type of a cell"] = None
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
            reading.odd["attachments that are too large or none"] = None
    return made


def new_cell(kind: str, source: str, metadata: Mapping[str, Any], cell_id: str = "") -> NotebookNode:
    """A cell of one of the three types, as nbformat makes it; that one looks each over, and the notebook once more."""
    name = cell_id or uuid4().hex[:8]
    made = NotebookNode(id=name, cell_type=kind, source=source, metadata=nbformat.from_dict(dict(metadata)))
    return NotebookNode(made, outputs=[], execution_count=None) if kind == "code" else made


def _source(raw: Any, reading: Reading) -> str:
    """The text of a cell, kept as one string or as lines; half a character, which no kernel takes, is replaced."""
    if isinstance(raw, list):
        if not all(isinstance(line, str) for line in raw):
            reading.odd["lines of a cell that are no text"] = None
        raw = "".join(line for line in raw if isinstance(line, str))
    if not isinstance(raw, str):
        reading.odd["a cell without text"] = None
        raw = "" if raw is None or isinstance(raw, dict) else str(raw)
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    whole = re.sub("[\ud800-\udfff]", "\ufffd", text)
    if whole != text:
        reading.odd["halves of characters"] = None
    return whole


def _metadata(raw: Any, reading: Reading) -> dict[str, Any]:
    """What of a cell's metadata is used: its name in the assignment."""
    details = raw.get("nbgrader") if isinstance(raw, dict) else None
    name = details.get("grade_id") if isinstance(details, dict) else None
    if raw is not None and not isinstance(raw, dict):
        reading.odd["metadata that are none"] = None
    return {"nbgrader": details} if isinstance(name, str) else {}


def _is_attachment(raw: Any) -> bool:
    if not isinstance(raw, dict) or not all(isinstance(value, dict) for value in raw.values()):
        return False
    contents = [content for value in raw.values() for content in value.values()]
    return all(isinstance(c, str) for c in contents) and sum(map(len, contents)) <= MAX_ATTACHED


def _cell_id(raw: Any, place: int, taken: set[str], reading: Reading) -> str:
    name = raw if isinstance(raw, str) and CELL_ID.fullmatch(raw) else ""
    if (raw is not None and not name) or name in taken:
        reading.odd["cell ids that stand twice or are none"] = None
    while not name or name in taken:
        name, place = f"cell-{place}", place + MAX_CELLS
    taken.add(name)
    return name
