"""Pictures of figures for the notebook's outputs, byte for byte those of IPython and Matplotlib, in a part of the time.

IPython draws a figure twice, the first time to find the space that it takes; a figure with a layout engine has made its
contents fit already and is drawn once. Matplotlib finds the ticks of an axis and lays out a text anew whenever it looks
at them, a dozen times for one drawing; here it does so once for as much room and for each way of writing. And it copies
markers, three for each tick, with all that hangs on them.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import io
import types
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from IPython.core import pylabtools
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

Method = Callable[..., Any]


def install() -> None:
    """Takes the place of `IPython.core.pylabtools.print_figure` for what is set up from now on."""
    copy_markers_plainly()
    original = pylabtools.print_figure

    def print_figure(figure: Figure, fmt: str = "png", bbox_inches: Any = "tight", **kwargs: Any) -> Any:
        with remembering():
            if fmt == "png" and bbox_inches == "tight" and kwargs == {"base64": True} and _fits(figure):
                figure.canvas.print_png(picture := io.BytesIO())  # type: ignore[attr-defined]
                return base64.b64encode(picture.getvalue()).decode("ascii")
            return original(figure, fmt, bbox_inches, **kwargs)  # type: ignore[no-untyped-call]

    setattr(pylabtools, "print_figure", print_figure)  # noqa: B010 - its own has no types to agree with


def _fits(figure: Figure) -> bool:
    return bool(figure.axes) and figure.get_layout_engine() is not None and type(figure.canvas) is FigureCanvasAgg


@contextlib.contextmanager
def remembering() -> Iterator[None]:
    """What is drawn meanwhile finds ticks and lays out texts only once in the same circumstances."""
    with (
        mock.patch.object(Axis, "_update_ticks", _ticks_once(Axis._update_ticks)),  # type: ignore[attr-defined]
        mock.patch.object(Text, "_get_layout", _layout_once(Text._get_layout)),  # type: ignore[attr-defined]
    ):
        yield


def _ticks_once(original: Method) -> Method:
    """Of an axis in a plane the ticks depend on what it shows and on how many have room. They are the axis's own and
    are moved when that changes, so only the latest are known."""
    latest: dict[int, tuple[Axis, Any, list[Any]]] = {}

    def update(axis: Axis) -> list[Any]:
        if axis.axes.name != "rectilinear":
            return original(axis)
        state = (*axis.get_view_interval(), axis.get_tick_space())
        if id(axis) not in latest or latest[id(axis)][1] != state:
            latest[id(axis)] = (axis, state, original(axis))
        return list(latest[id(axis)][2])

    return update


def _layout_once(original: Method) -> Method:
    """Where a text stands plays no part in its layout, so that equal texts at several places have one."""
    known: dict[Any, tuple[Any, Any]] = {}  # with what is known by its id, so that nothing else gets it

    def layout(text: Text, renderer: Any) -> Any:
        if text.get_wrap() or text.get_transform_rotates_text():
            return original(text, renderer)
        key = (
            id(renderer),
            text.get_text(),
            hash(text.get_fontproperties()),
            text.get_figure(root=True).dpi,  # type: ignore[union-attr]
            text.get_rotation(),
            text.get_rotation_mode(),
            text.get_horizontalalignment(),
            text.get_verticalalignment(),
            text._get_multialignment(),  # type: ignore[attr-defined]
            text._linespacing,  # type: ignore[attr-defined]
            text.get_usetex(),
            text.get_parse_math(),
        )
        if key not in known:
            known[key] = (renderer, original(text, renderer))
        return known[key][1]

    return layout


def copy_markers_plainly() -> None:
    """From now on a marker that is made from another shares with it what neither of them changes."""
    original = MarkerStyle._set_marker  # type: ignore[attr-defined]

    def set_marker(marker: MarkerStyle, other: Any) -> None:
        if type(other) is MarkerStyle:
            marker.__dict__ = _copied(vars(other))
        else:
            original(marker, other)

    MarkerStyle._set_marker = set_marker  # type: ignore[attr-defined]


def _copied(state: dict[str, Any]) -> dict[str, Any]:
    """What `copy.deepcopy` makes of a marker's state."""
    made = {}
    for name, value in state.items():
        if isinstance(value, Affine2D):
            value = value.frozen()
        elif not isinstance(value, (str, int, float, Path, types.MethodType, type(None))):
            value = copy.deepcopy(value)
        made[name] = value
    draws = made.get("_marker_function")
    if isinstance(draws, types.MethodType):  # bound to a copy again, never to the marker that was copied
        (hidden := object.__new__(MarkerStyle)).__dict__.update(made)
        made["_marker_function"] = types.MethodType(draws.__func__, hidden)
    return made
