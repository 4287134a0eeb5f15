# /// submission
# title = "Comprehensions, zip and the standard library"
# style = "math, statistics, itertools; sets of pitches; a tuple of tables by loc"
# ///

# %% rms
import math
from itertools import pairwise
from statistics import fmean

def rms(x):
    return math.sqrt(fmean(float(v) ** 2 for v in x))

# %% zero-crossings
def zero_crossing_rate(x):
    return fmean([(a < 0) ^ (b < 0) for a, b in pairwise(x.tolist())])

# %% mel
def mel_filters(n_bands, n_fft, rate):
    to_mel = lambda f: 2595 * math.log10(1 + f / 700)
    to_hertz = lambda m: 700 * (10 ** (m / 2595) - 1)
    c = [to_hertz(k * to_mel(rate / 2) / (n_bands + 1)) for k in range(n_bands + 2)]
    triangle = lambda f, a, b, d: max(0.0, min((f - a) / (b - a), (d - f) / (d - b)))
    return np.array([[triangle(f, *c[k:k + 3]) for k in range(n_bands)] for f in np.fft.rfftfreq(n_fft, d=1 / rate)])

# %% split
from random import Random

def split_by_pitch(table, share, seed):
    pitches = sorted({int(p) for p in table.pitch})
    k = sorted([1, round(share * len(pitches)), len(pitches) - 1])[1]
    chosen = set(Random(seed).sample(pitches, k))
    train = [i for i, p in table.pitch.items() if p not in chosen]
    test = [i for i, p in table.pitch.items() if p in chosen]
    return table.loc[train], table.loc[test]

# %% standardise
def standardise(x_train, x_test):
    means = [fmean(c) for c in x_train.T]
    spreads = [math.sqrt(fmean((c - m) ** 2)) or 1.0 for c, m in zip(x_train.T, means)]
    return tuple(np.array([[(v - m) / s for v, m, s in zip(row, means, spreads)] for row in x]) for x in (x_train, x_test))

# %% baseline
def baseline(x_train, y_train, x_test, y_test):
    train, test = standardise(x_train, x_test)
    labels = KNeighborsClassifier(1).fit(train, y_train).predict(test).tolist()
    return dict(predictions=labels, accuracy=fmean(a == b for a, b in zip(labels, y_test)))
