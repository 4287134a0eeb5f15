"""The hidden tests for nbgrader and Otter: what a careful instructor can assert about a notebook that has run.

Nothing of the kit is imported, because the text of this file is copied into the test cells of nbgrader and the test
files of Otter. Each `check_...` gets the variables of the notebook right after the cell of the task has run, and raises
an AssertionError if points are lost. Then it corrects what later tasks need, so that a mistake costs points only once.
"""

from __future__ import annotations

import math
import random
import re
import time
import warnings
from types import SimpleNamespace

import numpy as np

LOOPS = {
    "lr": ("metrics_vs_lr", "learning_rate", "LEARNING_RATES", "batch_size", "DEFAULT_BATCH_SIZE"),
    "bs": ("metrics_vs_bs", "batch_size", "BATCH_SIZES", "learning_rate", "DEFAULT_LEARNING_RATE"),
}
"""For each loop: the list, the key and the values that vary, the key and the value that are fixed."""

GIVEN_FITS = (5, 100)
"""The `epochs` of the two provided training runs."""

QUANTITIES = ("train_time", "total_energy", "test_accuracy", "epochs")


def close(a, b, tolerance=1e-3):
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-12)


def number(value):
    assert not isinstance(value, (str, bool)), f"{value!r} is not a number"
    assert np.ndim(value) == 0, f"{value!r} is not one number"
    return float(value)


def is_number(value):
    try:
        return math.isfinite(number(value))
    except (AssertionError, TypeError, ValueError):
        return False


# The data


def check_data_details(env):
    env["_lab"] = env.get("lab")  # students may use the name for something else later
    train, test = env["Xtr_scale"], env["Xts_scale"]
    right = {"n_tr": len(train), "n_ts": len(test), "n_feat": train.shape[1], "n_class": len(np.unique(env["ytr"]))}
    try:
        for name, value in right.items():
            assert number(env[name]) == value, f"{name} is {env[name]}, and should be {value}"
    finally:
        env.update(right)


# The callback


def first_stop(values, threshold, patience):
    """Return the epoch, counted from 0, that completes `patience` epochs in a row above the threshold."""
    row = 0
    for epoch, value in enumerate(values):
        row = row + 1 if value > threshold else 0
        if row == patience:
            return epoch
    return None


class Driven:
    """A callback with a model that only records whether it should stop."""

    def __init__(self, callback):
        self.callback, self.model = callback, SimpleNamespace(stop_training=False, history=None)
        callback.set_model(self.model)
        callback.set_params({"epochs": 500, "steps": 10, "verbose": 0})
        callback.on_train_begin({})

    def stops(self, epoch, logs):
        self.callback.on_epoch_begin(epoch, {})
        self.callback.on_train_batch_end(0, {"accuracy": logs["accuracy"], "loss": 0.5})
        self.callback.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 0.6, **logs})
        return bool(self.model.stop_training)


def stop_of(callback, values, accuracies=None):
    driven = Driven(callback)
    for epoch, (value, accuracy) in enumerate(zip(values, accuracies or values, strict=True)):
        if driven.stops(epoch, {"accuracy": accuracy, "val_accuracy": value}):
            return epoch
    return None


def curves():
    """Yield short curves around a threshold: long enough or too short, interrupted, equal to it, and random ones."""
    up, down = 0.96, 0.91
    for patience in (1, 2, 3, 5):
        for misses in (0, 1, 4):
            for hits in (patience - 1, patience, patience + 2):
                yield [down] * misses + [up] * hits, 0.95, patience
        yield [up] * (patience - 1) + [0.95] + [up] * (patience + 1), 0.95, patience
        yield [up] * (patience - 1) + [down] + [up] * (patience + 1), 0.95, patience
    rng = random.Random(4)
    for _ in range(150):
        threshold, patience = rng.choice([0.5, 0.8, 0.9, 0.95]), rng.randint(1, 5)
        levels = [threshold - 0.1, threshold - 0.001, threshold, threshold + 0.001, threshold + 0.04]
        yield rng.choices(levels, [1, 1, 1, 4, 4], k=rng.randint(1, 14)), threshold, patience


