"""A mutant: a correct variant with one fault, and the items in which it should lose points."""

from __future__ import annotations

from dataclasses import dataclass

from samples.filling import Description

from .build import LAB, REFERENCE, variant

# Placeholders in the text of a mutant that is made for both loops, and their replacement in each.
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
    """Replaces `old`, which occurs in the cell exactly `times` times, or the whole cell if None, by `new`."""

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
    """A mutant; it must lose points in `items`, and keep all points in the other items."""

    id: str
    fault: str
    edits: tuple[Edit, ...]
    items: frozenset[str]
    variant: str = REFERENCE
    assignment: str = LAB

    def description(self) -> Description:
        """Return the variant with the fault; raise ValueError if an edit does not apply or changes nothing."""
        base = variant(self.variant, self.assignment)
        cells = dict(base.cells)
        for edit in self.edits:
            cells[edit.cell] = edit.apply(cells[edit.cell])
        if cells == dict(base.cells):
            raise ValueError(f"{self.id} changes nothing in {self.variant}")
        return base.model_copy(update={"name": self.id, "cells": cells})


def mutant(id_: str, fault: str, *edits: Edit, items: str, variant: str = REFERENCE, assignment: str = LAB) -> Mutant:
    """Make a mutant; `items` are the ids of the items, separated by spaces."""
    return Mutant(id_, fault, edits, frozenset(items.split()), variant, assignment)


def in_sweep(sweep: str, id_: str, fault: str, *edits: Edit, items: str, variant: str = REFERENCE) -> Mutant:
    """Make a mutant whose texts contain TOKENS, for one of the two loops."""

    def put(text: str) -> str:
        for token, value in TOKENS[sweep].items():
            text = text.replace(token, value)
        return text

    own = (Edit(put(e.cell), None if e.old is None else put(e.old), put(e.new), e.times) for e in edits)
    return mutant(f"{sweep}-{id_}", fault, *own, items=put(items), variant=variant)


def in_both_sweeps(id_: str, fault: str, *edits: Edit, items: str, variant: str = REFERENCE) -> list[Mutant]:
    return [in_sweep(sweep, id_, fault, *edits, items=items, variant=variant) for sweep in TOKENS]
