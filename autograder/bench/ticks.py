"""The ticks of axes in pictures, as Matplotlib makes and moves them, in a part of the time.

Matplotlib finds the ticks of an axis anew whenever it looks at them, a dozen times for one drawing; here it does so
once for as much room. It makes each tick from its settings, which are those of the one before, and it copies markers,
three for each tick, with all that hangs on them.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import types
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np
from matplotlib.axis import Axis, XTick, YTick
from matplotlib.cbook import CallbackRegistry
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox

Method = Callable[..., Any]


@contextlib.contextmanager
def remembering() -> Iterator[None]:
    """What is drawn meanwhile has its ticks found once in the same circumstances, and made after one another."""
    boxes, afresh = _boxes_once(Axis._get_ticklabel_bboxes)  # type: ignore[attr-defined]
    with (
        mock.patch.object(Axis, "_update_ticks", _ticks_once(Axis._update_ticks)),  # type: ignore[attr-defined]
        mock.patch.object(Axis, "_get_tick", _ticks_alike(Axis._get_tick)),  # type: ignore[attr-defined]
        mock.patch.object(Axis, "_get_ticklabel_bboxes", boxes),
        mock.patch.object(Axis, "get_tightbbox", afresh(Axis.get_tightbbox)),
        mock.patch.object(Axis, "draw", afresh(Axis.draw)),
        mock.patch.object(Bbox, "union", staticmethod(_united(Bbox.union))),
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


def _boxes_once(original: Method) -> tuple[Method, Method]:
    """While an axis is drawn or measured, the boxes around the labels of its ticks are asked for twice. Returns what
    finds them once, and what makes of a method one whose boxes are known as long as it runs."""
    known: dict[Any, tuple[list[Any], list[Any]]] = {}

    def boxes(axis: Axis, ticks: list[Any], renderer: Any) -> tuple[list[Any], list[Any]]:
        key = (id(axis), id(renderer), *map(id, ticks))
        if key not in known:
            known[key] = original(axis, ticks, renderer)
        ones, others = known[key]
        return list(ones), list(others)

    def afresh(method: Method) -> Method:
        @functools.wraps(method)
        def run(*args: Any, **kwargs: Any) -> Any:
            known.clear()
            try:
                return method(*args, **kwargs)
            finally:
                known.clear()

        return run

    return boxes, afresh


def _ticks_alike(original: Method) -> Method:
    """A new tick of an axis is a copy of one that nobody else has."""
    models: dict[Any, tuple[Axis, dict[str, Any], Any]] = {}

    def get(axis: Axis, major: bool) -> Any:
        if axis._tick_class not in (XTick, YTick):  # type: ignore[attr-defined]
            return original(axis, major)
        settings = axis._major_tick_kw if major else axis._minor_tick_kw  # type: ignore[attr-defined]
        key = (id(axis), major)
        if key not in models or models[key][1] != settings:
            models[key] = (axis, dict(settings), original(axis, major))
        return copied(models[key][2])

    return get


def _united(original: Method) -> Method:
    """The box around boxes by two looks at all of their corners, not by four at each."""

    def united(boxes: Any) -> Bbox:
        if not len(boxes):
            return original(boxes)
        corners = np.array([box.get_points() for box in boxes])
        return Bbox([corners.min(axis=(0, 1)), corners.max(axis=(0, 1))])

    return united


def copied(tick: Any) -> Any:
    """A tick like a new one; the two share what neither of them changes, like transforms and markers."""
    made = _alone(tick)
    made.tick1line, made.tick2line, made.gridline = map(_alone, (tick.tick1line, tick.tick2line, tick.gridline))
    for label in ("label1", "label2"):
        setattr(made, label, text := _alone(getattr(tick, label)))
        text._fontproperties = text._fontproperties.copy()
    return made


def _alone(artist: Any) -> Any:
    """A copy that nobody listens to yet."""
    made = object.__new__(type(artist))
    made.__dict__.update(vars(artist), _callbacks=CallbackRegistry(signals=["pchanged"]))
    return made


def copy_markers_plainly() -> None:
    """From now on a marker that is made from another shares with it what neither of them changes."""
    original = MarkerStyle._set_marker  # type: ignore[attr-defined]

    def set_marker(marker: MarkerStyle, other: Any) -> None:
        if type(other) is MarkerStyle:
            marker.__dict__ = _copied_marker(vars(other))
        else:
            original(marker, other)

    MarkerStyle._set_marker = set_marker  # type: ignore[attr-defined]


def _copied_marker(state: dict[str, Any]) -> dict[str, Any]:
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
