"""The whole table, by part."""

from __future__ import annotations

from functools import cache

from . import files
from .row import FileRow, Row, read


@cache
def table() -> dict[str, list[Row | FileRow]]:
    """Return all rows, by part of the table."""
    return {
        "reaching out": [*read("reach")],
        "taking too much": [*read("exhaust")],
        "deceiving": [*read("deceive")],
        "forging from within": [*read("forge")],
        "broken files": [*files.ROWS],
    }


@cache
def rows() -> dict[str, Row | FileRow]:
    """Return all rows by name; raise ValueError if two have the same name."""
    listed = [row for part in table().values() for row in part]
    named = {row.id: row for row in listed}
    if len(named) != len(listed):
        raise ValueError("two rows have the same name")
    return named