def check_callback(env):
    from tensorflow.keras import callbacks

    warnings.simplefilter("ignore")  # nbgrader gives no points to a cell that writes to stderr
    try:
        cls = env["TrainToAccuracy"]
        assert issubclass(cls, callbacks.Callback)
        for values, threshold, patience in curves():
            wanted = first_stop(values, threshold, patience)
            opposite = [1.9 * threshold - value for value in values]
            for made in (cls(threshold, patience), cls(patience=patience, threshold=threshold)):
                stop = stop_of(made, values, opposite)
                assert stop == wanted, f"{threshold}, {patience}: {values} stopped at {stop}, not at {wanted}"
        for values in ([0.89, *[0.93] * 5], [0.93, 0.93, 0.9, *[0.93] * 5], [0.89] * 6):
            assert stop_of(cls(), values) == first_stop(values, 0.9, 3), f"with the defaults: {values}"
        first, second = Driven(cls(0.95, 3)), Driven(cls(0.95, 3))
        for epoch in range(2):
            assert not first.stops(epoch, {"accuracy": 0.9, "val_accuracy": 0.96})
            assert not second.stops(epoch, {"accuracy": 0.9, "val_accuracy": 0.9 + epoch / 10}), "instances share"
        assert first.stops(2, {"accuracy": 0.9, "val_accuracy": 0.96}), "instances share"
        assert not stops_without_validation(cls(0.95, 3)), "stops without validation data"
    except BaseException:
        env["TrainToAccuracy"] = right_callback(callbacks.Callback)
        raise


def stops_without_validation(callback):
    driven = Driven(callback)
    try:
        return any(driven.stops(epoch, {"accuracy": 0.99}) for epoch in range(6))
    except Exception:
        return False


def right_callback(base):
    class TrainToAccuracy(base):
        def __init__(self, threshold=0.9, patience=3):
            super().__init__()
            self.threshold, self.patience = threshold, patience

        def on_train_begin(self, logs=None):
            self.values = []

        def on_epoch_end(self, epoch, logs=None):
            self.values.append(logs.get("val_accuracy", 0))
            if first_stop(self.values, self.threshold, self.patience) is not None:
                self.model.stop_training = True

    return TrainToAccuracy


# The loops


def rows_of(env, loop):
    name = LOOPS[loop][0]
    rows = env.get(name)
    assert isinstance(rows, list), f"there is no list {name}"
    assert rows, f"{name} is empty"
    assert all(isinstance(row, dict) for row in rows), f"{name} should contain dictionaries"
    return rows


def histories(env, loop):
    """Return the Histories of this loop that are still in a variable or a model; those in lists come first."""
    from tensorflow.keras import Model
    from tensorflow.keras.callbacks import History

    values = [value for name, value in env.items() if not name.startswith("_")]
    lists = [each for value in values if isinstance(value, (list, tuple)) for each in value]
    found = {}
    for value in [*lists, *values]:
        history = getattr(value, "history", None) if isinstance(value, Model) else value
        if isinstance(history, History) and (history.params or {}).get("epochs") not in GIVEN_FITS:
            found[id(history)] = history
    return [each for each in found.values() if each.__dict__.setdefault("graded_in", loop) == loop]


def pairs(env, loop):
    """Return the rows whose training run can still be examined: all if the Histories were kept, otherwise the last."""
    rows, found = rows_of(env, loop), histories(env, loop)
    if len(found) == len(rows) and len({id(each.model) for each in found}) == len(found):
        return list(zip(rows, found, strict=True))
    return [(rows[-1], found[-1])] if found else []


def check_loop(env, loop):
    """Check how the models were trained: the number of runs, and the runs that can be examined."""
    _, swept, values, _, _ = LOOPS[loop]
    rows = rows_of(env, loop)
    assert len(rows) == len(env[values]), f"{len(rows)} rows for {len(env[values])} values"
    seen = pairs(env, loop)
    for number_of, (row, history) in enumerate(seen, len(rows) - len(seen)):
        wanted = {"batch_size": env["DEFAULT_BATCH_SIZE"], "learning_rate": env["DEFAULT_LEARNING_RATE"]}
        asked = [value for value in env[values] if is_number(row.get(swept)) and close(float(row[swept]), value)]
        wanted[swept] = asked[0] if asked else env[values][number_of]
        check_training(env, history, wanted)


