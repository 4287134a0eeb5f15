"""The one-fault mutants, by what they break."""

from __future__ import annotations

from collections import Counter

from ..mutant import Mutant
from . import callback, data_details, loops, metrics, plots, worked

MUTANTS: list[Mutant] = [
    *data_details.MUTANTS,
    *callback.MUTANTS,
    *loops.MUTANTS,
    *metrics.MUTANTS,
    *plots.MUTANTS,
    *worked.MUTANTS,
]

if twice := [id_ for id_, count in Counter(mutant.id for mutant in MUTANTS).items() if count > 1]:
    raise ValueError(f"mutants with the same id: {', '.join(twice)}")
