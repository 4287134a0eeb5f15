# /// submission
# title = "Classes behind the functions"
# style = "a scaler class with fit and transform, a dataclass of the mel scale, a callable object as the function asked for"
# ///

# %% rms
class Rms:
    def __call__(self, x):
        return np.sqrt((np.asarray(x, float) ** 2).sum() / np.size(x))

rms = Rms()

# %% mel
from dataclasses import dataclass

@dataclass
class MelScale:
    factor: float = 2595
    offset: float = 700

    def mel(self, f):
        return self.factor * np.log10(1 + f / self.offset)

    def hertz(self, m):
        return self.offset * (np.power(10, m / self.factor) - 1)

    def filters(self, n_bands, n_fft, rate):
        c = self.hertz(np.linspace(0, self.mel(rate / 2), n_bands + 2))
        f = np.fft.rfftfreq(n_fft, 1 / rate)
        return np.array([np.interp(f, [c[b], c[b + 1], c[b + 2]], [0, 1, 0]) for b in range(n_bands)]).T

mel_filters = MelScale().filters

# %% standardise
class Scaler:
    def fit(self, x):
        self.mean_ = x.mean(0)
        self.std_ = x.std(0)
        self.std_[self.std_ < 1e-12] = 1.0
        return self

    def transform(self, x):
        return (x - self.mean_) / self.std_

def standardise(x_train, x_test):
    s = Scaler().fit(x_train)
    return s.transform(x_train), s.transform(x_test)

# %% baseline
class Baseline(KNeighborsClassifier):
    def __init__(self):
        super().__init__(n_neighbors=1)

    def fit(self, x, y):
        self.scaler = Scaler().fit(x)
        return super().fit(self.scaler.transform(x), y)

    def predict(self, x):
        return super().predict(self.scaler.transform(x))

def baseline(x_train, y_train, x_test, y_test):
    model = Baseline().fit(x_train, y_train)
    return {"predictions": model.predict(x_test), "accuracy": np.sum(model.predict(x_test) == y_test) / len(y_test)}
