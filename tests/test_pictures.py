"""The bench's own way to pictures shows what Matplotlib's does, dot for dot."""

from __future__ import annotations

import gc
import io
import os
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import seaborn as sns
from matplotlib import font_manager
from matplotlib.axis import Axis
from matplotlib.cbook import CallbackRegistry
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Bbox, TransformNode
from PIL import Image

from autograder.bench import lettering
from autograder.bench.pictures import _look_up_plainly, png, remembering
from autograder.bench.ticks import copied, copy_markers_plainly

VALUES = [0.5, 20.0, 300.0, 4000.0, 2.0]
NAMES = ["0.0001", "0.001", "0.01", "0.1", "1"]


@pytest.fixture(autouse=True)
def fresh_style() -> Iterator[None]:
    with plt.style.context("default"), plt.rc_context({"backend": "agg"}):
        yield
    plt.close("all")


def bars(layout: str | None) -> Figure:
    """The lab's own kind: a row of panels with bars, labels and logarithmic axes."""
    sns.set_theme(style="whitegrid", palette="colorblind")
    figure, axes = plt.subplots(1, 4, figsize=(16, 4), layout=layout)
    for number, ax in enumerate(axes):
        drawn = ax.bar(NAMES, VALUES, hatch=["//", "", "", "", ""], edgecolor="white")
        ax.bar_label(drawn, fmt=lambda v: f"{v:.3g}", padding=2, fontsize=10)
        ax.set(xlabel="Learning rate", ylabel="Time (s)\nto accuracy", title=f"$10^{number}$")
        if number % 2:
            ax.set_yscale("log")
            ax.yaxis.set_major_locator(plt.LogLocator(subs=(1, 2, 5)))
            ax.set_ylim(0.1, 9000)
    figure.suptitle("Orange, hatched")
    return figure


def turned() -> Figure:
    figure, ax = plt.subplots()
    ax.bar(range(5), VALUES)
    ax.set_xticks(
        range(5), [f"learning rate {name}" for name in NAMES], rotation=45, ha="right", rotation_mode="anchor"
    )
    ax.set_ylabel("twice", rotation=0)
    ax.text(1, 100, "a\nlonger text\nin lines", ha="center", multialignment="right", linespacing=2)
    ax.text(1, 100, "a\nlonger text\nin lines", ha="center", multialignment="left", linespacing=1)
    ax.text(2, 50, "wrapped " * 20, wrap=True)
    ax.text(0.5, 0.5, "along", rotation=30, transform_rotates_text=True, transform=ax.transAxes)
    ax.annotate("here", (3, 3000), (1, 3500), arrowprops={"arrowstyle": "->"})
    figure.tight_layout()
    return figure


def twins() -> Figure:
    figure, ax = plt.subplots(layout="constrained")
    other = ax.twinx()
    ax.plot(VALUES, label="seconds")
    other.semilogy(VALUES[::-1], "o--", label="joules")
    ax.secondary_xaxis("top", functions=(lambda x: x * 2, lambda x: x / 2))
    figure.legend(loc="outside upper center")
    return figure


def grid() -> Figure:
    figure, axes = plt.subplots(2, 3, sharex=True, sharey="row", layout="compressed")
    for ax in axes.flat:
        image = ax.imshow(np.arange(12).reshape(3, 4) * 1e-7)
        ax.label_outer()
    figure.colorbar(image, ax=axes, label="level")
    figure.supxlabel("columns")
    return figure


def seaborns() -> Figure:
    figure, ax = plt.subplots()
    sns.heatmap(np.arange(20).reshape(4, 5), annot=True, fmt="d", ax=ax)
    return figure


def markers() -> Figure:
    figure, ax = plt.subplots()
    style = MarkerStyle("o", fillstyle="left", transform=Affine2D().rotate_deg(20), capstyle="round")
    for number, marker in enumerate([style, MarkerStyle("^"), MarkerStyle(style), "$x$", (5, 1), "s"]):
        (line,) = ax.plot([0, 1], [number, number + 1], marker=marker, markersize=20, label=str(number))
        ax.scatter([2, 3], [number, number], marker=marker, s=200)
        if number == 2:
            line.set_fillstyle("none")
            line.set_marker(MarkerStyle(style.get_marker(), "bottom"))
    ax.plot([4], [4], marker=style, markersize=30)
    ax.legend()
    return figure


