"""Training with Keras's contract, but with accuracies, seconds and joules that the oracle serves, epoch by epoch.

Replaced are `Model.fit`, `evaluate`, `predict`, `compile` and the call of a model. Everything around the optimizer's
steps is Keras's own: shapes, labels, losses, metrics and optimizers are checked by a real forward pass and a real
(zero) optimizer step, and callbacks are those of `keras.callbacks.CallbackList`. With real training Keras trains
itself, and only clock and energy are the oracle's.

Events: `use`, `outcome`. Requests: `train`, `train_end`.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import types
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..errors import meant
from ..rows import as_arrays, make_rows
from ..seal import seal
from . import devices
from .model_parts import (
    describe_part,
    fingerprint,
    flatten_callbacks,
    name_loss,
    read_batch_size,
    read_learning_rate,
    trainable_key,
)
from .weights import learn, read_weights

BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
TRIED_ROWS = 256
"""Rows of the forward pass that shows whether a model fits its data."""


def install(session: Any) -> None:
    keras.utils.set_random_seed(session.setup["seed"])
    training = _make_training(session)
    session.parts["keras"] = training
    for name, replacement in _replacements(training).items():
        setattr(keras.Model, name, seal(replacement, getattr(keras.Model, name)))
    session.guard(keras.Model, "fit", "evaluate", "predict", "compile", "__call__")
    session.guard(np, "argmax", "array_equal", "asarray", "ascontiguousarray", "concatenate", "ravel")
    session.guard(keras.callbacks, "CallbackList")
    devices.install(session.setup["gpus"])
    _write_no_logs()


def _write_no_logs() -> None:
    """Nobody reads what TensorBoard would be shown, and it may not be installed here."""
    board, plain = keras.callbacks.TensorBoard, keras.callbacks.Callback
    for name in ("set_model", *(name for name in vars(board) if name.startswith("on_"))):
        setattr(board, name, getattr(plain, name))
    for name in ("audio", "histogram", "image", "scalar", "text"):
        setattr(tf.summary, name, seal(lambda *args, **kwargs: True))


def _replacements(training: Any) -> dict[str, Any]:
    """The functions that take the places of those of `keras.Model`."""
    originals = {name: getattr(keras.Model, name) for name in ("fit", "evaluate", "predict", "compile", "__call__")}
    fit_signature = inspect.signature(originals["fit"])

    def fit(model: Any, *args: Any, **kwargs: Any) -> Any:
        bound = fit_signature.bind(model, *args, **kwargs)
        bound.apply_defaults()
        return _fit(training, originals["fit"], model, dict(list(bound.arguments.items())[1:]))

    def compile(model: Any, *args: Any, **kwargs: Any) -> Any:
        result = originals["compile"](model, *args, **kwargs)
        if training.scripted:
            model.run_eagerly = True
        training.clock.spend("compile")
        return result

    def compile_from_config(model: Any, config: Any) -> None:
        """Compile a model that is loaded, as Keras does by itself where `compile` is its own."""
        model.compile(**keras.saving.deserialize_keras_object(config))
        if getattr(model, "optimizer", None) is not None and model.built:
            model.optimizer.build(model.trainable_variables)

    def evaluate(model: Any, x: Any = None, y: Any = None, batch_size: Any = None, *args: Any, **kwargs: Any) -> Any:
        with _use(training, "evaluate", model, x, y):
            if batch_size is None and not args and kwargs.keys() <= {"verbose", "return_dict"} and _are_rows(x, y):
                return _evaluate_at_once(model, x, y, kwargs.get("return_dict", False), originals["evaluate"])
            return originals["evaluate"](model, x, y, batch_size, *args, **kwargs)

    def predict(model: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        with _use(training, "predict", model, x, None):
            return originals["predict"](model, x, *args, **kwargs)

    def call(model: Any, *args: Any, **kwargs: Any) -> Any:
        data = args[0] if args else None
        if training.inside or not (isinstance(data, np.ndarray) or hasattr(data, "numpy")):
            return originals["__call__"](model, *args, **kwargs)
        with _use(training, "predict", model, data, None):
            return originals["__call__"](model, *args, **kwargs)

    replaced: tuple[Any, ...] = (fit, compile, compile_from_config, evaluate, predict)
    return {"__call__": call} | {function.__name__: function for function in replaced}


def _evaluate_at_once(model: Any, x: np.ndarray, y: np.ndarray, return_dict: bool, original: Any) -> Any:
    """What `evaluate` returns, by one batch of all rows: no less work, but far less around it.

    `test_on_batch` puts the values in the order of `evaluate`; that of the logs differs between versions of Keras.
    """
    if not model.compiled or not model.run_eagerly:
        return original(model, x, y, return_dict=return_dict)
    floats = x.astype(keras.config.floatx()) if x.dtype.kind == "f" else x
    model.reset_metrics()
    values = model.test_on_batch(tf.convert_to_tensor(floats), tf.convert_to_tensor(y), return_dict=return_dict)
    return keras.tree.map_structure(float, values)  # arrays without a dimension in Keras 3.8 and 3.10


def _are_rows(x: Any, y: Any) -> bool:
    """Whether these are two arrays of as many rows."""
    return (
        isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and x.ndim > 0 and y.ndim > 0 and 0 < len(x) == len(y)
    )


def _make_training(session: Any) -> Any:
    """What is known of the trainings of one notebook; an object of no class of the runtime's, see `channel.connect`."""
    training = types.SimpleNamespace(
        session=session,
        clock=session.clock,
        channel=session.channel,
        scripted=session.setup["training"] == "scripted",
        rows=make_rows(*(session.arrays[name] for name in session.setup["data_files"])),
        inside=0,
        is_stand_in_due=False,
        trained=set(),
        models={},
        checked={},
        owned={},
    )
    training.unseen = lambda: _unseen(training)
    return training


