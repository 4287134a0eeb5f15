"""Makes the values that a stand-in leaves in the notebook, from their description in the challenge."""

from __future__ import annotations

import json
from typing import Any

import keras

from .training import Training


def made(value: Any, training: Training) -> Any:
    """A fresh copy of plain data; a dictionary with the key `stand_in` describes an object that no JSON can hold.

    `{"stand_in": "callback"}` is the exercise's callback class; `{"stand_in": "history", "logs": {name: values}}` is
    what `fit` returns, with one value an epoch.
    """
    copy = json.loads(json.dumps(value))
    kind = copy.get("stand_in") if isinstance(copy, dict) else None
    if kind == "callback":
        return _callback(training)
    if kind == "history":
        return _history(copy["logs"])
    return copy


def _callback(training: Training) -> type:
    name = training.watch.name

    def init(self: Any, threshold: float = 0.9, patience: int = 3) -> None:
        keras.callbacks.Callback.__init__(self)

    def on_epoch_end(self: Any, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch + 1 >= training.stop_hint:
            self.model.stop_training = True

    about = "Ends each training at an epoch that the challenge chose."
    return type(name, (keras.callbacks.Callback,), {"__init__": init, "on_epoch_end": on_epoch_end, "__doc__": about})


def _history(logs: dict[str, list[float]]) -> Any:
    history = keras.callbacks.History()
    history.epoch = list(range(max(map(len, logs.values()))))
    history.history = logs
    history.params = {"verbose": 0, "epochs": len(history.epoch), "steps": 1}
    return history
