# /// submission
# title = "The mel scale with the natural logarithm"
# style = "1127 ln(1 + f/700): the factor cancels, since it is inverted; expm1, log1p, geomspace of 1 + f/700"
# ///

# %% mel
def mel_filters(n_bands, n_fft, rate):
    mels = np.linspace(0, 1127 * np.log1p(rate / 1400), n_bands + 2)
    edges = 700 * np.expm1(mels / 1127)
    f = np.fft.rfftfreq(n_fft, 1 / rate)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bank = np.where(f < centre, (f - lower) / (centre - lower), (upper - f) / (upper - centre))
    return bank.clip(min=0).T

# %% zero-crossings
def zero_crossing_rate(x):
    return (np.diff(np.heaviside(x, 1)) != 0).mean()

# %% rms
def rms(x):
    return np.dot(x, x) ** 0.5 / len(x) ** 0.5
