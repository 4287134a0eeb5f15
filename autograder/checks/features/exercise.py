"""What the autograder needs to know about the assignment `features`.

It defines a replacement for a function that a later task calls, and says how to recognise the histogram's cell if its
id is lost. Functions are recognised by their names.
"""

from __future__ import annotations

from autograder.assignment.exercise import Exercise, TaskSignature
from autograder.rubric import Code

STANDARDISE = """
import numpy as np

def standardise(x_train, x_test):
    mean, deviation = np.mean(x_train, axis=0), np.std(x_train, axis=0)
    deviation = np.where(deviation == 0, 1, deviation)
    return (x_train - mean) / deviation, (x_test - mean) / deviation
"""


EXERCISE = Exercise(
    stand_ins={"standardise": {"standardise": Code(STANDARDISE)["standardise"]}},
    signatures=(TaskSignature("histogram", plots=frozenset({"notes"})),),
)
