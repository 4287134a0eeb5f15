"""Seal the runtime's functions that a notebook can see: they can be called, but give access to nothing else."""

from __future__ import annotations

import functools
import inspect
from typing import Any

ENTRIES: set[Any] = set()
"""The code of the functions through which other code may enter the runtime: sealed and marked functions."""


def mark_entry(function: Any) -> Any:
    """Allow code outside the runtime to call a function that sends messages to the oracle; return the function."""
    ENTRIES.add(getattr(function, "__code__", None))
    return function


def seal(function: Any, like: Any = None, is_entry: bool = True) -> Any:
    """Wrap a function so that its globals, its closure and its code cannot be reached through attributes.

    A Python function has the attributes `__globals__` and `__closure__`, through which a notebook would find the
    runtime's objects. `functools.lru_cache` with a size of 0 stores nothing and is written in C: it calls the function,
    and its only attribute that leads to it is `__wrapped__`, which is removed here. The remaining ways are the garbage
    collector and the frames of callers, and their use is reported (see `instruments.audit`).

    Args:
        function: the function to call; it can also be used as a method.
        like: the function that it replaces, for its name, docstring and signature.
        is_entry: whether code outside the runtime may call it, see `channel`.
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
