"""Helps while you work on the lab; put this file beside the notebook.

- `lab.check("callback")`, in the given cells, shows what came out of a task and what the rule asks. It gives no points
  and takes none, and it knows no solution.
- `lab.progress("learning rate", lr)` is a callback for `fit` that shows one line for each training.
- `lab.remaining(LEARNING_RATES, metrics_vs_lr, "learning_rate")` goes through the values of a loop and leaves out those
  that were trained before the kernel was stopped.

It needs what the notebook itself needs, and no network.
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
import tensorflow as tf
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from tensorflow.keras import callbacks

GOOD, BAD, OPEN = "✓", "✗", "…"
"""Marks: as asked for, not as asked for, not there yet. A mark is never told by its colour alone."""

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#777777"  # told apart by every kind of colour vision (Okabe and Ito)

FIGURES: deque[Figure] = deque(maxlen=20)
"""The figures that were made last; Matplotlib tells of each (`figure.hooks`)."""


class Lab:
    """The helper of one notebook; `names` are the notebook's own (`globals()`)."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self._examined: dict[str, list[Figure]] = {}
        hook = f"{__name__}:FIGURES.append"
        if hook not in plt.rcParams.get("figure.hooks", [hook]):
            plt.rcParams["figure.hooks"] = [*plt.rcParams["figure.hooks"], hook]

    def check(self, task: str) -> None:
        """Shows what came out of a task so far; whatever is wrong with it ends in a sentence."""
        try:
            if task == "data-details":
                show(check_details(self.names))
            elif task == "callback":
                check_callback(self.names)
            elif task in ("lr-loop", "bs-loop"):
                FIGURES.clear()
                show(check_loop(self.names, LOOPS[task[:2]]))
            else:
                show(check_plots(self._figures(task), self.names, LOOPS[task[:2]]))
        except Exception as problem:
            print(f"{BAD} This could not be checked ({sentence(problem)}). It costs nothing; go on.")
        if self.names.get("DRY_RUN"):
            print(DRY)

    def _figures(self, task: str) -> list[Figure]:
        """The figures since the last check; when the check is run again, those of the time before."""
        known = list(FIGURES) or [value for value in list(self.names.values()) if isinstance(value, Figure)]
        if known:
            self._examined[task] = known
            FIGURES.clear()
        return self._examined.get(task, [])

    def progress(self, name: str, value: Any) -> callbacks.Callback:
        """A callback for `fit`: one line that tells the setting, the epoch, the accuracy and the time so far."""
        return Progress(f"{name} {value:g}" if is_number(value) else f"{name} {value}")

    def remaining(self, values: list[Any], rows: list[dict[str, Any]], key: str) -> Iterator[Any]:
        """The values that are still to be trained, one at a time; `rows` is the loop's list, `key` what is varied.

        What an iteration appends to `rows` is written to a small file. When the same cell is run again, in the same
        kernel or in a new one, the rows in that file are put into `rows` and their values left out.
        """
        kept = Kept(Path(f"kept-{key}.json"), circumstances(self.names), bool(self.names.get("DRY_RUN")))
        for value in values:
            if (entry := kept.find(value)) is not None:
                rows.append(entry["row"])
                print(f"{key} {shown(value)} is not trained again: measured {entry['when']} on {entry['on']}.")
                continue
            before = len(rows)
            yield value
            kept.add(value, rows[before:])

    def forget(self) -> None:
        """Removes what `remaining` wrote down, so that every setting is trained again."""
        for path in sorted(Path().glob("kept-*.json")):
            path.unlink()
            print(f"{path} is removed.")

    def processor_monitor(self, monitor: Any) -> ProcessorMonitor | None:
        """A monitor of the processor's own energy counter (RAPL); None where there is none that may be read."""
        if getattr(monitor, "cpu_indices", None):
            return ProcessorMonitor(monitor)
        if any(Path("/sys/class/powercap").glob("intel-rapl*")):
            print("This processor has an energy counter (RAPL), but only the machine's administrator may read it.")
        return None


DRY = "DRY_RUN is on: the numbers mean nothing. For the real run, set it to False and run all cells again."


# What is shown