def round_and_deep() -> Figure:
    figure = plt.figure(layout="constrained")
    figure.add_subplot(121, projection="polar").plot(np.linspace(0, 6, 50), np.linspace(0, 9, 50))
    figure.add_subplot(122, projection="3d").plot(VALUES, VALUES, VALUES)
    return figure


def equal_aspect() -> Figure:
    figure, (left, right) = plt.subplots(1, 2, layout="tight")
    left.plot([0, 1000], [0, 10])
    left.set_aspect("equal", adjustable="datalim")
    right.pie(VALUES, labels=NAMES, autopct="%1.1f%%")
    return figure


DRAWN: dict[str, Callable[[], Figure]] = {
    "bars, constrained": lambda: bars("constrained"),
    "bars, plain": lambda: bars(None),
    "turned": turned,
    "twins": twins,
    "grid": grid,
    "seaborn": seaborns,
    "markers": markers,
    "round and deep": round_and_deep,
    "equal aspect": equal_aspect,
}


def printed(figure: Figure, **settings: Any) -> bytes:
    figure.savefig(picture := io.BytesIO(), format="png", metadata={"Software": None}, **settings)
    return picture.getvalue()


@pytest.mark.parametrize("settings", [{}, {"bbox_inches": "tight", "dpi": 60}], ids=["whole", "tight"])
@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_the_same(name: str, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = printed(DRAWN[name](), **settings)
    monkeypatch.setattr(MarkerStyle, "_set_marker", MarkerStyle._set_marker)  # type: ignore[attr-defined]
    copy_markers_plainly()
    with remembering():
        ours = printed(DRAWN[name](), **settings)
    assert ours == plain


def test_a_figure_that_changes_between_pictures_is_drawn_as_it_is() -> None:
    pictures = []
    for ours in (False, True):
        figure = bars("constrained")
        made = []
        for step in range(3):
            figure.axes[0].set_ylim(0, 10.0 ** (step + 3))
            figure.axes[1].set_xlabel("wider " * (step + 1), fontsize=10 + 3 * step)
            figure.set_size_inches(10 + step, 4)
            if ours:
                with remembering():
                    made.append(printed(figure))
            else:
                made.append(printed(figure))
        pictures.append(made)
    assert pictures[0] == pictures[1]


def test_ticks_that_moved_and_are_asked_back_are_moved_back() -> None:
    """As between the passes of a layout: wide, narrow and wide again."""
    places = []
    with remembering():
        _, ax = plt.subplots(figsize=(8, 3))
        ax.plot([0, 1000], [0, 1])
        for width in (0.8, 0.1, 0.8):
            ax.set_position((0.1, 0.1, width, 0.8))
            drawn = ax.xaxis._update_ticks()  # type: ignore[attr-defined]
            places.append([(tick.get_loc(), tick.label1.get_text()) for tick in drawn])
    assert places[0] == places[2]
    assert len(places[1]) < len(places[0])


def test_matplotlib_is_left_as_it_was() -> None:
    before = Axis._update_ticks, Text._get_layout  # type: ignore[attr-defined]
    figure = bars("constrained")
    figure.axes[0].xaxis.set_major_formatter(lambda value, place: f"{1 / 0}")
    with pytest.raises(ZeroDivisionError), remembering():
        printed(figure)
    assert (Axis._update_ticks, Text._get_layout) == before  # type: ignore[attr-defined]


def test_an_axis_is_asked_for_its_ticks_much_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    original = Axis._update_ticks  # type: ignore[attr-defined]
    monkeypatch.setattr(Axis, "_update_ticks", lambda axis: (asked.append(axis), original(axis))[1])
    printed(bars("constrained"))
    plain = len(asked)
    asked.clear()
    with remembering():
        printed(bars("constrained"))
    assert 0 < len(asked) < plain / 2


def test_settings_are_looked_up_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {name: mpl.rcParams[name] for name in dict.keys(mpl.rcParams)}
    monkeypatch.setattr(mpl.RcParams, "__getitem__", mpl.RcParams.__getitem__)
    _look_up_plainly()
    assert {name: mpl.rcParams[name] for name in plain} == plain
    with pytest.raises(KeyError):
        mpl.rcParams["no such setting"]
    with plt.rc_context():
        dict.__setitem__(mpl.rcParams, "backend", mpl.rcsetup._auto_backend_sentinel)
        assert isinstance(mpl.rcParams["backend"], str)


def test_letters_are_known_as_long_as_their_fonts_are_there_and_in_no_process_forked_since() -> None:
    plain = printed(bars("constrained"))
    for _ in range(2):
        with remembering():
            assert printed(bars("constrained")) == plain
        font_manager._get_font.cache_clear()  # type: ignore[attr-defined]
        gc.collect()
    with plt.rc_context({"font.sans-serif": ["DejaVu Serif"]}):
        other = printed(figure := plt.figure(figsize=(2, 2)))
        figure.text(0.1, 0.5, "Learning rate")
        with remembering():
            assert printed(figure) not in (plain, other)
    assert any(letters for _, letters in lettering._known.values())
    if not (child := os.fork()):
        os._exit(any(letters for _, letters in lettering._known.values()))
    assert os.waitpid(child, 0)[1] == 0


def test_what_is_remembered_of_texts_keeps_no_picture() -> None:
    figure = bars("constrained")
    figure.canvas.draw()
    dropped = weakref.ref(figure.canvas.get_renderer())  # type: ignore[attr-defined]
    with remembering():
        figure.canvas.draw()
        figure.axes[0].set_title("a text of this figure alone")
        figure.canvas.draw()
    assert any("a text of this figure alone" in key for known, _ in lettering._known.values() for key in known)
    plt.close(figure)
    del figure
    gc.collect()
    assert dropped() is None


@pytest.mark.parametrize("opacity", [1.0, 0.5])
def test_a_file_holds_the_dots_of_the_figure(opacity: float) -> None:
    figure = bars("constrained")
    figure.patch.set_alpha(opacity)
    figure.canvas.draw()
    dots = np.asarray(figure.canvas.buffer_rgba())  # type: ignore[attr-defined]
    ours = Image.open(io.BytesIO(png(dots, figure.dpi)))
    theirs = Image.open(io.BytesIO(printed(figure)))
    assert ours.info["dpi"] == theirs.info["dpi"]
    assert ours.mode == theirs.mode
    assert np.array_equal(np.asarray(ours), np.asarray(theirs))


def held(artist: Any) -> dict[str, Any]:
    """What an artist holds, with what it is made of, as far as two can be compared."""
    found = {}
    for name, value in vars(artist).items():
        if isinstance(value, (Line2D, Text, MarkerStyle)):
            value = held(value)
        elif isinstance(value, (np.ndarray, Path)):
            value = np.asarray(getattr(value, "vertices", value)).tolist()
        elif isinstance(value, TransformNode):
            value = str(value)
        elif isinstance(value, CallbackRegistry):
            value = (value._signals, value.callbacks)  # type: ignore[attr-defined]
        found[name] = value.__func__ if isinstance(value, types.MethodType) else value
    return found


@pytest.mark.parametrize("major", [True, False])
@pytest.mark.parametrize("which", ["xaxis", "yaxis"])
def test_a_tick_made_from_another_is_like_a_new_one_and_alone(which: str, major: bool) -> None:
    _, ax = plt.subplots()
    ax.tick_params(axis="both", which="both", labelsize=7, direction="inout", rotation=20, grid_alpha=0.3)
    axis = getattr(ax, which)
    model, new = axis._get_tick(major), axis._get_tick(major)
    made = copied(model)
    assert held(made) == held(new)
    untouched = held(new)
    made.update_position(5)
    made.label1.set(text="x", fontsize=30, color="red", rotation=70)
    made.tick1line.set(markersize=40, marker="o", fillstyle="left", clip_on=False)
    made.gridline.set(linewidth=9, linestyle=":")
    made.label2.get_fontproperties().set_weight("bold")
    assert held(model) == untouched


def test_boxes_have_the_box_that_matplotlib_puts_around_them() -> None:
    boxes = [Bbox([[0, 3], [1, -2]]), Bbox([[5, 0], [-1, 1]]), Bbox.unit()]
    plain = Bbox.union(boxes).get_points()
    with remembering():
        assert Bbox.union(boxes).get_points().tolist() == plain.tolist()
        assert np.isnan(Bbox.union([*boxes, Bbox([[np.nan, 0], [1, 1]])]).x0)
        with pytest.raises(ValueError, match="empty"):
            Bbox.union([])
