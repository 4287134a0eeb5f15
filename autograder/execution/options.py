"""The options of running submissions."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Literal

from autograder.assignment.settings import Assignment

from .limits import Limits

Training = Literal["scripted", "real"]


@dataclass(frozen=True)
class Options:
    """How submissions are run; `seed` None samples new scenarios, `limits` None means the assignment's limits.

    With the same options, checks call all students' functions with the same inputs, so that the same mistake costs the
    same points.
    """

    seed: int | None = None
    training: Training = "scripted"
    limits: Limits | None = None
    _inputs_seed: int = field(default_factory=lambda: secrets.randbits(64), repr=False, compare=False)

    @property
    def inputs_seed(self) -> int:
        """The seed of the inputs with which checks call students' functions."""
        return self._inputs_seed if self.seed is None else self.seed

    def limits_of(self, assignment: Assignment) -> Limits:
        """Return the limits of a run of the assignment's submissions."""
        times = assignment.limits
        return self.limits or Limits(cell=times.cell_seconds, run=times.run_seconds)
