"""A clean end on Ctrl-C or on a signal from the system."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
DEFAULT_HANDLERS = (signal.SIG_DFL, signal.default_int_handler)


class Stopped(KeyboardInterrupt):
    """The process was asked to end; `status` is its exit status."""

    def __init__(self, number: int) -> None:
        self.status = 128 + number
        super().__init__(number)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Raise Stopped on the first stop signal, wherever the program is; ignore further ones during cleanup."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    # A signal that is already ignored, for example because of nohup, stays ignored.
    ours = [number for number in STOP_SIGNALS if before[number] in DEFAULT_HANDLERS]

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        for other in ours:
            signal.signal(other, signal.SIG_IGN)
        raise Stopped(number)

    for number in ours:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