def check_training(env, history, wanted):
    model, optimizer = history.model, history.model.optimizer
    features, classes = env["Xtr_scale"].shape[1], len(np.unique(env["ytr"]))
    assert model.count_params() == 257 * classes + 256 * (features + 1), "not the model of get_model()"
    hidden = next(layer for layer in model.layers if hasattr(layer, "units"))
    assert hidden.activation.__name__ == "sigmoid"
    assert type(optimizer).__name__ == "Adam", f"the optimizer is {type(optimizer).__name__}"
    rate = float(optimizer.learning_rate)
    assert close(rate, wanted["learning_rate"]), f"trained with learning rate {rate}, not {wanted['learning_rate']}"
    steps = math.ceil(int(0.8 * len(env["Xtr_scale"])) / wanted["batch_size"])
    assert history.params["steps"] == steps, f"{history.params['steps']} steps an epoch, not {steps}"
    assert history.params["epochs"] == env["MAX_EPOCHS"], f"at most {history.params['epochs']} epochs"
    assert "val_accuracy" in history.history, "trained without validation data"
    stop = first_stop(history.history["val_accuracy"], env["THRESHOLD"], env["PATIENCE"])
    epochs = env["MAX_EPOCHS"] if stop is None else stop + 1
    assert len(history.epoch) == epochs, f"trained {len(history.epoch)} epochs, not {epochs}"
    assert int(optimizer.iterations) == epochs * steps, "the model had been trained before"


def check_metrics(env, loop):
    """Check that all recorded rows are plausible, and those right whose training run can be examined."""
    try:
        rows = rows_of(env, loop)
        for row in rows:
            check_row(env, row)
        check_settings(env, loop, rows)
        check_energy(rows)
        assert sum(number(row["train_time"]) for row in rows) <= seconds_of_kernel(), "longer than the notebook ran"
        for row, history in pairs(env, loop):
            check_outcome(env, row, history)
    except BaseException:
        provide_rows(env, loop)
        raise


def check_row(env, row):
    missing = [k for k in ("batch_size", "learning_rate", "epochs", "test_accuracy", "train_time") if k not in row]
    assert not missing, f"{missing} missing"
    epochs, accuracy, seconds = (number(row[key]) for key in ("epochs", "test_accuracy", "train_time"))
    assert epochs == int(epochs), f"{epochs} epochs"
    assert epochs >= 1, f"{epochs} epochs"
    assert 0 <= accuracy <= 1, f"test accuracy {accuracy}"
    hits = accuracy * len(env["yts"])
    assert abs(hits - round(hits)) < 0.12, f"test accuracy {accuracy} is not a fraction of {len(env['yts'])} notes"
    assert seconds > 1e-3 * epochs, f"{seconds} s for {epochs} epochs"


def check_settings(env, loop, rows):
    """Check that the settings are those required, or those of a training run that can be examined."""
    _, swept, values, fixed, default = LOOPS[loop]
    for row, history in pairs(env, loop):
        steps = math.ceil(int(0.8 * len(env["Xtr_scale"])) / number(row["batch_size"]))
        rate = float(history.model.optimizer.learning_rate)
        if close(rate, number(row["learning_rate"])) and history.params["steps"] == steps:
            return
    found = sorted(number(row[swept]) for row in rows)
    missing = [value for value in env[values] if not any(close(value, each) for each in found)]
    extra = [each for each in found if not any(close(value, each) for value in env[values])]
    assert not extra, f"{swept} {extra} was not asked for"
    assert len(missing) == len(env[values]) - len(rows), f"{swept} {missing} is not recorded"
    assert all(close(number(row[fixed]), env[default]) for row in rows), f"{fixed} is not {env[default]}"


def check_energy(rows):
    """Check that energy is recorded in all rows or in none, and that energy and time are those of one window."""
    from zeus.monitor import MEASURED

    energies = [row.get("total_energy") for row in rows]
    measured = [value for value in energies if value is not None and not np.isnan(number(value))]
    assert len(measured) in (0, len(rows)), "some rows have an energy, others do not"
    windows = list(MEASURED)
    for energy, row in zip(measured, rows, strict=False):
        seconds = number(row["train_time"])
        fitting = [
            window
            for window in windows
            if abs(window.total_energy - number(energy)) < 0.006 + 1e-3 * window.total_energy
            and abs(window.time - seconds) < 0.05 + 0.05 * window.time
        ]
        assert fitting, f"{seconds} s and {energy} J were not measured in one window"
        windows.remove(fitting[0])


