# /// submission
# title = "All metadata lost"
# style = "a copy in a new notebook: no ids, no nbgrader"
# transforms = ["metadata lost", "cell ids lost"]
# ///

# %% rms
def rms(x):
    return np.std(np.concatenate([x, -x]))

# %% split
def split_by_pitch(table, share, seed):
    rng = np.random.default_rng(seed)
    unique = np.sort(table["pitch"].unique())
    n_test = int(round(share * unique.size))
    n_test = np.clip(n_test, 1, unique.size - 1)
    order = rng.permutation(unique.size)
    test = np.isin(table["pitch"].to_numpy(), unique[order[:n_test]])
    return table.iloc[np.flatnonzero(~test)], table.iloc[np.flatnonzero(test)]
