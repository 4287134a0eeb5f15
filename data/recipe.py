"""What is rendered: the instruments, their cells of pitch and loudness, and which set each cell belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

SEED = 2026
N_TRAIN = 66_247
N_TEST = 14_904
VALIDATION_SPLIT = 0.2  # what the notebook passes to `Model.fit`, which takes the *last* rows

LOWEST_VELOCITY = 30
VELOCITIES_PER_LAYER = 15
N_LAYERS = 6


@dataclass(frozen=True)
class Instrument:
    """A class of the data: its General MIDI program (from 0) and its range as MIDI note numbers (60 is middle C)."""

    name: str
    program: int
    lowest: int
    highest: int


# In the order of the labels 0 to 9. The ranges are those of the real instruments, at sounding pitch.
INSTRUMENTS = (
    Instrument("flute", 73, 60, 96),
    Instrument("oboe", 68, 58, 91),
    Instrument("clarinet", 71, 50, 91),
    Instrument("bassoon", 70, 34, 75),
    Instrument("alto saxophone", 65, 49, 81),
    Instrument("horn", 60, 35, 77),
    Instrument("trumpet", 56, 52, 84),
    Instrument("trombone", 57, 40, 72),
    Instrument("violin", 40, 55, 96),
    Instrument("cello", 42, 36, 79),
)

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Cell:
    """All notes of one instrument, one pitch and one layer of loudness; a cell is never divided between the sets."""

    index: int
    label: int
    pitch: int
    layer: int
    split: Split = "train"
    n_notes: int = 0

    @property
    def velocities(self) -> tuple[int, int]:
        """Lowest and highest MIDI velocity of the cell, both included."""
        lowest = LOWEST_VELOCITY + self.layer * VELOCITIES_PER_LAYER
        return lowest, lowest + VELOCITIES_PER_LAYER - 1


def plan(seed: int = SEED, n_train: int = N_TRAIN, n_test: int = N_TEST) -> list[Cell]:
    """Says for every cell which set it belongs to and how many notes it holds.

    Within each instrument the cells are dealt out at random, so every set has all instruments over their whole range.
    The numbers of notes add up to `n_test`, and for `train` and `validation` to the two parts of `n_train` that
    Keras makes with `validation_split`.
    """
    rng = np.random.default_rng([seed, 0])
    fit_notes = int(n_train * (1 - VALIDATION_SPLIT))  # Keras rounds down
    wanted: dict[Split, int] = {"train": fit_notes, "validation": n_train - fit_notes, "test": n_test}
    cells = [cell for label in range(len(INSTRUMENTS)) for cell in _deal(label, wanted, rng)]
    cells = [replace(cell, index=index) for index, cell in enumerate(cells)]
    for split, n_notes in wanted.items():
        mine = [cell.index for cell in cells if cell.split == split]
        for part, index in zip(np.array_split(np.arange(n_notes), len(mine)), rng.permutation(mine), strict=True):
            cells[index] = replace(cells[index], n_notes=len(part))
    return cells


def _deal(label: int, wanted: dict[Split, int], rng: np.random.Generator) -> list[Cell]:
    """The cells of one instrument, divided between the sets in the proportion of their sizes."""
    instrument = INSTRUMENTS[label]
    cells = [
        Cell(0, label, pitch, layer)
        for pitch in range(instrument.lowest, instrument.highest + 1)
        for layer in range(N_LAYERS)
    ]
    order = rng.permutation(len(cells))
    ends = np.rint(np.cumsum(list(wanted.values())) / sum(wanted.values()) * len(cells)).astype(int)
    for split, members in zip(wanted, np.split(order, ends[:-1]), strict=True):
        for member in members:
            cells[member] = replace(cells[member], split=split)
    return cells
