"""Ways to the results of Keras and TensorFlow that take a part of the time; the results are the same."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import types
import typing
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.utils.python_utils import pythonify_logs
from tensorflow.python.ops import gen_resource_variable_ops


def install(scripted: bool) -> None:
    """Takes them from now on; `scripted` if no model is trained for real."""
    original = gen_resource_variable_ops.var_handle_op

    def var_handle_op(*args: Any, **kwargs: Any) -> Any:
        """Without a name for debuggers: TensorFlow prepares the operation anew for each, which takes longer than it."""
        kwargs.pop("debug_name", None)
        return original(*args, **kwargs)

    gen_resource_variable_ops.var_handle_op = var_handle_op
    if sys.version_info < (3, 12):  # later ones go through a protocol once, not at each `isinstance`
        typing._get_protocol_attrs = functools.cache(typing._get_protocol_attrs)  # type: ignore[attr-defined]
    set_plainly()
    remember_signatures()
    if scripted:  # to write code for the processor pays only where much is multiplied
        os.environ.setdefault("TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL", "0")


PLAIN = frozenset({str, int, float, bool, type(None)})
"""Types of values in which Keras and TensorFlow find nothing to keep track of."""


def set_plainly() -> None:
    """A layer that is given a plain value just has it; Keras looks for something to keep track of three times."""
    original = keras.layers.Layer.__setattr__

    def __setattr__(layer: Any, name: str, value: Any) -> None:
        if type(value) in PLAIN and "_tracker" in vars(layer):
            object.__setattr__(layer, name, value)
        else:
            original(layer, name, value)

    keras.layers.Layer.__setattr__ = __setattr__


def remember_signatures() -> None:
    """Keras asks for the signatures of its own methods whenever it makes a layer; each is worked out once."""
    original = inspect.signature

    @functools.cache
    def known(function: Any, bound: bool) -> inspect.Signature:
        return original(types.MethodType(function, object()) if bound else function)

    @functools.wraps(original)
    def signature(subject: Any, *args: Any, **kwargs: Any) -> inspect.Signature:
        function = getattr(subject, "__func__", subject)
        is_keras = inspect.isfunction(function) and str(function.__module__).startswith("keras.src.")
        if args or kwargs or not is_keras:
            return original(subject, *args, **kwargs)
        return known(function, function is not subject)

    inspect.signature = signature  # type: ignore[assignment]


def can_evaluate(model: Any, x: Any, y: Any, rest: tuple[Any, ...], settings: dict[str, Any]) -> bool:
    """Whether `evaluated` is a way to `model.evaluate(x, y, None, *rest, **settings)`: a model of Keras's own kind, on
    two arrays of as many rows, that is to show nothing and to call nobody."""
    return (
        type(model).__module__.startswith("keras.src.")
        and are_rows(x, y)
        and rest in ((), (0,))
        and settings.keys() <= {"verbose", "return_dict"}
        and settings.get("verbose", 0 if rest else 1) == 0
    )


def are_rows(x: Any, y: Any) -> bool:
    """Whether these are two arrays of as many rows."""
    return (
        isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and x.ndim > 0 and y.ndim > 0 and 0 < len(x) == len(y)
    )


def evaluated(model: Any, x: np.ndarray, y: np.ndarray, return_dict: bool) -> Any:
    """`evaluate`'s result by one step of the model's own on all rows at once, without data set, loop and listeners."""
    model._assert_compile_called("evaluate")
    model.reset_metrics()
    logs = pythonify_logs(model.test_step(in_one_batch(x, y)))
    return logs if return_dict else model._flatten_metrics_in_order(logs)


def in_one_batch(x: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
    """The rows as `evaluate` would hand them to the model."""
    floats = x.astype(keras.config.floatx()) if x.dtype.kind == "f" else x
    return tf.convert_to_tensor(floats), tf.convert_to_tensor(y)
