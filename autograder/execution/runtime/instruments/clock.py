"""A clock and an energy meter that show the oracle's readings.

The notebook sees them instead of the machine's: training for one epoch takes exactly the seconds and joules of the
scenario, so the numbers show if a measurement window covers too much or too little. The clocks of `time`, `timeit`,
`datetime`, pandas, NumPy and TensorFlow are replaced. Processor time (`time.process_time`) is a separate clock, which
runs more slowly, as it does during training on a GPU.

Events: none.
"""

from __future__ import annotations

import datetime
import sys
import time
import timeit
import types
from typing import Any

from ..seal import seal


def virtual_time(clock: Any) -> types.ModuleType:
    """Make a module like `time` whose readings come from the clock; `sleep` lets virtual time pass."""
    module = types.ModuleType("time", time.__doc__)
    module.__dict__.update({k: v for k, v in vars(time).items() if not k.startswith("__")})
    readings: dict[str, Any] = {"time": clock.wall, "sleep": clock.sleep}
    readings |= dict.fromkeys(("perf_counter", "monotonic"), clock.now)
    readings |= dict.fromkeys(("process_time", "thread_time"), clock.processor)
    readings |= {f"{name}_ns": _in_nanoseconds(reading) for name, reading in readings.items() if name != "sleep"}
    for name in ("gmtime", "localtime"):
        readings[name] = _with_default(getattr(time, name), clock.wall)
    for name, reading in readings.items():
        module.__dict__[name] = seal(_called(reading), getattr(time, name))
    return module


def _called(reading: Any) -> Any:
    return lambda *args, **kwargs: reading(*args, **kwargs)


def _in_nanoseconds(reading: Any) -> Any:
    return lambda: int(reading() * 1e9)


def _with_default(function: Any, wall: Any) -> Any:
    return lambda seconds=None: function(wall() if seconds is None else seconds)


def virtual_datetime(clock: Any) -> types.ModuleType:
    """Make a module like `datetime` in which `now`, `utcnow` and `today` show the clock."""

    def now(cls: Any, tz: datetime.tzinfo | None = None) -> Any:
        return cls.fromtimestamp(clock.wall(), tz)

    def utcnow(cls: Any) -> Any:
        return cls.fromtimestamp(clock.wall(), datetime.UTC).replace(tzinfo=None)

    def today(cls: Any) -> Any:
        return cls.fromtimestamp(clock.wall())

    kind = type("datetime", (datetime.datetime,), {"__module__": "datetime"})
    for name, function in (("now", now), ("utcnow", utcnow), ("today", today)):
        setattr(kind, name, classmethod(seal(function)))
    module = types.ModuleType("datetime", datetime.__doc__)
    module.__dict__.update({k: v for k, v in vars(datetime).items() if not k.startswith("__")})
    module.__dict__["datetime"] = kind
    return module


def install(session: Any) -> None:
    """Make later imports of `time` and `datetime` use the clock; modules imported before keep real time."""
    clock = session.clock
    sys.modules["time"] = virtual_time(clock)
    sys.modules["datetime"] = virtual_datetime(clock)
    session.guard(sys.modules["time"], "time", "perf_counter", "monotonic", "process_time")
    timeit.default_timer = seal(lambda: clock.now())
    if "pandas" in sys.modules:
        _install_pandas(clock)
    _install_numpy(clock)
    if "tensorflow" in sys.modules:
        import tensorflow as tf

        tf.timestamp = seal(lambda name=None: tf.constant(clock.wall(), tf.float64))


def _install_pandas(clock: Any) -> None:
    import pandas as pd

    def now(cls: Any, tz: Any = None) -> Any:
        wall = cls(clock.wall(), unit="s")
        return wall.tz_localize("UTC").tz_convert(tz) if tz else wall

    for name in ("now", "today", "utcnow"):
        setattr(pd.Timestamp, name, classmethod(seal(now)))
    real = pd.Timestamp

    def make(cls: Any, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], str) and args[0] in ("now", "today"):
            return real.now(args[1] if len(args) > 1 else kwargs.get("tz"))
        return real(*args, **kwargs)

    pd.Timestamp = _stand_in(real, make, "pandas")


def _install_numpy(clock: Any) -> None:
    """Make `np.datetime64("now")` show the clock, by replacing the type with a subclass."""
    import numpy as np

    real = np.datetime64

    def make(cls: Any, *args: Any, **kwargs: Any) -> Any:
        if args and args[0] in ("now", "today"):
            unit = args[1] if len(args) > 1 else "s" if args[0] == "now" else "D"
            return real(int(clock.wall() * 1e9), "ns").astype(f"datetime64[{unit}]")
        return real(*args, **kwargs)

    np.datetime64 = _stand_in(real, make, "numpy")  # type: ignore[misc]


def _stand_in(real: Any, make: Any, module: str) -> Any:
    """Make a subclass of a type whose call is `make`; all instances of the type count as its instances."""
    checks = {
        "__instancecheck__": seal(lambda cls, value: isinstance(value, real)),
        "__subclasscheck__": seal(lambda cls, other: issubclass(other, real)),
    }
    meta = type(f"{real.__name__}Type", (type(real),), checks)
    members = {"__module__": module, "__doc__": real.__doc__, "__new__": staticmethod(seal(make))}
    return meta(real.__name__, (real,), members)