@dataclass(frozen=True)
class Table:
    """Rows of text under headings, each with a mark in front. A page shows it as HTML, a terminal as text."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    def __str__(self) -> str:
        columns = list(zip(("", *self.headings), *self.rows, strict=True))
        widths = [max(map(len, column)) for column in columns]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in (("", *self.headings), *self.rows)
        ]
        return "\n".join([*lines, *filter(None, [self.caption])])

    def _repr_html_(self) -> str:
        cell = "padding:2px 12px 2px 4px;text-align:left;vertical-align:top"

        def line(texts: tuple[str, ...], tag: str, weight: str) -> str:
            inside = "".join(
                f'<{tag} style="{cell};font-weight:{weight}">{html.escape(text)}</{tag}>' for text in texts
            )
            return f"<tr>{inside}</tr>"

        body = "".join(line(row, "td", "bold" if row[0] == BAD else "normal") for row in self.rows)
        head = line(("", *self.headings), "th", "bold")
        caption = f"<div>{html.escape(self.caption)}</div>" if self.caption else ""
        return f'<table style="border-collapse:collapse"><thead>{head}</thead><tbody>{body}</tbody></table>{caption}'

    __repr__ = __str__


def in_notebook() -> bool:
    """Whether a page shows what is displayed; a plain Python and a terminal show text."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and hasattr(shell, "kernel")


def show(thing: Any) -> None:
    if in_notebook() and not isinstance(thing, str):
        from IPython.display import display

        display(thing)
    else:
        print(thing)


def show_picture(figure: Figure, text: str, width: int = 880) -> None:
    """Shows a figure in a notebook, `width` pixels wide; `text` is for a page that shows no pictures."""
    from IPython.display import display

    figure.savefig(drawn := io.BytesIO(), format="png", dpi=110)
    picture = {"image/png": base64.b64encode(drawn.getvalue()).decode(), "text/plain": text}
    display(picture, raw=True, metadata={"image/png": {"width": width}})


def sentence(problem: BaseException) -> str:
    """An exception in a few words, without its traceback."""
    said = " ".join(str(problem).split())[:150]
    return f"{type(problem).__name__}: {said}" if said else type(problem).__name__


def number(value: Any) -> float:
    """A single number of Python, NumPy or TensorFlow; raises TypeError for anything else."""
    if not is_number(value):
        raise TypeError(f"a {type(value).__name__} is no number")
    return float(np.asarray(value).reshape(-1)[0])


def is_number(value: Any) -> bool:
    """Whether it is a single number of Python, NumPy or TensorFlow."""
    if isinstance(value, (str, list, tuple, dict, set)):
        return False
    array = np.asarray(value)
    return array.size == 1 and array.dtype.kind in "iuf"


def shown(value: Any) -> str:
    """A value in a table."""
    if not is_number(value):
        text = repr(value)
        return text if len(text) <= 24 else f"{text[:23]}…"
    told = number(value)
    return f"{told:.0f}" if told.is_integer() else f"{told:.4g}" if abs(told) < 1000 else f"{told:.0f}"


# Task: details of the data

MEANINGS = {
    "n_tr": "training notes",
    "n_ts": "test notes",
    "n_feat": "features of a note",
    "n_class": "instruments",
}


def check_details(names: dict[str, Any]) -> Table | str:
    """Which of the four numbers go with the arrays; what the others should be is not told."""
    if not all(name in names for name in ("Xtr_scale", "ytr", "Xts_scale", "yts")):
        return f"{OPEN} The data are not loaded yet: run the cells of section 2."
    rows = []
    for name, meaning in MEANINGS.items():
        value = names.get(name)
        if name not in names:
            rows.append((OPEN, name, "not defined", f"how many {meaning}"))
        elif not is_number(value) or not number(value).is_integer():
            rows.append(
                (BAD, name, shown(value), f"a {type(value).__name__}; a whole number of {meaning} is asked for")
            )
        elif goes_with_arrays(name, int(number(value)), names):
            rows.append((GOOD, name, shown(value), f"{meaning}, as in the arrays"))
        else:
            rows.append((BAD, name, shown(value), f"the arrays have another number of {meaning}"))
    caption = "The autograder has other data: a number that was typed in is wrong there."
    return Table(("name", "your value", "what it should be"), tuple(rows), caption)


def goes_with_arrays(name: str, count: int, names: dict[str, Any]) -> bool:
    """Tries the number: what it counts has a last one at that place, and none after it."""
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
    """A training curve by epoch, and the epoch (from 1) after which the rule ends it; None: it goes on to its end."""

    name: str
    val_accuracy: tuple[float, ...]
    stop: int | None
    patience: int = 3
    threshold: float = 0.9
    accuracy: tuple[float, ...] = ()


