"""Settings of Python's garbage collector, for processes that import much and keep it."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

YOUNG = 50_000
"""New objects after which the collector runs; Python's own default is 700."""


def tune_gc() -> None:
    """Run the garbage collector less often in this process."""
    gc.set_threshold(YOUNG, 10, 10)


@contextlib.contextmanager
def keep_imports() -> Iterator[None]:
    """Leave out of all collections what is imported in this context. One more collection before would take a third of a
    second of TensorFlow's import, and would find next to nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
