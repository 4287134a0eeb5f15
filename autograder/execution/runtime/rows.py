"""Recognises rows of the scenario's data, so that the report can say what a model was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np


class Rows:
    """Looks up feature rows in the training and the test set by their values."""

    def __init__(self, x_train: Any, y_train: Any, x_test: Any, y_test: Any) -> None:
        self.n_train, self.n_test = len(x_train), len(x_test)
        self.x_test = np.ascontiguousarray(x_test, np.float32)
        self.y_test = np.asarray(y_test).reshape(-1)
        self._labels = {"train": np.asarray(y_train).reshape(-1), "test": self.y_test}
        self._places: dict[bytes, tuple[str, int]] = {}
        for name, rows in (("test", x_test), ("train", x_train)):
            for index, row in enumerate(np.ascontiguousarray(rows, np.float32)):
                self._places[row.tobytes()] = (name, index)

    def describe(self, x: Any, y: Any = None) -> dict[str, Any]:
        """How many rows come from where, how many of them are distinct, and whether the labels are theirs."""
        x, y = as_arrays(x, y)
        rows: Any = np.ascontiguousarray(x, np.float32) if getattr(x, "ndim", 0) >= 1 and x.dtype.kind in "biuf" else []
        places = [self._places.get(row.tobytes(), ("other", -1)) for row in rows]
        counts = {name: sum(place[0] == name for place in places) for name in ("train", "test", "other")}
        seen: dict[str, Any] = {"rows": len(places), "distinct": len(set(places)), **counts, "labels_fit": None}
        if y is not None and len(places) == len(y):
            expected = [self._labels[name][index] if name != "other" else None for name, index in places]
            labels = np.argmax(y, axis=1) if getattr(y, "ndim", 1) == 2 and y.shape[1] > 1 else np.ravel(y)
            seen["labels_fit"] = all(e is None or e == label for e, label in zip(expected, labels, strict=True))
        return seen


def as_arrays(x: Any, y: Any = None) -> tuple[Any, Any]:
    """`fit`'s data as NumPy arrays; a dataset of batches is drawn once."""
    if hasattr(x, "unbatch") and hasattr(x, "element_spec"):
        batches = [tuple(part.numpy() for part in element) for element in x]
        columns = list(zip(*batches, strict=True))
        parts = [np.concatenate([np.atleast_1d(part) for part in column]) for column in columns[:2]]
        return parts[0], parts[1] if len(parts) > 1 else None
    return np.asarray(x), None if y is None else np.asarray(y)
