# /// submission
# title = "The baseline scales by itself"
# style = "written before the function was; zscore by hand, named tuple of tables"
# ///

# %% split
from collections import namedtuple

Split = namedtuple("Split", "train test")

def split_by_pitch(table, share, seed):
    pitches = pd.Series(table["pitch"].unique())
    n_test = round(share * len(pitches))
    n_test = 1 if n_test == 0 else len(pitches) - 1 if n_test == len(pitches) else n_test
    test = set(pitches.sample(n_test, random_state=seed))
    mask = table["pitch"].map(lambda p: p in test)
    return Split(train=table[~mask], test=table[mask])

# %% baseline
def baseline(x_train, y_train, x_test, y_test):
    mu = x_train.mean(axis=0)
    sigma = x_train.std(axis=0) + 1e-12
    knn = KNeighborsClassifier(n_neighbors=1, weights="distance")
    knn.fit((x_train - mu) / sigma, y_train)
    y_pred = knn.predict((x_test - mu) / sigma)
    acc = knn.score((x_test - mu) / sigma, y_test)
    return {"predictions": y_pred, "accuracy": acc, "model": knn}
