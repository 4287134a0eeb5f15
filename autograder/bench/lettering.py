"""Texts in pictures, as Matplotlib sets them, in a part of the time.

A text is laid out a dozen times for one drawing, and its font is set to its size again for each of its letters, for
which FreeType prepares all of the font's hinting. Here equal texts are laid out once, and a size is set once for what
follows one another in it.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import RendererAgg, get_hinting_flag
from matplotlib.ft2font import RenderMode
from matplotlib.text import Text

Method = Callable[..., Any]


@contextlib.contextmanager
def remembering() -> Iterator[None]:
    """What is drawn meanwhile has equal texts laid out only once, also with those drawn earlier in the same fonts."""
    known, letters = _known_now()
    with (
        mock.patch.object(Text, "_get_layout", _layout_once(Text._get_layout, known)),  # type: ignore[attr-defined]
        mock.patch.object(Text, "get_window_extent", _extent_plainly(Text.get_window_extent)),
        mock.patch.object(
            RendererAgg,
            "get_text_width_height_descent",
            _measured_once(RendererAgg.get_text_width_height_descent, known),
        ),
        mock.patch.object(RendererAgg, "draw_text", _text_once(RendererAgg.draw_text, letters)),
        mock.patch.object(
            RendererAgg,
            "_draw_text_glyphs_and_boxes",
            _sized_once(RendererAgg._draw_text_glyphs_and_boxes),
        ),
    ):
        yield


MOST = 5000
"""Texts that are remembered."""

FONTS = ("font.", "text.", "mathtext.")
"""How the settings begin that decide which fonts there are and how they look."""

_known: dict[Any, tuple[dict[Any, Any], dict[Any, Any]]] = {}


def _known_now() -> tuple[dict[Any, Any], dict[Any, Any]]:
    """What is known of texts, and of the letters in them, where fonts are as they are now."""
    settings = [f"{name}={value}" for name, value in dict.items(mpl.rcParams) if name.startswith(FONTS)]
    both = _known.setdefault((*settings, len(font_manager.fontManager.ttflist)), ({}, {}))
    for known in both:
        if len(known) > MOST:
            known.clear()
    return both


def _forget_letters() -> None:
    """A process that was forked would read the files of their fonts at the places where others read them."""
    for _, letters in _known.values():
        letters.clear()


os.register_at_fork(after_in_child=_forget_letters)


def _layout_once(original: Method, known: dict[Any, Any]) -> Method:
    """Where a text stands plays no part in its layout, so that equal texts at several places have one."""

    def layout(text: Text, renderer: Any) -> Any:
        if type(renderer) is not RendererAgg or text.get_wrap() or text.get_transform_rotates_text():
            return original(text, renderer)
        key = (
            renderer.dpi,
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
            known[key] = original(text, renderer)
        return known[key]

    return layout


def _measured_once(original: Method, known: dict[Any, Any]) -> Method:
    """How wide, high and deep a text is in dots."""

    def measure(renderer: Any, s: str, prop: Any, ismath: Any) -> Any:
        key = (s, hash(prop), ismath, renderer.dpi)
        if key not in known:
            known[key] = original(renderer, s, prop, ismath)
        return known[key]

    return measure


def _extent_plainly(original: Method) -> Method:
    """The box around a text that is there, at the figure's own resolution, which need not be set to itself."""

    def extent(text: Text, renderer: Any = None, dpi: float | None = None) -> Any:
        if dpi is not None or renderer is None or not text.get_visible() or not text.get_text():
            return original(text, renderer, dpi)
        text._renderer = renderer  # type: ignore[attr-defined]
        box = text._get_layout(renderer)[0]  # type: ignore[attr-defined]
        return box.translated(*text.get_transform().transform(text.get_unitless_position()))

    return extent


def _text_once(original: Method, letters: dict[Any, Any]) -> Method:
    """Which letters a text has and how far they are apart is found once for each font and size."""

    def draw(
        renderer: Any,
        gc: Any,
        x: float,
        y: float,
        s: str,
        prop: Any,
        angle: float,
        ismath: Any = False,
        mtext: Any = None,
    ) -> None:
        if ismath:
            original(renderer, gc, x, y, s, prop, angle, ismath, mtext)
            return
        flags = get_hinting_flag()  # type: ignore[no-untyped-call]
        features, language = (mtext.get_fontfeatures(), mtext.get_language()) if mtext is not None else (None, None)
        key = (s, hash(prop), renderer.dpi, flags, repr(features), repr(language))
        if key not in letters:
            size, font = prop.get_size_in_points(), renderer._prepare_font(prop)
            found = font._layout(s, flags, features=features, language=language)
            letters[key] = [(item.ft_object, size, item.glyph_index, 0, 1, item.x, item.y) for item in found]
        renderer._draw_text_glyphs_and_boxes(gc, x, y, angle, letters[key], [])

    return draw


def _sized_once(original: Method) -> Method:
    """Letters with their fonts set to a size only where it is another than that of the letter before."""

    def draw(renderer: Any, gc: Any, x: float, y: float, angle: float, letters: Any, boxes: Any) -> None:
        flags, smooth = get_hinting_flag(), gc.get_antialiased()  # type: ignore[no-untyped-call]
        mode = RenderMode.NORMAL if smooth else RenderMode.MONO
        across, up = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        latest = None
        for font, size, letter, slant, extend, right, above in letters:
            if latest != (font, size):
                font.set_size(size, renderer.dpi)
                latest = (font, size)
            place = (x + right * across - above * up, renderer.height - y + right * up + above * across)
            font._set_transform(_turned(angle, slant, extend), [round(64 * part) for part in place])
            bitmap = font._render_glyph(letter, flags, mode)
            dots = bitmap.buffer if smooth else bitmap.buffer * 255
            renderer._renderer.draw_text_image(
                dots, bitmap.left, int(renderer.height) - bitmap.top + dots.shape[0], 0, gc
            )
        if boxes := list(boxes):
            original(renderer, gc, x, y, angle, (), boxes)

    return draw


@functools.lru_cache(64)
def _turned(angle: float, slant: float, extend: float) -> list[list[int]]:
    """A letter's turn and slant in FreeType's numbers, which count in 65536ths."""
    across, up = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    exact = (0x10000 * np.array([[across, -up], [up, across]])) @ [[extend, extend * slant], [0, 1]]
    return exact.round().astype(int).tolist()
