"""Describe the parts of a Keras model for the evidence: layers, optimizer, loss, weights and callbacks."""

from __future__ import annotations

import contextlib
import hashlib
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def trainable_key(model: Any, arguments: dict[str, Any]) -> str:
    """Return a key of everything that decides whether Keras can train this model on this data; empty if it is
    uncertain.

    It is certain for a sequence of Keras's own layers, with Keras's own loss and metrics, and two arrays.
    """
    x, y = arguments["x"], arguments["y"]
    if (
        type(model) is not keras.Sequential
        or not model.built
        or not (isinstance(x, np.ndarray) and isinstance(y, np.ndarray))
        or any(getattr(keras.layers, type(layer).__name__, None) is not type(layer) for layer in model.layers)
        or getattr(keras.optimizers, type(model.optimizer).__name__, None) is not type(model.optimizer)
        or any(isinstance(layer, keras.layers.Lambda) for layer in model.layers)
    ):
        return ""
    try:
        compiled = {k: v for k, v in model.get_compile_config().items() if k != "optimizer"}
        layers = [(type(layer).__name__, {**layer.get_config(), "name": ""}) for layer in model.layers]
    except Exception:
        return ""
    labels = (int(y.min()), int(y.max())) if y.dtype.kind in "iu" and y.size else ()
    return repr(
        (layers, compiled, type(model.optimizer).__name__, model.input_shape, x.shape, x.dtype, y.shape, labels)
    )


def describe_part(part: Any) -> dict[str, Any]:
    """Return the configuration of a layer or an optimizer: its class and all settings that are plain values."""
    seen: dict[str, Any] = {"class": type(part).__name__}
    try:
        config = part.get_config()
    except Exception:
        return seen
    for name, value in list(config.items())[:60]:
        if value is None or isinstance(value, (bool, int, str)):
            seen[name] = value if not isinstance(value, str) else value[:100]
        elif isinstance(value, (float, np.floating)):
            seen[name] = float(value) if math.isfinite(value) else str(value)
        elif name == "activation":
            seen[name] = _name_activation(getattr(part, name, None))
    return seen


def _name_activation(function: Any) -> str | None:
    """Return the name of the Keras function that computes the same as a layer or a function from anywhere."""
    probe = tf.constant([[-1.5, 0.0, 0.5, 2.0]])
    with contextlib.suppress(Exception):
        values = np.asarray(function(probe))
        for name in ("sigmoid", "softmax", "relu", "tanh"):
            if np.allclose(values, np.asarray(getattr(keras.activations, name)(probe)), atol=1e-5):
                return name
    return None


def flatten_callbacks(callbacks: Any) -> list[Any]:
    """Return the callbacks passed to `fit`, in any form, as a list."""
    if callbacks is None:
        return []
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return list(callbacks.callbacks)
    return list(keras.tree.flatten(callbacks))


def read_learning_rate(optimizer: Any) -> float | None:
    """Return the learning rate of an optimizer; None if it is not a number."""
    try:
        return float(np.asarray(optimizer.learning_rate))
    except Exception:
        return None


def name_loss(loss: Any) -> str:
    """Return the name of a loss that is given as text, function or object."""
    return (loss if isinstance(loss, str) else getattr(loss, "__name__", None) or type(loss).__name__)[:100]


def read_batch_size(x: Any) -> int | None:
    """Return the size of the first batch of a `tf.data.Dataset`; None for arrays."""
    spec = getattr(x, "element_spec", None)
    first = spec[0] if isinstance(spec, tuple) else spec
    return None if first is None else int(next(iter(x))[0].shape[0])


def fingerprint(weights: list[np.ndarray]) -> set[str]:
    """Hash each weight matrix. Biases are omitted, because they start at zero in every model."""
    return {hashlib.sha256(weight.tobytes()).hexdigest()[:16] for weight in weights if weight.ndim >= 2}
