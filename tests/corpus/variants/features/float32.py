# /// submission
# title = "Single precision"
# style = "everything is cast to float32, as is usual for features"
# ///

# %% rms
def rms(x):
    x = np.asarray(x, dtype=np.float32)
    return np.sqrt(np.mean(np.square(x)))

# %% zero-crossings
def zero_crossing_rate(x):
    s = (np.asarray(x, dtype=np.float32) < 0).astype(np.float32)
    return np.abs(np.diff(s)).mean()

# %% mel
def mel_filters(n_bands, n_fft, rate):
    corners = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + rate / 1400), n_bands + 2) / 2595) - 1)
    f = np.fft.rfftfreq(n_fft, 1 / rate)
    filters = np.zeros((len(f), n_bands), dtype=np.float32)
    for b in range(n_bands):
        filters[:, b] = np.interp(f, corners[b:b + 3], [0, 1, 0])
    return filters

# %% standardise
def standardise(x_train, x_test):
    x_train = x_train.astype("float32")
    x_test = x_test.astype("float32")
    mean = x_train.mean(axis=0)
    std = x_train.std(axis=0)
    std[std == 0] = 1
    return (x_train - mean) / std, (x_test - mean) / std
