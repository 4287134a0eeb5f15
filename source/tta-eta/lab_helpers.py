"""Helpers for the lab. Keep this file in the same folder as the notebook.

- `lab.check("callback")`, in the provided cells, shows the result of a task and compares it with what the task asks
  for. It does not affect your points, and this file does not contain the solution.
- `lab.progress("learning rate", lr)` is a callback for `fit` that shows one line per training run.
- `lab.remaining(LEARNING_RATES, metrics_vs_lr, "learning_rate")` yields the settings of a loop and skips those whose
  model was trained before the kernel stopped.

The file needs the same packages as the notebook, and works without a network.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import hashlib
import html
import io
import json
import math
import os
import platform
import re
import sys
import time
import types
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what compiled code writes to standard error: TensorFlow logs there before its log level takes effect."""
    try:
        saved = os.dup(2)
    except OSError:  # standard error is closed, so nothing is written to it
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


with quiet_stderr():
    import tensorflow as tf
    from tensorflow.keras import callbacks


def say(text: str) -> None:
    """Print a sentence; ignore the error if standard output is closed, so that the rest of the cell runs."""
    with contextlib.suppress(OSError, ValueError):
        print(text)


GOOD, BAD, OPEN = "✓", "✗", "…"
"""Marks for correct, incorrect and missing results. The symbol conveys the meaning; the colour only repeats it."""

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#777777"  # from the colour-blind safe palette of Okabe and Ito

COLOURS = {GOOD: "#1f8a4c", BAD: "#d1453b", OPEN: "#808080"}
"""Colours of the marks; all are legible on white and on black backgrounds."""

FIGURES: deque[Figure] = deque(maxlen=20)
"""The most recent figures; Matplotlib appends each new one (rcParams `figure.hooks`)."""

STOPPED: list[str] = []
"""The error that the last cell raised, ignoring cells that run a check; empty if that cell completed."""

SAMPLE = 6000
"""Maximum number of training notes, and of test notes, in a dry run."""


class Lab:
    """The helpers for one notebook.

    Args:
        names: the notebook's namespace, `globals()`.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self._examined: dict[str, list[Figure]] = {}
        hook = f"{__name__}:FIGURES.append"
        if hook not in plt.rcParams.get("figure.hooks", [hook]):
            plt.rcParams["figure.hooks"] = [*plt.rcParams["figure.hooks"], hook]
        watch_cells()

    def check(self, task: str) -> None:
        """Show the result of a task so far, with one sentence about each problem; never raise an exception."""
        try:
            if (result := self._check(task)) is not None:
                show(result)
        except Exception as problem:
            print(f"{BAD} The check itself failed ({sentence(problem)}). This does not affect your points.")
        if self.names.get("DRY_RUN"):
            print(DRY)

    def _check(self, task: str) -> Table | str | None:
        match task:
            case "data-details":
                return check_details(self.names)
            case "callback":
                check_callback(self.names)
                return None
            case "lr-plots" | "bs-plots":
                return open_marks(check_plots(self._figures(task), self.names, LOOPS[task[:2]]))
            case "plot":
                return open_marks(check_curves(self._figures(task)))
        FIGURES.clear()  # the figures of the next task come after this cell
        match task:
            case "training":
                return check_training(self.names)
            case "record":
                return check_record(self.names)
        return check_loop(self.names, LOOPS[task[:2]])

    def _figures(self, task: str) -> list[Figure]:
        """Return the figures created since the last check, or the previous ones if the same check is run again.

        If the last cell raised an error, only its own figures count, not those of earlier cells.
        """
        if STOPPED:
            self._examined[task] = list(FIGURES)
            FIGURES.clear()
            return self._examined[task]
        figures = list(FIGURES) or [value for value in list(self.names.values()) if isinstance(value, Figure)]
        if figures:
            self._examined[task] = figures
            FIGURES.clear()
        return self._examined.get(task, [])

    def shorten(self, train: Any, train_labels: Any, test: Any, test_labels: Any, max_epochs: int) -> tuple[Any, ...]:
        """Return the data and the maximum number of epochs: reduced for a dry run, otherwise unchanged.

        A dry run is enabled by `DRY_RUN = True` in the notebook or `DRY_RUN=1` in the environment. A data set of at
        most `SAMPLE` training notes is never reduced.
        """
        dry = bool(self.names.get("DRY_RUN")) or os.environ.get("DRY_RUN", "0") not in ("", "0")
        self.names["DRY_RUN"] = dry
        if dry and len(train) > SAMPLE:
            train, train_labels, test, test_labels = (a[:SAMPLE] for a in (train, train_labels, test, test_labels))
            max_epochs = self.names["PATIENCE"] + 1
        if dry:
            print(f"Dry run: {len(train)} training notes, at most {max_epochs} epochs.")
        return train, train_labels, test, test_labels, max_epochs

    def progress(self, name: str, value: Any) -> callbacks.Callback:
        """Return a callback for `fit` that shows the setting, epoch, accuracy and elapsed time in one line."""
        return Progress(f"{name} {value:g}" if is_number(value) else f"{name} {value}")

    def remaining(self, values: list[Any], rows: list[dict[str, Any]], key: str) -> Iterator[Any]:
        """Yield the settings whose models have not been trained yet.

        Each row that an iteration appends to `rows` is saved to a small file. When the same cell is run again, in this
        kernel or a new one, the saved rows are restored to `rows` and their settings are skipped.

        Args:
            values: the settings of the loop.
            rows: the list that the loop fills.
            key: the key of the setting in each row.
        """
        kept = Kept(Path(f"kept-{key}.json"), circumstances(self.names), bool(self.names.get("DRY_RUN")))
        for value in values:
            if (entry := kept.find(value)) is not None:
                rows.append(entry["row"])
                print(f"{key} {shown(value)}: restored, measured at {entry['when']} on {entry['on']}.")
                continue
            before = len(rows)
            yield value
            kept.add(value, rows[before:])

    def forget(self) -> None:
        """Delete the rows that `remaining` saved, so that all models are trained again."""
        for path in sorted(Path().glob("kept-*.json")):
            path.unlink()
            print(f"Deleted {path}.")

    def usable_monitor(self, monitor: Any) -> Any:
        """Return a monitor for what can be measured on this machine, and print what that is.

        Args:
            monitor: a `ZeusMonitor`.

        Returns:
            The same monitor on a machine with a GPU, a `ProcessorMonitor` if the CPU's energy counter (RAPL) can be
            read, otherwise None.
        """
        if monitor.gpu_indices:
            say("Energy is measured for the GPU.")
            return monitor
        if getattr(monitor, "cpu_indices", None):
            say("Energy is measured for the whole CPU (RAPL), including what other programs use.")
            return ProcessorMonitor(monitor)
        if any(Path("/sys/class/powercap").glob("intel-rapl*")):
            say("This CPU has an energy counter (RAPL), but only an administrator can read it.")
        say(
            "Energy cannot be measured here: measure the duration of fit with time.perf_counter(), and record None as "
            "total_energy."
        )
        return None


DRY = "DRY_RUN is on, so these results are meaningless. For the real run, set DRY_RUN to False and run all cells again."


# Cells


def watch_cells() -> None:
    """Register `note_end` to be called after each cell, unless it is registered already."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and not getattr(watch_cells, "watching", False):
        shell.events.register("post_run_cell", note_end)
        watch_cells.watching = True  # type: ignore[attr-defined]


