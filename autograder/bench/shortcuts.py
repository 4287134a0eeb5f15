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
from keras.src import initializers
from keras.src.backend.common import global_state
from keras.src.backend.tensorflow import random as keras_random
from keras.src.backend.tensorflow.trackable import KerasAutoTrackable, sticky_attribute_assignment
from keras.src.saving.object_registration import GLOBAL_CUSTOM_OBJECTS
from keras.src.utils.python_utils import pythonify_logs
from tensorflow.python import pywrap_tfe
from tensorflow.python.ops import gen_math_ops, gen_resource_variable_ops, gen_stateless_random_ops_v2, random_ops_util
from tensorflow.python.trackable import data_structures
from tensorflow.python.trackable.autotrackable import AutoTrackable
from tensorflow.python.trackable.base import Trackable


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
    run_operations_as_such()
    set_plainly()
    draw_uniformly()
    begin_plainly()
    remember_signatures()
    if scripted:  # to write code for the processor pays only where much is multiplied
        os.environ.setdefault("TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL", "0")


def run_operations_as_such() -> None:
    """TensorFlow makes a function of each operation when it is first run, and has it optimized, which takes ten times
    as long as the operation itself. There is a choice only before the first of all."""
    original = pywrap_tfe.TFE_ContextOptionsSetRunEagerOpAsFunction
    pywrap_tfe.TFE_ContextOptionsSetRunEagerOpAsFunction = lambda options, _: original(options, False)


KEPT_TRACK_OF = (
    *(tuple, list, dict, set),
    *(keras.Variable, keras.layers.Layer, keras.metrics.Metric, keras.random.SeedGenerator),
    *(Trackable, data_structures.NoDependency),
)
"""Types of values that Keras and TensorFlow wrap or remember when an object is given one as an attribute."""


PLAIN: dict[type, bool] = {}
"""Of each type that was met, whether Keras and TensorFlow find nothing to keep track of in its values."""


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind not in PLAIN:
        PLAIN[kind] = not issubclass(kind, KEPT_TRACK_OF)
    return PLAIN[kind]


def set_plainly() -> None:
    """A layer that is given a plain value just has it; Keras looks for something to keep track of three times, and for
    a value that is there already twice, where none can be."""
    original = keras.layers.Layer.__setattr__
    look_twice = KerasAutoTrackable.__setattr__

    def __setattr__(layer: Any, name: str, value: Any) -> None:
        if _is_plain(value) and "_tracker" in vars(layer):
            object.__setattr__(layer, name, value)
        else:
            original(layer, name, value)

    def set_new(holder: Any, name: str, value: Any) -> None:
        kind = type(holder)
        if name in vars(holder) or hasattr(kind, name) or hasattr(kind, "__getattr__"):
            look_twice(holder, name, value)
            return
        if getattr(holder, "_self_setattr_tracking", True):
            value = sticky_attribute_assignment(trackable=holder, name=name, value=value)
            value = data_structures.sticky_attribute_assignment(trackable=holder, name=name, value=value)
        super(AutoTrackable, holder).__setattr__(name, value)

    keras.layers.Layer.__setattr__ = __setattr__
    KerasAutoTrackable.__setattr__ = set_new


def draw_uniformly() -> None:
    """Uniform random numbers from a seed that is a number: TensorFlow's operations without what Keras and TensorFlow
    put around them to fit other cases."""
    original = keras_random.uniform

    def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
        plain = type(seed) is int and seed >= 0 and type(minval) is type(maxval) is float
        sized = type(shape) is tuple and all(type(size) is int for size in shape)
        if not (plain and sized and (dtype or keras.config.floatx()) == "float32" and tf.executing_eagerly()):
            return original(shape, minval, maxval, dtype, seed)
        # As Keras brings the seed into the numbers that TensorFlow takes; what is no tensor yet takes longer there.
        state = tf.constant([seed % (tf.int32.max - 1), 0], tf.int32)
        key, counter = gen_stateless_random_ops_v2.stateless_random_get_key_counter(state)
        algorithm = tf.constant(random_ops_util.Algorithm.AUTO_SELECT.value)
        size = tf.constant(shape, tf.int32)
        drawn = gen_stateless_random_ops_v2.stateless_random_uniform_v2(size, key, counter, algorithm, tf.float32)
        low, high = np.float32(minval), np.float32(maxval)
        return gen_math_ops.add_v2(gen_math_ops.mul(drawn, tf.constant(high - low)), tf.constant(low))

    keras_random.uniform = uniform


def begin_plainly() -> None:
    """How layers and metrics usually begin is known by its name, and zeros are made without being asked what for."""
    original = initializers.get
    known = {"zeros": initializers.Zeros, "glorot_uniform": initializers.GlorotUniform}
    zeros = initializers.Zeros.__call__

    def get(identifier: Any) -> Any:
        if type(identifier) is str and identifier in known and not _has_objects_of_a_user():
            return known[identifier]()
        return original(identifier)

    def make(initializer: Any, shape: Any, dtype: Any = None) -> Any:
        if type(shape) is tuple and (dtype or keras.config.floatx()) == "float32" and tf.executing_eagerly():
            return tf.constant(np.zeros(shape, np.float32))
        return zeros(initializer, shape, dtype)

    initializers.get = get
    initializers.Zeros.__call__ = make


def _has_objects_of_a_user() -> bool:
    """Whether a user gave names to objects, which could be those of Keras's own."""
    return bool(GLOBAL_CUSTOM_OBJECTS or global_state.get_global_attribute("custom_objects_scope_dict", {}))


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


def read(variable: Any) -> np.ndarray:
    """The value of a Keras variable."""
    return gen_resource_variable_ops.read_variable_op(variable.handle, variable.dtype).numpy()


def write(variable: Any, value: np.ndarray) -> None:
    """Gives a Keras variable a value of its own shape and type."""
    gen_resource_variable_ops.assign_variable_op(variable.handle, tf.constant(value))


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
    x, y = in_one_batch(x, y)
    logs = pythonify_logs(_tested(model, x, y) if is_plain_chain(model, x) else model.test_step((x, y)))
    return logs if return_dict else model._flatten_metrics_in_order(logs)


def _tested(model: Any, x: Any, y: Any) -> dict[str, Any]:
    """What the `test_step` of a plain chain comes to."""
    predicted = x
    for layer in model.layers:
        predicted = layer.call(predicted)
    loss = model._compute_loss(x=x, y=y, y_pred=predicted, training=False)
    model._loss_tracker.update_state(loss, sample_weight=len(x))
    return model.compute_metrics(x, y, predicted)


def is_plain_chain(model: Any, x: Any) -> bool:
    """Whether to call a model on such rows is to call its layers one after another: built ones of Keras's own kind that
    keep nothing of a call."""
    return (
        type(model) is keras.Sequential
        and model.built
        and model.dtype_policy.name == x.dtype.name == "float32"
        and x.shape.rank == 2
        and x.shape[1:] == model.input_shape[1:]
        and all(
            type(layer) is keras.layers.Dense
            and layer.dtype_policy.name == "float32"
            and layer.activity_regularizer is None
            for layer in model.layers
        )
    )


def in_one_batch(x: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
    """The rows as `evaluate` would hand them to the model."""
    floats = x.astype(keras.config.floatx()) if x.dtype.kind == "f" else x
    return tf.convert_to_tensor(floats), tf.convert_to_tensor(y)
