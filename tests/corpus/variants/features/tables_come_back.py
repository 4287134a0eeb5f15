# /// submission
# title = "Standardised arrays as tables"
# style = "DataFrame returned with the same numbers; DataFrame.hist; the split as a list"
# ///

# %% standardise
def standardise(x_train, x_test):
    train, test = pd.DataFrame(x_train), pd.DataFrame(x_test)
    mean, std = train.mean(), train.std(ddof=0)
    std[std == 0] = 1
    return (train - mean) / std, (test - mean) / std

# %% split
def split_by_pitch(table, share, seed):
    n = table.pitch.nunique()
    n_test = min(max(round(share * n), 1), n - 1)
    rng = np.random.RandomState(seed)
    test_pitches = rng.choice(table.pitch.unique(), n_test, replace=False)
    table = table.set_index("pitch", append=True)
    is_test = table.index.get_level_values("pitch").isin(test_pitches)
    parts = [table[~is_test], table[is_test]]
    return [part.reset_index("pitch") for part in parts]

# %% histogram
notes.hist(column="level", bins=14, grid=False)
plt.xlabel("level (dB)")
plt.ylabel("count")
plt.title("")
