"""Faults in what is computed from a sound."""

from __future__ import annotations

from functools import partial

from ...mutant import Mutant
from .in_task import in_task

rms = partial(in_task, "rms")
RMS = "np.sqrt(np.mean(x**2))"

LOUDNESS: list[Mutant] = [
    rms("mean-of-absolutes", "the mean of the absolute values", (RMS, "np.mean(np.abs(x))")),
    rms("no-root", "the mean square, without the root", (RMS, "np.mean(x**2)")),
    rms("sum", "the sum instead of the mean", ("np.mean", "np.sum")),
    rms("median", "the median instead of the mean", ("np.mean", "np.median")),
    rms("standard-deviation", "the standard deviation: the mean is subtracted first", (RMS, "np.std(x)")),
    rms("peak", "the largest absolute value", (RMS, "np.max(np.abs(x))")),
    rms("one-less", "divided by one sample less", ("np.mean(x**2)", "np.sum(x**2) / max(1, len(x) - 1)")),
    rms("length-of-the-notes", "divided by the length of the notes in the notebook", ("np.mean(x**2)", "np.sum(x**2) / 1600")),
    rms("decibels", "in decibels", (RMS, "20 * np.log10(np.sqrt(np.mean(x**2)) + 1e-12)")),
    rms("rounded", "rounded to one decimal", (RMS, "round(float(np.sqrt(np.mean(x**2))), 1)")),
    rms("printed", "printed and not returned", ("return np.sqrt(np.mean(x**2))", "print(np.sqrt(np.mean(x**2)))")),
    rms("first-half", "only the first half of the sound", ("x**2", "x[: (len(x) + 1) // 2] ** 2")),
    rms("not-a-number-for-silence", "scaled by the peak, which divides silence by 0", (RMS, "np.max(np.abs(x)) * np.sqrt(np.mean((x / np.max(np.abs(x))) ** 2))")),
    rms("another-sound", "the first sound of the notebook, whatever is passed", ("x**2", "sounds[0] ** 2")),
    rms("another-name", "the function has another name", ("def rms", "def root_mean_square")),
    rms("no-mean", "one root for each sample", ("np.mean(x**2)", "x**2")),
    rms("syntax-error", "a bracket is missing", (RMS, "np.sqrt(np.mean(x**2)")),
    rms("not-filled-in", "left as it was released", (None, "def rms(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()")),
    rms("divided-before-squaring", "a loop divides by the length before it squares", ("total = total + value * value", "total = total + (value / len(x)) ** 2"), variant="loops_and_lists"),
    rms("only-the-last", "a loop keeps the last square alone", ("total = total + value * value", "total = value * value"), variant="loops_and_lists"),
]

crossings = partial(in_task, "zero-crossings")
RATE = "np.mean(negative[1:] != negative[:-1])"

ZERO_CROSSINGS: list[Mutant] = [
    crossings("by-samples", "divided by the samples, not by the pairs", (RATE, "np.sum(negative[1:] != negative[:-1]) / len(x)")),
    crossings("count", "the number of crossings", ("np.mean", "np.sum")),
    crossings("product", "a product below 0 misses changes to and from zero", (None, "def zero_crossing_rate(x):\n    return np.mean(x[1:] * x[:-1] < 0)")),
    crossings("sign", "np.sign makes zero a sign of its own", ("x < 0", "np.sign(x)")),
    crossings("zero-is-negative", "zero counts as negative", ("x < 0", "x <= 0")),
    crossings("upwards-only", "only crossings upwards", (RATE, "np.mean(negative[:-1] & ~negative[1:])")),
    crossings("wraps-around", "the last sample is compared with the first", (RATE, "np.mean(negative != np.roll(negative, 1))")),
    crossings("per-second", "crossings in a second", (RATE, f"{RATE} * RATE")),
    crossings("no-change", "the share of pairs without a change", ("!=", "==")),
    crossings("turning-points", "changes of direction", ("x < 0", "np.diff(x, prepend=x[0]) < 0")),
    crossings("share-of-negatives", "the share of negative samples", (RATE, "np.mean(negative)")),
    crossings("per-cent", "in per cent", (RATE, f"100 * {RATE}")),
    crossings("length-of-the-notes", "divided by the pairs of the notes in the notebook", (RATE, "np.sum(negative[1:] != negative[:-1]) / 1599")),
    crossings("every-second-pair", "pairs do not overlap", (RATE, "np.mean(negative[1::2] != negative[:-1:2])")),
    crossings("doubled", "np.diff of signs is 2 at a crossing", (None, "def zero_crossing_rate(x):\n    return np.mean(np.abs(np.diff(np.where(x < 0, -1, 1))))")),
    crossings("without-the-mean", "the mean is subtracted first", ("x < 0", "x < np.mean(x)")),
    crossings("stops-early", "a loop leaves out the last pair", ("while i < len(x):", "while i < len(x) - 1:"), variant="loops_and_lists"),
    crossings("indented-return", "returns in the first round of the loop", ("        i += 1\n    return", "        i += 1\n        return"), variant="loops_and_lists"),
    crossings("only-downwards-zero", "a change from zero downwards is missed", ("x[i - 1] >= 0 and x[i] < 0", "x[i - 1] > 0 and x[i] < 0"), variant="loops_and_lists"),
]

