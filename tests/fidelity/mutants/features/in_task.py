"""How the mutants of `features` are written: edits of one cell, which cost points in the item of the same name."""

from __future__ import annotations

from ...build import REFERENCE
from ...mutant import Edit, Mutant, mutant

Pair = tuple[str | None, str]
"""Text of a cell and what it becomes; None stands for the whole cell."""


def in_task(cell: str, id_: str, fault: str, *edits: Pair, items: str = "", variant: str = REFERENCE) -> Mutant:
    own = [Edit(cell, *edit) for edit in edits]
    return mutant(f"{cell}-{id_}", fault, *own, items=items or cell, variant=variant, assignment="features")
