# /// submission
# title = "Handed in as a percent-format script"
# style = "the .py download of an editor; groupby over pitches"
# file = "percent script"
# transforms = ["metadata lost"]
# ///

# %% split
def split_by_pitch(table, share, seed):
    groups = dict(list(table.groupby("pitch")))
    rng = np.random.default_rng(seed)
    keys = list(groups)
    n_test = min(max(1, round(share * len(keys))), len(keys) - 1)
    test_keys = set(rng.choice(keys, n_test, replace=False).tolist())
    train = pd.concat([groups[k] for k in keys if k not in test_keys])
    test = pd.concat([groups[k] for k in keys if k in test_keys])
    return train, test
