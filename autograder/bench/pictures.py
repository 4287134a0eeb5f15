"""Pictures of figures for the notebook's outputs, dot for dot those of IPython and Matplotlib, in a part of the time.

IPython draws a figure twice, the first time to find the space that it takes; a figure with a layout engine has made its
contents fit already and is drawn once. What `lettering` and `ticks` know they know as long as one figure is drawn.
"""

from __future__ import annotations

import base64
import contextlib
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
from IPython.core import pylabtools
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from . import lettering, ticks


def install() -> None:
    """Takes the place of `IPython.core.pylabtools.print_figure` for what is set up from now on."""
    ticks.copy_markers_plainly()
    _look_up_plainly()
    original = pylabtools.print_figure

    def print_figure(figure: Figure, fmt: str = "png", bbox_inches: Any = "tight", **kwargs: Any) -> Any:
        with remembering():
            if fmt == "png" and bbox_inches == "tight" and kwargs == {"base64": True} and _fits(figure):
                figure.canvas.draw()
                dots = np.asarray(figure.canvas.buffer_rgba())  # type: ignore[attr-defined]
                return base64.b64encode(png(dots, figure.dpi)).decode("ascii")
            return original(figure, fmt, bbox_inches, **kwargs)  # type: ignore[no-untyped-call]

    setattr(pylabtools, "print_figure", print_figure)  # noqa: B010 - its own has no types to agree with


def _look_up_plainly() -> None:
    """Only of one setting Matplotlib may have to find out what it is; it looks up all in two steps, ten thousand times
    for a figure."""
    settings: Any = mpl.RcParams
    original, look_up = settings.__getitem__, dict.__getitem__

    def __getitem__(found: Any, name: str) -> Any:
        return original(found, name) if name == "backend" else look_up(found, name)

    settings.__getitem__ = __getitem__


def _fits(figure: Figure) -> bool:
    return bool(figure.axes) and figure.get_layout_engine() is not None and type(figure.canvas) is FigureCanvasAgg


@contextlib.contextmanager
def remembering() -> Iterator[None]:
    """What is drawn meanwhile finds ticks and lays out texts only once in the same circumstances."""
    with lettering.remembering(), ticks.remembering():
        yield


def png(dots: np.ndarray, dpi: float) -> bytes:
    """Dots, uint8 (height, width, red green blue opacity), as a PNG file (https://www.w3.org/TR/png-3/).

    Each row is written as its difference from the one above, which suits figures; Pillow tries five ways for each row
    and takes four times as long for a file of about the same size.
    """
    height, width, channels = dots.shape
    rows = dots.reshape(height, width * channels)
    filtered = np.empty((height, 1 + width * channels), np.uint8)
    filtered[:, 0] = 2  # the filter's name is Up
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    per_metre = round(dpi / 0.0254)
    chunks = [
        (b"IHDR", header),
        (b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
        (b"tEXt", f"Software\0Matplotlib version{mpl.__version__}, https://matplotlib.org/".encode("latin-1")),
        (b"IDAT", zlib.compress(filtered.data, 2)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
