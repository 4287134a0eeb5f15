# /// submission
# title = "New syntax"
# style = "walrus, match, star-unpacking, functools; functions made by functions"
# ///

# %% rms
from functools import reduce

def rms(x):
    return (reduce(lambda total, v: total + v * v, x, 0.0) / (n := len(x))) ** 0.5 if len(x) else 0.0

# %% zero-crossings
def zero_crossing_rate(x):
    crossings = 0
    for pair in zip(x, x[1:]):
        match pair:
            case (a, b) if a < 0 <= b or b < 0 <= a:
                crossings += 1
    return crossings / (len(x) - 1)

# %% standardise
def make_scaler(x):
    mean, std = np.mean(x, axis=0), np.sqrt(np.var(x, axis=0))
    return lambda z: np.divide(z - mean, std, out=z - mean, where=std != 0)

def standardise(x_train, x_test):
    return [*map(make_scaler(x_train), (x_train, x_test))]

# %% baseline
def baseline(x_train, y_train, x_test, y_test):
    a, b = standardise(x_train, x_test)
    predictions = (model := KNeighborsClassifier(n_neighbors=1).fit(a, y_train)).predict(b)
    return {"predictions": predictions} | {"accuracy": 1 - np.mean(predictions != y_test)}
