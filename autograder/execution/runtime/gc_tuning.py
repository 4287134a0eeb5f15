"""What Python's collector of garbage is told: looking costs more than it brings where much is imported and kept."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

YOUNG = 50_000
"""Objects that may come into being before the first look for garbage among them; Python itself waits for 700."""


def collect_seldom() -> None:
    """Looks for garbage in this process only so often."""
    gc.set_threshold(YOUNG, 10, 10)


@contextlib.contextmanager
def keep_imports() -> Iterator[None]:
    """What is imported meanwhile stays: no garbage is looked for in it, neither now nor later. To look once more before
    it stays takes a third of a second of TensorFlow's import, and finds nothing to speak of."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
