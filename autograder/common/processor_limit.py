"""A limit on the processor time of a block of code."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any


class TooLong(BaseException):
    """The code took more processor time than it may; not an Exception, so that the code does not catch it."""


@contextlib.contextmanager
def limit_processor(seconds: float) -> Iterator[Callable[[], float]]:
    """Raise TooLong after that much processor time; only the main thread can be interrupted in this way.

    Yields:
        A function that returns the seconds that were spent; call it after the context.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGVTALRM"):
        yield lambda: 0.0
        return

    def stop(number: int, frame: Any) -> None:
        raise TooLong

    seconds = max(seconds, 0.001)
    spent = [0.0]
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield lambda: spent[0]
    finally:
        spent[0] = seconds - signal.setitimer(signal.ITIMER_VIRTUAL, 0)[0]
        signal.signal(signal.SIGVTALRM, before)
