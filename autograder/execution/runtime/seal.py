"""Functions of the runtime as a notebook gets to see them: they can be called, but lead nowhere."""

from __future__ import annotations

import functools
import inspect
from typing import Any

ENTRIES: set[Any] = set()
"""The code of the functions through which others may come into the runtime: what is sealed, and what is marked."""


def mark_entry(function: Any) -> Any:
    """Allow that others than the runtime call a function that sends messages to the oracle; returns the function."""
    ENTRIES.add(getattr(function, "__code__", None))
    return function


def seal(function: Any, like: Any = None, is_entry: bool = True) -> Any:
    """Wrap a function so that its globals, its closure and its code cannot be reached through attributes.

    A Python function hands out `__globals__` and `__closure__`, through which a notebook would find the runtime's
    objects. `functools.lru_cache` with a size of 0 keeps nothing and is written in C: it calls the function and has no
    attribute for it but `__wrapped__`, which is removed here. What is left is the garbage collector and the frames of
    callers, and to look there is reported (see `instruments.audit`).

    Args:
        function: what is to be called; it works as a method, too.
        like: the function whose place it takes, for its name, its docstring and its signature.
        is_entry: whether others than the runtime may call it, see `channel`.
    """
    if is_entry:
        mark_entry(function)
    sealed: Any = functools.lru_cache(maxsize=0)(function)
    original = function if like is None else like
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(sealed, name, getattr(original, name, None))
    try:
        sealed.__signature__ = inspect.signature(original)
    except (TypeError, ValueError):
        sealed.__signature__ = inspect.Signature()
    sealed.__annotations__ = {}
    sealed.__dict__.pop("__wrapped__", None)
    return sealed
