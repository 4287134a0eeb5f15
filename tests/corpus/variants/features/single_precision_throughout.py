# /// submission
# title = "Single precision from the first step"
# style = "the filters are computed in float32 as well, accuracies are np.float32"
# ///

# %% rms
def rms(x):
    return np.linalg.norm(x.astype(np.float32)) / np.float32(len(x)) ** np.float32(0.5)

# %% mel
def mel_filters(n_bands, n_fft, rate):
    f = np.fft.rfftfreq(n_fft, 1 / rate).astype(np.float32)[:, np.newaxis]
    top = np.float32(2595 * np.log10(1 + rate / 2 / 700))
    mel = np.linspace(0, top, n_bands + 2, dtype=np.float32)
    c = np.float32(700) * (np.float32(10) ** (mel / np.float32(2595)) - np.float32(1))
    up = (f - c[:-2]) / np.diff(c)[:-1]
    down = (c[2:] - f) / np.diff(c)[1:]
    return np.clip(np.minimum(up, down), 0, None)

# %% baseline
def baseline(x_train, y_train, x_test, y_test):
    a, b = standardise(x_train.astype(np.float32), x_test.astype(np.float32))
    p = KNeighborsClassifier(n_neighbors=1).fit(a, y_train).predict(b)
    return {"predictions": p, "accuracy": (p == y_test).mean(dtype=np.float32)}
