"""What a kernel's reply to a cell, and the cell's outputs, say about the student's code."""

from __future__ import annotations

import re
from typing import Any

from nbformat import NotebookNode

LINE = re.compile(r"(?<!-)-+> *(\d+) (.*)")
FUNCTION = re.compile(r", in ([\w.]+)\(")
CODES = re.compile(r"\x1b\[[0-9;]*m")


def find_line(traceback: Any, in_first_cell: bool = False) -> tuple[str, str]:
    """Find the line of the student's code at which a cell stopped: the last one in a cell that the traceback points at;
    with `in_first_cell`, the last one in the cell where the traceback begins.

    Returns:
        The line with its number, and the function that contains it if that was defined in another cell, or "".
    """
    found, in_cell, first, elsewhere = "", False, "", ""
    for entry in traceback[:200] if isinstance(traceback, list) else ():
        text = CODES.sub("", str(entry)[:20_000])
        in_cell = text.startswith(("Cell In", "File <ipython", "Input In")) or "/ipykernel_" in text[:200]
        first = first or (text.partition(",")[0] if in_cell else "")
        if in_cell and in_first_cell:
            in_cell = text.partition(",")[0] == first
        if in_cell and (match := LINE.search(text)) is not None:
            function = FUNCTION.search(text.partition("\n")[0])
            place = f"line {match[1]} of {function[1]}" if function is not None else f"line {match[1]}"
            found = f"{place}: {match[2].strip()[:150]}"
            is_elsewhere = function is not None and text.partition(",")[0] != first
            elsewhere = function[1][:100] if function is not None and is_elsewhere else ""
    return found, elsewhere


def find_result(cell: NotebookNode) -> str:
    """Return the displayed value of a cell's last expression. Other code may have displayed values before it."""
    shown = [output.data.get("text/plain", "") for output in cell.outputs if output.output_type == "execute_result"]
    return str(shown[-1])[:100] if shown else ""
