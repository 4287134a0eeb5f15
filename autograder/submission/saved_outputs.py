"""What a student's own run left in the notebook that was handed in: the rows that were recorded, and the figures.

The grader runs every notebook again, on other data. The comments are about what the student saw, so this is kept
beside them. It is read as data, out of text and tables that the notebook shows; nothing of it is executed or trusted.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from autograder.assignment.exercise import Series, Swept
from autograder.assignment.settings import Assignment
from autograder.assignment.source import grade_id
from autograder.encoders import one_line
from autograder.errors import SubmissionError, Unreadable
from autograder.grading.verdict import Record
from autograder.reporting.images import picture
from autograder.results.layout import student_folder
from autograder.results.store import remove, write_text

from . import limited
from .decoding import Reading, decoded, parsed
from .prepare import choose, load_release

KEYS = ("learning_rate", "batch_size", "epochs", "test_accuracy", "train_time", "total_energy")
NEEDED = {"learning_rate", "batch_size", "epochs"}

NAME = "own-run.json"
MOST_ROWS, MOST_PICTURES, MOST_OUTPUTS = 40, 4, 60
LONGEST, MOST_TEXT = 50_000, 2_000_000
"""Characters of one output that are read, and of all."""

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?"
PAIR = re.compile(rf"\b({'|'.join(KEYS)})\b['\"]?(?:\s*[:=]\s*|\s+)(?:np\.\w+\()?({NUMBER}|None|nan)")
"""A key and its value, as a dictionary, JSON or a line of text shows them."""

DRY = re.compile(r"^(Dry run: |DRY_RUN is on)", re.MULTILINE)
"""What a dry run leaves: the first in the cell that takes the sample, the second below the checks."""

log = logging.getLogger(__name__)


class Row(Record):
    """One training as the student recorded it: seconds and joules, None for what is not there."""

    learning_rate: float
    batch_size: float
    epochs: float
    test_accuracy: float | None = None
    train_time: float | None = None
    total_energy: float | None = None


class Loop(Record):
    """The rows of a series by setting, if it is that of a loop, and its figures as data URIs of PNG pictures; `dry`
    are those of a dry run, on few notes and for few epochs."""

    rows: tuple[Row, ...] = ()
    pictures: tuple[str, ...] = ()
    dry: bool = False


class OwnRun(Record):
    loops: dict[str, Loop] = Field(default_factory=dict)

    def measured(self, series: str) -> tuple[Row, ...]:
        """The rows of a series that a whole run recorded."""
        loop = self.loops.get(series, Loop())
        return () if loop.dry else loop.rows

    def pictures(self, series: str) -> tuple[str, ...]:
        """The figures of a series that the file shows."""
        return self.loops.get(series, Loop()).pictures

    @property
    def dry(self) -> bool:
        """Whether a part of it is of a dry run."""
        return any(loop.dry for loop in self.loops.values())


@dataclass(frozen=True)
class Group:
    """The rows that one cell shows, and whether it says that they are of a dry run."""

    rows: list[Row]
    dry: bool


def read_limited(folder: Path, assignment: Assignment) -> OwnRun:
    """What the student's own run left, read in a process with limits; empty where it cannot be read."""
    try:
        return OwnRun.model_validate(limited.ask("saved outputs", folder, assignment))
    except Exception as error:
        # A verdict must not depend on this.
        log.warning("The saved outputs in %s could not be read (%s).", folder.name, type(error).__name__)
        return OwnRun()


def keep(out: Path, assignment: Assignment, student: str, found: OwnRun) -> None:
    """Keep what the student's own run left, beside the verdict; an older one goes."""
    path = student_folder(out, assignment, student) / NAME
    if any(loop.rows or loop.pictures for loop in found.loops.values()):
        write_text(path, found.model_dump_json())
    else:
        remove(path)


def kept(out: Path, assignment: Assignment, student: str) -> OwnRun:
    """What was kept; an empty one where there is nothing."""
    path = student_folder(out, assignment, student) / NAME
    try:
        return OwnRun.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return OwnRun()
    except (OSError, ValidationError) as error:
        log.warning("%s is left out (%s).", path, one_line(str(error), 120))
        return OwnRun()


def read_folder(folder: Path, assignment: Assignment) -> OwnRun:
    """From the file that is graded; empty where there is none that can be read."""
    try:
        chosen, _ = choose(folder, assignment, load_release(assignment))
        reading = Reading(chosen.file.name)
        return from_notebook(parsed(decoded(chosen.file.read(), reading), reading), assignment)
    except (SubmissionError, Unreadable):
        return OwnRun()


