"""The one-fault mutants, by what they break; those of the lab are `MUTANTS`."""

from __future__ import annotations

from collections import Counter

from ..build import LAB
from ..mutant import Mutant
from . import callback, data_details, features, loops, metrics, plots, worked

MUTANTS: list[Mutant] = [
    *data_details.MUTANTS,
    *callback.MUTANTS,
    *loops.MUTANTS,
    *metrics.MUTANTS,
    *plots.MUTANTS,
    *worked.MUTANTS,
]

MUTANTS_OF: dict[str, list[Mutant]] = {LAB: MUTANTS, "features": features.MUTANTS}

for mutants in MUTANTS_OF.values():
    if twice := [id_ for id_, count in Counter(mutant.id for mutant in mutants).items() if count > 1]:
        raise ValueError(f"mutants with the same id: {', '.join(twice)}")
