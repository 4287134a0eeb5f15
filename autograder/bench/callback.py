"""Watches and drives the student's callback class."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
from typing import Any

import keras


class CallbackWatch:
    """Notes with which arguments instances of the callback class of that name are made; "" for none."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._instances: dict[int, tuple[Any, dict[str, Any]]] = {}

    def install(self) -> None:
        """From now on every callback of that name, or derived from it, is noted when it is made."""
        watch = self

        def new(cls: type, *args: Any, **kwargs: Any) -> Any:
            instance: Any = object.__new__(cls)
            if watch.is_watched(cls):
                watch._instances[id(instance)] = (instance, _arguments(cls, instance, args, kwargs))
            return instance

        keras.callbacks.Callback.__new__ = staticmethod(new)

    def describe(self, callback: Any) -> dict[str, Any]:
        """The class of a callback in use and, for the watched one, which instance it is and how it was made."""
        kind = type(callback)
        seen: dict[str, Any] = {"type": kind.__name__, "watched": self.is_watched(kind), "instance": id(callback)}
        arguments = self._instances.get(id(callback), (None, {}))[1]
        return seen | {"threshold": arguments.get("threshold"), "patience": arguments.get("patience")}

    def is_watched(self, cls: type) -> bool:
        return any(base.__name__ == self.name for base in cls.__mro__)


def _arguments(cls: type, instance: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Threshold and patience as the call gives them, by keyword, by position or by default."""
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


def drive(cls: Any, trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Takes fresh instances of the class through each trial's epochs; answers where each stopped.

    A trial has `threshold` and `patience`, `call` ("keyword", "position" or "default"), `val_accuracy` and `accuracy`
    by epoch, and maybe `beside`: a second instance's curve that is driven in turn with the first.
    """
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    other = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return [_drive_one(cls, trial, model, other) for trial in trials]


def _drive_one(cls: Any, trial: dict[str, Any], model: Any, other: Any) -> dict[str, Any]:
    try:
        first = _Run(cls, trial, trial["val_accuracy"], trial["accuracy"], model)
        second = _Run(cls, trial, trial["beside"], trial["beside"], other) if trial.get("beside") else None
        for epoch in range(max(len(run.values) for run in (first, second) if run)):
            for run in filter(None, (first, second)):
                run.step(epoch)
        return {"stop": first.stop, "error": None}
    except Exception as error:
        return {"stop": None, "error": f"{type(error).__name__}: {str(error)[:200]}"}


class _Run:
    """One instance on its way through a curve."""

    def __init__(self, cls: Any, trial: dict[str, Any], values: list[float], accuracy: list[float], model: Any) -> None:
        self.values, self.accuracy, self.model = values, accuracy, model
        self.validated: bool = trial["validated"]
        self.stop: int | None = None
        self.callback = _construct(cls, trial)
        self.callback.set_params({"epochs": 500, "steps": 1, "verbose": 0})
        self.callback.set_model(model)
        model.stop_training = False
        self.history = keras.callbacks.History()
        self.history.set_model(model)
        self.history.on_train_begin({})
        self.callback.on_train_begin({})

    def step(self, epoch: int) -> None:
        if self.stop is not None or epoch >= len(self.values):
            return
        value, accuracy = self.values[epoch], self.accuracy[epoch]
        logs = {"accuracy": accuracy, "loss": 1 - accuracy}
        if self.validated:
            logs |= {"val_accuracy": value, "val_loss": 1 - value}
        self.callback.on_epoch_begin(epoch, {})
        self.callback.on_epoch_end(epoch, logs)
        self.history.on_epoch_end(epoch, logs)
        if self.model.stop_training:
            self.stop = epoch
            self.callback.on_train_end(logs)


def _construct(cls: Any, trial: dict[str, Any]) -> Any:
    if trial["call"] == "default":
        return cls()
    if trial["call"] == "position":
        return cls(trial["threshold"], trial["patience"])
    return cls(threshold=trial["threshold"], patience=trial["patience"])
