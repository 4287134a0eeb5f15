# /// submission
# title = "Not finished"
# style = "the mel filters, the split, the figure and the answer are missing; signs count zero"
# ///

# %% rms
def rms(x):
    return np.sqrt(np.mean(np.square(x)))

# %% zero-crossings
def zero_crossing_rate(x):
    return np.mean(np.sign(x[1:]) != np.sign(x[:-1]))

# %% standardise
def standardise(x_train, x_test):
    mean = x_train.mean(axis=0)
    scale = x_train.std(axis=0)
    scale[scale == 0] = 1
    return (x_train - mean) / scale, (x_test - mean) / scale

# %% baseline
def baseline(x_train, y_train, x_test, y_test):
    train, test = standardise(x_train, x_test)
    model = KNeighborsClassifier(n_neighbors=1)
    model.fit(train, y_train)
    predictions = model.predict(test)
    return {"predictions": predictions, "accuracy": (predictions == y_test).mean()}