def check_outcome(env, row, history):
    assert number(row["epochs"]) == len(history.epoch), f"{row['epochs']} epochs, not {len(history.epoch)}"
    hits = np.argmax(history.model.predict(env["Xts_scale"], verbose=0), axis=1) == env["yts"]
    accuracy = number(row["test_accuracy"])
    assert abs(accuracy - hits.mean()) < 0.002, f"test accuracy {accuracy}, not {hits.mean()}"


def seconds_of_kernel():
    import psutil

    return time.time() - psutil.Process().create_time()


def provide_rows(env, loop):
    """Replace the list if it cannot be plotted, and close windows that an error left open."""
    name, swept, values, fixed, default = LOOPS[loop]
    getattr(env.get("monitor"), "begun", {}).clear()
    rows = env.get(name) if isinstance(env.get(name), list) else []
    keys = ("batch_size", "learning_rate", "epochs", "test_accuracy", "train_time")
    if rows and all(isinstance(row, dict) and all(is_number(row.get(key)) for key in keys) for row in rows):
        return
    has_energy = not rows or any(isinstance(row, dict) and is_number(row.get("total_energy")) for row in rows)
    env[name] = [
        {
            swept: value,
            fixed: env[default],
            "epochs": 9 + 7 * place % 23,
            "test_accuracy": 0.94 + 0.03 * (place % 3) / 2,
            "train_time": 2.1 + 1.7 * place % 5,
            "total_energy": 190.5 + 110.0 * place % 450 if has_energy else None,
        }
        for place, value in enumerate(env[values])
    ]


# The plots

UNITS = {
    "train_time": r"\b(m?s|sec|seconds?|min|minutes?|h|hours?|s[ei][gk]u?nd[aoens]*|minut\w*)\b|秒|分|时|сек|мин",
    "total_energy": r"\b([km]?J|k?Wh|joules?|kilojoules?|julios?)\b|ジュール|焦|Дж",
}
SCALES = {
    r"\bmin|分|мин": 1 / 60,
    r"\bms\b|millisec": 1e3,
    r"\bkj\b|kilojoule": 1e-3,
    r"\bwh\b": 1 / 3600,
    r"%|per ?cent": 100.0,
}


def figures_of(env, task):
    return (env.get("_lab") or env["lab"])._figures(task)


def check_plots(env, loop):
    """Check for a figure with a bar plot of each recorded quantity, labelled axes and distinguishable bars."""
    rows = rows_of(env, loop)
    drawn = [figure for figure in figures_of(env, f"{loop}-plots") if any(bars_of(ax) for ax in figure.axes)]
    assert drawn, "no figure with bars"
    figure = drawn[-1]
    figure.canvas.draw()
    panels = [ax for ax in figure.axes if bars_of(ax)]
    wanted = [key for key in QUANTITIES if key != "total_energy" or any(is_number(row.get(key)) for row in rows)]
    assert len(panels) == len(wanted), f"{len(panels)} bar plots, not {len(wanted)}"
    shown = {}
    for ax in panels:
        found = [key for key in wanted if key not in shown and shows(ax, figure, rows, LOOPS[loop][1], key)]
        assert found, f"the bars of the plot {ax.get_ylabel()!r} are not recorded values, or are in the wrong place"
        shown[found[0]] = ax
    for key, ax in shown.items():
        check_labels(ax, figure, key, LOOPS[loop][1])
        check_range(ax, key)


def bars_of(ax):
    from matplotlib.container import BarContainer

    bars = [bar for group in ax.containers if isinstance(group, BarContainer) for bar in group.patches]
    return sorted((bar for bar in bars if np.isfinite(bar.get_height())), key=lambda bar: bar.get_x())


