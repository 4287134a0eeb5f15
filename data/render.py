"""Plays notes from a SoundFont, each in a room and under a noise of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import recipe
import tinysoundfont
from features import SAMPLE_RATE, Sound
from recipe import INSTRUMENTS, Cell, Instrument
from scipy.signal import firwin, lfilter, oaconvolve, resample_poly
from soundfont import SoundFontError

PLAYED_RATE = 2 * SAMPLE_RATE  # the synthesizer does not filter: play at twice the rate, then halve it
HALF_BAND = firwin(41, 0.5, window=("kaiser", 5.0)).astype(np.float32)


class Player:
    """A synthesizer with one SoundFont loaded."""

    def __init__(self, soundfont: Path) -> None:
        self._synth = tinysoundfont.Synth(samplerate=PLAYED_RATE)
        try:
            self._font = self._synth.sfload(str(soundfont))
        except RuntimeError:
            raise SoundFontError(f"{soundfont} cannot be read as a SoundFont: give an .sf2 or .sf3 file.") from None

    def play(
        self, instrument: Instrument, pitch: int, velocity: int, seconds: float, release: float, detune: float = 0.0
    ) -> Sound:
        """One dry note, mono at 22,050 Hz: `seconds` held, then `release` seconds of its end; `detune` in semitones."""
        synth = self._synth
        try:
            synth.program_select(0, self._font, 0, instrument.program)
        except RuntimeError:
            program = f"program {instrument.program} ({instrument.name})"
            raise SoundFontError(
                f"The SoundFont has no {program}: give one with the General MIDI instruments."
            ) from None
        synth.set_tuning(0, detune)
        synth.noteon(0, pitch, velocity)
        held = self._samples(seconds)
        synth.noteoff(0, pitch)
        end = self._samples(release)
        synth.sounds_off(0)
        self._samples(0.02)  # what still sounds fades here, so the next note starts from silence
        return resample_poly(np.concatenate([held, end]), 1, 2, window=HALF_BAND)

    def _samples(self, seconds: float) -> Sound:
        stereo = np.frombuffer(self._synth.generate(round(seconds * PLAYED_RATE)), np.float32)
        return (stereo[::2] + stereo[1::2]) / 2


def cell_sounds(player: Player, cell: Cell, seed: int) -> list[Sound]:
    """The notes of one cell; what they are depends on the seed and the cell alone, not on the order of the work."""
    rng = np.random.default_rng([seed, 1, cell.index])
    return [_note(player, cell, rng) for _ in range(cell.n_notes)]


def _note(player: Player, cell: Cell, rng: np.random.Generator) -> Sound:
    lowest, highest = cell.velocities
    sound = player.play(
        INSTRUMENTS[cell.label],
        cell.pitch,
        int(rng.integers(lowest, highest + 1)),
        rng.uniform(*recipe.SECONDS_HELD),
        recipe.SECONDS_OF_RELEASE,
        rng.uniform(*recipe.SEMITONES_OFF),
    )
    if rng.random() < recipe.SHARE_IN_A_ROOM:
        sound = in_room(sound, rng.uniform(*recipe.REVERBERATION), rng.uniform(*recipe.ECHO_LEVEL), rng)
    return with_noise(sound, rng.uniform(*recipe.NOISE_BELOW), rng.uniform(*recipe.NOISE_COLOUR), rng)


def in_room(sound: Sound, reverberation: float, level: float, rng: np.random.Generator) -> Sound:
    """Adds a diffuse echo that falls by 60 dB in `reverberation` seconds; `level` is its RMS beside the dry sound."""
    time = np.arange(round(reverberation * SAMPLE_RATE / 2), dtype=np.float32) / SAMPLE_RATE
    decay = np.exp(time * np.float32(-np.log(1000) / reverberation))
    echo = rng.standard_normal(len(time), dtype=np.float32) * decay
    wet = oaconvolve(sound, echo)[: len(sound)]
    return sound + wet * np.float32(level * rms(sound) / rms(wet))


def with_noise(sound: Sound, below: float, colour: float, rng: np.random.Generator) -> Sound:
    """Adds noise `below` dB under the note; `colour` goes from 0, white, to nearly 1, low frequencies only."""
    white = rng.standard_normal(len(sound), dtype=np.float32)
    noise = lfilter([1.0], [1.0, -colour], white).astype(np.float32)
    return sound + noise * np.float32(10 ** (-below / 20) * rms(sound) / rms(noise))


def rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound**2))) + 1e-9
