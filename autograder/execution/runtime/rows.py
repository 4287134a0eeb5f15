"""Recognise rows of the scenario's data, so that a report can say what a model was trained on."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

MAX_DESCRIBED = 4
"""Number of pairs of arrays whose description is cached, because a notebook trains on the same ones repeatedly."""


def make_rows(x_train: Any, y_train: Any, x_test: Any, y_test: Any) -> Any:
    """Make an object that finds feature rows in the training and test set by their values. Its class is not one of the
    runtime, see `channel.connect`.

    Returns:
        An object with `describe(x, y)`, which returns how many rows come from each set, how many of them are distinct,
        and whether the labels belong to them; and with the test set as `x_test`, float32 (rows, features), and
        `y_test`, (rows,).
    """
    tests, test_labels = np.ascontiguousarray(x_test, np.float32), np.asarray(y_test).reshape(-1)
    labels = {"train": np.asarray(y_train).reshape(-1), "test": test_labels}
    known: dict[bytes, tuple[str, int]] = {}
    for name, rows in (("test", x_test), ("train", x_train)):
        for index, row in enumerate(np.ascontiguousarray(rows, np.float32)):
            known[row.tobytes()] = (name, index)

    seen_before: dict[Any, dict[str, Any]] = {}

    def describe(x: Any, y: Any = None) -> dict[str, Any]:
        x, y = as_arrays(x, y)
        arrays = [part for part in (x, y) if part is not None]
        if any(part.dtype.kind not in "biuf" for part in arrays):
            return compare(x, y)
        content = tuple((part.dtype.str, part.shape, part.tobytes()) for part in arrays)
        if content not in seen_before:
            if len(seen_before) == MAX_DESCRIBED:
                seen_before.clear()
            seen_before[content] = compare(x, y)
        return seen_before[content]

    def compare(x: Any, y: Any) -> dict[str, Any]:
        rows: Any = np.ascontiguousarray(x, np.float32) if getattr(x, "ndim", 0) >= 1 and x.dtype.kind in "biuf" else []
        places = [known.get(row.tobytes(), ("other", -1)) for row in rows]
        counts = {name: sum(place[0] == name for place in places) for name in ("train", "test", "other")}
        seen: dict[str, Any] = {"rows": len(places), "distinct": len(set(places)), **counts, "labels_fit": None}
        if y is not None and len(places) == len(y):
            expected = [labels[name][index] if name != "other" else None for name, index in places]
            given = np.argmax(y, axis=1) if getattr(y, "ndim", 1) == 2 and y.shape[1] > 1 else np.ravel(y)
            seen["labels_fit"] = all(e is None or e == label for e, label in zip(expected, given, strict=True))
        return seen

    return types.SimpleNamespace(describe=describe, x_test=tests, y_test=test_labels, n_test=len(tests))


def as_arrays(x: Any, y: Any = None) -> tuple[Any, Any]:
    """Return the data passed to `fit` as NumPy arrays; a dataset of batches is iterated once."""
    if hasattr(x, "unbatch") and hasattr(x, "element_spec"):
        batches = [tuple(part.numpy() for part in element) for element in x]
        columns = list(zip(*batches, strict=True))
        parts = [np.concatenate([np.atleast_1d(part) for part in column]) for column in columns[:2]]
        return parts[0], parts[1] if len(parts) > 1 else None
    return np.asarray(x), None if y is None else np.asarray(y)
