"""From the notes of all cells to the four data files."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from recipe import Cell, Split

X_TRAIN = "uiowa_std_scale_train_data.npy"
Y_TRAIN = "uiowa_permuted_train_labels.npy"
X_TEST = "uiowa_std_scale_test_data.npy"
Y_TEST = "uiowa_test_labels.npy"

Features = NDArray[np.floating[Any]]
Labels = NDArray[np.int32]


def assemble(cells: list[Cell], features: list[Features], seed: int, dtype: str) -> dict[str, NDArray[Any]]:
    """The four arrays by file name, from the features of each cell, shape (notes, features).

    The notes are mixed, but those for validation are the last of the training set, where Keras looks for them.
    All are standardised with mean and deviation of the training set.
    """
    rng = np.random.default_rng([seed, 2])
    x_fit, y_fit = _mixed(cells, features, "train", rng)
    x_validation, y_validation = _mixed(cells, features, "validation", rng)
    x_test, y_test = _mixed(cells, features, "test", rng)
    x_train = np.concatenate([x_fit, x_validation])
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    return {
        X_TRAIN: ((x_train - mean) / deviation).astype(dtype),
        Y_TRAIN: np.concatenate([y_fit, y_validation]),
        X_TEST: ((x_test - mean) / deviation).astype(dtype),
        Y_TEST: y_test,
    }


def _mixed(
    cells: list[Cell], features: list[Features], split: Split, rng: np.random.Generator
) -> tuple[NDArray[np.float64], Labels]:
    mine = [cell for cell in cells if cell.split == split]
    x = np.concatenate([features[cell.index] for cell in mine]).astype(np.float64)
    y = np.repeat([cell.label for cell in mine], [cell.n_notes for cell in mine]).astype(np.int32)
    order = rng.permutation(len(x))
    return x[order], y[order]
