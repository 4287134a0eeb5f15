"""Pictures of figures for the notebook's outputs, drawn once where IPython and Matplotlib draw twice.

They draw a first time to find the space that a figure takes. A figure with a layout engine has made its contents fit
already; all others are drawn as before.
"""

from __future__ import annotations

import base64
import io
from typing import Any

from IPython.core import pylabtools
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def install() -> None:
    """Takes the place of `IPython.core.pylabtools.print_figure` for what is set up from now on."""
    original = pylabtools.print_figure

    def print_figure(figure: Figure, fmt: str = "png", bbox_inches: Any = "tight", **kwargs: Any) -> Any:
        if fmt == "png" and bbox_inches == "tight" and kwargs == {"base64": True} and _fits(figure):
            figure.canvas.print_png(picture := io.BytesIO())  # type: ignore[attr-defined]
            return base64.b64encode(picture.getvalue()).decode("ascii")
        return original(figure, fmt, bbox_inches, **kwargs)  # type: ignore[no-untyped-call]

    setattr(pylabtools, "print_figure", print_figure)  # noqa: B010 - its own has no types to agree with


def _fits(figure: Figure) -> bool:
    return bool(figure.axes) and figure.get_layout_engine() is not None and type(figure.canvas) is FigureCanvasAgg
