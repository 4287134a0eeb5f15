"""Answers to the questions that checks ask while the kernel lives: call a function, look at an expression.

Arguments and values are plain data or arrays, written as `{"array": flat list, "dtype": name, "shape": list}`.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np

from .describe import describe
from .errors import TooLate, short_text
from .processes import time_spent
from .seal import seal

MAX_NUMBERS = 100_000
"""Numbers of an array that are sent by value."""


def install(session: Any) -> None:
    def call(question: dict[str, Any]) -> dict[str, Any]:
        """Call a function of the notebook's."""
        function = session.shell.user_ns[question["name"]]
        args = [decode(value) for value in question["args"]]
        kwargs = {name: decode(value) for name, value in question["kwargs"].items()}
        return _ask_student(lambda: function(*args, **kwargs), question["seconds"])

    def look(question: dict[str, Any]) -> dict[str, Any]:
        """Evaluate an expression in the notebook's namespace."""
        code = compile(question["expression"], "<question>", "eval")
        return _ask_student(lambda: eval(code, session.shell.user_ns), question["seconds"])

    session.answers |= {"call": call, "look": look}


def _ask_student(function: Any, seconds: float) -> dict[str, Any]:
    """What the student's code returns, described and by value, or its error; what it prints is not shown."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), _time_limit(seconds):
            value = function()
            return {"returned": describe(value), "data": encode(value), "printed": printed.getvalue()[:2000]}
    except TooLate:
        return {"error": "TimeLimit", "message": f"it ran longer than the {seconds:g} s limit"}
    except BaseException as error:
        return {"error": type(error).__name__[:100], "message": short_text(error)}


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise TooLate in what runs longer, without the time for which it had to wait for a processor."""
    start = time_spent(os.getpid())[1]
    granted = [0.0]

    def end(number: int, frame: Any) -> None:
        waited = time_spent(os.getpid())[1] - start - granted[0]
        if waited < 0.01:
            raise TooLate
        granted[0] += waited
        signal.setitimer(signal.ITIMER_REAL, waited)

    before = signal.signal(signal.SIGALRM, seal(end))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def decode(value: Any) -> Any:
    """An argument as Python has it."""
    if isinstance(value, dict) and set(value) == {"array", "dtype", "shape"}:
        return np.array(value["array"], dtype=value["dtype"]).reshape(value["shape"])
    if isinstance(value, dict):
        return {name: decode(each) for name, each in value.items()}
    return [decode(each) for each in value] if isinstance(value, list) else value


def encode(value: Any, depth: int = 0) -> Any:
    """A value as plain data, as far as it can be told by value; None else."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, str):
        return value[:10_000]
    if isinstance(value, (list, tuple)) and depth < 4 and len(value) <= 1000:
        return [encode(each, depth + 1) for each in value]
    if isinstance(value, dict) and depth < 4 and len(value) <= 1000:
        return {str(name)[:200]: encode(each, depth + 1) for name, each in value.items()}
    if hasattr(type(value), "__array__"):
        array = np.asarray(value)
        if array.dtype.kind in "biuf" and array.size <= MAX_NUMBERS:
            return {"array": array.reshape(-1).tolist(), "dtype": array.dtype.name, "shape": list(array.shape)}
    return None