def from_notebook(document: Mapping[str, Any], assignment: Assignment) -> OwnRun:
    """From a notebook as it stands in its file, of which nothing is taken for granted."""
    cells = document.get("cells")
    cells = [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    groups = list(_groups(cells))
    return OwnRun(
        loops={series.name: _loop(series, groups, cells, assignment) for series in assignment.exercise.series}
    )


def _loop(series: Series, groups: Iterable[Group], cells: Iterable[Mapping[str, Any]], assignment: Assignment) -> Loop:
    """What is left of a series; of a dry run only where there is nothing better."""
    pictures = _pictures_of(series, cells)
    if rows := _rows_of(series, [group.rows for group in groups if not group.dry], assignment):
        return Loop(rows=rows, pictures=pictures)
    rows = _rows_of(series, [group.rows for group in groups if group.dry], assignment)
    return Loop(rows=rows, pictures=pictures, dry=bool(rows or pictures) and any(group.dry for group in groups))


def _groups(cells: Iterable[Mapping[str, Any]]) -> Iterator[Group]:
    """What each cell shows, as long as there is not more to read than a student's work has. Where the sample of a dry
    run was taken, all that comes after is of it."""
    left, sampled = MOST_TEXT, False
    for cell in cells:
        rows: list[Row] = []
        marks: list[str] = []
        for page, text in map(_shown, _outputs(cell)):
            if (left := left - len(page) - len(text)) > 0:
                rows += rows_in(page, text)
                marks += DRY.findall(text)
        sampled = sampled or "Dry run: " in marks
        yield Group(rows, sampled or bool(marks))


def _outputs(cell: Mapping[str, Any]) -> list[dict[str, Any]]:
    outputs = cell.get("outputs")
    return [o for o in outputs[:MOST_OUTPUTS] if isinstance(o, dict)] if isinstance(outputs, list) else []


def _text(value: Any) -> str:
    """Text as a notebook keeps it, in one piece or in lines."""
    lines = value if isinstance(value, list) else [value]
    return "".join(line for line in lines if isinstance(line, str))


def _shown(output: Mapping[str, Any]) -> tuple[str, str]:
    """What an output shows as HTML and as text."""
    data = output.get("data")
    data = data if isinstance(data, dict) else {}
    text = _text(output.get("text")) or _text(data.get("text/plain"))
    return _text(data.get("text/html"))[:LONGEST], text[:LONGEST]


def rows_in(page: str, text: str) -> list[Row]:
    """The recorded rows that an output shows, in a table of its HTML or in its text."""
    found = list(_table_rows(_Table(page).lines))
    if not found:
        found = [*_spelled_rows(text), *_table_rows(re.split(r" {2,}", line.strip()) for line in text.split("\n"))]
    return found[:MOST_ROWS]


def _spelled_rows(text: str) -> Iterator[Row]:
    """Rows of which every value stands behind its key: dictionaries, and lines of text."""
    for part in text.split("}"):
        for record in [part] if "{" in part else part.split("\n"):
            if (row := _row(dict(PAIR.findall(record)))) is not None:
                yield row


def _table_rows(lines: Iterable[list[str]]) -> Iterator[Row]:
    """Rows of a table with the keys in its head; an unnamed column before them is the index."""
    head: list[str] = []
    for line in lines:
        names = [name.partition(" ")[0] for name in line]
        if set(names) >= NEEDED:
            head = names
        elif head and (row := _row(dict(zip(reversed(head), reversed(line), strict=False)))) is not None:
            yield row


def _row(values: Mapping[str, str]) -> Row | None:
    numbers = {key: number for key in KEYS if (number := _number(values.get(key, ""))) is not None}
    return Row(**numbers) if numbers.keys() >= NEEDED else None


def _number(text: str) -> float | None:
    value = float(text) if re.fullmatch(NUMBER, text) else math.nan
    return value if math.isfinite(value) else None


class _Table(HTMLParser):
    """The cells of the tables in a piece of HTML, line by line."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lines: list[list[str]] = []
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.lines.append([])
        elif tag in ("td", "th") and self.lines:
            self.lines[-1].append("")
        self._open = tag in ("td", "th") and bool(self.lines)

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag not in ("td", "th", "tr")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.lines[-1][-1] += data.strip()


def _rows_of(series: Series, groups: Iterable[list[Row]], assignment: Assignment) -> tuple[Row, ...]:
    """The rows of a loop from the cell that shows most of its settings, the last of several."""
    best: dict[float, Row] = {}
    if (swept := series.swept) is None:
        return ()
    for group in groups:
        found = {getattr(row, swept.key): row for row in group if _belongs(row, swept, assignment)}
        if len(found) > 1 and len(found) >= len(best):
            best = found
    return tuple(best[setting] for setting in sorted(best))


def _belongs(row: Row, swept: Swept, assignment: Assignment) -> bool:
    """A row of a loop has the other setting at its default; one with both at their defaults may be in either."""
    return math.isclose(getattr(row, swept.other), getattr(assignment.parameters, swept.default), rel_tol=1e-4)


def _pictures_of(series: Series, cells: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The figures of the cell of the plots, or, where cells have lost their names, of those that name the list."""
    named: list[str] = []
    mentioned: list[str] = []
    for cell in cells:
        if grade_id(cell) == series.plots:
            named += _drawn(cell)
        elif not mentioned and series.rows in _text(cell.get("source")):
            mentioned += _drawn(cell)
    return tuple((named or mentioned)[-MOST_PICTURES:])


def _drawn(cell: Mapping[str, Any]) -> list[str]:
    return [found for o in _outputs(cell) if (found := picture(_joined(o.get("data")))) is not None]


def _joined(data: Any) -> dict[str, Any]:
    return {"image/png": _text(data.get("image/png"))} if isinstance(data, dict) else {}