@contextlib.contextmanager
def _unseen(training: Any) -> Iterator[None]:
    """What the runtime itself does with a model is not reported and costs nothing."""
    training.inside += 1
    try:
        yield
    finally:
        training.inside -= 1


@contextlib.contextmanager
def _use(training: Any, what: str, model: Any, x: Any, y: Any) -> Iterator[None]:
    """Report a use of a model outside `fit`, which costs time and energy."""
    if not training.inside:
        _look_around(training)
        training.channel.report("use", what=what, model=_number(training, model), data=training.rows.describe(x, y))
        training.clock.spend("evaluate")
    with training.unseen():
        yield


def _look_around(training: Any) -> None:
    """Have it reported what is replaced just now: a cell could put it back before its end."""
    for step in training.session.before_use:
        step()


def _number(training: Any, model: Any) -> int:
    """A small number for a model; the model is kept, so that no other gets the same."""
    return training.models.setdefault(id(model), (len(training.models), model))[0]


def _fit(training: Any, original: Any, model: Any, arguments: dict[str, Any]) -> Any:
    """Run one `fit`; its arguments, its epochs, its end and its outcome are known to the oracle."""
    _look_around(training)
    with training.unseen():
        names, error = _check(training, model, arguments)
        reply = training.channel.ask("train", **_claims(training, model, arguments))
    run = _make_run(reply.get("training", 0))
    if reply:
        training.clock.show(reply["seconds"], reply["joules"])
    try:
        if error is not None:
            raise error
        play = _scripted if training.scripted else _real
        return play(training, original, model, arguments, run, names)
    except BaseException as raised:
        run.error = f"{type(raised).__name__}: {str(raised)[:300]}"
        raise
    finally:
        _finish(training, model, arguments, run)


