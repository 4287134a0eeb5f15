# /// submission
# title = "Works in place"
# style = "+= and /= on copies and on the arguments themselves; out= of NumPy; the table is shuffled"
# ///

# %% rms
def rms(x):
    y = np.array(x, dtype=float)
    y *= y
    return y.mean() ** 0.5

# %% split
def split_by_pitch(table, share, seed):
    shuffled = table.sample(frac=1, random_state=seed)
    order = list(dict.fromkeys(shuffled["pitch"]))
    n_test = min(len(order) - 1, max(1, round(share * len(order))))
    chosen = order[:n_test]
    return shuffled[~shuffled["pitch"].isin(chosen)], shuffled[shuffled["pitch"].isin(chosen)]

# %% standardise
def standardise(x_train, x_test):
    mean, std = x_train.mean(axis=0), x_train.std(axis=0)
    np.copyto(std, 1.0, where=std == 0)
    x_train -= mean
    x_train /= std
    x_test -= mean
    x_test /= std
    return x_train, x_test

# %% baseline
def baseline(x_train, y_train, x_test, y_test):
    a, b = standardise(x_train.copy(), x_test.copy())
    p = KNeighborsClassifier(n_neighbors=1, algorithm="brute").fit(a, y_train).predict(b)
    return {"predictions": p, "accuracy": (p == y_test).sum() / p.size}
