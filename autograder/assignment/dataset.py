"""The four data files of a folder, checked before anything is trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.errors import DataError

NPY_START = b"\x93NUMPY"


@dataclass(frozen=True)
class Dataset:
    """Standardised features, (notes, features) of a floating type, and labels, (notes,) of int64 from 0 on."""

    x_train: NDArray[np.floating[Any]]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.floating[Any]]
    y_test: NDArray[np.int64]

    @property
    def n_class(self) -> int:
        return int(self.y_train.max()) + 1


def load(folder: Path, names: Sequence[str]) -> Dataset:
    """Read four files of any size, as long as they fit together.

    Args:
        folder: where they lie.
        names: features and labels for training, then for tests.

    Raises:
        DataError: one sentence for the first thing that is wrong.
    """
    x_train_file, y_train_file, x_test_file, y_test_file = (folder / name for name in names)
    x_train, y_train = _features(x_train_file), _labels(y_train_file)
    x_test, y_test = _features(x_test_file), _labels(y_test_file)
    for x, y, y_file in ((x_train, y_train, y_train_file), (x_test, y_test, y_test_file)):
        if len(x) != len(y):
            raise DataError(f"{y_file} has {len(y)} labels for {len(x)} notes: put files of the same set together.")
    if x_train.shape[1] != x_test.shape[1]:
        raise DataError(
            f"{x_test_file} has {x_test.shape[1]} features a note but the training data have {x_train.shape[1]}: "
            "put files of the same set together."
        )
    n_class = len(np.unique(y_train))
    if n_class < 2:
        raise DataError(f"{y_train_file} has one class only: a classifier needs at least two.")
    _check_range(y_train, n_class, y_train_file)
    _check_range(y_test, n_class, y_test_file)
    return Dataset(x_train, y_train, x_test, y_test)


def _features(path: Path) -> NDArray[np.floating[Any]]:
    array = _read(path)
    if array.ndim != 2 or 0 in array.shape:
        raise DataError(f"{path} has the shape {array.shape}: it must be 2-D, one note a row, one feature a column.")
    if array.dtype.kind != "f":
        raise DataError(f"{path} holds values of type {array.dtype}: save it as float32 or another floating type.")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise DataError(f"{path} holds {array[row, column]} in row {row}, column {column}: every value must be finite.")
    return array


def _labels(path: Path) -> NDArray[np.int64]:
    """Whole numbers are labels, whichever numeric type they were saved in."""
    array = _read(path)
    if array.ndim != 1 or not len(array):
        raise DataError(f"{path} has the shape {array.shape}: it must be 1-D, one label a note.")
    if array.dtype.kind not in "iuf":
        raise DataError(f"{path} holds values of type {array.dtype}: labels must be integers, saved as such.")
    broken = ~np.isfinite(array) | (array != np.rint(array))
    if broken.any():
        row = int(np.argmax(broken))
        raise DataError(f"{path} holds {array[row]} in row {row}: labels must be integers.")
    return array.astype(np.int64)


def _check_range(labels: NDArray[np.int64], n_class: int, path: Path) -> None:
    outside = (labels < 0) | (labels >= n_class)
    if outside.any():
        row = int(np.argmax(outside))
        raise DataError(
            f"{path} holds the label {labels[row]} in row {row}: with the {n_class} classes of the training data, "
            f"labels go from 0 to {n_class - 1}."
        )


def _read(path: Path) -> NDArray[Any]:
    try:
        with path.open("rb") as file:
            if file.read(len(NPY_START)) != NPY_START:
                raise DataError(f"{path} is not an .npy file: save the array with numpy.save.")
            file.seek(0)
            array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
            return array
    except FileNotFoundError:
        raise DataError(f"{path} is missing: run `make data`, or put your own four files there.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check the file and its permissions.") from None
    except (ValueError, EOFError, MemoryError, OverflowError) as error:
        if "Object arrays" in str(error):
            raise DataError(
                f"{path} holds pickled Python objects, which are never loaded: save it as an array of numbers."
            ) from None
        raise DataError(f"{path} is truncated or damaged: copy it again, or run `make data`.") from None
