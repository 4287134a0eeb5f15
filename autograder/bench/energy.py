"""A stand-in for `zeus.monitor.ZeusMonitor`: the same calls, fields and errors, fed by the virtual clock.

Follows zeus 0.16 (https://ml.energy/zeus/): windows are named, may overlap, and one begun twice or ended without
a beginning raises ValueError.
"""

from __future__ import annotations

import importlib.machinery
import sys
import types
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from .clock import Clock
from .record import Recorder


@dataclass
class Measurement:
    """Time in s and energy in J of one window; `gpu_energy` maps GPU index to joules."""

    time: float
    gpu_energy: dict[int, float] = field(default_factory=dict)
    cpu_energy: dict[int, float] | None = None
    dram_energy: dict[int, float] | None = None
    soc_energy: Any = None

    @cached_property
    def total_energy(self) -> float:
        return sum(self.gpu_energy.values())


def monitor_class(clock: Clock, recorder: Recorder, gpus: int) -> type:
    """The ZeusMonitor of a machine with that many GPUs; the first one does all the work."""

    class ZeusMonitor:
        """Keeps its open windows, (virtual seconds, joules) at their beginning, by name."""

        made: ClassVar[list[ZeusMonitor]] = []

        def __init__(
            self,
            gpu_indices: list[int] | None = None,
            cpu_indices: list[int] | None = None,
            approx_instant_energy: bool = False,
            log_file: Any = None,
            sync_execution_with: str = "torch",
        ) -> None:
            self.gpu_indices = list(range(gpus)) if gpu_indices is None else list(gpu_indices)
            self.cpu_indices = list(cpu_indices or [])
            if unknown := [index for index in self.gpu_indices if index not in range(gpus)]:
                raise ValueError(f"There is no GPU with index {unknown[0]}")
            self.measurement_states: dict[str, tuple[float, float]] = {}
            self.made.append(self)

        def begin_window(self, key: str, sync_execution: bool = True, restart: bool = False) -> None:
            if key in self.measurement_states and not restart:
                raise ValueError(f"Measurement window '{key}' already exists")
            self.measurement_states[key] = (clock.now(), clock.joules)

        def end_window(self, key: str, sync_execution: bool = True, cancel: bool = False) -> Measurement:
            if key not in self.measurement_states:
                raise ValueError(f"Measurement window '{key}' does not exist")
            seconds, joules = self.measurement_states.pop(key)
            if cancel:
                return Measurement(0.0, dict.fromkeys(self.gpu_indices, 0.0))
            recorder.window(seconds, clock.now())
            used = {index: clock.joules - joules if index == 0 else 0.0 for index in self.gpu_indices}
            return Measurement(clock.seconds - seconds, used)

    return ZeusMonitor


def close_windows() -> None:
    """Closes what a cell that stopped with an error left open."""
    for monitor in sys.modules["zeus.monitor"].ZeusMonitor.made:
        monitor.measurement_states.clear()


def install(clock: Clock, recorder: Recorder, gpus: int) -> None:
    """Puts the stand-in where `import zeus` finds it."""
    names = ("zeus", "zeus.monitor", "zeus.monitor.energy")
    modules = {name: types.ModuleType(name) for name in names}
    for name, module in modules.items():
        module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
    monitor = monitor_class(clock, recorder, gpus)
    for name in names[1:]:
        modules[name].__dict__.update(ZeusMonitor=monitor, Measurement=Measurement)
    modules["zeus"].__dict__.update(__version__="0.16.0", __path__=[], monitor=modules["zeus.monitor"])
    modules["zeus.monitor"].__dict__.update(__path__=[], energy=modules["zeus.monitor.energy"])
    sys.modules.update(modules)