def note_end(result: Any) -> None:
    """Record the error that a cell raised, if any; ignore cells that run a check."""
    if "lab.check(" in str(getattr(result.info, "raw_cell", "")):
        return
    problem = result.error_before_exec or result.error_in_exec
    STOPPED[:] = [] if problem is None else [sentence(problem)]


def open_marks(result: Table | str) -> Table | str:
    """Return the result. If the last cell raised an error, say so and mark nothing as correct."""
    if not STOPPED:
        return result
    stop = f"{BAD} The cell above raised {STOPPED[0]}."
    if isinstance(result, str):
        return f"{stop} It created no figure."
    rows = tuple((OPEN if row[0] == GOOD else row[0], *row[1:]) for row in result.rows)
    return Table(result.headings, rows, f"{stop} This is the figure up to that point. {result.caption}".strip())


# Output


class Wrong(str):
    """The text of a table cell that is marked as incorrect."""

    def __str__(self) -> str:
        return f"{BAD} {str.__str__(self)}"


@dataclass(frozen=True)
class Table:
    """A table of text whose rows start with a mark. Notebooks show it as HTML, terminals as text."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    def __str__(self) -> str:
        rows = [("", *self.headings), *(tuple(map(str, row)) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, *filter(None, [self.caption])])

    def _repr_html_(self) -> str:
        cell = "padding:2px 12px 2px 4px;text-align:left;vertical-align:top"

        def style(text: str) -> str:
            if isinstance(text, Wrong):
                return f"{cell};font-weight:bold;color:{COLOURS[BAD]};outline:1px solid {COLOURS[BAD]}"
            return f"{cell};font-weight:bold;color:{COLOURS[text]}" if text in COLOURS else cell

        def line(texts: tuple[str, ...], tag: str) -> str:
            inside = "".join(f'<{tag} style="{style(text)}">{html.escape(str(text))}</{tag}>' for text in texts)
            return f"<tr>{inside}</tr>"

        body = "".join(line(row, "td") for row in self.rows)
        head = line(("", *self.headings), "th")
        caption = f"<div>{html.escape(self.caption)}</div>" if self.caption else ""
        return f'<table style="border-collapse:collapse"><thead>{head}</thead><tbody>{body}</tbody></table>{caption}'

    __repr__ = __str__


def in_notebook() -> bool:
    """Return whether this runs in a notebook, which can display HTML and images."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and hasattr(shell, "kernel")


def show(thing: Any) -> None:
    """Display a table in a notebook; print it elsewhere."""
    if in_notebook() and not isinstance(thing, str):
        from IPython.display import display

        display(thing)
    else:
        print(thing)


def show_picture(figure: Figure, text: str, width: int = 880) -> None:
    """Display a figure, `width` pixels wide; `text` replaces it where images cannot be shown."""
    from IPython.display import display

    figure.savefig(png := io.BytesIO(), format="png", dpi=110)
    picture = {"image/png": base64.b64encode(png.getvalue()).decode(), "text/plain": text}
    display(picture, raw=True, metadata={"image/png": {"width": width}})


def sentence(problem: BaseException) -> str:
    """Describe an exception in a few words, without its traceback."""
    message = " ".join(str(problem).split())[:150]
    return f"{type(problem).__name__}: {message}" if message else type(problem).__name__


def number(value: Any) -> float:
    """Convert a Python, NumPy or TensorFlow scalar to a float; raise TypeError for anything else."""
    if not is_number(value):
        raise TypeError(f"expected a number, got {type(value).__name__}")
    return float(np.asarray(value).reshape(-1)[0])


