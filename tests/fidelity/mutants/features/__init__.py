"""The one-fault mutants of the assignment `features`."""

from __future__ import annotations

from ...mutant import Mutant
from . import histogram, learning, sounds, split

MUTANTS: list[Mutant] = [*sounds.MUTANTS, *split.MUTANTS, *learning.MUTANTS, *histogram.MUTANTS]
