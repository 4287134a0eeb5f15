# /// submission
# title = "Solutions in cells of their own, the released ones deleted"
# style = "type hints and docstrings"
# transforms = ["pasted into new cells"]
# ///

# %% rms
def rms(x: np.ndarray) -> float:
    """Root mean square of `x`."""
    return float(np.sqrt(np.average(np.power(x, 2))))

# %% zero-crossings
def zero_crossing_rate(x: np.ndarray) -> float:
    """Fraction of neighbours with a change of sign."""
    signs: np.ndarray = np.sign(x)
    signs[signs == 0] = 1
    return float(np.sum(signs[:-1] * signs[1:] < 0) / (x.size - 1))

# %% standardise
def standardise(x_train: np.ndarray, x_test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays, scaled by the training notes."""
    mean: np.ndarray = np.mean(x_train, axis=0, keepdims=True)
    std: np.ndarray = np.std(x_train, axis=0, keepdims=True)
    safe = np.where(std > 0, std, 1.0)
    return (x_train - mean) / safe, (x_test - mean) / safe
