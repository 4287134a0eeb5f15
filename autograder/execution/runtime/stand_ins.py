"""Makes the values that a stand-in leaves in the notebook, from their description."""

from __future__ import annotations

from typing import Any

from .seal import seal


def install(session: Any) -> None:
    def assign(question: dict[str, Any]) -> None:
        """Give names of the notebook's namespace their stand-ins."""
        for step in session.before_stand_in:
            step()
        for name, value in question["values"].items():
            session.shell.user_ns[name] = make(name, value, session)
        for step in session.after_stand_in:
            step()

    session.answers["assign"] = assign


def make(name: str, value: Any, session: Any) -> Any:
    """Make one value; plain data comes as it is.

    A dictionary with the key `stand_in` describes what no JSON can hold: `"callback"` is a callback class that ends
    each training where the oracle says so, `"history"` with `logs` is what `fit` returns.
    """
    kind = value.get("stand_in") if isinstance(value, dict) else None
    if kind == "callback":
        return _make_callback(name, session)
    if kind == "history":
        return _make_history(value["logs"])
    return value


def _make_callback(name: str, session: Any) -> type:
    import keras

    training = session.parts["keras"]

    def init(self: Any, threshold: float = 0.9, patience: int = 3) -> None:
        keras.callbacks.Callback.__init__(self)

    def on_epoch_end(self: Any, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if training.is_stand_in_due:
            self.model.stop_training = True

    about = "Ends each training at an epoch that the grader chose."
    members = {"__init__": seal(init), "on_epoch_end": seal(on_epoch_end), "__doc__": about}
    return type(name, (keras.callbacks.Callback,), members)


def _make_history(logs: dict[str, list[float]]) -> Any:
    import keras

    history = keras.callbacks.History()
    history.epoch = list(range(max(map(len, logs.values()))))
    history.history = logs
    history.params = {"verbose": 0, "epochs": len(history.epoch), "steps": 1}
    return history
