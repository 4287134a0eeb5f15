"""A clock and an energy meter that move only when the bench says so.

Code of the notebook sees them in place of the machine's own: training for an epoch takes exactly the seconds and
joules of the challenge, so a window that covers too much or too little shows in its numbers.
"""

from __future__ import annotations

import datetime
import sys
import time
import timeit
import types
from typing import Any

real_cpu = time.process_time
"""Seconds of the processor that this process has used, whatever the clock shows."""

TICK = 1e-6
"""Seconds that pass at every look at the clock, so that waiting for it to move ends."""


class Clock:
    """Virtual seconds and joules since the start of the run."""

    def __init__(self) -> None:
        self.origin = time.time()
        self.seconds = 0.0
        self.joules = 0.0

    def advance(self, seconds: float, joules: float = 0.0) -> None:
        """Lets time pass (in s) and energy be used (in J)."""
        self.seconds += max(0.0, float(seconds))
        self.joules += max(0.0, float(joules))

    def now(self) -> float:
        self.seconds += TICK
        return self.seconds

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self.origin + self.now()


def virtual_time(clock: Clock) -> types.ModuleType:
    """A module like `time` whose readings come from the clock; `sleep` lets virtual time pass."""
    module = types.ModuleType("time", time.__doc__)
    module.__dict__.update({k: v for k, v in vars(time).items() if not k.startswith("__")})
    counters = ("perf_counter", "monotonic", "process_time", "thread_time")
    readings: dict[str, Any] = {"time": clock.wall, "sleep": clock.advance}
    readings |= dict.fromkeys(counters, clock.now)
    readings |= {f"{name}_ns": lambda: int(clock.now() * 1e9) for name in counters}
    readings["time_ns"] = lambda: int(clock.wall() * 1e9)
    for name in ("gmtime", "localtime"):
        readings[name] = _default_now(getattr(time, name), clock)
    module.__dict__.update(readings)
    return module


def _default_now(function: Any, clock: Clock) -> Any:
    def convert(seconds: float | None = None) -> Any:
        return function(clock.wall() if seconds is None else seconds)

    return convert


def virtual_datetime(clock: Clock) -> types.ModuleType:
    """A module like `datetime` in which `now`, `utcnow` and `today` show the clock."""

    class DateTime(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> DateTime:
            return cls.fromtimestamp(clock.wall(), tz)

        @classmethod
        def utcnow(cls) -> DateTime:
            return cls.fromtimestamp(clock.wall(), datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> DateTime:
            return cls.now()

    DateTime.__name__ = DateTime.__qualname__ = "datetime"
    module = types.ModuleType("datetime", datetime.__doc__)
    module.__dict__.update({k: v for k, v in vars(datetime).items() if not k.startswith("__")})
    module.__dict__["datetime"] = DateTime
    return module


def install(clock: Clock) -> None:
    """Shows the clock to every later `import time` or `import datetime`; what is imported already keeps real time."""
    sys.modules["time"] = virtual_time(clock)
    sys.modules["datetime"] = virtual_datetime(clock)
    timeit.default_timer = clock.now
    import tensorflow as tf

    tf.timestamp = lambda name=None: tf.constant(clock.wall(), tf.float64)
