# /// submission
# title = "Tests in between"
# style = "asserts, prints and timings in the solution cells; the arguments are checked"
# ///

# %% rms
def rms(x):
    """Return the RMS of x."""
    x = np.asarray(x)
    if x.ndim != 1:
        raise ValueError("one dimension only")
    return np.sqrt((x ** 2).mean())

assert rms(np.array([3.0, -3.0])) == 3
print([round(float(rms(s)), 3) for s in sounds[:3]])

# %% zero-crossings
def zero_crossing_rate(x):
    x = np.asarray(x)
    negative = x < 0
    crossings = (negative[:-1] & ~negative[1:]) | (~negative[:-1] & negative[1:])
    return crossings.sum() / crossings.size

assert zero_crossing_rate([1, -1, -2, 0, 3]) == 0.5

# %% split
def split_by_pitch(table, share, seed):
    assert 0 <= share <= 1, "share is a fraction"
    n = table["pitch"].nunique()
    n_test = min(max(1, round(share * n)), n - 1)
    rank = table["pitch"].rank(method="dense").astype(int) - 1
    chosen = np.zeros(n, dtype=bool)
    chosen[np.random.default_rng(seed).choice(n, n_test, replace=False)] = True
    in_test = chosen[rank]
    return table[~in_test].copy(), table[in_test].copy()

train, test = split_by_pitch(notes, 0.25, 0)
assert not set(train.pitch) & set(test.pitch)
len(train), len(test)

# %% standardise
def standardise(x_train, x_test):
    mean = x_train.mean(axis=0)
    std = x_train.std(axis=0)
    std = [s if s else 1 for s in std]
    return (x_train - mean) / std, (x_test - mean) / std

%time a, b = standardise(np.random.rand(100, 3), np.random.rand(10, 3))
assert np.allclose(a.mean(axis=0), 0)
