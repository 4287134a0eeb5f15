"""Describe figures: their bars, curves, labels and ranges, whichever library drew them.

No figure is rendered while the notebook runs. A check can request a picture while the kernel lives.

Events: `figures`. Questions: `draw`.
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle, StepPatch
from matplotlib.ticker import FuncFormatter

from ..seal import seal

MAX_FIGURES = 60
MAX_BARS = 200
MAX_CURVES, MAX_POINTS = 30, 1000
MAX_INCHES = 40
"""Maximum width and height of a rendered figure; a larger one is scaled down."""

_x, _y, _width, _height = Rectangle.get_x, Rectangle.get_y, Rectangle.get_width, Rectangle.get_height


def install(session: Any) -> None:
    figures: list[Figure] = []
    original = Figure.__init__

    def init(figure: Figure, *args: Any, **kwargs: Any) -> None:
        original(figure, *args, **kwargs)
        if type(figure).__name__ != "SubFigure" and len(figures) < MAX_FIGURES:
            figures.append(figure)

    Figure.__init__ = seal(init, original)  # type: ignore[method-assign]

    def report() -> None:
        if figures:
            described = [seen for number, each in enumerate(figures) if (seen := describe_figure(number, each))["axes"]]
            session.report_if_changed("figures", described)

    def draw(question: dict[str, Any]) -> dict[str, Any]:
        return draw_figure(figures[question["figure"]], question["render"])

    session.after_cell.append(report)
    session.answers["draw"] = draw
    session.guard(Figure, "__init__")
    session.guard(Rectangle, "get_x", "get_y", "get_width", "get_height")
    session.guard(StepPatch, "get_data")
    session.guard(Polygon, "get_xy")
    session.guard(Axis, "get_majorticklabels", "get_majorticklocs", "get_label")
    session.guard(Axes, "get_xlabel", "get_ylabel", "get_xlim", "get_ylim", "get_title")


def draw_figure(figure: Figure, render: bool) -> dict[str, Any]:
    """Draw a figure: as a PNG picture in base64, or only to find out whether it can be drawn.

    Returns:
        `{"png": text}`, `{}`, or `{"error": name, "message": text}` if Matplotlib raises an error.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if not render:
                if not plt.rcParams["text.usetex"]:  # there is no LaTeX here
                    figure.draw_without_rendering()
                return {}
            if max(figure.get_size_inches()) > MAX_INCHES:
                figure.set_size_inches(*np.minimum(figure.get_size_inches(), MAX_INCHES))
            picture = io.BytesIO()
            figure.savefig(picture, format="png", dpi=72, bbox_inches="tight")
            return {"png": base64.b64encode(picture.getvalue()).decode("ascii")}
    except Exception as error:
        return {"error": type(error).__name__[:100], "message": " ".join(str(error).split())[:300]}
    finally:
        if render:
            plt.close(figure)


def describe_figure(number: int, figure: Figure) -> dict[str, Any]:
    """Describe a figure as plain data; `number` counts the figures of the notebook."""
    axes = [ax for ax in figure.axes if ax.get_visible() and _has_content(ax)]
    return {
        "number": number,
        "at_risk": _is_at_risk(figure),
        "title": figure.get_suptitle(),
        "xlabel": figure.get_supxlabel(),
        "ylabel": figure.get_supylabel(),
        "legend": [text.get_text() for legend in figure.legends for text in legend.get_texts()],
        "axes": [_describe_axes(ax, axes) for ax in axes],
    }


def _is_at_risk(figure: Figure) -> bool:
    """Whether a figure contains something that may fail only when it is drawn: formulas, except Matplotlib's own, a
    very large size, or parts that are not classes of Matplotlib."""
    if max(figure.get_size_inches()) > MAX_INCHES:
        return True
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            parts = (axis.get_major_formatter(), axis.get_minor_formatter(), axis.get_major_locator())
            if not all(_is_matplotlibs_own(part) for part in parts) or isinstance(parts[0], FuncFormatter):
                return True
    texts = [figure.get_suptitle(), figure.get_supxlabel(), figure.get_supylabel()]
    for ax in figure.axes:
        legend = ax.get_legend()
        drawn = [*ax.texts, *(legend.get_texts() if legend else [])]
        texts += [ax.get_title(), ax.get_xlabel(), ax.get_ylabel(), *(text.get_text() for text in drawn)]
        texts += [label.get_text() for axis in (ax.xaxis, ax.yaxis) for label in axis.get_majorticklabels()]
    if any("$" in text and "mathdefault" not in text for text in texts):
        return True
    return not all(_is_matplotlibs_own(part) for ax in figure.axes for part in ax.get_children())


def _is_matplotlibs_own(thing: Any) -> bool:
    return type(thing).__module__.partition(".")[0] in ("matplotlib", "mpl_toolkits", "seaborn")


def _has_content(ax: Axes) -> bool:
    return bool(ax.containers or ax.lines or ax.collections or ax.images or ax.patches)


