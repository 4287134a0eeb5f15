# /// submission
# title = "Whatever scikit-learn has"
# style = "StandardScaler, GroupShuffleSplit with a number of groups, a pipeline, accuracy_score"
# ///

# %% split
from sklearn.model_selection import GroupShuffleSplit

def split_by_pitch(table, share, seed):
    n = table["pitch"].nunique()
    n_test = int(np.clip(round(share * n), 1, n - 1))
    splitter = GroupShuffleSplit(n_splits=1, test_size=n_test, train_size=n - n_test, random_state=seed)
    train, test = next(splitter.split(table, groups=table["pitch"]))
    return table.iloc[train], table.iloc[test]

# %% standardise
from sklearn.preprocessing import StandardScaler

def standardise(x_train, x_test):
    scaler = StandardScaler()
    return scaler.fit_transform(x_train), scaler.transform(x_test)

# %% baseline
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline

def baseline(x_train, y_train, x_test, y_test):
    model = make_pipeline(StandardScaler(), KNeighborsClassifier(n_neighbors=1))
    model.fit(x_train, y_train)
    predictions = model.predict(x_test)
    return {"accuracy": accuracy_score(y_test, predictions), "predictions": predictions}

# %% rms
from sklearn.metrics import mean_squared_error

def rms(x):
    return mean_squared_error(x, np.zeros_like(x)) ** 0.5
