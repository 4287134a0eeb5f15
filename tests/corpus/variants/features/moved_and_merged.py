# /// submission
# title = "Everything in the first cell"
# style = "all functions are written in one cell; the others hold a comment"
# ///

# %% rms
def rms(x): return np.sqrt(np.mean(np.abs(x) ** 2))
def zero_crossing_rate(x): return np.mean(np.diff(x >= 0))
def mel_filters(n_bands, n_fft, rate):
    c = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + rate / 1400), n_bands + 2) / 2595) - 1)
    return np.stack([np.interp(np.fft.rfftfreq(n_fft, 1 / rate), c[b:b+3], (0, 1, 0)) for b in range(n_bands)], axis=-1)
def split_by_pitch(table, share, seed):
    p = table.pitch.unique(); np.random.default_rng(seed).shuffle(p)
    test = table.pitch.isin(p[:max(1, min(len(p) - 1, round(share * len(p))))])
    return table.loc[~test], table.loc[test]
def standardise(x_train, x_test):
    m, s = np.mean(x_train, 0), np.std(x_train, 0)
    s = s + (s == 0)
    return (x_train - m) / s, (x_test - m) / s
def baseline(x_train, y_train, x_test, y_test):
    a, b = standardise(x_train, x_test)
    k = KNeighborsClassifier(1).fit(a, y_train)
    return {"predictions": k.predict(b), "accuracy": k.score(b, y_test)}

# %% zero-crossings
# see above

# %% mel
# see above

# %% split
# see above

# %% standardise
# see above

# %% baseline
# see above
