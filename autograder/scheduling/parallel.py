"""Work on many students that several processes share, each a fork of this one: what they write are files."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable, Mapping
from typing import TypeVar

from autograder.errors import AutograderError
from autograder.execution.runtime.isolation import end_with

Item = TypeVar("Item")

FEW = 20
"""Items that are not worth a process more."""

MOST = 8
"""Processes, as many as there are cores, that share the work at most."""


def each(work: Callable[[str, Item], None], items: Mapping[str, Item]) -> dict[str, Exception]:
    """Does the work for each item and returns what it raised, by name. It may change files, nothing else: what happens
    in the memory of another process stays there."""
    names = list(items)
    number = _processes() if len(names) > FEW else 1
    shares = [names[first::number] for first in range(number)]
    others = [(share, *_begun(work, items, share)) for share in shares[1:]]
    try:
        failed = _failed(work, items, shares[0])
        for share, _, line in others:
            # One that ends without a word was stopped by something: all of its share is done again.
            failed |= pickle.loads(answer) if (answer := _heard(line)) else _failed(work, items, share)
    finally:
        for _, child, _ in others:
            os.kill(child, signal.SIGKILL)  # it is done, or nobody waits for it any more
            os.waitpid(child, 0)
    return {name: failed[name] for name in names if name in failed}


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processes() -> int:
    return min(cores(), MOST) if sys.platform == "linux" else 1


def _heard(line: int) -> bytes:
    with os.fdopen(line, "rb") as told:
        return told.read()


def _begun(work: Callable[[str, Item], None], items: Mapping[str, Item], share: list[str]) -> tuple[int, int]:
    """A process that does a share, and where it will tell what failed."""
    line, entrance = os.pipe()
    parent = os.getpid()
    if child := os.fork():
        os.close(entrance)
        return child, line
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is answered by the process that began this one
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        end_with(parent)
        failed = {name: _told(error) for name, error in _failed(work, items, share).items()}
        with os.fdopen(entrance, "wb") as told:
            pickle.dump(failed, told)
    finally:
        os._exit(0)


def _failed(work: Callable[[str, Item], None], items: Mapping[str, Item], share: list[str]) -> dict[str, Exception]:
    failed = {}
    for name in share:
        try:
            work(name, items[name])
        except Exception as error:
            failed[name] = error
    return failed


def _told(error: Exception) -> Exception:
    """An error that can be sent, with the same words."""
    return error if isinstance(error, AutograderError) else AutograderError(f"{type(error).__name__}: {error}")
