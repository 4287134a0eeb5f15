# /// submission
# title = "Helpers in cells of their own"
# style = "to_mel and to_hertz, a scale function, a table of results; cells between the tasks"
# ///

# %% helpers for the mel scale before="mel"
def to_mel(hertz):
    """Hertz to mel."""
    return 2595 * np.log10(1 + np.asarray(hertz) / 700)


def to_hertz(mel):
    """Mel to hertz."""
    return 700 * (10 ** (np.asarray(mel) / 2595) - 1)


assert np.allclose(to_hertz(to_mel([0, 100, 4000])), [0, 100, 4000])

# %% mel
def corner_frequencies(n_bands, rate):
    return to_hertz(np.linspace(to_mel(0), to_mel(rate / 2), n_bands + 2))


def triangle(f, left, centre, right):
    y = np.zeros(len(f))
    up = (left <= f) & (f <= centre)
    down = (centre < f) & (f <= right)
    y[up] = (f[up] - left) / (centre - left)
    y[down] = (right - f[down]) / (right - centre)
    return y


def mel_filters(n_bands, n_fft, rate):
    f = np.fft.rfftfreq(n_fft, 1 / rate)
    c = corner_frequencies(n_bands, rate)
    return np.transpose([triangle(f, c[b], c[b + 1], c[b + 2]) for b in range(n_bands)])

# %% a look at the filters after="mel"
filters = mel_filters(12, 512, RATE)
print(filters.shape, filters.max(axis=0))

# %% what scaling means [markdown] before="standardise"
# Mean and deviation are *learned* from the training notes, like weights.

# %% standardise
def learn_scale(x):
    deviation = x.std(axis=0)
    deviation[deviation == 0] = 1
    return x.mean(axis=0), deviation


def apply_scale(x, scale):
    return (x - scale[0]) / scale[1]


def standardise(x_train, x_test):
    scale = learn_scale(x_train)
    return apply_scale(x_train, scale), apply_scale(x_test, scale)

# %% try it on the sounds after="baseline"
features = np.column_stack([[rms(s) for s in sounds], [zero_crossing_rate(s) for s in sounds],
                            [np.log(1e-9 + np.abs(np.fft.rfft(s[:512])) ** 2 @ filters) for s in sounds]])
train, test = split_by_pitch(notes, 0.25, 1)
result = baseline(features[train.index], notes.instrument[train.index], features[test.index], notes.instrument[test.index])
print(result["accuracy"])
