"""Rules for values: what they require, in words, and what they say about a value that breaks them."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.execution.runtime.values import CodeValue

NOTHING: Any = object()
"""Stands for an argument that was not given."""

MAX_SHOWN = 240
"""Maximum number of characters of a value in a message."""


@dataclass(frozen=True)
class Rule:
    """A requirement for a value.

    `text`, or what it returns, continues a sentence after "it should be". `complain` returns a sentence about a value
    that breaks the rule, or a space if the value itself shows why; empty for a value that follows it.
    """

    text: str | Callable[[], str]
    complain: Callable[[Any], str]

    def describe(self) -> str:
        return self.text if isinstance(self.text, str) else self.text()


def close_to(expected: Any, rtol: float = 1e-6, atol: float = 1e-9) -> Rule:
    """Require the same numbers up to rounding, in the same structure; an array may replace a list.

    Args:
        expected: a number, an array, a table or series of pandas, or lists and dictionaries of them.
        rtol: the relative tolerance: how far a number may be off, as a fraction of the expected one.
        atol: the absolute tolerance, which is added to it.
    """
    return Rule(lambda: show(expected), lambda value: find_difference(value, expected, rtol, atol))


def equal_to(expected: Any) -> Rule:
    """Require exactly the same value, including types and the index and column types of tables."""
    return Rule(lambda: show(expected), lambda value: find_difference(value, expected, 0.0, 0.0, strict=True))


def between(low: float, high: float) -> Rule:
    """Require a number, or an array of numbers, from `low` to `high`."""

    def complain(value: Any) -> str:
        numbers = _numbers(value)
        if numbers is None:
            return _complain_of_type(value)
        return "" if bool(((numbers >= low) & (numbers <= high)).all()) else " "

    return Rule(f"between {low:g} and {high:g}", complain)


def satisfying(text: str, predicate: Callable[[Any], bool]) -> Rule:
    """Require that a function returns True for the value; `text` continues a sentence after "it should be"."""
    return Rule(text, lambda value: "" if predicate(value) else " ")


def show(value: Any) -> str:
    """Write a value for a message, in one line and not too long."""
    text = " ".join(_write(value).split())
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1].rstrip()}…"


def _write(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.7g}"
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, np.ndarray):
        numbers = np.array2string(value, separator=", ", precision=6, threshold=12, edgeitems=3)
        return f"array({numbers})" if value.size <= 12 else f"an array of shape {value.shape}: {numbers}"
    if type(value).__module__.startswith("pandas") and hasattr(value, "columns"):
        return f"a table with {_write(value.to_dict('list'))} and the index {list(value.index)}"
    if type(value).__module__.startswith("pandas") and hasattr(value, "index"):
        return f"a series with {_write(value.to_dict())}"
    if isinstance(value, CodeValue):
        return str(value.expression)
    if isinstance(value, types.SimpleNamespace):
        return f"a value of type {value.opaque}" if hasattr(value, "opaque") else f"an object with {vars(value)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_write(key)}: {_write(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(_write, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    return repr(value)


def find_difference(value: Any, expected: Any, rtol: float, atol: float, *, strict: bool = False) -> str:
    """Say where a value differs from the expected one.

    Returns:
        A sentence; a space for a plain value, which needs none; empty if there is no difference.
    """
    if type(expected).__module__.startswith("pandas"):
        return _compare_tables(value, expected, rtol, atol, strict)
    if isinstance(expected, dict):
        return _compare_dicts(value, expected, rtol, atol, strict)
    if isinstance(expected, (list, tuple)) and (strict or _numbers(expected) is None):
        return _compare_sequences(value, expected, rtol, atol, strict)
    wanted = _numbers(expected)
    if wanted is None:
        is_same = type(value) is type(expected) and bool(np.all(value == expected))
        return "" if is_same else " "
    return _compare_numbers(value, expected, wanted, rtol, atol, strict)


def _compare_numbers(
    value: Any, expected: Any, wanted: np.ndarray[Any, Any], rtol: float, atol: float, strict: bool
) -> str:
    numbers = _numbers(value)
    if numbers is None or isinstance(value, bool) != isinstance(expected, bool):
        return _complain_of_type(value)
    if numbers.shape != wanted.shape:
        return f"Its shape is {numbers.shape}, but it should be {wanted.shape}."
    if strict and isinstance(expected, np.ndarray) and getattr(value, "dtype", None) != expected.dtype:
        return f"Your value is {_name_type(value)}, but it should be an array of {expected.dtype}."
    if strict and isinstance(expected, int) and not isinstance(value, int):
        return _complain_of_type(value)
    wrong = ~np.isclose(numbers.astype(float), wanted.astype(float), rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return ""
    if not wanted.shape:
        return " "
    place = tuple(int(each) for each in np.argwhere(wrong)[0])
    where = ", ".join(map(str, place))
    return f"At [{where}], the value is {numbers[place]:.7g}, but it should be {wanted[place]:.7g}."


def _compare_dicts(value: Any, expected: Any, rtol: float, atol: float, strict: bool) -> str:
    if not isinstance(value, dict):
        return _complain_of_type(value)
    for key, each in expected.items():
        if key not in value:
            return f"The key {key!r} is missing."
        if found := find_difference(value[key], each, rtol, atol, strict=strict):
            plain = f"the value is {show(value[key])}, but it should be {show(each)}."
            return f"Under the key {key!r}: {found.strip() or plain}"
    extra = [key for key in value if key not in expected]
    return f"The key {extra[0]!r} should not be there." if extra else ""


def _compare_sequences(value: Any, expected: Any, rtol: float, atol: float, strict: bool) -> str:
    if not isinstance(value, type(expected) if strict else (list, tuple, np.ndarray)):
        return _complain_of_type(value)
    if len(value) != len(expected):
        return f"Its length is {len(value)}, but it should be {len(expected)}."
    for place, (own, wanted) in enumerate(zip(value, expected, strict=True)):
        if found := find_difference(own, wanted, rtol, atol, strict=strict):
            return f"At [{place}]: {found.strip() or f'the value is {show(own)}, but it should be {show(wanted)}.'}"
    return ""


def _compare_tables(value: Any, expected: Any, rtol: float, atol: float, strict: bool) -> str:
    import pandas as pd

    if type(value) is not type(expected):
        return _complain_of_type(value)
    compare = pd.testing.assert_frame_equal if isinstance(expected, pd.DataFrame) else pd.testing.assert_series_equal
    if not strict:
        value, expected = _drop_categories(value), _drop_categories(expected)
    how = {"check_dtype": strict, "check_index_type": "equiv" if strict else False, "rtol": rtol, "atol": atol}
    try:
        compare(value, expected, **how, check_names=strict, check_categorical=strict)
    except AssertionError as error:
        return _explain_tables(value, expected, (rtol, atol), strict) or f"{' '.join(str(error).split())[:300]}."
    return ""


def _drop_categories(table: Any) -> Any:
    """Return a table or series with the values of categorical columns in plain columns."""
    import pandas as pd

    if isinstance(table, pd.Series):
        return table.astype(object) if isinstance(table.dtype, pd.CategoricalDtype) else table
    plain = table.copy()
    for place, kind in enumerate(table.dtypes):
        if isinstance(kind, pd.CategoricalDtype):
            plain.isetitem(place, table.iloc[:, place].astype(object))
    return plain


def _explain_tables(value: Any, expected: Any, tolerances: tuple[float, float], strict: bool) -> str:
    """Say where two tables or series differ first; empty if they differ in another way."""
    columns: list[tuple[str, Any, Any]] = [("", value, expected)]
    if hasattr(expected, "columns"):
        own, wanted = list(value.columns), list(expected.columns)
        if missing := [name for name in wanted if name not in own]:
            return f"The column {missing[0]!r} is missing."
        if extra := [name for name in own if name not in wanted]:
            return f"The column {extra[0]!r} should not be there."
        if own != wanted:
            return f"The order of its columns is {show(own)}, but it should be {show(wanted)}."
        columns = [(f"column {name!r}", value.iloc[:, n], expected.iloc[:, n]) for n, name in enumerate(wanted)]
    if len(value) != len(expected):
        rows = "1 row" if len(value) == 1 else f"{len(value)} rows"
        return f"It has {rows}, but it should have {len(expected)}."
    if list(value.index) != list(expected.index):
        return f"Its index is {show(list(value.index))}, but it should be {show(list(expected.index))}."
    for where, own, wanted in columns:
        if strict and own.dtype != wanted.dtype:
            return f"The type of {where or 'the values'} is {own.dtype}, but it should be {wanted.dtype}."
        for label, one, other in zip(expected.index, own, wanted, strict=True):
            if not _is_same_entry(one, other, *tolerances):
                place = f"{where}, row {show(label)}".removeprefix(", ")
                return f"In {place}, the value is {show(one)}, but it should be {show(other)}."
    return ""


def _is_same_entry(one: Any, other: Any, rtol: float, atol: float) -> bool:
    if _is_missing(one) or _is_missing(other):
        return _is_missing(one) and _is_missing(other)
    try:
        return bool(np.isclose(float(one), float(other), rtol=rtol, atol=atol))
    except (TypeError, ValueError):
        return bool(one == other)


def _is_missing(entry: Any) -> bool:
    """Whether an entry of a table is missing, as pandas sees it."""
    import pandas as pd

    return np.ndim(entry) == 0 and bool(pd.isna(entry))


def _numbers(value: Any) -> np.ndarray[Any, Any] | None:
    """Convert a number, an array of numbers, or lists of numbers to an array; return None for anything else."""
    if isinstance(value, (str, dict, set)) or value is None or isinstance(value, types.SimpleNamespace):
        return None
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        return None
    return array if array.dtype.kind in "biuf" else None


def _complain_of_type(value: Any) -> str:
    """Return a sentence about the type of a value; a space if the value itself shows its type."""
    if value is None or isinstance(value, types.SimpleNamespace):
        return " "
    if isinstance(value, np.ndarray):
        return f"Your value is {_name_type(value)}."
    return f"The type of your value is {_name_type(value)}."


def _name_type(value: Any) -> str:
    return f"an array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
