"""Strategies for the inputs that checks draw: short forms of common ones. Every strategy of Hypothesis can be used."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SMALL_RANGE = 3
"""Maximum difference between a small size and the smallest one."""

Range = int | tuple[int, int]


def integers(low: int = -100, high: int = 100) -> SearchStrategy[int]:
    """Draw integers from `low` to `high`, both included."""
    from hypothesis import strategies

    return strategies.integers(low, high)


@functools.lru_cache(maxsize=256, typed=True)  # reusing a strategy is faster: it is set up only once
def numbers(low: float = -100.0, high: float = 100.0) -> SearchStrategy[float]:
    """Draw finite floats from `low` to `high`, with at most 3 decimals, so that a message can show them."""
    from hypothesis import strategies

    return strategies.integers(round(low * 1000), round(high * 1000)).map(functools.partial(_scale, low, high))


def texts(alphabet: str = "abcdefghijklmnopqrstuvwxyz ", length: Range = (0, 20)) -> SearchStrategy[str]:
    """Draw texts of the given letters."""
    from hypothesis import strategies

    shortest, longest = _bounds(length)
    return strategies.text(alphabet, min_size=shortest, max_size=longest)


def arrays(
    dtype: Any = float,
    shape: Range | Sequence[Range] = (1, 20),
    low: float = -100,
    high: float = 100,
    unique: bool = False,
) -> SearchStrategy[Any]:
    """Draw arrays of numbers.

    Args:
        dtype: float, int or a type of NumPy.
        shape: a length, or a range such as `(1, 200)`; for more dimensions a list, such as `[(1, 30), 3]`.
        low, high: the range of the numbers, both included.
        unique: whether all numbers must be different.
    """
    sizes = map(_bounds, shape) if isinstance(shape, list) else [_bounds(shape)]  # type: ignore[arg-type]
    return _arrays(dtype, tuple(sizes), low, high, unique)


@functools.lru_cache(maxsize=256, typed=True)
def _arrays(
    dtype: Any, sizes: tuple[tuple[int, int], ...], low: float, high: float, unique: bool
) -> SearchStrategy[Any]:
    import numpy as np
    from hypothesis import strategies
    from hypothesis.extra import numpy as numpy_strategies

    shapes = strategies.tuples(*(_draw_size(*size) for size in sizes))
    kind = np.dtype(dtype)
    elements: Any = integers(int(low), int(high)) if kind.kind in "iu" else numbers(low, high)
    if kind.kind == "f" and kind.itemsize < 8:
        elements = elements.map(kind.type)
    return numpy_strategies.arrays(kind, shapes, elements=elements, fill=strategies.nothing(), unique=unique)


def _draw_size(least: int, most: int) -> SearchStrategy[int]:
    """Draw sizes, many of which are small, so that a small input that fails is found soon."""
    from hypothesis import strategies

    if most <= least + SMALL_RANGE:
        return strategies.integers(least, most)
    return strategies.one_of(strategies.integers(least, least + SMALL_RANGE), strategies.integers(least, most))


def _scale(low: float, high: float, thousandths: int) -> float:
    """Convert thousandths to a number, but a small integer to itself: failing inputs are reduced to such integers."""
    return float(thousandths) if abs(thousandths) <= 100 and low <= thousandths <= high else thousandths / 1000


def _bounds(size: Range) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
