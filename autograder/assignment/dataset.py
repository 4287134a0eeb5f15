"""The four data files of a folder, which are checked before training."""

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
    """Standardised features, (notes, features) of a floating type, and labels, (notes,) of int64 starting at 0."""

    x_train: NDArray[np.floating[Any]]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.floating[Any]]
    y_test: NDArray[np.int64]

    @property
    def n_class(self) -> int:
        return int(self.y_train.max()) + 1


def load(folder: Path, names: Sequence[str]) -> Dataset:
    """Read four data files of any size, and check that they belong together.

    Args:
        folder: the folder with the files.
        names: the file names of the training features and labels, then of the test features and labels.

    Raises:
        DataError: a file is missing or wrong; the message is a sentence about the first problem.
    """
    x_train_file, y_train_file, x_test_file, y_test_file = (folder / name for name in names)
    x_train, y_train = _features(x_train_file), _labels(y_train_file)
    x_test, y_test = _features(x_test_file), _labels(y_test_file)
    for x, y, y_file in ((x_train, y_train, y_train_file), (x_test, y_test, y_test_file)):
        if len(x) != len(y):
            raise DataError(
                f"{y_file} has {len(y)} labels for {len(x)} notes: use files that belong to the same data set."
            )
    if x_train.shape[1] != x_test.shape[1]:
        raise DataError(
            f"{x_test_file} has {x_test.shape[1]} features per note, but the training data have {x_train.shape[1]}: "
            "use files that belong to the same data set."
        )
    n_class = len(np.unique(y_train))
    if n_class < 2:
        raise DataError(f"{y_train_file} contains only one class: a classifier needs at least two.")
    _check_range(y_train, n_class, y_train_file)
    _check_range(y_test, n_class, y_test_file)
    return Dataset(x_train, y_train, x_test, y_test)


def _features(path: Path) -> NDArray[np.floating[Any]]:
    array = _read(path)
    if array.ndim != 2 or 0 in array.shape:
        raise DataError(f"{path} has the shape {array.shape}: it must be 2-D (rows: notes, columns: features).")
    if array.dtype.kind != "f":
        raise DataError(f"{path} contains values of type {array.dtype}: save it as float32 or another floating type.")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise DataError(f"{path} contains {array[row, column]} in row {row}, column {column}: values must be finite.")
    return array


def _labels(path: Path) -> NDArray[np.int64]:
    """Read labels: whole numbers, saved in any numeric type."""
    array = _read(path)
    if array.ndim != 1 or not len(array):
        raise DataError(f"{path} has the shape {array.shape}: it must be 1-D, with one label per note.")
    if array.dtype.kind not in "iuf":
        raise DataError(f"{path} contains values of type {array.dtype}: labels must be integers.")
    broken = ~np.isfinite(array) | (array != np.rint(array))
    if broken.any():
        row = int(np.argmax(broken))
        raise DataError(f"{path} contains {array[row]} in row {row}: labels must be integers.")
    return array.astype(np.int64)


def _check_range(labels: NDArray[np.int64], n_class: int, path: Path) -> None:
    outside = (labels < 0) | (labels >= n_class)
    if outside.any():
        row = int(np.argmax(outside))
        raise DataError(
            f"{path} contains the label {labels[row]} in row {row}: with the {n_class} classes of the training data, "
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
                f"{path} contains pickled Python objects, which are never loaded: save it as an array of numbers."
            ) from None
        raise DataError(f"{path} is truncated or damaged: copy it again, or run `make data`.") from None
