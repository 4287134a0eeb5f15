# /// submission
# title = "Standardises each table with its own statistics"
# style = "leakage the other way round; the histogram has no unit"
# ///

# %% rms
def rms(x):
    return np.sqrt(np.mean(np.square(x)))

# %% zero-crossings
def zero_crossing_rate(x):
    negative = np.asarray(x) < 0
    return np.mean(negative[:-1] != negative[1:])

# %% mel
def mel_filters(n_bands, n_fft, rate):
    top = 2595 * np.log10(1 + rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, n_bands + 2) / 2595) - 1)
    f = np.fft.rfftfreq(n_fft, 1 / rate)
    bands = np.zeros((len(f), n_bands))
    for b in range(n_bands):
        left, middle, right = corners[b : b + 3]
        bands[:, b] = np.clip(np.minimum((f - left) / (middle - left), (right - f) / (right - middle)), 0, None)
    return bands

# %% split
def split_by_pitch(table, share, seed):
    pitches = np.sort(table["pitch"].unique())
    rng = np.random.default_rng(seed)
    n = min(max(round(share * len(pitches)), 1), len(pitches) - 1)
    chosen = rng.choice(pitches, size=n, replace=False)
    in_test = table["pitch"].isin(chosen)
    return table[~in_test], table[in_test]

# %% standardise
def standardise(x_train, x_test):
    def scale(x):
        spread = x.std(axis=0)
        return (x - x.mean(axis=0)) / np.where(spread == 0, 1, spread)

    return scale(x_train), scale(x_test)

# %% baseline
def baseline(x_train, y_train, x_test, y_test):
    train, test = standardise(x_train, x_test)
    model = KNeighborsClassifier(n_neighbors=1)
    model.fit(train, y_train)
    predictions = model.predict(test)
    return {"predictions": predictions, "accuracy": (predictions == y_test).mean()}

# %% histogram
plt.hist(notes["level"], bins=12)
plt.xlabel("level")
plt.ylabel("number of notes")
plt.show()

# %% comment [markdown]
# The random split puts notes of one pitch into both sets, so the nearest neighbour of a test note is often almost the same
# note. Scaling before the split lets the test notes into the means. Both make the number look better, not the classifier.