CURVES = (
    Curve("rises and stays above", (0.70, 0.82, 0.88, 0.91, 0.93, 0.94, 0.95, 0.95), 6),
    Curve("falls back in between", (0.80, 0.92, 0.94, 0.85, 0.93, 0.95, 0.96, 0.96), 7),
    Curve("exactly at the threshold once", (0.84, 0.92, 0.94, 0.90, 0.91, 0.93, 0.95, 0.95), 7),
    Curve("never long enough above", (0.92, 0.93, 0.88, 0.94, 0.95, 0.86, 0.93, 0.94), None),
    Curve("patience of one epoch", (0.70, 0.79, 0.85, 0.89, 0.93, 0.95, 0.96, 0.96), 5, patience=1),
    Curve(
        "the training notes say otherwise",
        (0.74, 0.80, 0.84, 0.87, 0.92, 0.94, 0.95, 0.95),
        7,
        accuracy=(0.91, 0.93, 0.94, 0.95, 0.96, 0.97, 0.97, 0.98),
    ),
)
"""Examples of this file alone: the autograder draws others."""


@dataclass
class Drive:
    """One instance on its way through a curve: where it stopped (from 1), or the sentence about what went wrong."""

    stop: int | None = None
    problem: str = ""
    stage: str = field(default="", repr=False)


def check_callback(names: dict[str, Any]) -> None:
    """Takes the class through the curves, and shows where each ended and where it should have."""
    made = names.get("TrainToAccuracy")
    if not isinstance(made, type):
        print(f"{OPEN} There is no class TrainToAccuracy yet: run the cell above.")
        return
    before = {name: value for name, value in vars(made).items() if isinstance(value, (int, float, list, dict))}
    copies = {name: value.copy() if isinstance(value, (list, dict)) else value for name, value in before.items()}
    try:
        drives = [drive(made, curve) for curve in CURVES]
        again = drive(made, CURVES[0])
    finally:
        for name, value in copies.items():
            setattr(made, name, value)
    if problems := list(dict.fromkeys(one.problem for one in drives if one.problem)):
        print(f"{BAD} {problems[0]}")
        return
    if in_notebook():
        show_picture(picture(drives), f"{len(CURVES)} training curves, with the rule's end and yours")
    for curve, one in zip(CURVES, drives, strict=True):
        if one.stop != curve.stop:
            print(f"{BAD} {curve.name}: {ended(one.stop)}; the rule ends it {at(curve.stop)}.")
    if again.stop != drives[0].stop:
        print(f"{BAD} On the first curve a later TrainToAccuracy {ended(again.stop)}: callbacks must share nothing.")
    elif all(one.stop == curve.stop for curve, one in zip(CURVES, drives, strict=True)):
        print(f"{GOOD} All {len(CURVES)} curves end where the rule says. The autograder tries others.")


def drive(made: type, curve: Curve) -> Drive:
    """Calls a new instance as Keras does in `fit`; what it prints is not shown."""
    one = Drive()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            one.stop = _epochs(made, curve, one)
    except NotImplementedError:
        one.problem = "TrainToAccuracy is not filled in yet."
    except Exception as problem:
        one.problem = f"{one.stage} ended with {sentence(problem)}."
        if "on_epoch_end" in one.stage:
            one.problem += " In `logs` are accuracy, loss, val_accuracy and val_loss."
    return one


def _epochs(made: type, curve: Curve, one: Drive) -> int | None:
    one.stage = f"TrainToAccuracy(threshold={curve.threshold:g}, patience={curve.patience})"
    callback = made(threshold=curve.threshold, patience=curve.patience)
    model: Any = types.SimpleNamespace(stop_training=False)
    history = callbacks.History()
    one.stage = "As a callback of Keras, TrainToAccuracy"
    for listener in (callback, history):
        listener.set_params({"epochs": len(curve.val_accuracy), "steps": 1, "verbose": 0})
        listener.set_model(model)
        listener.on_train_begin({})
    for epoch, value in enumerate(curve.val_accuracy):
        one.stage = f"on_epoch_end of epoch {epoch + 1}"
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
    return "did not stop" if stop is None else f"stopped after epoch {stop}"


def at(stop: int | None) -> str:
    return "not at all" if stop is None else f"after epoch {stop}"