def is_number(value: Any) -> bool:
    """Return whether the value is a Python, NumPy or TensorFlow scalar."""
    if isinstance(value, (str, list, tuple, dict, set)):
        return False
    array = np.asarray(value)
    return array.size == 1 and array.dtype.kind in "iuf"


def shown(value: Any) -> str:
    """Format a value for a table."""
    if not is_number(value):
        text = repr(value)
        return text if len(text) <= 24 else f"{text[:23]}…"
    single = number(value)
    return f"{single:.0f}" if single.is_integer() or abs(single) >= 1000 else f"{single:.4g}"


# Task: the size of the data

MEANINGS = {
    "n_tr": "training notes",
    "n_ts": "test notes",
    "n_feat": "features per note",
    "n_class": "instruments",
}


def check_details(names: dict[str, Any]) -> Table | str:
    """Compare the four numbers with the arrays, without revealing the correct ones."""
    if not all(name in names for name in ("Xtr_scale", "ytr", "Xts_scale", "yts")):
        return f"{OPEN} The data have not been loaded yet: run the cells in section 2."
    rows = []
    for name, meaning in MEANINGS.items():
        value = names.get(name)
        if name not in names:
            rows.append((OPEN, name, "not defined", f"number of {meaning}"))
        elif not is_number(value) or not number(value).is_integer():
            rows.append((BAD, name, shown(value), f"expected a whole number, got {type(value).__name__}"))
        elif goes_with_arrays(name, int(number(value)), names):
            rows.append((GOOD, name, shown(value), f"matches the number of {meaning} in the arrays"))
        else:
            rows.append((BAD, name, shown(value), f"does not match the number of {meaning} in the arrays"))
    caption = "The autograder uses different data, for which a hard-coded number will be wrong."
    return Table(("name", "your value", "remarks"), tuple(rows), caption)


def goes_with_arrays(name: str, count: int, names: dict[str, Any]) -> bool:
    """Return whether the arrays have an entry at index `count - 1` and none at `count`."""
    if name == "n_class":
        return is_label(count - 1, names) and not is_label(count, names)
    parts = {
        "n_tr": (names["Xtr_scale"], names["ytr"]),
        "n_ts": (names["Xts_scale"], names["yts"]),
        "n_feat": (names["Xtr_scale"][0], names["Xts_scale"][0]),
    }
    return count > 0 and all(has_place(part, count - 1) and not has_place(part, count) for part in parts[name])


def has_place(array: Any, place: int) -> bool:
    try:
        array[place]
    except IndexError:
        return False
    return True


def is_label(label: int, names: dict[str, Any]) -> bool:
    return any(bool(np.any(np.asarray(names[name]) == label)) for name in ("ytr", "yts"))


# Task: the callback


@dataclass(frozen=True)
class Curve:
    """A training curve, and the epoch (from 1) after which training should stop; None if it should not."""

    name: str
    val_accuracy: tuple[float, ...]
    stop: int | None
    patience: int = 3
    threshold: float = 0.9
    accuracy: tuple[float, ...] = ()


CURVES = (
    Curve("rises and stays above", (0.70, 0.82, 0.88, 0.91, 0.93, 0.94, 0.95, 0.95), 6),
    Curve("falls below the threshold once", (0.80, 0.92, 0.94, 0.85, 0.93, 0.95, 0.96, 0.96), 7),
    Curve("exactly at the threshold once", (0.84, 0.92, 0.94, 0.90, 0.91, 0.93, 0.95, 0.95), 7),
    Curve("never stays above the threshold", (0.92, 0.93, 0.88, 0.94, 0.95, 0.86, 0.93, 0.94), None),
    Curve("patience of one epoch", (0.70, 0.79, 0.85, 0.89, 0.93, 0.95, 0.96, 0.96), 5, patience=1),
    Curve(
        "training accuracy is higher",
        (0.74, 0.80, 0.84, 0.87, 0.92, 0.94, 0.95, 0.95),
        7,
        accuracy=(0.91, 0.93, 0.94, 0.95, 0.96, 0.97, 0.97, 0.98),
    ),
)
"""Examples for the check only: the autograder samples different curves."""

PICTURE_TEXT = (
    f"{len(CURVES)} training curves, each with the epoch after which training should stop "
    "and the one after which your callback stopped it"
)


@dataclass
class Drive:
    """The result for one curve: the epoch (from 1) after which the callback stopped training, or what went wrong."""

    stop: int | None = None
    problem: str = ""
    stage: str = field(default="", repr=False)


def check_callback(names: dict[str, Any]) -> None:
    """Run the class on the curves, and show where it stopped training and where it should have."""
    cls = names.get("TrainToAccuracy")
    if not isinstance(cls, type):
        print(f"{OPEN} TrainToAccuracy is not defined yet: run the cell above.")
        return
    before = {name: value for name, value in vars(cls).items() if isinstance(value, (int, float, list, dict))}
    copies = {name: value.copy() if isinstance(value, (list, dict)) else value for name, value in before.items()}
    try:
        drives = [drive(cls, curve) for curve in CURVES]
        again = drive(cls, CURVES[0])
    finally:
        for name, value in copies.items():
            setattr(cls, name, value)
    if problems := list(dict.fromkeys(one.problem for one in drives if one.problem)):
        print(f"{BAD} {problems[0]}")
        return
    if in_notebook():
        show_picture(picture(drives), PICTURE_TEXT)
    for curve, one in zip(CURVES, drives, strict=True):
        if one.stop != curve.stop:
            print(f"{BAD} {curve.name}: your callback {ended(one.stop)}, but should {at(curve.stop)}.")
    if again.stop != drives[0].stop:
        print(
            f"{BAD} A second instance of TrainToAccuracy {ended(again.stop)} on the first curve: "
            "two instances must not share any state."
        )
    elif all(one.stop == curve.stop for curve, one in zip(CURVES, drives, strict=True)):
        print(
            f"{GOOD} Training stops at the right epoch on all {len(CURVES)} curves. The autograder uses other curves."
        )


