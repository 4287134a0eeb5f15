"""The saved outputs of a student's own run in the submitted notebook: the recorded rows and the figures.

The autograder runs every notebook again, on different data. The written answers are about what the student saw, so
these outputs are shown next to them. They are read from text and tables in the notebook's outputs; nothing is executed
or trusted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from typing import Any

from pydantic import Field

from autograder.assignment.exercise import DryRun, Series, Swept
from autograder.assignment.settings import Assignment
from autograder.common.cells import grade_id
from autograder.common.images import picture
from autograder.common.models import Frozen

MAX_ROWS, MAX_PICTURES, MAX_OUTPUTS = 40, 4, 60
LONGEST, MAX_TEXT = 50_000, 2_000_000
"""Maximum numbers of characters that are read of one output, and of all."""

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?"

Row = dict[str, float | None]
"""What the student recorded about one training run, by the keys of the columns; None for a missing value."""


class SavedSeries(Frozen):
    """The rows of a series, sorted by setting, if it is that of a loop, and its figures as data URIs of PNG pictures.

    `dry` says whether they are from a dry run, on few notes and for few epochs.
    """

    rows: tuple[Row, ...] = ()
    pictures: tuple[str, ...] = ()
    dry: bool = False


class SavedOutputs(Frozen):
    """The saved outputs of the student's own run, by series."""

    loops: dict[str, SavedSeries] = Field(default_factory=dict)

    def measured(self, series: str) -> tuple[Row, ...]:
        """Return the rows of a series if they are from a full run."""
        loop = self.loops.get(series, SavedSeries())
        return () if loop.dry else loop.rows

    def pictures(self, series: str) -> tuple[str, ...]:
        """Return the figures of a series."""
        return self.loops.get(series, SavedSeries()).pictures

    @property
    def dry(self) -> bool:
        """Whether any series is from a dry run."""
        return any(loop.dry for loop in self.loops.values())


@dataclass(frozen=True)
class Group:
    """The rows in the outputs of one cell, and whether they are from a dry run."""

    rows: list[Row]
    dry: bool