def words_of(ax, figure):
    """Return the labels of the horizontal and the vertical axis, also if axes share them."""
    beside = [other.get_ylabel() for other in ax.get_shared_y_axes().get_siblings(ax)]
    below = [other.get_xlabel() for other in ax.get_shared_x_axes().get_siblings(ax)]
    horizontal = [ax.get_xlabel() or " ".join(below), figure.get_supxlabel()]
    vertical = [ax.get_ylabel() or " ".join(beside), figure.get_supylabel()]
    return " ".join(horizontal).strip(), " ".join(vertical).strip()


def shows(ax, figure, rows, swept, key):
    """Whether each bar is as high as the value in its row, perhaps in another unit that the plot names."""
    bars, words = bars_of(ax), " ".join((*words_of(ax, figure), ax.get_title())).lower()
    scales = [1.0, *(scale for unit, scale in SCALES.items() if re.search(unit, words))]
    truths = {number(row[swept]): number(row[key]) for row in rows if is_number(row.get(key))}
    if len(bars) != len(truths):
        return False
    heights = {}
    for bar in bars:
        setting = next((value for value in truths if stands_at(ax, bar, value)), None)
        if setting is not None:
            heights[setting] = bar.get_y() + bar.get_height()
    return heights.keys() == truths.keys() and any(
        all(close(heights[value], scale * truth, 5e-3) for value, truth in truths.items()) for scale in scales
    )


def stands_at(ax, bar, value):
    """Whether the bar is at a setting: on a numeric axis, or above a tick with its name."""
    left, right = bar.get_x(), bar.get_x() + bar.get_width()
    for place, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=False):
        if left <= place <= right and (named := read_number(label.get_text())) is not None and close(named, value):
            return True
    is_log = ax.get_xscale() == "log"
    return is_log and left <= value <= right


def read_number(text):
    """Return the number that a tick shows, as 0.001, 1e-3 or a power of ten; None if it shows none."""
    text = text.replace("\N{MINUS SIGN}", "-").replace("$", "").replace(",", "").replace(" ", "")
    text = re.sub(r"\\mathdefault\{(.*)\}", r"\1", text)
    if power := re.search(r"(\d+)\^\{?(-?\d+)\}?", text):
        return float(power[1]) ** int(power[2])
    plain = re.search(r"-?\d*\.?\d+(e[-+]?\d+)?", text, re.IGNORECASE)
    return float(plain[0]) if plain else None


def check_labels(ax, figure, key, swept):
    horizontal, vertical = words_of(ax, figure)
    assert horizontal, f"no horizontal label in the plot of {key}"
    assert vertical, f"no vertical label in the plot of {key}"
    other = r"batch" if swept == "learning_rate" else r"learning.?rate"
    assert not re.search(other, horizontal.lower()), f"the horizontal axis is called {horizontal!r}"
    if key in UNITS:
        named = f"{vertical} {ax.get_title()}"
        assert re.search(UNITS[key], named, re.IGNORECASE), f"{named!r} names no unit of {key}"
    swapped = {"train_time": r"energy|joule", "total_energy": r"\btime"}.get(key, r"\b(time|energy)\b")
    assert not re.search(swapped, vertical.lower()), f"the plot of {key} is called {vertical!r}"


def check_range(ax, key):
    low, high = sorted(ax.get_ylim())
    ends = [bar.get_y() + bar.get_height() for bar in bars_of(ax)]
    assert max(ends) > low, f"no bar of {key} can be seen"
    if max(ends) - min(ends) < 1e-3 * max(ends):
        return
    inside = [min(max(end, low), high) for end in ends]
    if ax.get_yscale() == "log":
        inside, low, high = [math.log(end) for end in inside], math.log(low), math.log(high)
    assert max(inside) - min(inside) >= 0.04 * (high - low), f"the bars of {key} cannot be told apart"


CHECKS = {
    "data-details": check_data_details,
    "callback": check_callback,
    "lr-loop": lambda env: check_loop(env, "lr"),
    "lr-metrics": lambda env: check_metrics(env, "lr"),
    "lr-plots": lambda env: check_plots(env, "lr"),
    "bs-loop": lambda env: check_loop(env, "bs"),
    "bs-metrics": lambda env: check_metrics(env, "bs"),
    "bs-plots": lambda env: check_plots(env, "bs"),
}
"""The test of each item, in the order in which the tests must run."""
