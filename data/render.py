"""Plays notes from a SoundFont, each in a room and under a noise of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tinysoundfont
from features import SAMPLE_RATE, Sound
from recipe import INSTRUMENTS, Cell, Instrument
from scipy.signal import lfilter, oaconvolve, resample_poly

PLAYED_RATE = 2 * SAMPLE_RATE  # the synthesizer does not filter: play at twice the rate, then halve it


@dataclass(frozen=True)
class Conditions:
    """How much the recordings of one instrument differ; each note draws its own values, none tells the label."""

    seconds: tuple[float, float] = (0.3, 1.2)
    release: float = 0.15
    detune: float = 0.3
    room_share: float = 0.4
    reverberation: tuple[float, float] = (0.2, 0.9)
    room_level: tuple[float, float] = (0.1, 0.5)
    noise_below: tuple[float, float] = (20.0, 45.0)
    noise_colour: tuple[float, float] = (0.0, 0.95)


class Player:
    """A synthesizer with one SoundFont loaded."""

    def __init__(self, soundfont: Path) -> None:
        self._synth = tinysoundfont.Synth(samplerate=PLAYED_RATE)
        self._font = self._synth.sfload(str(soundfont))

    def play(self, instrument: Instrument, pitch: int, velocity: int, seconds: float, release: float,
             detune: float = 0.0) -> Sound:
        """One dry note, mono at 22,050 Hz: `seconds` held, then `release` seconds of its end; `detune` in semitones."""
        synth = self._synth
        synth.program_select(0, self._font, 0, instrument.program)
        synth.set_tuning(0, detune)
        synth.noteon(0, pitch, velocity)
        held = self._samples(seconds)
        synth.noteoff(0, pitch)
        end = self._samples(release)
        synth.sounds_off(0)
        self._samples(0.02)  # what still sounds fades here, so the next note starts from silence
        return resample_poly(np.concatenate([held, end]), 1, 2).astype(np.float32)

    def _samples(self, seconds: float) -> Sound:
        stereo = np.frombuffer(self._synth.generate(round(seconds * PLAYED_RATE)), np.float32)
        return stereo.reshape(-1, 2).mean(axis=1)


def cell_sounds(player: Player, cell: Cell, seed: int, conditions: Conditions) -> list[Sound]:
    """The notes of one cell; what they are depends on the seed and the cell alone, not on the order of the work."""
    rng = np.random.default_rng([seed, 1, cell.index])
    return [_note(player, cell, rng, conditions) for _ in range(cell.n_notes)]


def _note(player: Player, cell: Cell, rng: np.random.Generator, conditions: Conditions) -> Sound:
    lowest, highest = cell.velocities
    sound = player.play(
        INSTRUMENTS[cell.label],
        cell.pitch,
        int(rng.integers(lowest, highest + 1)),
        rng.uniform(*conditions.seconds),
        conditions.release,
        rng.uniform(-conditions.detune, conditions.detune),
    )
    if rng.random() < conditions.room_share:
        sound = in_room(sound, rng.uniform(*conditions.reverberation), rng.uniform(*conditions.room_level), rng)
    return with_noise(sound, rng.uniform(*conditions.noise_below), rng.uniform(*conditions.noise_colour), rng)


def in_room(sound: Sound, reverberation: float, level: float, rng: np.random.Generator) -> Sound:
    """Adds a diffuse echo that falls by 60 dB in `reverberation` seconds; `level` is its RMS beside the dry sound's."""
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
