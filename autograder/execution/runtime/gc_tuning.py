"""Settings of Python's garbage collector for processes that import large libraries."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

YOUNG = 50_000
"""Number of new objects after which the collector runs; Python's default is 700."""


def tune_gc() -> None:
    """Run the garbage collector less often in this process."""
    gc.set_threshold(YOUNG, 10, 10)


@contextlib.contextmanager
def keep_imports() -> Iterator[None]:
    """Exclude what is imported in this context from all later collections. There is no collection first: it would add a
    third of a second to TensorFlow's import and free next to nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