def _describe_axes(ax: Axes, all_axes: list[Axes]) -> dict[str, Any]:
    shared = ax.get_shared_x_axes().get_siblings(ax)
    shared_y = ax.get_shared_y_axes().get_siblings(ax)
    legend = ax.get_legend()
    return {
        "title": " ".join(filter(None, (ax.get_title(loc) for loc in ("left", "center", "right")))),
        "xlabel": ax.get_xlabel(),
        "ylabel": ax.get_ylabel(),
        "shared_x": [all_axes.index(other) for other in shared if other is not ax and other in all_axes],
        "shared_y": [all_axes.index(other) for other in shared_y if other is not ax and other in all_axes],
        "ylim": [float(edge) for edge in ax.get_ylim()],
        "xlim": [float(edge) for edge in ax.get_xlim()],
        "yscale": ax.get_yscale(),
        "bars": _bars(ax),
        "lines": len(ax.lines),
        "curves": _curves(ax),
        "legend": [text.get_text() for text in legend.get_texts()] if legend else [],
        "texts": [text.get_text()[:200] for text in ax.texts[:MAX_BARS]],
        "ticks": _ticks(ax, "x"),
        "yticks": _ticks(ax, "y"),
    }


def _bars(ax: Axes) -> list[dict[str, Any]]:
    return _whole_bars(ax) or [
        {"group": group, "upright": upright, "x": x, "y": y, "width": width, "height": height, "label": ""}
        for group, patch in enumerate(ax.patches[:MAX_CURVES])
        for upright, x, y, width, height in list(_outlined_bars(patch))[:MAX_BARS]
    ]


def _outlined_bars(patch: Any) -> Iterator[tuple[bool, float, float, float, float]]:
    """Yield the direction, place and size of the bars in a histogram that shows only their outline."""
    if isinstance(patch, StepPatch):
        values, edges, baseline = patch.get_data()
        bottoms = np.broadcast_to(0.0 if baseline is None else baseline, np.shape(values))
        upright = patch.orientation == "vertical"
        for (left, right), bottom, top in zip(pairwise(map(float, edges)), bottoms, values, strict=True):
            across, up = (left, right - left), (float(bottom), float(top - bottom))
            (x, width), (y, height) = (across, up) if upright else (up, across)
            yield upright, x, y, width, height
    elif isinstance(patch, Polygon):
        points = patch.get_xy().tolist()
        upright = len(points) > 1 and points[0][0] == points[1][0]
        for (x, y), (next_x, next_y) in pairwise(points):
            if upright and y == next_y and x < next_x:
                yield True, x, 0.0, next_x - x, y
            elif not upright and x == next_x and y < next_y:
                yield False, 0.0, y, x, next_y - y


def _whole_bars(ax: Axes) -> list[dict[str, Any]]:
    return [
        {
            "group": group,
            "upright": container.orientation != "horizontal",
            "x": float(_x(patch)),
            "y": float(_y(patch)),
            "width": float(_width(patch)),
            "height": float(_height(patch)),
            "label": str(container.get_label()),
        }
        for group, container in enumerate(c for c in ax.containers if isinstance(c, BarContainer))
        for patch in container.patches[:MAX_BARS]
    ]


def _curves(ax: Axes) -> list[dict[str, Any]]:
    """Describe lines and scatter plots that have points; points that are not finite are omitted."""
    drawn: list[Any] = [*ax.lines, *(cloud for cloud in ax.collections if isinstance(cloud, PathCollection))]
    curves = []
    for artist in drawn[:MAX_CURVES]:
        points = np.asarray(artist.get_xydata() if isinstance(artist, Line2D) else artist.get_offsets(), float)
        points = points[np.isfinite(points).all(axis=1)][:MAX_POINTS]
        if len(points) and artist.get_visible():
            curves.append({"x": points[:, 0].tolist(), "y": points[:, 1].tolist(), "name": _legend_name(artist, ax)})
    return curves


def _legend_name(artist: Any, ax: Axes) -> str:
    """Return a curve's name in the legend: its label, or the text beside the only sample of its colour."""
    own = ax.get_legend()
    legends = [own] if own is not None else ax.get_figure().legends  # type: ignore[union-attr]
    texts = [text.get_text() for legend in legends for text in legend.get_texts()]
    if artist.get_label() in texts:
        return str(artist.get_label())
    alike = [text for legend in legends for text, colour in _samples(legend) if colour == _colour(artist)]
    return alike[0] if len(alike) == 1 else ""


def _samples(legend: Legend) -> list[tuple[str, str]]:
    pairs = zip(legend.get_texts(), legend.legend_handles, strict=False)
    return [(text.get_text(), _colour(handle)) for text, handle in pairs]


def _colour(artist: Any) -> str:
    """Return the colour of a line, or the first one of a scatter plot; "" if it is unknown."""
    try:
        if isinstance(artist, Line2D):
            return colors.to_hex(artist.get_color())
        return colors.to_hex(artist.get_facecolor()[0])
    except (AttributeError, ValueError, IndexError, TypeError):
        return ""


def _ticks(ax: Axes, which: str) -> list[dict[str, Any]]:
    axis = ax.xaxis if which == "x" else ax.yaxis
    labels = axis.get_majorticklabels()
    places = axis.get_majorticklocs()
    return [{"at": float(at), "text": label.get_text()} for at, label in zip(places[:MAX_BARS], labels, strict=False)]
