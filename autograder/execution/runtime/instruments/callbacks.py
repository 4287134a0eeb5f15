"""Observe the student's callback class, and test it with short training curves.

The values of a trial are known only outside: the oracle sends those of an epoch after the reply to the previous one.

Requests: `trial`, from which the oracle records the event `callback` with the results.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import types
from typing import Any

import keras
import numpy as np

from ..seal import seal


def install(session: Any) -> None:
    name = session.setup["callback"]
    watch = types.SimpleNamespace(name=name, instances={})
    session.parts["callbacks"] = types.SimpleNamespace(
        describe=lambda callback: describe_callback(watch, callback),
        fresh_stop=lambda callbacks, served, first: find_fresh_stop(watch, callbacks, served, first),
    )
    driven: list[Any] = [None]

    def new(cls: type, *args: Any, **kwargs: Any) -> Any:
        instance: Any = object.__new__(cls)
        if is_watched(watch, cls):
            watch.instances[id(instance)] = (instance, args, kwargs)
        return instance

    keras.callbacks.Callback.__new__ = staticmethod(seal(new))

    def drive_new_class() -> None:
        cls = session.shell.user_ns.get(name)
        if cls is None or cls is driven[0]:
            return
        driven[0] = cls
        random_state = np.random.get_state()
        with session.parts["keras"].unseen():
            drive(cls, session.channel)
        np.random.set_state(random_state)

    def take_stand_in() -> None:
        driven[0] = session.shell.user_ns.get(name)

    session.after_cell.append(drive_new_class)
    session.after_stand_in.append(take_stand_in)
    session.guard(keras.callbacks.Callback, "__new__")


# `watch` has the name of the observed callback class, "" for none, and the arguments of its instances.


def describe_callback(watch: Any, callback: Any) -> dict[str, Any]:
    """Describe a callback passed to `fit`: its class and instance and, if it is observed, its arguments."""
    kind = type(callback)
    seen: dict[str, Any] = {"type": kind.__name__[:100], "watched": is_watched(watch, kind), "instance": id(callback)}
    _, args, kwargs = watch.instances.get(id(callback), (None, (), {}))
    arguments = _arguments(kind, callback, args, kwargs) if seen["watched"] else {}
    return seen | {"threshold": arguments.get("threshold"), "patience": arguments.get("patience")}


def is_watched(watch: Any, cls: type) -> bool:
    return bool(watch.name) and any(base.__name__ == watch.name for base in cls.__mro__)


def find_fresh_stop(watch: Any, callbacks: list[Any], served: list[tuple[float, float]], first: int) -> int | None:
    """Return the number of epochs after which a new instance with the same arguments stops, 0 if it does not.

    Args:
        callbacks: the callbacks passed to `fit`.
        served: accuracy and validation accuracy of each epoch that ran.
        first: number of the first epoch.

    Returns:
        None if no instance was observed or a new one raised an error.
    """
    used = next((each for each in callbacks if is_watched(watch, type(each)) and id(each) in watch.instances), None)
    if used is None or not served:
        return None
    _, args, kwargs = watch.instances[id(used)]
    model = types.SimpleNamespace(stop_training=False, history=None)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            callback = type(used)(*args, **kwargs)
            _begin(callback, model)
            for number, (accuracy, val_accuracy) in enumerate(served):
                callback.on_epoch_begin(first + number, {})
                callback.on_epoch_end(first + number, _logs(accuracy, val_accuracy, True))
                if model.stop_training:
                    return number + 1
    except Exception:
        return None
    return 0


def _begin(callback: Any, model: Any) -> None:
    callback.set_params({"epochs": 500, "steps": 1, "verbose": 0})
    callback.set_model(model)
    callback.on_train_begin({})


def _logs(accuracy: float, val_accuracy: float, validated: bool) -> dict[str, float]:
    logs = {"accuracy": accuracy, "loss": 1 - accuracy}
    return logs | {"val_accuracy": val_accuracy, "val_loss": 1 - val_accuracy} if validated else logs


def _arguments(cls: type, instance: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return threshold and patience as passed to the constructor, by keyword, by position or by default."""
    try:
        bound = _signature(cls.__init__).bind(instance, *args, **kwargs)  # type: ignore[misc]
        bound.apply_defaults()
    except (TypeError, ValueError):
        return {}
    flat: dict[str, Any] = dict(zip(("threshold", "patience"), args, strict=False)) | kwargs
    flat |= {name: value for name, value in bound.arguments.items() if name in ("threshold", "patience")}
    return {name: _plain(flat.get(name)) for name in ("threshold", "patience")}


_signature = functools.lru_cache(maxsize=8)(inspect.signature)


def _plain(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def drive(cls: Any, channel: Any) -> None:
    """Run the oracle's trials with new instances of the class, value by value."""
    models = [_small_model(), _small_model()]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        trial = channel.ask("trial").get("trial")
        while trial:
            trial = channel.ask("trial", error=_drive_one(cls, trial, models, channel)).get("trial")


def _small_model() -> Any:
    return keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])


def _drive_one(cls: Any, trial: dict[str, Any], models: list[Any], channel: Any) -> str | None:
    """Run a trial with one instance, or with two in turn; return the error that stopped it."""
    try:
        runs = [_begin_run(cls, trial, model) for model in (models if trial["beside"] else models[:1])]
        stopped, epoch = 0, 0
        while (reply := channel.step(stopped))[0]:
            served, *values = reply
            for number, run in enumerate(runs):
                if served & 1 << number and run(epoch, values[2 * number], values[2 * number + 1]):
                    stopped |= 1 << number
            epoch += 1
        return None
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"


def _begin_run(cls: Any, trial: dict[str, Any], model: Any) -> Any:
    """Create an instance; return the function that runs one epoch with it and returns whether it stopped there."""
    callback, history = _construct(cls, trial), keras.callbacks.History()
    model.stop_training = False
    _begin(callback, model)
    history.set_model(model)
    history.on_train_begin({})

    def step(epoch: int, accuracy: float, val_accuracy: float) -> bool:
        if model.stop_training:
            return True
        logs = _logs(accuracy, val_accuracy, trial["validated"])
        callback.on_epoch_begin(epoch, {})
        callback.on_epoch_end(epoch, logs)
        history.on_epoch_end(epoch, logs)
        if model.stop_training:
            callback.on_train_end(logs)
        return bool(model.stop_training)

    return step


def _construct(cls: Any, trial: dict[str, Any]) -> Any:
    if trial["call"] == "default":
        return cls()
    if trial["call"] == "position":
        return cls(trial["threshold"], trial["patience"])
    return cls(threshold=trial["threshold"], patience=trial["patience"])
