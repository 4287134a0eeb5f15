"""Describe any value as plain data, calling as few of its own methods as possible."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

LONGEST = 1000
DEEPEST = 4
TEXT = 300


def describe(value: Any, depth: int = 0) -> dict[str, Any]:
    """Return a JSON-ready description: the type's name and, where it has them, the number, text, items or entries.

    `identity` shows whether two containers are the same object. A value that cannot be described has only its type.
    """
    kind = type(value)
    seen: dict[str, Any] = {"type": kind.__name__[:TEXT]}
    try:
        if kind in (bool, int, float) or isinstance(value, np.generic):
            seen |= _number(value)
        elif kind is str:
            seen["text"] = value[:TEXT]
        elif isinstance(value, dict) and depth < DEEPEST:
            seen |= _entries(value, depth)
        elif kind.__name__ == "DataFrame" and depth < DEEPEST:
            seen["items"] = [describe(row, depth + 1) for row in value.head(LONGEST).to_dict("records")]
        elif isinstance(value, (list, tuple)) and depth < DEEPEST:
            seen["items"] = [describe(item, depth + 1) for item in value[:LONGEST]]
            seen |= {"length": len(value), "identity": id(value)}
        elif hasattr(kind, "__array__") or kind.__name__ in ("EagerTensor", "ResourceVariable", "Variable"):
            seen |= _array(value, depth)
    except Exception as error:
        seen["text"] = f"not readable: {type(error).__name__}"
    return seen


def _number(value: Any) -> dict[str, Any]:
    if isinstance(value, np.str_):
        return {"text": str(value)[:TEXT]}
    number = float(value)
    return {"number": number if math.isfinite(number) else str(number)}


def _entries(value: dict[Any, Any], depth: int) -> dict[str, Any]:
    pairs = list(dict.items(value))[:LONGEST]
    entries = {str(key)[:TEXT]: describe(item, depth + 1) for key, item in pairs if isinstance(key, (str, int, float))}
    return {"entries": entries, "identity": id(value), "length": len(pairs)}


def _array(value: Any, depth: int) -> dict[str, Any]:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        return {"text": f"array of {array.dtype}"}
    if array.size == 1:
        return _number(array.reshape(-1)[0])
    if array.ndim > 2 or array.size > LONGEST:
        return {"text": f"array of shape {array.shape}"}
    return {"items": [describe(item, depth + 1) for item in array], "length": len(array)}