def from_notebook(document: Mapping[str, Any], assignment: Assignment) -> SavedOutputs:
    """Read the saved outputs from the document in a notebook's file, which is not validated."""
    cells = document.get("cells")
    cells = [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    exercise = assignment.exercise
    columns = {column.key: column.required for _, swept in exercise.swept.values() for column in swept.columns}
    reader = RowReader(tuple(columns), frozenset(key for key, required in columns.items() if required))
    groups = list(_groups(cells, reader, exercise.dry_run))
    return SavedOutputs(loops={series.name: _loop(series, groups, cells, assignment) for series in exercise.series})


def _loop(
    series: Series, groups: Iterable[Group], cells: Iterable[Mapping[str, Any]], assignment: Assignment
) -> SavedSeries:
    """Return the saved outputs of a series; those of a dry run only if there are no others."""
    pictures = _pictures_of(series, cells)
    if rows := _rows_of(series, [group.rows for group in groups if not group.dry], assignment):
        return SavedSeries(rows=rows, pictures=pictures)
    rows = _rows_of(series, [group.rows for group in groups if group.dry], assignment)
    return SavedSeries(rows=rows, pictures=pictures, dry=bool(rows or pictures) and any(group.dry for group in groups))


def _groups(cells: Iterable[Mapping[str, Any]], reader: RowReader, dry_run: DryRun | None) -> Iterator[Group]:
    """Yield the rows in each cell's outputs, up to a limit on their total length.

    From the cell that takes the sample of a dry run onwards, all rows are from that dry run.
    """
    left, sampled = MAX_TEXT, False
    for cell in cells:
        rows: list[Row] = []
        marked = False
        for page, text in map(_shown, _outputs(cell)):
            if (left := left - len(page) - len(text)) > 0:
                rows += reader.read(page, text)
                if dry_run is not None:
                    sampled = sampled or _has_line(text, dry_run.sampled)
                    marked = marked or _has_line(text, dry_run.marked)
        yield Group(rows, sampled or marked)


def _has_line(text: str, beginning: str) -> bool:
    return text.startswith(beginning) or f"\n{beginning}" in text


def _outputs(cell: Mapping[str, Any]) -> list[dict[str, Any]]:
    outputs = cell.get("outputs")
    return [o for o in outputs[:MAX_OUTPUTS] if isinstance(o, dict)] if isinstance(outputs, list) else []


def _text(value: Any) -> str:
    """Return text that a notebook stores as a string or as lines."""
    lines = value if isinstance(value, list) else [value]
    return "".join(line for line in lines if isinstance(line, str))


def _shown(output: Mapping[str, Any]) -> tuple[str, str]:
    """Return the HTML and the text of an output."""
    data = output.get("data")
    data = data if isinstance(data, dict) else {}
    text = _text(output.get("text")) or _text(data.get("text/plain"))
    return _text(data.get("text/html"))[:LONGEST], text[:LONGEST]


@dataclass(frozen=True)
class RowReader:
    """Reads recorded rows from a cell's outputs, by the `keys` of their numbers; a row has all `required` keys."""

    keys: tuple[str, ...]
    required: frozenset[str]

    def read(self, page: str, text: str) -> list[Row]:
        """Return the rows in the HTML tables or, if there are none, in the text."""
        if not self.keys:
            return []
        rows = list(self._table_rows(_Table(page).lines))
        if not rows:
            rows = [
                *self._spelled_rows(text),
                *self._table_rows(re.split(r" {2,}", line.strip()) for line in text.split("\n")),
            ]
        return rows[:MAX_ROWS]

    @cached_property
    def _pair(self) -> re.Pattern[str]:
        """A pattern for a key and its value in a dictionary, JSON or a line of text."""
        keys = "|".join(map(re.escape, self.keys))
        return re.compile(rf"\b({keys})\b['\"]?(?:\s*[:=]\s*|\s+)(?:np\.\w+\()?({NUMBER}|None|nan)")

    def _spelled_rows(self, text: str) -> Iterator[Row]:
        """Yield the rows in which every value follows its key: dictionaries and lines of text."""
        for part in text.split("}"):
            for record in [part] if "{" in part else part.split("\n"):
                if (row := self._row(dict(self._pair.findall(record)))) is not None:
                    yield row

    def _table_rows(self, lines: Iterable[list[str]]) -> Iterator[Row]:
        """Yield the rows of a table with the keys in its header; an unnamed column before them is the index."""
        head: list[str] = []
        for line in lines:
            names = [name.partition(" ")[0] for name in line]
            if set(names) >= self.required:
                head = names
            elif head and (row := self._row(dict(zip(reversed(head), reversed(line), strict=False)))) is not None:
                yield row

    def _row(self, values: Mapping[str, str]) -> Row | None:
        numbers = {key: _number(values.get(key, "")) for key in self.keys}
        return numbers if all(numbers[key] is not None for key in self.required) else None


def _number(text: str) -> float | None:
    value = float(text) if re.fullmatch(NUMBER, text) else math.nan
    return value if math.isfinite(value) else None


class _Table(HTMLParser):
    """The cells of the tables in a piece of HTML, row by row."""

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
    """Return the rows of a loop from the cell that shows the most settings; in a tie, from the last such cell."""
    best: dict[float, Row] = {}
    if (swept := series.swept) is None:
        return ()
    for group in groups:
        found = {float(row[swept.key] or 0): row for row in group if _belongs(row, swept, assignment)}
        if len(found) > 1 and len(found) >= len(best):
            best = found
    return tuple(best[setting] for setting in sorted(best))


def _belongs(row: Row, swept: Swept, assignment: Assignment) -> bool:
    """Whether a row belongs to a loop: its other setting has the default. A row with both defaults fits both loops."""
    return math.isclose(row[swept.other] or 0, getattr(assignment.parameters, swept.default), rel_tol=1e-4)


def _pictures_of(series: Series, cells: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the figures of the plots' cell or, if it has no id, of the first cell with figures that names the list."""
    named: list[str] = []
    mentioned: list[str] = []
    for cell in cells:
        if grade_id(cell) == series.plots:
            named += _drawn(cell)
        elif not mentioned and series.rows in _text(cell.get("source")):
            mentioned += _drawn(cell)
    return tuple((named or mentioned)[-MAX_PICTURES:])


def _drawn(cell: Mapping[str, Any]) -> list[str]:
    return [found for o in _outputs(cell) if (found := picture(_joined(o.get("data")))) is not None]


def _joined(data: Any) -> dict[str, Any]:
    return {"image/png": _text(data.get("image/png"))} if isinstance(data, dict) else {}
