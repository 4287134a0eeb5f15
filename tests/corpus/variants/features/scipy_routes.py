# /// submission
# title = "SciPy where it has something"
# style = "linalg.norm, zmap with care for constant columns, cKDTree as the classifier, bars from numpy.histogram"
# ///

# %% rms
from scipy import linalg, stats

def rms(x):
    return linalg.norm(x) / np.sqrt(np.size(x))

# %% zero-crossings
def zero_crossing_rate(x):
    return np.count_nonzero(np.diff(np.signbit(x))) / (len(x) - 1)

# %% mel
from scipy.interpolate import interp1d

def mel_filters(n_bands, n_fft, rate):
    corners = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + rate / 1400), n_bands + 2) / 2595) - 1)
    f = np.fft.rfftfreq(n_fft, 1 / rate)
    bands = [interp1d(corners[b:b + 3], [0, 1, 0], bounds_error=False, fill_value=0)(f) for b in range(n_bands)]
    return np.column_stack(bands)

# %% standardise
def standardise(x_train, x_test):
    scaled = []
    for x in (x_train, x_test):
        with np.errstate(invalid="ignore", divide="ignore"):
            z = stats.zmap(x, x_train)
        constant = np.ptp(x_train, axis=0) == 0
        z[:, constant] = x[:, constant] - x_train[0, constant]
        scaled.append(z)
    return scaled

# %% baseline
from scipy.spatial import cKDTree

def baseline(x_train, y_train, x_test, y_test):
    a, b = standardise(x_train, x_test)
    _, nearest = cKDTree(a).query(b)
    predictions = np.asarray(y_train)[nearest]
    return {"predictions": predictions, "accuracy": float((predictions == y_test).mean())}

# %% histogram
counts, edges = np.histogram(notes["level"], bins=12)
plt.bar((edges[:-1] + edges[1:]) / 2, counts, width=np.diff(edges), edgecolor="k")
plt.xlabel("Level [dB]")
plt.ylabel("Number of notes")
