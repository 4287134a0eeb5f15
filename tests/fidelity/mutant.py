"""A mutant: a correct variant with one fault, and the items that the fault may cost."""

from __future__ import annotations

from dataclasses import dataclass

from samples.filling import Description

from .build import LAB, REFERENCE, variant

# What stands in the text of a mutant that is made for both loops, and what it becomes in each.
TOKENS = {
    "lr": {
        "SWEEP": "lr",
        "SWEPT": "learning_rate",
        "FIXED": "batch_size",
        "VARIABLE": "lr",
        "VALUES": "0.0001, 0.001, 0.01, 0.1, 1.0",
        "TITLE": "Learning rate",
    },
    "bs": {
        "SWEEP": "bs",
        "SWEPT": "batch_size",
        "FIXED": "learning_rate",
        "VARIABLE": "batch_size",
        "VALUES": "64, 128, 256, 512, 1024, 2048",
        "TITLE": "Batch size",
    },
}


@dataclass(frozen=True)
class Edit:
    """`old`, which occurs in the cell exactly `times` times, becomes `new`; without `old` the whole cell does."""

    cell: str
    old: str | None
    new: str
    times: int = 1

    def apply(self, source: str) -> str:
        if self.old is None:
            return self.new
        if (found := source.count(self.old)) != self.times:
            raise ValueError(f"{self.cell}: {self.old!r} occurs {found} times, not {self.times}")
        return source.replace(self.old, self.new)


@dataclass(frozen=True)
class Mutant:
    """`items` are those in which points must be lost; all others must stay full."""

    id: str
    fault: str
    edits: tuple[Edit, ...]
    items: frozenset[str]
    variant: str = REFERENCE
    assignment: str = LAB

    def description(self) -> Description:
        """The variant with the fault; raises ValueError where an edit does not apply or changes nothing."""
        base = variant(self.variant, self.assignment)
        cells = dict(base.cells)
        for edit in self.edits:
            cells[edit.cell] = edit.apply(cells[edit.cell])
        if cells == dict(base.cells):
            raise ValueError(f"{self.id} changes nothing in {self.variant}")
        return base.model_copy(update={"name": self.id, "cells": cells})


def mutant(id_: str, fault: str, *edits: Edit, items: str, variant: str = REFERENCE, assignment: str = LAB) -> Mutant:
    """`items` are the ids of the items, divided by blanks."""
    return Mutant(id_, fault, edits, frozenset(items.split()), variant, assignment)


def in_sweep(sweep: str, id_: str, fault: str, *edits: Edit, items: str, variant: str = REFERENCE) -> Mutant:
    """A mutant whose texts hold the TOKENS, made for one of the two loops."""

    def put(text: str) -> str:
        for token, value in TOKENS[sweep].items():
            text = text.replace(token, value)
        return text

    own = (Edit(put(e.cell), None if e.old is None else put(e.old), put(e.new), e.times) for e in edits)
    return mutant(f"{sweep}-{id_}", fault, *own, items=put(items), variant=variant)


def in_both_sweeps(id_: str, fault: str, *edits: Edit, items: str, variant: str = REFERENCE) -> list[Mutant]:
    return [in_sweep(sweep, id_, fault, *edits, items=items, variant=variant) for sweep in TOKENS]
