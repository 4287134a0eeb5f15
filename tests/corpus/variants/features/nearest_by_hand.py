# /// submission
# title = "The nearest neighbour by hand"
# style = "distances by broadcasting, argmin; labels compared as texts; einsum"
# ///

# %% rms
def rms(x):
    return np.sqrt(np.einsum("i,i->", x, x) / x.shape[0])

# %% baseline
def baseline(x_train, y_train, x_test, y_test):
    x_train, x_test = standardise(x_train, x_test)
    distances = ((x_test[:, None, :] - x_train[None, :, :]) ** 2).sum(axis=2)
    predictions = [y_train[i] for i in distances.argmin(axis=1)]
    hits = [str(p) == str(y) for p, y in zip(predictions, y_test)]
    return {"predictions": np.array(predictions), "accuracy": sum(hits) / len(hits)}

# %% histogram
fig, ax = plt.subplots(layout="constrained")
ax.hist(notes["level"], bins=12, orientation="horizontal")
ax.set_ylabel("Level (dB)")
ax.set_xlabel("Notes")