mel = partial(in_task, "mel")
CORNERS = "700 * (10 ** (np.linspace(0, highest, n_bands + 2) / 2595) - 1)"
RESULT = "np.maximum(0, np.minimum(rising, falling))"

MEL: list[Mutant] = [
    mel("even-in-hertz", "corners evenly spaced in hertz", (CORNERS, "np.linspace(0, rate / 2, n_bands + 2)")),
    mel("corners-in-mel", "corners are not converted back", (CORNERS, "np.linspace(0, highest, n_bands + 2)")),
    mel("natural-logarithm", "the natural logarithm with the factor of the decadic one", ("np.log10", "np.log")),
    mel("inverse-with-e", "converted back with e instead of 10", ("10 ** (", "np.e ** (")),
    mel("other-offset", "1000 instead of 700", ("/ 700)", "/ 1000)"), ("700 * (", "1000 * (")),
    mel("offset-in-one-direction", "700 one way, 625 back", ("700 * (", "625 * (")),
    mel("no-minus-one", "the 1 is not subtracted on the way back", (" / 2595) - 1)", " / 2595))")),
    mel("to-the-sampling-rate", "corners up to the sampling rate", ("rate / 2 / 700", "rate / 700")),
    mel("from-20-hertz", "the lowest corner is at 20 Hz", ("linspace(0,", "linspace(2595 * np.log10(1 + 20 / 700),")),
    mel("one-corner-less", "one band less", ("n_bands + 2", "n_bands + 1")),
    mel("one-corner-more", "one band more", ("n_bands + 2", "n_bands + 3")),
    mel("transposed", "one row for each band", (RESULT, f"{RESULT}.T")),
    mel("last-frequency-missing", "the row of the highest frequency is missing", ("[:, None]", "[:-1, None]")),
    mel("all-frequencies", "the negative frequencies as well", ("np.fft.rfftfreq", "np.fft.fftfreq")),
    mel("equal-areas", "triangles of the same area", (RESULT, f"{RESULT} * 2 / (corners[2:] - corners[:-2])")),
    mel("sums-to-one", "columns that add up to 1", (RESULT, f"{RESULT} / np.maximum(1e-12, {RESULT}.sum(axis=0))")),
    mel("rectangles", "rectangles instead of triangles", (RESULT, "1.0 * (np.minimum(rising, falling) > 0)")),
    mel("only-rising", "no falling edge: 0 behind the peak", (RESULT, "np.where(rising <= 1, np.maximum(0, rising), 0)")),
    mel("negative-values", "what is below 0 is left", (RESULT, "np.minimum(rising, falling)")),
    mel("squared", "squares of the triangles", (RESULT, f"{RESULT} ** 2")),
    mel("half-as-high", "peaks of one half", (RESULT, f"{RESULT} / 2")),
    mel("rate-of-the-notebook", "the sampling rate of the notebook", ("1 / rate)", "1 / RATE)")),
    mel("length-of-the-notebook", "always 512 samples", ("n_fft, 1 / rate", "512, 1 / rate")),
    mel("without-overlap", "neighbouring bands do not overlap", ("np.linspace(0, highest, n_bands + 2)", "np.linspace(0, highest, 2 * n_bands + 1)"), ("corners[:-2]", "corners[:-2:2]", 2), ("corners[1:-1]", "corners[1:-1:2]", 2), ("corners[2:]", "corners[2::2]", 2)),
    mel("straight-in-mel", "edges that are straight on the mel scale", ("frequencies = np.fft.rfftfreq(n_fft, 1 / rate)[:, None]", "corners = np.linspace(0, highest, n_bands + 2)\n    frequencies = 2595 * np.log10(1 + np.fft.rfftfreq(n_fft, 1 / rate)[:, None] / 700)")),
    mel("corners-at-bins", "corners moved to the next lower frequency of the spectrum", ("frequencies = np", "corners = np.floor(corners * n_fft / rate) * rate / n_fft + np.arange(n_bands + 2) * 1e-9\n    frequencies = np")),
    mel("bands-reversed", "the highest band first", (RESULT, f"{RESULT}[:, ::-1]")),
    mel("last-band-empty", "a loop leaves the last band at 0", ("for band in range(anzahl):", "for band in range(anzahl - 1):"), variant="names_in_another_language"),
    mel("endpoint-missing", "the highest corner is missing from the spacing", ("n_bands + 2) / 2595", "n_bands + 2, endpoint=False) / 2595")),
    mel("floor-division", "half the rate, rounded down to kilohertz", ("rate / 2 / 700", "rate // 2000 * 1000 / 700")),
    mel("peak-missing", "0 where the frequency is the middle corner and on the falling edge's first half", ("(centre < f) & (f <= right)", "(centre + (right - centre) / 2 < f) & (f <= right)"), variant="helper_functions"),
]

MUTANTS = [*LOUDNESS, *ZERO_CROSSINGS, *MEL]