def picture(drives: list[Drive]) -> Figure:
    """A small plot for each curve: the threshold, the epochs above it, where the rule ends it and where yours did."""
    figure = Figure(figsize=(11, 5.4))
    grid = figure.subplots(2, -(-len(CURVES) // 2), sharex=True, sharey=True)
    figure.subplots_adjust(left=0.07, right=0.99, top=0.92, bottom=0.15, hspace=0.28, wspace=0.05)
    for ax, curve, one in zip(grid.flat, CURVES, drives, strict=True):
        _panel(ax, curve, one)
    for ax in grid[-1]:
        ax.set_xlabel("Epoch", fontsize=11)
    figure.supylabel("Validation accuracy", x=0.012, fontsize=11)
    handles = [
        Line2D([], [], color=BLUE, linewidth=5, alpha=0.45, label="the rule ends it here"),
        Line2D([], [], color=ORANGE, linewidth=1.8, linestyle="--", label="your callback stopped here"),
        Line2D([], [], color="black", linestyle=":", label="threshold"),
        Line2D([], [], color="black", marker="o", linestyle="", label="above it"),
        Line2D([], [], color="black", marker="o", markerfacecolor="white", linestyle="", label="not above it"),
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
    ax.set_title(
        f"{mark} {curve.name}, patience {curve.patience}\nrule: {at(curve.stop)}; yours: {at(one.stop)}", fontsize=10
    )
    ax.set_xticks(epochs)
    ax.set_ylim(0.67, 1)
    ax.grid(visible=False)


# Tasks: the loops


@dataclass(frozen=True)
class Loop:
    """One of the two loops: its list, the key that varies, the key that stays, and their settings in the notebook."""

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
    """The list so far, a row for each setting, with what is missing or of the wrong kind."""
    rows = names.get(loop.rows)
    if rows is None:
        return f"{OPEN} There is no list {loop.rows} yet: run the cell above."
    if not isinstance(rows, (list, tuple)):
        return f"{BAD} {loop.rows} is a {type(rows).__name__}; a list of dictionaries is asked for."
    lines = [_loop_line(place, rows, names, loop) for place in range(len(rows))]
    left = [value for value in names[loop.values] if not any(_has(row, loop.key, value) for row in rows)]
    lines += [(OPEN, shown(value), "", "", "", "", "", "not in the list") for value in left]
    keys = (loop.key, loop.fixed, *NEEDED, "total_energy")
    units = {"train_time": " (s)", "total_energy": " (J)"}
    headings = tuple(key + units.get(key, "") for key in keys)
    wrong = sum(line[0] == BAD for line in lines)
    caption = f"{loop.rows}: {len(rows)} rows for {len(names[loop.values])} settings; " + (
        f"{wrong} with something to look at." if wrong else "nothing wrong with their form."
    )
    return Table((*headings, "remarks"), tuple(lines), caption + _energy_note(rows))


def _energy_note(rows: list[Any]) -> str:
    measured = [isinstance(row, dict) and is_number(row.get("total_energy")) for row in rows]
    return (
        "" if not measured or any(measured) else " No energy was measured: right where there is nothing to measure it."
    )


def _has(row: Any, key: str, value: float) -> bool:
    return isinstance(row, dict) and is_number(row.get(key)) and math.isclose(number(row[key]), value, rel_tol=1e-6)


def _loop_line(place: int, rows: list[Any], names: dict[str, Any], loop: Loop) -> tuple[str, ...]:
    row = rows[place]
    if not isinstance(row, dict):
        return (BAD, shown(row), *[""] * 5, f"a {type(row).__name__}; a dictionary is asked for")
    keys = (loop.key, loop.fixed, *NEEDED)
    texts = [shown(row[key]) if key in row else "missing" for key in keys]
    energy = row.get("total_energy")
    nothing = energy is None or (is_number(energy) and math.isnan(number(energy)))
    wrong = list(_form(row, keys, nothing)) + list(_sense(place, rows, names, loop))
    late = is_number(row.get("epochs")) and number(row["epochs"]) >= names["MAX_EPOCHS"]
    remarks = [*wrong, *["target not reached"] * late]
    return (BAD if wrong else GOOD, *texts, "not measured" if nothing else shown(energy), "; ".join(remarks))


def _form(row: dict[str, Any], keys: tuple[str, ...], no_energy: bool) -> Iterator[str]:
    """What is missing or of the wrong type."""
    if missing := [key for key in keys if key not in row]:
        yield f"missing: {', '.join(missing)}"
        if others := [str(key) for key in row if key not in (*keys, "total_energy")]:
            yield f"not asked for: {', '.join(others)}"
    for key in (*keys, *([] if no_energy else ["total_energy"])):
        if key in row and not is_number(row[key]):
            yield f"{key} is a {type(row[key]).__name__}, not a number"
        elif key in row and not math.isfinite(number(row[key])):
            yield f"{key} is {number(row[key])}"


def _sense(place: int, rows: list[Any], names: dict[str, Any], loop: Loop) -> Iterator[str]:
    """What cannot be, whatever the training did."""
    row = rows[place]
    value, fixed, epochs, accuracy = (row.get(key) for key in (loop.key, loop.fixed, "epochs", "test_accuracy"))
    if is_number(value) and not any(_has(row, loop.key, setting) for setting in names[loop.values]):
        yield f"{loop.key} is none of {loop.values}"
    if any(row is other for other in rows[:place]):
        yield "the very dictionary of an earlier row: make a new one each time"
    elif is_number(value) and any(_has(other, loop.key, number(value)) for other in rows[:place]):
        yield f"{loop.key} comes twice"
    if is_number(fixed) and not _has(row, loop.fixed, names[loop.default]):
        yield f"{loop.fixed} is not {loop.default}"
    if is_number(epochs) and number(epochs) < min(names["PATIENCE"], names["MAX_EPOCHS"]):
        yield f"so few epochs cannot be {names['PATIENCE']} in a row"
    if is_number(accuracy) and not 0 <= number(accuracy) <= 1:
        yield "test_accuracy must lie between 0 and 1"


# Tasks: the plots

QUANTITIES = {"time": r"\b(s|sec|seconds?|min|minutes?)\b", "energy": r"\b(k?J|joules?|k?Wh)\b"}
"""Words of a label, and the units that go with them."""


def check_plots(figures: list[Figure], names: dict[str, Any], loop: Loop) -> Table | str:
    """What the figure holds: its plots, their bars, labels and ranges."""
    filled = [figure for figure in figures if any(_bars(ax) or ax.lines for ax in figure.axes)]
    rows = [row for row in names.get(loop.rows) or [] if isinstance(row, dict)]
    wanted = 4 if any(is_number(row.get("total_energy")) for row in rows) else 3
    if not filled:
        return f"{OPEN} No figure was seen since the check of the loop. Asked for: one figure with {wanted} bar plots."
    figure = filled[-1]
    axes = [ax for ax in figure.axes if _bars(ax) or ax.lines]
    lines = [_plot_line(place, ax, figure, len(rows)) for place, ax in enumerate(axes, 1)]
    caption = f"{len(axes)} plots in the figure; asked for: {wanted} bar plots in one figure."
    if len(axes) < wanted and len(filled) > 1:
        caption += f" There are {len(filled)} figures; the last one is shown here."
    if any(is_number(row.get("epochs")) and number(row["epochs"]) >= names["MAX_EPOCHS"] for row in rows):
        caption += " Not every model reached its target: can a reader see which?"
    return Table(("plot", "bars", "horizontal axis", "vertical axis", "range", "remarks"), tuple(lines), caption)


def _bars(ax: Any) -> list[float]:
    """The heights of the bars; the lengths of those that lie."""
    found = []
    for container in ax.containers:
        if isinstance(container, BarContainer):
            lying = container.orientation == "horizontal"
            found += [patch.get_width() if lying else patch.get_height() for patch in container.patches]
    return found


def _plot_line(place: int, ax: Any, figure: Figure, count: int) -> tuple[str, ...]:
    across = [other.get_xlabel() for other in [ax, *ax.get_shared_x_axes().get_siblings(ax)]]
    upward = [other.get_ylabel() for other in [ax, *ax.get_shared_y_axes().get_siblings(ax)]]
    horizontal = next(filter(str.strip, [*across, figure.get_supxlabel()]), "")
    vertical = next(filter(str.strip, [*upward, figure.get_supylabel()]), "")
    low, high = ax.get_ylim()
    bars = [height for height in _bars(ax) if math.isfinite(height)]
    remarks = list(_plot_remarks(horizontal, vertical, bars, count))
    if bars and ax.get_yscale() == "linear" and 0 < max(bars) - min(bars) < 0.04 * abs(high - low):
        remarks.append("in this range the bars look alike")
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
            yield f"the label of the {word} names no unit"


# The real run


class Progress(callbacks.Callback):
    """One line for one training, renewed at most five times a second, so that it costs little."""

    WIDTH = 10
    PAUSE = 0.2
    """Seconds between two looks of the line."""

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
        self._show(self.line("" if reached else "not reached"), last=True)

    def line(self, end: str = "") -> str:
        """The setting, the share of the epochs allowed, the epoch, the accuracy and the seconds so far."""
        allowed = (self.params or {}).get("epochs") or 1
        full = round(self.WIDTH * self._epoch / allowed)
        bar = "■" * full + "·" * (self.WIDTH - full)
        seconds = time.perf_counter() - self._began
        parts = (f"epoch {self._epoch:>3}/{allowed}", f"val. accuracy {self._accuracy:.3f}", f"{seconds:.1f} s", end)
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
    """The rows of a loop in a JSON file, with when and where each was measured.

    They count only under the same circumstances: the same cell and callback, settings, data and machine. Otherwise the
    file is written anew with the next row. A dry run keeps nothing.
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
            print(f"{path} cannot be read; every setting is trained.")
            return
        changed = sorted(key for key in circumstances if before.get(key) != circumstances[key])
        if changed or not usable:
            print(f"{path} was written with another {', '.join(changed) or 'form'}; every setting is trained.")
        else:
            self.entries = entries

    def find(self, value: float) -> dict[str, Any] | None:
        return next((entry for entry in self.entries if entry["value"] == value), None)

    def add(self, value: Any, rows: list[Any]) -> None:
        """Writes down the row of one setting, as it was measured; what is no single row of plain values is left out."""
        if self.dry or len(rows) != 1 or not isinstance(rows[0], dict):
            return
        row = {str(key): plain(entry) for key, entry in rows[0].items()}
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime())
        self.entries.append({"value": plain(value), "when": when, "on": self.circumstances["machine"], "row": row})
        about = "Rows of a loop as they were measured; delete this file, and all settings are trained again."
        document = {"about": about, "circumstances": self.circumstances, "trained": self.entries}
        unfinished = self.path.with_suffix(".part")
        try:
            unfinished.write_text(json.dumps(document, indent=1, allow_nan=False), encoding="utf-8")
            unfinished.replace(self.path)
        except (OSError, TypeError, ValueError) as problem:
            print(f"This row could not be kept ({sentence(problem)}).")


def plain(value: Any) -> Any:
    """A value as JSON has it; numbers that are none become None."""
    if not is_number(value):
        return value
    if isinstance(value, int):
        return value
    told = number(value)
    return told if math.isfinite(told) else None


def circumstances(names: dict[str, Any]) -> dict[str, Any]:
    """What a measured row depends on."""
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
    """Code without its comments and spaces, so that these may change."""
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return source


def class_text(made: Any) -> str:
    """What the methods of a class do, as compiled."""
    methods = vars(made) if isinstance(made, type) else {}
    return "".join(
        f"{name}{code_text(m.__code__)}{m.__defaults__}" for name, m in methods.items() if hasattr(m, "__code__")
    )


def code_text(code: types.CodeType) -> str:
    constants = [code_text(part) if isinstance(part, types.CodeType) else repr(part) for part in code.co_consts]
    return f"{code.co_code.hex()}{code.co_names}{constants}"


def machine() -> str:
    """The machine and what trains on it, in a few words."""
    found = []
    for device in tf.config.list_physical_devices("GPU"):
        try:
            found.append(str(tf.config.experimental.get_device_details(device)["device_name"]))
        except Exception:
            found.append("a GPU")
    device = " and ".join(found) or f"{os.cpu_count()} cores of {processor()}"
    return f"{platform.node() or 'a machine'} ({device}, TensorFlow {tf.__version__})"


def processor() -> str:
    """The processor's name where the system tells it, else its kind."""
    with contextlib.suppress(OSError):
        told = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        if told:
            return told[1].strip()
    return platform.processor() or platform.machine()


# Energy of a processor


@dataclass(frozen=True)
class ProcessorMeasurement:
    """Seconds and joules of a window; the joules are those of the processors, whoever used them."""

    time: float
    total_energy: float


class ProcessorMonitor:
    """The windows of `ZeusMonitor` on a machine without a GPU, with the joules of the processor's own counter (RAPL).

    The counter is that of the whole processor: other programs, and the notebook's own idling, are in it.
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
