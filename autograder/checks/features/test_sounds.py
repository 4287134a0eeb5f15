"""Items rms, zero-crossings and mel: what is computed from a sound."""

from __future__ import annotations

import numpy as np

from autograder.rubric import Case, arrays, close_to, integers, item

SINGLE = 1e-4
"""Tolerance for a result, since features are often computed in single precision."""


@item("rms", points=2)
def test_root_mean_square(case: Case) -> None:
    """`rms` returns the root mean square of any array."""
    for x in case.samples(arrays(float, (1, 200))):
        case.expect(case.call("rms", x), close_to(np.sqrt(np.mean(x**2)), rtol=SINGLE), given=x)


@item("rms", points=1)
def test_silence(case: Case) -> None:
    """The root mean square of silence is 0."""
    case.expect(case.call("rms", np.zeros(10)), close_to(0.0))


def zero_crossing_rate(x: np.ndarray) -> float:
    """Return the fraction of pairs of adjacent samples of which one is negative and the other is not."""
    return float(np.mean((x[1:] < 0) != (x[:-1] < 0)))


@item("zero-crossings", points=3)
def test_rate(case: Case) -> None:
    """`zero_crossing_rate` returns the fraction of pairs of adjacent samples with a change of sign."""
    for x in case.samples(arrays(float, (2, 200), low=0.5, high=100)):
        signs = np.where(np.arange(len(x)) * x % 3 < 1.5, 1, -1)
        case.expect(
            case.call("zero_crossing_rate", signs * x), close_to(zero_crossing_rate(signs * x)), given=signs * x
        )


@item("zero-crossings", points=1)
def test_zeros(case: Case) -> None:
    """A sample that is zero is not counted as negative."""
    for x in case.samples(arrays(int, (2, 30), low=-1, high=1)):
        case.expect(case.call("zero_crossing_rate", x), close_to(zero_crossing_rate(x)), given=x)


def mel_filters(n_bands: int, n_fft: int, rate: int) -> np.ndarray:
    """Return the triangular filters, as the task defines them."""
    highest = 2595 * np.log10(1 + rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest, n_bands + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(n_fft, 1 / rate)
    return np.stack([np.interp(frequencies, corners[b : b + 3], [0, 1, 0]) for b in range(n_bands)], axis=1)


@item("mel", points=2)
def test_shape_of_filters(case: Case) -> None:
    """`mel_filters` returns one row per frequency and one column per band."""
    for bands, n_fft in case.samples_of(integers(1, 40), integers(2, 250)):
        reply = case.call("mel_filters", bands, 2 * n_fft, 8000)
        shape = reply if reply.error else np.shape(reply.value)
        given = f"n_bands={bands}, n_fft={2 * n_fft}"
        case.expect(shape, close_to((n_fft + 1, bands)), given=given, name="the shape of the result")


@item("mel", points=5)
def test_filters(case: Case) -> None:
    """The filters are triangles between corners that are evenly spaced on the mel scale."""
    for bands, rate in case.samples_of(integers(1, 40), integers(4000, 48000)):
        expected = mel_filters(bands, 512, rate)
        case.expect(case.call("mel_filters", bands, 512, rate), close_to(expected, SINGLE, SINGLE))
