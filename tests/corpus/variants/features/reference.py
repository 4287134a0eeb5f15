# /// submission
# title = "The reference solution"
# style = "vectorised, one short function each"
# ///

# %% rms
def rms(x):
    return np.sqrt(np.mean(x**2))

# %% zero-crossings
def zero_crossing_rate(x):
    negative = x < 0
    return np.mean(negative[1:] != negative[:-1])

# %% mel
def mel_filters(n_bands, n_fft, rate):
    highest = 2595 * np.log10(1 + rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest, n_bands + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(n_fft, 1 / rate)[:, None]
    rising = (frequencies - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - frequencies) / (corners[2:] - corners[1:-1])
    return np.maximum(0, np.minimum(rising, falling))

# %% split
def split_by_pitch(table, share, seed):
    pitches = np.random.default_rng(seed).permutation(table["pitch"].unique())
    n_test = min(max(1, round(share * len(pitches))), len(pitches) - 1)
    is_test = table["pitch"].isin(pitches[:n_test])
    return table[~is_test], table[is_test]

# %% standardise
def standardise(x_train, x_test):
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    deviation = np.where(deviation == 0, 1, deviation)
    return (x_train - mean) / deviation, (x_test - mean) / deviation

# %% baseline
def baseline(x_train, y_train, x_test, y_test):
    x_train, x_test = standardise(x_train, x_test)
    model = KNeighborsClassifier(n_neighbors=1).fit(x_train, y_train)
    predictions = model.predict(x_test)
    return {"predictions": predictions, "accuracy": np.mean(predictions == y_test)}

# %% histogram
fig, ax = plt.subplots()
ax.hist(notes["level"], bins=15)
ax.set_xlabel("Level (dB)")
ax.set_ylabel("Notes")
plt.show()

# %% comment [markdown]
# Notes of one pitch are almost copies of each other, so the nearest neighbour has seen the test notes already. The means
# and deviations of all notes contain the test notes as well. The higher number is not a better classifier.
