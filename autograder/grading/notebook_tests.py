"""Judge an item by a test cell of the notebook, as nbgrader does: an error costs all points; otherwise, if the value of
the cell's last expression is a number, this number is the points."""

from __future__ import annotations

import ast
import math
import re

from autograder.common.encoders import one_line
from autograder.execution.evidence import KERNEL_DIED, RunCell, hash_tests

from .case import MAX_ERROR_TEXT, NOT_ASKED, Case, NotAsked, NotChecked, Undecided, Wrong, quote_error
from .verdict import ENDS

NUMBER = re.compile(r"(?:np\.\w+\()?([-+]?[\d.]+(?:e[-+]?\d+)?)\)?", re.IGNORECASE)
"""A number as text; NumPy shows its own as `np.float64(1.5)`."""

FAILING = (ast.Assert, ast.Raise, ast.Expr)
"""Statements that can be a test; an error may name the line of another one, such as the last of a `finally`."""

LINE = re.compile(r"line (\d+)")


def describe_tests(source: str) -> str:
    """Return the sentence of the rubric for a test cell: the string with which its code begins, if there is one."""
    tree = _parse(source)
    return one_line((ast.get_docstring(tree) if tree is not None else None) or "The tests in the notebook pass.")


def check_tests(case: Case, source: str) -> None:
    """Judge the item of a case by the outcome of its test cell, whose code is `source`."""
    numbers = sorted(case.evidence.cells_of(case.item.id))
    if not numbers:
        raise Undecided("The tests were not run, because the notebook no longer contains their cell.")
    cell = case.evidence.cells[numbers[-1]]
    if cell.tests != hash_tests(source):
        raise NotAsked(NOT_ASKED)
    if cell.is_stub:
        raise NotChecked(f"The cell {case.item.cell} is not complete.")
    if cell.status == "error" and cell.error != KERNEL_DIED:
        raise Wrong(_describe_error(cell, source))
    if cell.status != "ran":
        raise Wrong(f"The test cell {ENDS[_ENDED.get(cell.status, 'kernel ended')]}.")
    _check_score(cell.result, case.item.points)


_ENDED = {"timeout": "time limit", "not run": "not run"}


def _check_score(result: str, points: float) -> None:
    """Treat a number as points; every other value, and a negative number, gives all points, as in nbgrader."""
    number = NUMBER.fullmatch(result)
    score = _to_float(number[1]) if number is not None else math.nan
    if score > points:
        raise Undecided(f"The tests gave {score:g} points, which is more than {points:g}.")
    if 0 <= score < points:
        raise Wrong(f"The tests gave {score:g} of {points:g} points.", share=score / points)


def _to_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _describe_error(cell: RunCell, source: str) -> str:
    """Say which test failed, or at which one the cell stopped."""
    text = quote_error(cell.message)
    found = _find_statement(source, cell.line)
    is_test = cell.error != "AssertionError" or isinstance(found, FAILING)
    test = one_line(ast.get_source_segment(source, found) or "", MAX_ERROR_TEXT) if found and is_test else ""
    if cell.error == "AssertionError":
        subject = f"The test `{test}`" if test else "A test"
        return f"{subject} failed{f': {text}' if text else ''}."
    place = f"at `{test}` " if test else ""
    return f"The tests stopped {place}with {cell.error}{f': {text}' if text else ''}."


def _find_statement(source: str, line: str) -> ast.stmt | None:
    """Return the smallest statement that contains a line; None if the cell is not plain Python."""
    match, tree = LINE.match(line), _parse(source)
    if match is None or tree is None:
        return None
    number = int(match[1])
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    around = [node for node in statements if node.lineno <= number <= (node.end_lineno or node.lineno)]
    return min(around, key=lambda node: (node.end_lineno or 0) - node.lineno, default=None)


def _parse(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return None
