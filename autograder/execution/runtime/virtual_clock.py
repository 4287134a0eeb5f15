"""The clock and the energy meter of a run: they move only when the oracle says so."""

from __future__ import annotations

import time
import types
from typing import Any

real_cpu = time.process_time
"""The real processor time of this process in seconds, whatever the clock shows."""

TICK = 1e-6
"""Seconds by which every reading advances the clock, so that a loop that waits for it ends."""

PROCESSOR_SHARE = 0.37
"""Seconds of processor time for each second on the clock."""


def make_clock(channel: Any) -> Any:
    """Make the clock of a run; like the channel, it contains functions and has no class of its own.

    Returns:
        An object with these functions:

        `show(seconds, joules)` sets the clock to a reading of the oracle, counted from the start of the run.
        `spend(what, **details)` adds the time and energy that something costs, which the oracle knows.
        `seconds()`, `joules()` return the current values without advancing the clock.
        `now()`, `wall()`, `processor()` are readings in seconds: since the run began, since 1970, processor time.
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
