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
SPLITS_OF_A_PITCH = ("train", "train", "train", "train", "validation", "test")  # one a layer of loudness

# How the notes differ: each draws its own values from these ranges, the same for all instruments.
SECONDS_HELD = (0.3, 1.2)
SECONDS_OF_RELEASE = 0.15
SEMITONES_OFF = (-0.3, 0.3)
SHARE_IN_A_ROOM = 0.4
REVERBERATION = (0.2, 0.9)  # seconds until an echo has fallen by 60 dB
ECHO_LEVEL = (0.1, 0.5)  # beside the dry sound
NOISE_BELOW = (20.0, 45.0)  # dB under the note
NOISE_COLOUR = (0.0, 0.95)  # from white to low


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

    Of the six layers of each pitch of each instrument, drawn at random, one is for validation, one for the test and
    four are learnt from. The numbers of notes add up to `n_test`, and for `train` and `validation` to the two parts
    of `n_train` that Keras makes with `validation_split`; within a set, cells differ by one note at most.
    """
    rng = np.random.default_rng([seed, 0])
    cells: list[Cell] = []
    for label, instrument in enumerate(INSTRUMENTS):
        for pitch in range(instrument.lowest, instrument.highest + 1):
            splits = rng.permutation(SPLITS_OF_A_PITCH).tolist()
            cells += [Cell(len(cells) + i, label, pitch, i, split) for i, split in enumerate(splits)]
    n_fit = int(n_train * (1 - VALIDATION_SPLIT))  # Keras rounds down
    for split, n_notes in {"train": n_fit, "validation": n_train - n_fit, "test": n_test}.items():
        mine = rng.permutation([cell.index for cell in cells if cell.split == split])
        for part, index in zip(np.array_split(np.arange(n_notes), len(mine)), mine, strict=True):
            cells[index] = replace(cells[index], n_notes=len(part))
    return cells