def drive(cls: type, curve: Curve) -> Drive:
    """Call a new instance the way `Model.fit` would, and discard its output."""
    one = Drive()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            one.stop = _epochs(cls, curve, one)
    except NotImplementedError:
        one.problem = "TrainToAccuracy is not complete yet."
    except Exception as problem:
        one.problem = f"{one.stage} raised {sentence(problem)}."
        if "on_epoch_end" in one.stage:
            one.problem += " `logs` contains accuracy, loss, val_accuracy and val_loss."
    return one


def _epochs(cls: type, curve: Curve, one: Drive) -> int | None:
    one.stage = f"TrainToAccuracy(threshold={curve.threshold:g}, patience={curve.patience})"
    callback = cls(threshold=curve.threshold, patience=curve.patience)
    model: Any = types.SimpleNamespace(stop_training=False)
    history = callbacks.History()
    one.stage = "When used as a Keras callback, TrainToAccuracy"
    for listener in (callback, history):
        listener.set_params({"epochs": len(curve.val_accuracy), "steps": 1, "verbose": 0})
        listener.set_model(model)
        listener.on_train_begin({})
    for epoch, value in enumerate(curve.val_accuracy):
        one.stage = f"on_epoch_end in epoch {epoch + 1}"
        accuracy = (curve.accuracy or curve.val_accuracy)[epoch]
        logs = {"accuracy": accuracy, "loss": 1 - accuracy, "val_accuracy": value, "val_loss": 1 - value}
        callback.on_epoch_begin(epoch, {})
        history.on_epoch_end(epoch, dict(logs))
        callback.on_epoch_end(epoch, dict(logs))
        if model.stop_training:
            callback.on_train_end(logs)
            return epoch + 1
    return None


def ended(stop: int | None) -> str:
    return "did not stop training" if stop is None else f"stopped training after epoch {stop}"


def at(stop: int | None) -> str:
    return "not have stopped it" if stop is None else f"have stopped it after epoch {stop}"


