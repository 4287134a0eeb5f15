"""The options of running submissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autograder.assignment.settings import Assignment

from .limits import Limits

Training = Literal["scripted", "real"]


@dataclass(frozen=True)
class Options:
    """How submissions are run; `seed` None samples new scenarios, `limits` None means the assignment's limits."""

    seed: int | None = None
    training: Training = "scripted"
    limits: Limits | None = None

    def limits_of(self, assignment: Assignment) -> Limits:
        """Return the limits of a run of the assignment's submissions."""
        times = assignment.limits
        return self.limits or Limits(cell=times.cell_seconds, run=times.run_seconds)
