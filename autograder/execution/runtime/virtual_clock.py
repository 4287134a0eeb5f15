"""The clock and the energy meter of a run: they move only when the oracle says so."""

from __future__ import annotations

import time
import types
from typing import Any

real_cpu = time.process_time
"""Seconds of the processor that this process has used, whatever the clock shows."""

TICK = 1e-6
"""Seconds that pass at every look at the clock, so that waiting for it to move ends."""

PROCESSOR_SHARE = 0.37
"""Seconds of the processor for each second on the clock."""


def make_clock(channel: Any) -> Any:
    """Make the clock of a run; like the channel, it has functions and no class.

    Returns:
        An object with these functions:

        `show(seconds, joules)` takes over a reading of the oracle's, since the start of the run.
        `spend(what, **details)` lets the time and energy pass that something costs; the oracle knows how much.
        `seconds()`, `joules()` are what is shown now, without a tick.
        `now()`, `wall()`, `processor()` are readings: seconds since the start of the run, since 1970, of the processor.
        `sleep(seconds)` lets virtual time pass.
    """
    origin = time.time()
    shown = [0.0, 0.0]
    ticks = [0.0]

    def show(seconds: float, joules: float) -> None:
        shown[:] = seconds, joules

    def spend(what: str, **details: Any) -> None:
        if reading := channel.ask("spend", what=what, **details):
            show(reading["seconds"], reading["joules"])

    def seconds() -> float:
        return shown[0] + ticks[0]

    def now() -> float:
        ticks[0] += TICK
        return seconds()

    return types.SimpleNamespace(
        show=show,
        spend=spend,
        seconds=seconds,
        joules=lambda: shown[1],
        now=now,
        wall=lambda: origin + now(),
        processor=lambda: now() * PROCESSOR_SHARE,
        sleep=lambda duration: spend("sleep", seconds=float(duration)),
    )
