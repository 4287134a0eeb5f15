"""How submissions are run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .limits import Limits

Training = Literal["scripted", "real"]


@dataclass(frozen=True)
class Options:
    """How submissions are run; `seed` None draws a new scenario for each."""

    seed: int | None = None
    training: Training = "scripted"
    limits: Limits = field(default_factory=Limits)
