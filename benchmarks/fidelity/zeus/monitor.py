"""A monitor of one simulated GPU: seconds from the clock, and joules in proportion."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

WATTS, JOULES = 61.7, 3.1
"""The energy is these watts times the seconds plus these joules, which no submission can guess."""

MEASURED: list[Measurement] = []
"""All windows of this kernel; hidden tests compare recorded values with them."""


@dataclass(frozen=True)
class Measurement:
    """The seconds and joules of a window."""

    time: float
    gpu_energy: dict[int, float]
    cpu_energy: dict[int, float] | None = None

    @property
    def total_energy(self) -> float:
        return sum(self.gpu_energy.values())


class ZeusMonitor:
    """Measures windows and raises errors as the library does."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self.gpu_indices = [0]
        self.cpu_indices: list[int] = []
        self.begun: dict[str, float] = {}

    def begin_window(self, key: str, sync_execution: bool = True, restart: bool = False) -> None:
        if key in self.begun and not restart:
            raise ValueError(f"Measurement window '{key}' already exists")
        self.begun[key] = time.perf_counter()

    def end_window(self, key: str, sync_execution: bool = True, cancel: bool = False) -> Measurement:
        if key not in self.begun:
            raise ValueError(f"Measurement window '{key}' does not exist")
        seconds = time.perf_counter() - self.begun.pop(key)
        measured = Measurement(seconds, {0: WATTS * seconds + JOULES})
        if not cancel:
            MEASURED.append(measured)
        return measured
