"""The result of a measurement window. The class has its own module, so that it gives access to nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


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
