# /// submission
# title = "Pandas for everything"
# style = "Series and DataFrames inside, groupby, drop, sample; Series.plot.hist"
# ///

# %% rms
def rms(x):
    return pd.Series(x).pow(2).mean() ** 0.5

# %% zero-crossings
def zero_crossing_rate(x):
    negative = pd.Series(x).lt(0)
    return negative.ne(negative.shift()).iloc[1:].mean()

# %% split
def split_by_pitch(table, share, seed):
    pitches = table["pitch"].drop_duplicates()
    n_test = max(1, min(len(pitches) - 1, round(share * len(pitches))))
    chosen = pitches.sample(n=n_test, random_state=seed)
    test = table.query("pitch in @chosen")
    return table.drop(index=test.index), test

# %% standardise
def standardise(x_train, x_test):
    train, test = pd.DataFrame(x_train), pd.DataFrame(x_test)
    mean, std = train.mean(), train.std(ddof=0).replace(0, 1)
    return ((train - mean) / std).to_numpy(), ((test - mean) / std).to_numpy()

# %% baseline
def baseline(x_train, y_train, x_test, y_test):
    a, b = standardise(x_train, x_test)
    table = pd.DataFrame({"predicted": KNeighborsClassifier(n_neighbors=1).fit(a, y_train).predict(b), "true": y_test})
    return {"predictions": table["predicted"], "accuracy": table.eval("predicted == true").mean()}

# %% histogram
ax = notes["level"].plot.hist(bins=16, title="Levels of the notes")
ax.set_xlabel("Level / dB");
