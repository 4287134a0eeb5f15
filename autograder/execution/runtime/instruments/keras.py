"""Training with Keras's interface, but with accuracies, seconds and joules from the oracle, epoch by epoch.

`Model.fit`, `evaluate`, `predict`, `compile` and the call of a model are replaced. Everything except the optimizer's
steps is done by Keras: shapes, labels, losses, metrics and optimizers are checked by a real forward pass and a real
optimizer step of size zero, and callbacks run in `keras.callbacks.CallbackList`. If training is real, Keras does all of
it, and only time and energy come from the oracle.

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
"""Number of rows in the forward pass that checks whether a model fits its data."""


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
    """Stop TensorBoard's callback from writing logs: nobody reads them, and TensorBoard may not be installed here."""
    board, plain = keras.callbacks.TensorBoard, keras.callbacks.Callback
    for name in ("set_model", *(name for name in vars(board) if name.startswith("on_"))):
        setattr(board, name, getattr(plain, name))
    for name in ("audio", "histogram", "image", "scalar", "text"):
        setattr(tf.summary, name, seal(lambda *args, **kwargs: True))


def _replacements(training: Any) -> dict[str, Any]:
    """Return the functions that replace methods of `keras.Model`, by name."""
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
        """Compile a loaded model, as Keras does itself if `compile` is not replaced."""
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
    """Return what `evaluate` returns, with one batch of all rows, which has far less overhead.

    `test_on_batch` returns the values in the order of `evaluate`; the order of the logs depends on the Keras version.
    """
    if not model.compiled or not model.run_eagerly:
        return original(model, x, y, return_dict=return_dict)
    floats = x.astype(keras.config.floatx()) if x.dtype.kind == "f" else x
    model.reset_metrics()
    values = model.test_on_batch(tf.convert_to_tensor(floats), tf.convert_to_tensor(y), return_dict=return_dict)
    return keras.tree.map_structure(float, values)  # arrays without a dimension in Keras 3.8 and 3.10


def _are_rows(x: Any, y: Any) -> bool:
    """Whether these are two arrays with the same number of rows."""
    return (
        isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and x.ndim > 0 and y.ndim > 0 and 0 < len(x) == len(y)
    )


def _make_training(session: Any) -> Any:
    """Make the state of a notebook's training runs; its class is not one of the runtime, see `channel.connect`."""
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
    """Report nothing and count no costs while the runtime itself uses a model."""
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
    """Report now which functions are replaced: a cell could restore them before it ends."""
    for step in training.session.before_use:
        step()


def _number(training: Any, model: Any) -> int:
    """Return a small number for a model, which is kept, so that no other model gets the same number."""
    return training.models.setdefault(id(model), (len(training.models), model))[0]


def _fit(training: Any, original: Any, model: Any, arguments: dict[str, Any]) -> Any:
    """Run one `fit` and report its arguments, epochs, end and outcome to the oracle."""
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
    """Describe the training run: the model, the optimizer, the data and the arguments of `fit`."""
    optimizer: Any = getattr(model, "optimizer", None)
    while hasattr(optimizer, "inner_optimizer"):  # mixed precision wraps the optimizer in another one
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
    """Run the epochs with the oracle's values and Keras's callbacks."""
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
    """Give the model the weights that match the oracle's outcome, after the last epoch."""
    outcome = training.channel.ask("outcome", training=run.number)
    if outcome:
        run.weights, run.is_applied = learn(model, training.rows, outcome["wrong"], outcome["noise"])


def _real(training: Any, original: Any, model: Any, arguments: dict[str, Any], run: Any, names: list[str]) -> Any:
    """Let Keras train the model; the clock still shows the oracle's seconds and joules."""

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
    """Return the classes that a model predicts for the test rows; None if it fails."""
    try:
        return np.argmax(np.asarray(model(training.rows.x_test, training=False)), axis=-1).tolist()
    except Exception:
        return None


def _check(training: Any, model: Any, arguments: dict[str, Any]) -> tuple[list[str], Exception | None]:
    """Check the arguments as Keras would.

    A model that is equivalent to an earlier one for this purpose is not checked again.

    Returns:
        The names in the logs of an epoch, and the error that `fit` has to raise, None if there is none.
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
    """Take a training step that changes nothing; return the names of its metrics."""
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
    """Take an optimizer step that changes nothing; the optimizer of another model refuses it, as in Keras."""
    _, owned = training.owned.setdefault(id(optimizer), (optimizer, variables))
    if not optimizer.built:
        optimizer.build(owned)
    for variable in variables[:1]:
        optimizer.apply([keras.ops.zeros_like(variable)], [variable])


def _make_run(number: int) -> Any:
    """Make the state of one training run: the epochs so far, how it ended, and the resulting weights."""
    return types.SimpleNamespace(number=number, served=[], error=None, stopped=False, is_applied=False, weights=[])


def _call_batch_hooks(listener: Any, steps: int) -> None:
    """Call the batch hooks if a callback has any, from its class or set on the instance."""

    def overrides(callback: Any, name: str) -> bool:
        return getattr(getattr(callback, name, None), "__func__", None) is not getattr(keras.callbacks.Callback, name)

    if any(overrides(callback, name) for callback in listener.callbacks for name in BATCH_HOOKS):
        for step in range(steps):
            listener.on_train_batch_begin(step)
            listener.on_train_batch_end(step, {"loss": 1.0})


def _logs(epoch: int, accuracy: float, val_accuracy: float, names: list[str]) -> dict[str, float]:
    """Return the logs of an epoch, counted from 1, for the names of the model's metrics."""
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
