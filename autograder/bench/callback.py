"""Watches and drives the student's callback class."""

from __future__ import annotations

import inspect
from typing import Any

import keras

from .record import Recorder

NAME = "TrainToAccuracy"


class CallbackWatch:
    """Notes with which arguments instances of the callback class are made."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._instances: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._wrapped: set[type] = set()

    def install(self) -> None:
        """From now on every class of that name is watched from the moment it is defined."""
        watch = self

        def init_subclass(cls: type, **kwargs: Any) -> None:
            if cls.__name__ == NAME:
                watch.wrap(cls)

        keras.callbacks.Callback.__init_subclass__ = classmethod(init_subclass)

    def wrap(self, cls: type) -> None:
        if cls in self._wrapped:
            return
        self._wrapped.add(cls)
        watch, original = self, cls.__init__  # type: ignore[misc]
        signature = inspect.signature(original)

        def init(instance: Any, *args: Any, **kwargs: Any) -> None:
            watch._instances[id(instance)] = (instance, _arguments(signature, instance, args, kwargs))
            original(instance, *args, **kwargs)

        init.__wrapped__ = original  # type: ignore[attr-defined]
        init.__doc__ = original.__doc__
        cls.__init__ = init  # type: ignore[misc]

    def describe(self, callback: Any) -> dict[str, Any]:
        """The class of a callback in use and, for the watched one, which instance it is and how it was made."""
        classes = [cls.__name__ for cls in type(callback).__mro__]
        seen: dict[str, Any] = {"type": classes[0], "watched": NAME in classes, "instance": id(callback)}
        arguments = self._instances.get(id(callback), (None, {}))[1]
        return seen | {"threshold": arguments.get("threshold"), "patience": arguments.get("patience")}


def _arguments(signature: inspect.Signature, instance: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Threshold and patience as the call gives them, by keyword, by position or by default."""
    try:
        bound = signature.bind(instance, *args, **kwargs)
        bound.apply_defaults()
    except TypeError:
        return {}
    flat: dict[str, Any] = dict(zip(("threshold", "patience"), args, strict=False)) | kwargs
    flat |= {name: value for name, value in bound.arguments.items() if name in ("threshold", "patience")}
    return {name: _plain(flat.get(name)) for name in ("threshold", "patience")}


def _plain(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def drive(cls: Any, trials: list[dict[str, Any]], recorder: Recorder) -> list[dict[str, Any]]:
    """Takes fresh instances of the class through each trial's epochs; answers where each stopped.

    A trial has `threshold` and `patience`, `call` ("keyword", "position" or "default"), `val_accuracy` and `accuracy`
    by epoch, and maybe `beside`: a second instance's curve that is driven in turn with the first.
    """
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    other = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
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
        self.stop: int | None = None
        self.callback = _construct(cls, trial)
        self.callback.set_params({"epochs": 500, "steps": 1, "verbose": 0})
        self.callback.set_model(model)
        model.stop_training = False
        self.callback.on_train_begin({})

    def step(self, epoch: int) -> None:
        if self.stop is not None or epoch >= len(self.values):
            return
        value, accuracy = self.values[epoch], self.accuracy[epoch]
        logs = {"accuracy": accuracy, "loss": 1 - accuracy, "val_accuracy": value, "val_loss": 1 - value}
        self.callback.on_epoch_begin(epoch, {})
        self.callback.on_epoch_end(epoch, logs)
        if self.model.stop_training:
            self.stop = epoch
            self.callback.on_train_end(logs)


def _construct(cls: Any, trial: dict[str, Any]) -> Any:
    if trial["call"] == "default":
        return cls()
    if trial["call"] == "position":
        return cls(trial["threshold"], trial["patience"])
    return cls(threshold=trial["threshold"], patience=trial["patience"])
