"""How submissions are run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autograder.assignment.settings import Assignment

from .limits import Limits

Training = Literal["scripted", "real"]


@dataclass(frozen=True)
class Options:
    """How submissions are run; `seed` None draws a new scenario for each, `limits` None takes the assignment's."""

    seed: int | None = None
    training: Training = "scripted"
    limits: Limits | None = None

    def limits_of(self, assignment: Assignment) -> Limits:
        """Return what a run of a submission may take."""
        times = assignment.limits
        return self.limits or Limits(cell=times.cell_seconds, run=times.run_seconds)
