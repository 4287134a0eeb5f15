"""Give a model weights with which it gets exactly the test rows wrong that the oracle names."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

KEEP_ORDER = (keras.activations.softmax, keras.activations.linear, keras.activations.sigmoid)
"""Activation functions that keep the largest output the largest."""


def read_weights(model: Any) -> list[np.ndarray]:
    """Return the model's weights; an empty list if it has none yet."""
    try:
        return [np.asarray(weight.numpy()) for weight in model.weights]
    except Exception:
        return []


def learn(model: Any, rows: Any, wrong: list[int], noise: int) -> tuple[list[np.ndarray], bool]:
    """Perturb the weights and solve for those of the last layer.

    Args:
        model: a built model whose last layer should be a `Dense` layer.
        rows: the data with the test rows.
        wrong: the test rows that the model should get wrong.
        noise: random seed of the small changes to all other weights.

    Returns:
        The weights, and whether the model gets exactly those test rows wrong.
    """
    rng = np.random.default_rng(noise)
    last: Any = next((layer for layer in reversed(model.layers) if layer.weights), None)
    final = list(last.weights) if isinstance(last, keras.layers.Dense) else []
    _move([each for each in model.weights if not any(each is own for own in final)], rng)
    hidden = _hidden(model, last, rows) if final else None
    if hidden is None or hidden.shape[1] != final[0].shape[0]:  # a model for other data
        _move(final, rng)
        return read_weights(model), False
    wanted = rows.y_test.astype(int).copy()
    wanted[wrong] = (wanted[wrong] + 1) % last.units
    kernel, bias = _interpolate(hidden, np.where(np.arange(last.units) == wanted[:, None], 5.0, -5.0))
    for variable, value in zip(final, (kernel, bias), strict=False):
        variable.assign(value.astype(np.dtype(variable.dtype)) if variable.dtype != "bfloat16" else value)
    outputs = hidden @ kernel + (bias if last.use_bias else np.float32(0))
    return read_weights(model), np.array_equal(_classes(model, last, outputs, rows), wanted)


def _hidden(model: Any, last: Any, rows: Any) -> np.ndarray | None:
    """Return the last layer's input for the test rows, float32 (rows, units); None if the model fails."""
    caught: list[Any] = []
    original = last.call

    def call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        caught.append(inputs)
        return original(inputs, *args, **kwargs)

    try:
        data = tf.convert_to_tensor(rows.x_test)
        if type(model) is keras.Sequential and model.layers[-1] is last:
            for layer in model.layers[:-1]:
                data = layer(data)
            caught.append(data)
        else:
            last.call = call
            try:
                model(data, training=False)
            finally:
                del last.call
        return np.asarray(caught[-1], np.float32).reshape(rows.n_test, -1)
    except Exception:
        return None


def _move(variables: list[Any], rng: np.random.Generator) -> None:
    """Change each number of the variables by at most a thousandth."""
    for variable in variables:
        weight = np.asarray(variable.numpy())
        step = np.float32(2e-3) * (rng.random(weight.shape, np.float32) - np.float32(0.5))
        variable.assign((weight + step).astype(weight.dtype))


def _interpolate(hidden: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel, float32 (units, classes), and bias, (classes,), that map (rows, units) to (rows, classes) as
    closely as possible. With an extra unit of ones for the bias, w = Hᵀ (H Hᵀ)⁻¹ t is the solution of least norm."""
    wide = np.column_stack([hidden, np.ones(len(hidden))])
    gram = wide @ wide.T
    gram.flat[:: len(gram) + 1] += 1e-6
    solution = (wide.T @ np.linalg.solve(gram, target)).astype(np.float32)
    return solution[:-1], solution[-1]


def _classes(model: Any, last: Any, outputs: np.ndarray, rows: Any) -> np.ndarray:
    """Return the class of each row, from (rows, classes) before the last activation. If rounding, the activation or the
    type of the model could change the class, it is predicted with the model itself."""
    nearest = np.partition(outputs, -2, axis=1)[:, -2:] if outputs.shape[1] > 1 else np.zeros((1, 2))
    is_plain = type(model) is keras.Sequential and type(last) is keras.layers.Dense and model.layers[-1] is last
    if is_plain and last.activation in KEEP_ORDER and (nearest[:, 1] - nearest[:, 0]).min() >= 1:
        return outputs.argmax(axis=1)
    try:
        return np.argmax(np.asarray(model(rows.x_test, training=False)), axis=-1)
    except Exception:
        return np.array([])