def picture(drives: list[Drive]) -> Figure:
    """Draw a small plot per curve: the threshold, the epochs above it, the correct stop and the callback's stop."""
    figure = Figure(figsize=(11, 5.4))
    grid = figure.subplots(2, -(-len(CURVES) // 2), sharex=True, sharey=True)
    figure.subplots_adjust(left=0.07, right=0.99, top=0.92, bottom=0.15, hspace=0.28, wspace=0.05)
    for ax, curve, one in zip(grid.flat, CURVES, drives, strict=True):
        _panel(ax, curve, one)
    for ax in grid[-1]:
        ax.set_xlabel("Epoch", fontsize=11)
    figure.supylabel("Validation accuracy", x=0.012, fontsize=11)
    handles = [
        Line2D([], [], color=BLUE, linewidth=5, alpha=0.45, label="should stop here"),
        Line2D([], [], color=ORANGE, linewidth=1.8, linestyle="--", label="your callback stopped here"),
        Line2D([], [], color="black", linestyle=":", label="threshold"),
        Line2D([], [], color="black", marker="o", linestyle="", label="above the threshold"),
        Line2D([], [], color="black", marker="o", markerfacecolor="white", linestyle="", label="at or below it"),
    ]
    figure.legend(handles=handles, loc="lower center", ncols=5, frameon=False, fontsize=10)
    return figure


def _panel(ax: Any, curve: Curve, one: Drive) -> None:
    epochs = np.arange(1, len(curve.val_accuracy) + 1)
    values = np.asarray(curve.val_accuracy)
    above = values > curve.threshold
    if curve.stop is not None:
        ax.axvline(curve.stop, color=BLUE, linewidth=5, alpha=0.45)
    if one.stop is not None:
        ax.axvline(one.stop, color=ORANGE, linewidth=1.8, linestyle="--")
    ax.axhline(curve.threshold, color="black", linestyle=":", linewidth=1.2)
    if curve.accuracy:
        ax.plot(epochs, curve.accuracy, color=GREY, linewidth=1)
        ax.annotate("accuracy", (2, curve.accuracy[1]), (0, 9), textcoords="offset points", color=GREY, fontsize=9)
    ax.plot(epochs, values, color="black", linewidth=1, zorder=3)
    ax.plot(epochs[above], values[above], "o", color="black", zorder=4)
    ax.plot(epochs[~above], values[~above], "o", color="black", markerfacecolor="white", zorder=4)
    mark = GOOD if one.stop == curve.stop else BAD
    expected, actual = (f"epoch {stop}" if stop else "none" for stop in (curve.stop, one.stop))
    title = f"{mark} {curve.name}, patience {curve.patience}\ncorrect stop: {expected}; yours: {actual}"
    ax.set_title(title, fontsize=10)
    ax.set_xticks(epochs)
    ax.set_ylim(0.67, 1)
    ax.grid(visible=False)


# Tasks: the loops


@dataclass(frozen=True)
class Loop:
    """One of the two loops: its list, the varied key and its values, the fixed key and its default."""

    rows: str
    key: str
    values: str
    fixed: str
    default: str


LOOPS = {
    "lr": Loop("metrics_vs_lr", "learning_rate", "LEARNING_RATES", "batch_size", "DEFAULT_BATCH_SIZE"),
    "bs": Loop("metrics_vs_bs", "batch_size", "BATCH_SIZES", "learning_rate", "DEFAULT_LEARNING_RATE"),
}
NEEDED = ("epochs", "test_accuracy", "train_time")


def check_loop(names: dict[str, Any], loop: Loop) -> Table | str:
    """Show the list so far, one line per setting, and mark what is missing or has the wrong type."""
    rows = names.get(loop.rows)
    if rows is None:
        return f"{OPEN} {loop.rows} is not defined yet: run the cell above."
    if not isinstance(rows, (list, tuple)):
        return f"{BAD} {loop.rows}: expected a list of dictionaries, got {type(rows).__name__}."
    if not rows:
        return f"{OPEN} {loop.rows} contains no rows yet ({len(names[loop.values])} expected)."
    lines = [_loop_line(place, rows, names, loop) for place in range(len(rows))]
    left = [value for value in names[loop.values] if not any(_has(row, loop.key, value) for row in rows)]
    lines += [(OPEN, shown(value), "", "", "", "", "", "not in the list") for value in left]
    keys = (loop.key, loop.fixed, *NEEDED, "total_energy")
    units = {"train_time": " (s)", "total_energy": " (J)"}
    headings = tuple(key + units.get(key, "") for key in keys)
    wrong = sum(line[0] == BAD for line in lines)
    caption = f"{loop.rows}: {len(rows)} rows for {len(names[loop.values])} settings; " + (
        f"{wrong} with problems." if wrong else "no structural problems."
    )
    return Table((*headings, "remarks"), tuple(lines), caption + _energy_note(rows))


def _energy_note(rows: list[Any]) -> str:
    return (
        ""
        if not rows or any(map(_has_energy, rows))
        else " No energy was recorded, which is correct if it cannot be measured here."
    )


def _has_energy(row: Any) -> bool:
    """Return whether a row contains a measured energy: None and NaN mean that none was measured."""
    energy = row.get("total_energy") if isinstance(row, dict) else None
    return is_number(energy) and not math.isnan(number(energy))


def _has(row: Any, key: str, value: float) -> bool:
    return isinstance(row, dict) and is_number(row.get(key)) and math.isclose(number(row[key]), value, rel_tol=1e-6)


def _loop_line(place: int, rows: list[Any], names: dict[str, Any], loop: Loop) -> tuple[str, ...]:
    row = rows[place]
    if not isinstance(row, dict):
        return (BAD, Wrong(shown(row)), *[""] * 5, f"expected a dictionary, got {type(row).__name__}")
    keys = (loop.key, loop.fixed, *NEEDED)
    texts = {key: shown(row[key]) if key in row else "missing" for key in keys}
    energy = row.get("total_energy")
    nothing = energy is None or (is_number(energy) and math.isnan(number(energy)))
    texts["total_energy"] = "not measured" if nothing else shown(energy)
    wrong = [*_form(row, keys, nothing), *_sense(place, rows, names, loop), *_impossible(row)]
    affected = {key for several, _ in wrong for key in several}
    late = is_number(row.get("epochs")) and number(row["epochs"]) >= names["MAX_EPOCHS"]
    remarks = [*(remark for _, remark in wrong), *["target not reached"] * late]
    marked = [Wrong(text) if key in affected else text for key, text in texts.items()]
    return (BAD if wrong else GOOD, *marked, "; ".join(remarks))


Problem = tuple[tuple[str, ...], str]
"""The keys of a row that a remark is about, and the remark."""


def _form(row: dict[str, Any], keys: tuple[str, ...], no_energy: bool) -> Iterator[Problem]:
    """Yield what is missing or has the wrong type."""
    if missing := tuple(key for key in keys if key not in row):
        yield missing, f"missing: {', '.join(missing)}"
        if others := [str(key) for key in row if key not in (*keys, "total_energy")]:
            yield (), f"unknown: {', '.join(others)}"
    for key in (*keys, *([] if no_energy else ["total_energy"])):
        if key in row and not is_number(row[key]):
            yield (key,), f"{key}: expected a number, got {type(row[key]).__name__}"
        elif key in row and not math.isfinite(number(row[key])):
            yield (key,), f"{key} is {number(row[key])}"


def _sense(place: int, rows: list[Any], names: dict[str, Any], loop: Loop) -> Iterator[Problem]:
    """Yield values that contradict the settings of the loop."""
    row = rows[place]
    value, fixed, epochs = (row.get(key) for key in (loop.key, loop.fixed, "epochs"))
    if is_number(value) and not any(_has(row, loop.key, setting) for setting in names[loop.values]):
        yield (loop.key,), f"{loop.key} is not in {loop.values}"
    if any(row is other for other in rows[:place]):
        yield (loop.key,), "same dictionary object as an earlier row: create a new one each time"
    elif is_number(value) and any(_has(other, loop.key, number(value)) for other in rows[:place]):
        yield (loop.key,), f"{loop.key} appears twice"
    if is_number(fixed) and not _has(row, loop.fixed, names[loop.default]):
        yield (loop.fixed,), f"{loop.fixed} is not {loop.default}"
    if is_number(epochs) and number(epochs) < min(names["PATIENCE"], names["MAX_EPOCHS"]):
        yield ("epochs",), f"too few epochs: at least {names['PATIENCE']} epochs in a row must be above the threshold"


def _impossible(row: dict[str, Any]) -> Iterator[Problem]:
    """Yield values that are impossible, whatever happened during training."""
    accuracy = row.get("test_accuracy")
    if is_number(accuracy) and not 0 <= number(accuracy) <= 1:
        yield ("test_accuracy",), "test_accuracy must be between 0 and 1"
    for key, given in (("train_time", is_number(row.get("train_time"))), ("total_energy", _has_energy(row))):
        if given and not number(row[key]) > 0:
            yield (key,), f"{key} must be greater than 0"


# Tasks of the assignment with a fixed number of epochs


def check_training(names: dict[str, Any]) -> Table:
    """Check the structure of what the training cell should define: history, time and energy."""
    rows = [
        (OPEN if name not in names else BAD if remark else GOOD, name, text, remark)
        for name, text, remark in (
            ("history", *_history(names)),
            ("train_time", shown(names.get("train_time")), _seconds(names.get("train_time"))),
            ("total_energy", shown(names.get("total_energy")), _joules(names.get("total_energy"))),
        )
    ]
    return Table(("name", "your value", "remarks"), tuple(rows))


def _history(names: dict[str, Any]) -> tuple[str, str]:
    """Return a short description of `history`, and what is wrong with it."""
    curves = getattr(names.get("history"), "history", None)
    if not isinstance(curves, dict):
        return shown(names.get("history")), "expected the object that `fit` returns"
    count = len(curves.get("accuracy", ()))
    if missing := [key for key in ("accuracy", "val_accuracy") if key not in curves]:
        return f"{count} epochs", f"no {' and no '.join(missing)}"
    return f"{count} epochs", "" if count == names["EPOCHS"] else f"expected {names['EPOCHS']} epochs"


def _seconds(value: Any) -> str:
    return "" if is_number(value) and 0 < number(value) < math.inf else "expected a number of seconds"


def _joules(value: Any) -> str:
    return "" if value is None or is_number(value) else "expected a number of joules, or None"


def check_record(names: dict[str, Any]) -> Table:
    """Check the structure of the rows and of the summary; report the first problem of each."""
    rows, summary = names.get("history_rows"), names.get("summary")
    lines = []
    for name, value, problems in (
        ("history_rows", rows, _row_problems(rows, names["EPOCHS"])),
        ("summary", summary, _summary_problems(summary, names["EPOCHS"])),
    ):
        sized = isinstance(value, (list, tuple, dict))
        text = f"{type(value).__name__} of length {len(value)}" if sized else shown(value)
        remark = next(problems, "")
        mark = OPEN if name not in names else BAD if remark else GOOD
        lines.append((mark, name, text if name in names else "not defined", remark))
    return Table(("name", "your value", "remarks"), tuple(lines))


def _row_problems(rows: Any, epochs: int) -> Iterator[str]:
    if not isinstance(rows, (list, tuple)):
        yield f"expected a list of dictionaries, got {type(rows).__name__}"
        return
    if len(rows) != epochs:
        yield f"expected one dictionary per epoch ({epochs})"
    for epoch, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            yield f"row {epoch}: expected a dictionary, got {type(row).__name__}"
        elif missing := [key for key in ("epoch", "accuracy", "val_accuracy") if key not in row]:
            yield f"row {epoch}: {', '.join(missing)} missing"
        elif not _has(row, "epoch", epoch):
            yield f"row {epoch}: epoch is {shown(row['epoch'])}; count from 1"
        else:
            for key in ("accuracy", "val_accuracy"):
                if not is_number(row[key]) or not 0 <= number(row[key]) <= 1:
                    yield f"row {epoch}: {key} must be between 0 and 1"


def _summary_problems(summary: Any, epochs: int) -> Iterator[str]:
    if not isinstance(summary, dict):
        yield f"expected a dictionary, got {type(summary).__name__}"
    elif missing := [key for key in ("epochs", "train_time", "total_energy") if key not in summary]:
        yield f"{', '.join(missing)} missing"
    else:
        if not _has(summary, "epochs", epochs):
            yield f"epochs: expected {epochs}, got {shown(summary['epochs'])}"
        for key, problem in (("train_time", _seconds), ("total_energy", _joules)):
            if remark := problem(summary[key]):
                yield f"{key}: {remark}"


def check_curves(figures: list[Figure]) -> Table | str:
    """Describe the figure with the accuracies: its lines, labels and legend."""
    drawn = [(figure, ax) for figure in figures for ax in figure.axes if ax.lines]
    if not drawn:
        return f"{OPEN} No figure yet: run the cell above. The task asks for one figure with two lines."
    figure, ax = drawn[-1]
    horizontal, vertical = _labels(ax, figure)
    remarks = []
    if len(ax.lines) != 2:
        remarks.append("expected two lines")
    remarks += [
        f"the {which} axis has no label"
        for which, label in (("horizontal", horizontal), ("vertical", vertical))
        if not label
    ]
    if ax.get_legend() is None and not figure.legends and not ax.texts:
        remarks.append("the lines cannot be told apart: add a legend")
    texts = (str(len(ax.lines)), horizontal or "no label", vertical or "no label", "; ".join(remarks))
    return Table(("lines", "horizontal axis", "vertical axis", "remarks"), ((BAD if remarks else GOOD, *texts),))


# Tasks: the plots

QUANTITIES = {"time": r"\b(s|sec|seconds?|min|minutes?)\b", "energy": r"\b(k?J|joules?|k?Wh)\b"}
"""Words in an axis label, and patterns for their units."""


def check_plots(figures: list[Figure], names: dict[str, Any], loop: Loop) -> Table | str:
    """Describe the figure: its plots, their bars, labels and ranges."""
    filled = [figure for figure in figures if any(_bars(ax) or ax.lines for ax in figure.axes)]
    rows = [row for row in names.get(loop.rows) or [] if isinstance(row, dict)]
    wanted = 4 if any(map(_has_energy, rows)) else 3
    if not filled:
        return f"{OPEN} No figure yet: run the cell above. The task asks for one figure with {wanted} bar plots."
    candidates = [figure for figure in filled if any(map(_bars, figure.axes))] or filled
    figure = candidates[-1]
    axes = [ax for ax in figure.axes if _bars(ax) or ax.lines]
    lines = [_plot_line(place, ax, figure, len(rows)) for place, ax in enumerate(axes, 1)]
    if problem := drawing_problem(figure):
        return f"{BAD} The figure cannot be drawn ({problem})."
    caption = f"Plots in the figure: {len(axes)}. The task asks for one figure with {wanted} bar plots."
    if len(axes) < wanted and len(candidates) > 1:
        caption += f" You drew {len(candidates)} figures; only the last one is described here."
    if any(is_number(row.get("epochs")) and number(row["epochs"]) >= names["MAX_EPOCHS"] for row in rows):
        caption += " Not every model reached the target: does the figure show which did not?"
    return Table(("plot", "bars", "horizontal axis", "vertical axis", "range", "remarks"), tuple(lines), caption)


def drawing_problem(figure: Figure) -> str:
    """Return the error that the notebook would get when it draws the figure; empty if there is none."""
    try:
        figure.savefig(io.BytesIO(), format="png", dpi=20)
    except Exception as problem:
        return sentence(problem)
    return ""


def _bars(ax: Any) -> list[float]:
    """Return the lengths of the bars, vertical or horizontal."""
    lengths = []
    for container in ax.containers:
        if isinstance(container, BarContainer):
            horizontal = container.orientation == "horizontal"
            lengths += [patch.get_width() if horizontal else patch.get_height() for patch in container.patches]
    return lengths


def _labels(ax: Any, figure: Figure) -> tuple[str, str]:
    """Return the labels of both axes, taken from a shared axis or the figure if the plot itself has none."""
    horizontal = [other.get_xlabel() for other in [ax, *ax.get_shared_x_axes().get_siblings(ax)]]
    vertical = [other.get_ylabel() for other in [ax, *ax.get_shared_y_axes().get_siblings(ax)]]
    return (
        next(filter(str.strip, [*horizontal, figure.get_supxlabel()]), ""),
        next(filter(str.strip, [*vertical, figure.get_supylabel()]), ""),
    )


def _plot_line(place: int, ax: Any, figure: Figure, count: int) -> tuple[str, ...]:
    horizontal, vertical = _labels(ax, figure)
    low, high = ax.get_ylim()
    bars = [height for height in _bars(ax) if math.isfinite(height)]
    remarks = list(_plot_remarks(horizontal, vertical, bars, count))
    if bars and ax.get_yscale() == "linear" and 0 < max(bars) - min(bars) < 0.04 * abs(high - low):
        remarks.append("the bars look alike in this range")
    texts = (str(place), str(len(bars)), horizontal or "no label", vertical or "no label", f"{low:.3g} to {high:.3g}")
    return (BAD if remarks else GOOD, *texts, "; ".join(remarks))


def _plot_remarks(horizontal: str, vertical: str, bars: list[float], count: int) -> Iterator[str]:
    if not bars:
        yield "no bars"
    elif len(bars) != count:
        yield f"{len(bars)} bars for {count} rows"
    if not horizontal:
        yield "the horizontal axis has no label"
    if not vertical:
        yield "the vertical axis has no label"
    for word, unit in QUANTITIES.items():
        if word in vertical.lower() and not re.search(unit, vertical, re.IGNORECASE):
            yield f"the {word} label has no unit"


# Progress and saved rows


class Progress(callbacks.Callback):
    """Shows one line per training run, updated at most five times a second to keep the overhead low."""

    WIDTH = 10
    PAUSE = 0.2
    """Minimum time between two updates, in seconds."""

    def __init__(self, setting: str) -> None:
        super().__init__()
        self.setting = setting
        self._shown = -math.inf
        self._line: Any = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._began, self._epoch, self._accuracy = time.perf_counter(), 0, math.nan
        self._show(self.line())

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch, self._accuracy = epoch + 1, float((logs or {}).get("val_accuracy", math.nan))
        often = self._epoch <= 20 or self._epoch % 5 == 0
        if often and time.perf_counter() - self._shown >= self.PAUSE:
            self._show(self.line())

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        reached = bool(self.model.stop_training)
        self._show(self.line("" if reached else "target missed"), last=True)

    def line(self, end: str = "") -> str:
        """Return the line: setting, progress bar, epoch, validation accuracy and elapsed time."""
        limit = (self.params or {}).get("epochs") or 1
        full = round(self.WIDTH * self._epoch / limit)
        bar = "■" * full + "·" * (self.WIDTH - full)
        seconds = time.perf_counter() - self._began
        parts = (f"epoch {self._epoch:>3}/{limit}", f"val. accuracy {self._accuracy:.3f}", f"{seconds:.1f} s", end)
        return f"{self.setting:<20} {bar} {', '.join(filter(None, parts))}"

    def _show(self, text: str, last: bool = False) -> None:
        self._shown = time.perf_counter()
        if in_notebook():
            from IPython.display import display

            if self._line is None:
                self._line = display({"text/plain": text}, raw=True, display_id=True)
            else:
                self._line.update({"text/plain": text}, raw=True)
        elif last:
            print(text)
        elif sys.stdout.isatty():
            print(text, end="\r", flush=True)


class Kept:
    """The rows of a loop, saved in a JSON file with the time and machine of each measurement.

    Saved rows are used only if nothing they depend on has changed: the cell, the callback, the settings, the data, the
    energy monitor and the machine. Otherwise the next row starts a new file. A dry run saves nothing.
    """

    def __init__(self, path: Path, circumstances: dict[str, Any], dry: bool) -> None:
        self.path, self.circumstances, self.dry = path, circumstances, dry
        self.entries: list[dict[str, Any]] = []
        if dry or not path.exists():
            return
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            before, entries = document["circumstances"], document["trained"]
            usable = all(
                isinstance(e["row"], dict) and e["when"] and e["on"] and is_number(e["value"]) for e in entries
            )
        except (OSError, ValueError, KeyError, TypeError):
            print(f"{path} could not be read, so all models are trained again.")
            return
        changed = sorted(key for key in circumstances if before.get(key) != circumstances[key])
        if changed or not usable:
            what = ", ".join(changed) or "format of the file"
            print(f"{path} does not match this run (changed: {what}), so all models are trained again.")
        else:
            self.entries = entries

    def find(self, value: float) -> dict[str, Any] | None:
        return next((entry for entry in self.entries if entry["value"] == value), None)

    def add(self, value: Any, rows: list[Any]) -> None:
        """Save the row of one setting if the iteration appended exactly one row of plain values."""
        if self.dry or len(rows) != 1 or not isinstance(rows[0], dict):
            return
        row = {str(key): plain(entry) for key, entry in rows[0].items()}
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime())
        self.entries.append({"value": plain(value), "when": when, "on": self.circumstances["machine"], "row": row})
        about = "Results of a loop, one row per training run. If you delete this file, all models are trained again."
        document = {"about": about, "circumstances": self.circumstances, "trained": self.entries}
        unfinished = self.path.with_suffix(".part")
        try:
            unfinished.write_text(json.dumps(document, indent=1, allow_nan=False), encoding="utf-8")
            unfinished.replace(self.path)
        except (OSError, TypeError, ValueError) as problem:
            print(f"This row could not be saved ({sentence(problem)}).")


def plain(value: Any) -> Any:
    """Convert a number to one that JSON can represent; NaN and infinity become None."""
    if not is_number(value) or isinstance(value, int):
        return value
    single = number(value)
    return single if math.isfinite(single) else None


def circumstances(names: dict[str, Any]) -> dict[str, Any]:
    """Return everything that a saved row of measurements depends on."""
    settings = {name: names.get(name) for name in ("THRESHOLD", "PATIENCE", "MAX_EPOCHS")}
    arrays = [np.asarray(names.get(name, ())) for name in ("Xtr_scale", "ytr", "Xts_scale", "yts")]
    return {
        "cell": digest(ast_text(str((names.get("In") or [""])[-1]))),
        "callback": digest(class_text(names.get("TrainToAccuracy"))),
        "settings": settings,
        "data": digest("".join(f"{array.shape}{array[:50].tobytes().hex()}" for array in arrays)),
        "energy": type(names.get("monitor")).__name__,
        "machine": machine(),
    }


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def ast_text(source: str) -> str:
    """Return the syntax tree of code as text, so that changes to comments and spacing make no difference."""
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return source


def class_text(cls: Any) -> str:
    """Return the compiled methods of a class as text."""
    methods = vars(cls) if isinstance(cls, type) else {}
    return "".join(
        f"{name}{code_text(m.__code__)}{m.__defaults__}" for name, m in methods.items() if hasattr(m, "__code__")
    )


def code_text(code: types.CodeType) -> str:
    constants = [code_text(part) if isinstance(part, types.CodeType) else repr(part) for part in code.co_consts]
    return f"{code.co_code.hex()}{code.co_names}{constants}"


def machine() -> str:
    """Describe the machine and the device used for training."""
    gpus = []
    for gpu in tf.config.list_physical_devices("GPU"):
        try:
            gpus.append(str(tf.config.experimental.get_device_details(gpu)["device_name"]))
        except Exception:
            gpus.append("a GPU")
    device = " and ".join(gpus) or f"{os.cpu_count()} cores of {processor()}"
    return f"{platform.node() or 'a machine'} ({device}, TensorFlow {tf.__version__})"


def processor() -> str:
    """Return the name of the CPU if the system provides it, otherwise its architecture."""
    with contextlib.suppress(OSError):
        name = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        if name:
            return name[1].strip()
    return platform.processor() or platform.machine()


# Energy of the CPU


@dataclass(frozen=True)
class ProcessorMeasurement:
    """Time (s) and energy (J) of a window; the energy includes everything that ran on the CPU."""

    time: float
    total_energy: float


class ProcessorMonitor:
    """Measures windows as `ZeusMonitor` does, but with the CPU's energy counter (RAPL) instead of a GPU's.

    The counter measures the whole CPU, including the energy used by other programs and in idle time.
    """

    def __init__(self, monitor: Any) -> None:
        self._monitor = monitor
        self.gpu_indices: list[int] = []
        self.cpu_indices = list(monitor.cpu_indices)

    def begin_window(self, key: str, sync_execution: bool = False, **more: Any) -> None:
        self._monitor.begin_window(key, sync_execution=False, **more)

    def end_window(self, key: str, sync_execution: bool = False, **more: Any) -> ProcessorMeasurement:
        measured = self._monitor.end_window(key, sync_execution=False, **more)
        return ProcessorMeasurement(measured.time, float(sum((measured.cpu_energy or {}).values())))
