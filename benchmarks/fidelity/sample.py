"""The submissions that every grader gets: correct variants, and mutants spread over all items."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import chain, zip_longest

from tests.fidelity.outcome import Case, cases

RIGHT = 40
WRONG = 100

SEED = 17


def choose() -> list[Case]:
    """Return correct and wrong submissions alternately, so that the first few are of both kinds."""
    right = [case for case in cases() if not case.is_mutant]
    wrong = spread([case for case in cases() if case.is_mutant], WRONG, SEED)
    random.Random(SEED).shuffle(right)
    return [case for case in chain.from_iterable(zip_longest(wrong, right[:RIGHT])) if case is not None]


def spread(wrong: Sequence[Case], count: int, seed: int) -> list[Case]:
    """Sample wrong submissions so that each item loses points about equally often.

    Args:
        wrong: the submissions to sample from, each with the items in which it should lose points.
        count: the number of submissions to sample; all if there are fewer.
        seed: the random seed.
    """
    left = list(wrong)
    random.Random(seed).shuffle(left)
    items = sorted({item for case in wrong for item in case.items})
    drawn: list[Case] = []
    while left and len(drawn) < count:
        for item in items:
            case = next((case for case in left if item in case.items), None)
            if case is not None and len(drawn) < count:
                left.remove(case)
                drawn.append(case)
    return drawn


def is_reshaped(case: Case) -> bool:
    """Whether the file does not have the released structure: lost metadata, moved or deleted cells, a script."""
    header = case.description.header
    return bool(header.transforms or header.order or header.file != "notebook")
