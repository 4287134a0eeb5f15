"""Describes figures: their bars, curves, labels and ranges, whichever library drew them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

MOST_FIGURES = 60
MOST_BARS = 200
MOST_CURVES, MOST_POINTS = 30, 1000


class FigureWatch:
    """Keeps every figure that the notebook makes until it has been described."""

    def __init__(self) -> None:
        self._figures: list[Figure] = []
        watch, original = self, Figure.__init__

        def init(figure: Figure, *args: Any, **kwargs: Any) -> None:
            original(figure, *args, **kwargs)
            if type(figure).__name__ != "SubFigure" and len(watch._figures) < MOST_FIGURES:
                watch._figures.append(figure)

        Figure.__init__ = init  # type: ignore[method-assign, assignment]

    def described(self) -> list[dict[str, Any]]:
        """All figures so far that show something."""
        return [
            seen for number, figure in enumerate(self._figures) if (seen := describe_figure(number, figure))["axes"]
        ]


def describe_figure(number: int, figure: Figure) -> dict[str, Any]:
    axes = [ax for ax in figure.axes if ax.get_visible() and _has_content(ax)]
    return {
        "number": number,
        "title": figure.get_suptitle(),
        "xlabel": figure.get_supxlabel(),
        "ylabel": figure.get_supylabel(),
        "legend": [text.get_text() for legend in figure.legends for text in legend.get_texts()],
        "axes": [_describe_axes(ax, axes) for ax in axes],
    }


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
        "texts": [text.get_text()[:200] for text in ax.texts[:MOST_BARS]],
        "ticks": _ticks(ax, "x"),
        "yticks": _ticks(ax, "y"),
    }


def _bars(ax: Axes) -> list[dict[str, Any]]:
    return [
        {
            "group": group,
            "upright": container.orientation != "horizontal",
            "x": float(patch.get_x()),
            "y": float(patch.get_y()),
            "width": float(patch.get_width()),
            "height": float(patch.get_height()),
            "label": str(container.get_label()),
        }
        for group, container in enumerate(c for c in ax.containers if isinstance(c, BarContainer))
        for patch in container.patches[:MOST_BARS]
    ]


def _curves(ax: Axes) -> list[dict[str, Any]]:
    """Lines and clouds of points, without what has no points; a point that cannot be drawn is left out."""
    drawn: list[Any] = [*ax.lines, *(cloud for cloud in ax.collections if isinstance(cloud, PathCollection))]
    curves = []
    for artist in drawn[:MOST_CURVES]:
        points = np.asarray(artist.get_xydata() if isinstance(artist, Line2D) else artist.get_offsets(), float)
        points = points[np.isfinite(points).all(axis=1)][:MOST_POINTS]
        if len(points) and artist.get_visible():
            curves.append({"x": points[:, 0].tolist(), "y": points[:, 1].tolist(), "name": _legend_name(artist, ax)})
    return curves


def _legend_name(artist: Any, ax: Axes) -> str:
    """What a legend calls a curve: its own label, or the text beside the only sample of its colour."""
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
    """A line's colour or a cloud's first one, "" for none that can be told."""
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
    return [{"at": float(at), "text": label.get_text()} for at, label in zip(places[:MOST_BARS], labels, strict=False)]
