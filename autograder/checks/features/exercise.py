"""What the autograder needs to know about the assignment `features`.

It is a replacement for a function that a later task calls, and how to recognise the histogram's cell if it has lost its
id. Functions are recognised by their names.
"""

from __future__ import annotations

import random
from typing import Any

from autograder.assignment.exercise import Exercise, Script, Sign, Sizes
from autograder.rubric import Code

STANDARDISE = """
import numpy as np

def standardise(x_train, x_test):
    mean, deviation = np.mean(x_train, axis=0), np.std(x_train, axis=0)
    deviation = np.where(deviation == 0, 1, deviation)
    return (x_train - mean) / deviation, (x_test - mean) / deviation
"""


def draw(parameters: Any, sizes: Sizes, rng: random.Random) -> Script:
    """Return a script with only the stand-in; nothing is random."""
    stand_ins = {"standardise": {"standardise": Code(STANDARDISE)["standardise"]}}
    return Script(plans=[], settings={}, spares=[], stand_ins=stand_ins)


EXERCISE = Exercise(draw=draw, signs=(Sign("histogram", draws=frozenset({"notes"})),))