def _claims(training: Any, model: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """What the notebook says that it trains: the model, the optimizer, the data and the arguments of `fit`."""
    optimizer: Any = getattr(model, "optimizer", None)
    while hasattr(optimizer, "inner_optimizer"):  # mixed precision puts one around another
        optimizer = optimizer.inner_optimizer
    x, y, validation = arguments["x"], arguments["y"], arguments["validation_data"]
    watch = training.session.parts["callbacks"]
    weights = read_weights(model)
    return {
        "model": _number(training, model),
        "trained_before": bool(training.trained.intersection(fingerprint(weights))),
        "parameters": sum(math.prod(weight.shape) for weight in model.trainable_weights),
        "layers": [describe_part(layer) for layer in model.layers[:50]],
        "optimizer": type(optimizer).__name__,
        "optimizer_config": describe_part(optimizer),
        "learning_rate": read_learning_rate(optimizer),
        "loss": name_loss(getattr(model, "loss", None)),
        "batch_size": int(arguments["batch_size"] or read_batch_size(x) or 32),
        "epochs": int(arguments["epochs"]),
        "initial_epoch": int(arguments["initial_epoch"]),
        "validation_split": float(arguments["validation_split"] or 0.0),
        "data": training.rows.describe(x, y),
        "validation": None if validation is None else _describe_validation(training, validation),
        "callbacks": [watch.describe(callback) for callback in flatten_callbacks(arguments["callbacks"])],
    }


def _describe_validation(training: Any, data: Any) -> dict[str, Any]:
    return training.rows.describe(*data[:2]) if isinstance(data, (tuple, list)) else training.rows.describe(data)


def _scripted(training: Any, original: Any, model: Any, arguments: dict[str, Any], run: Any, names: list[str]) -> Any:
    """The oracle's curve through Keras's callback protocol."""
    rows = len(arguments["x"]) if hasattr(arguments["x"], "__len__") else 1
    rows = math.floor(rows * (1 - (arguments["validation_split"] or 0.0)))
    steps = math.ceil(max(1, rows) / (arguments["batch_size"] or read_batch_size(arguments["x"]) or 32))
    how = {"verbose": 0, "epochs": arguments["epochs"], "steps": steps, "model": model}
    listener = keras.callbacks.CallbackList(
        flatten_callbacks(arguments["callbacks"]), add_history=True, add_progbar=False, **how
    )
    model.stop_training = False
    listener.on_train_begin()
    logs: dict[str, float] = {}
    for epoch in range(arguments["initial_epoch"], arguments["epochs"]):
        for callback in listener.callbacks:
            callback.on_epoch_begin(epoch, {})
        _call_batch_hooks(listener, steps)
        due, accuracy, val_accuracy, seconds, joules = training.channel.epoch(run.number)
        training.is_stand_in_due = bool(due)
        training.clock.show(seconds, joules)
        run.served.append((accuracy, val_accuracy))
        logs = _logs(len(run.served), accuracy, val_accuracy, names)
        for callback in listener.callbacks:
            callback.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    run.stopped = bool(model.stop_training)
    with training.unseen():
        _take_outcome(training, model, run)
    listener.on_train_end(logs)
    return model.history


def _take_outcome(training: Any, model: Any, run: Any) -> None:
    """The training is over: take over what the model has learned."""
    outcome = training.channel.ask("outcome", training=run.number)
    if outcome:
        run.weights, run.is_applied = learn(model, training.rows, outcome["wrong"], outcome["noise"])


def _real(training: Any, original: Any, model: Any, arguments: dict[str, Any], run: Any, names: list[str]) -> Any:
    """Keras's own training; the clock still shows the oracle's seconds and joules."""

    def on_epoch_end(epoch: int, logs: dict[str, Any] | None = None) -> None:
        due, _, _, seconds, joules = training.channel.epoch(run.number)
        training.clock.show(seconds, joules)
        training.is_stand_in_due = bool(due)
        run.served.append(tuple(float((logs or {}).get(name, np.nan)) for name in ("accuracy", "val_accuracy")))

    first = keras.callbacks.LambdaCallback(on_epoch_end=seal(on_epoch_end))
    with training.unseen():
        return original(model, **{**arguments, "callbacks": [first, *flatten_callbacks(arguments["callbacks"])]})


def _finish(training: Any, model: Any, arguments: dict[str, Any], run: Any) -> None:
    _look_around(training)
    with training.unseen():
        weights = read_weights(model)
        training.trained.update(fingerprint(weights))
        unchanged = (
            run.is_applied and len(weights) == len(run.weights) and all(map(np.array_equal, weights, run.weights))
        )
        fresh = training.session.parts["callbacks"].fresh_stop(
            flatten_callbacks(arguments["callbacks"]), run.served, arguments["initial_epoch"]
        )
        training.channel.ask(
            "train_end",
            training=run.number,
            error=run.error,
            stopped=run.stopped,
            applied=unchanged,
            predictions=None if unchanged else _predict(training, model),
            fresh_stop=fresh,
            curve=[] if training.scripted else run.served[:2000],
        )


def _predict(training: Any, model: Any) -> list[int] | None:
    """The classes that a model finds for the test rows."""
    try:
        return np.argmax(np.asarray(model(training.rows.x_test, training=False)), axis=-1).tolist()
    except Exception:
        return None


def _check(training: Any, model: Any, arguments: dict[str, Any]) -> tuple[list[str], Exception | None]:
    """What Keras itself would refuse is refused here.

    A model that differs from an earlier one in nothing that decides this is not tried again.

    Returns:
        The names in the logs of an epoch, and the error that `fit` has to raise.
    """
    if not training.scripted:
        return [], None
    try:
        return _log_names(training, model, arguments), None
    except Exception as error:
        return [], error


def _log_names(training: Any, model: Any, arguments: dict[str, Any]) -> list[str]:
    if not model.compiled:
        raise meant(ValueError("You must call `compile()` before calling `fit()`."))
    split = arguments["validation_split"] or 0.0
    if split and hasattr(arguments["x"], "element_spec"):
        raise meant(ValueError("`validation_split` is only supported for Tensors or NumPy arrays."))
    watched = any(hasattr(callback, "monitor") for callback in flatten_callbacks(arguments["callbacks"]))
    kind = "" if watched or id(model.optimizer) in training.owned else trainable_key(model, arguments)
    names = training.checked.get(kind)
    if names is None:
        names = _try(training, model, *as_arrays(arguments["x"], arguments["y"]))
        if kind:
            training.checked[kind] = names
    else:
        training.owned[id(model.optimizer)] = (model.optimizer, model.trainable_variables)
    validated = bool(split) or arguments["validation_data"] is not None
    return [*names, *(f"val_{name}" for name in names if validated)]


def _try(training: Any, model: Any, x: Any, y: Any) -> list[str]:
    """One step as in training, which changes nothing; returns the names of what it measures."""
    if y is not None and x.shape[0] != y.shape[0]:
        raise meant(ValueError(f"Data cardinality is ambiguous: x has {x.shape[0]} rows and y has {y.shape[0]}."))
    model.stop_training = False
    predicted = model(x[:TRIED_ROWS], training=True)
    model.compute_loss(x=x[:TRIED_ROWS], y=y[:TRIED_ROWS], y_pred=predicted)
    _step(training, model.optimizer, model.trainable_variables)
    names = list(model.compute_metrics(x[:TRIED_ROWS], y[:TRIED_ROWS], predicted))
    model.reset_metrics()
    return names


def _step(training: Any, optimizer: Any, variables: list[Any]) -> None:
    """One step that changes nothing; an optimizer that belongs to another model refuses it as it would in Keras."""
    _, owned = training.owned.setdefault(id(optimizer), (optimizer, variables))
    if not optimizer.built:
        optimizer.build(owned)
    for variable in variables[:1]:
        optimizer.apply([keras.ops.zeros_like(variable)], [variable])


def _make_run(number: int) -> Any:
    """One training as it goes: what was served, how it ended, and the weights that it left."""
    return types.SimpleNamespace(number=number, served=[], error=None, stopped=False, is_applied=False, weights=[])


def _call_batch_hooks(listener: Any, steps: int) -> None:
    """Call the hooks of batches where a callback has any: by its class or set on it."""

    def overrides(callback: Any, name: str) -> bool:
        return getattr(getattr(callback, name, None), "__func__", None) is not getattr(keras.callbacks.Callback, name)

    if any(overrides(callback, name) for callback in listener.callbacks for name in BATCH_HOOKS):
        for step in range(steps):
            listener.on_train_batch_begin(step)
            listener.on_train_batch_end(step, {"loss": 1.0})


def _logs(epoch: int, accuracy: float, val_accuracy: float, names: list[str]) -> dict[str, float]:
    """The logs of an epoch, counted from 1, under the names that the model measures."""
    readings = {
        "accuracy": accuracy,
        "val_accuracy": val_accuracy,
        "loss": 1 / (epoch + 1),
        "val_loss": 2 * (1 - val_accuracy),
    }
    for name in names:
        if name not in readings:
            value = val_accuracy if name.startswith("val_") else accuracy
            readings[name] = value if "acc" in name else 1 - value
    return {name: readings[name] for name in names}
