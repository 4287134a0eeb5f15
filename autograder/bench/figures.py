"""Describes figures: their bars, labels and ranges, whichever library drew them."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

MOST_FIGURES = 60
MOST_BARS = 200


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
        "legend": [text.get_text() for text in legend.get_texts()] if legend else [],
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


def _ticks(ax: Axes, which: str) -> list[dict[str, Any]]:
    axis = ax.xaxis if which == "x" else ax.yaxis
    labels = axis.get_majorticklabels()
    places = axis.get_majorticklocs()
    return [{"at": float(at), "text": label.get_text()} for at, label in zip(places[:MOST_BARS], labels, strict=False)]
