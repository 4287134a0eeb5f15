"""From the sound of a note to 120 numbers; NumPy and SciPy only."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, rfft

SAMPLE_RATE = 22_050  # Hz
FRAME = 1024  # samples, 46 ms
HOP = 512  # samples, 23 ms
N_MEL = 40
N_FEATURES = 3 * N_MEL
LOG_FLOOR = 1.0  # bands fainter than this, some 50 dB below the loudest, count as silent

Sound = NDArray[np.float32]


def note_features(sound: Sound) -> NDArray[np.float32]:
    """Describes one note by how its cepstrum is on average, how far it spreads and how fast it moves.

    `sound` is mono at 22,050 Hz, at least two frames long. Returns 120 numbers: the mean over the frames of
    40 MFCC, their standard deviation, and the mean absolute difference from one frame to the next.
    """
    cepstra = mfcc(sound)
    movement = np.abs(np.diff(cepstra, axis=0)).mean(axis=0)
    return np.concatenate([cepstra.mean(axis=0), cepstra.std(axis=0), movement])


def mfcc(sound: Sound) -> NDArray[np.float32]:
    """Mel-frequency cepstral coefficients, shape (frames, 40), of a sound brought to a level (RMS) of one."""
    level = np.sqrt(np.mean(sound**2)) + np.float32(1e-9)
    frames = np.lib.stride_tricks.sliding_window_view(sound / level, FRAME)[::HOP]
    spectra = np.abs(rfft(frames * _window(), axis=1)) ** 2
    log_mel = np.log(spectra @ mel_filters() + np.float32(LOG_FLOOR))
    return np.asarray(dct(log_mel, norm="ortho", axis=1))


@cache
def _window() -> NDArray[np.float32]:
    return np.hanning(FRAME).astype(np.float32)


@cache
def mel_filters() -> NDArray[np.float32]:
    """Forty overlapping triangles, evenly spaced on the mel scale; shape (513 frequencies, 40 bands).

    The scale is the usual mel(f) = 2595 log10(1 + f / 700).
    """
    highest = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest, N_MEL + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE)[:, None]
    rising = (frequencies - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - frequencies) / (corners[2:] - corners[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
