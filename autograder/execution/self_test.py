"""A small notebook that tests whether kernels, instruments and oracle work on this machine."""

from __future__ import annotations

import nbformat

from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.errors import KernelFailed
from autograder.submission.prepare import EXTRA, Submission

from .evidence import Evidence, Figures, Fit
from .kernels import Kernels
from .limits import Limits
from .runner import run

PLOT = """
import matplotlib.pyplot as plt
figure, axes = plt.subplots()
axes.bar(["a", "b"], [1, 2])
axes.set_ylabel("height")
plt.show()
"""

TRAIN = """
import numpy as np
from tensorflow import keras
x, y = np.load({!r}), np.load({!r})
layers = keras.layers
model = keras.Sequential([layers.Input((x.shape[1],)), layers.Dense(4), layers.Dense(int(y.max()) + 1)])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss, metrics=["accuracy"])
model.fit(x, y, epochs=2, validation_split=0.2, verbose=0)
"""


def run_self_test(assignment: Assignment, kernels: Kernels) -> None:
    """Run the notebook.

    Raises:
        KernelFailed: something does not work; the message says what.
    """
    names = assignment.exercise.data_files
    trains = "keras" in assignment.exercise.instruments and bool(names)
    sources = [PLOT, TRAIN.format(*names)] if trains else [PLOT]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    submission = Submission("self test", nbformat.v4.new_notebook(cells=cells), (EXTRA,) * len(cells))
    with run(submission, sample_scenario(assignment, 1), kernels, limits=Limits()) as live:
        evidence = live.evidence
    if reason := _find_reason(evidence, trains):
        raise KernelFailed(f"Nothing was graded, because notebooks cannot be run on this machine: {reason}")


def _find_reason(evidence: Evidence, trains: bool) -> str:
    for number, cell in enumerate(evidence.cells, 1):
        if cell.status != "ran" or cell.fault:
            stopped = f"{cell.error or cell.status} {cell.message}"
            return cell.fault or f"cell {number} of a small test notebook stops with {stopped}"
    figures = evidence.of(Figures)
    if not figures or len(figures[-1].value[0].axes[0].bars) != 2:
        return "a figure was not recorded."
    fits = evidence.of(Fit)
    if trains and [fit.epochs_run for fit in fits] != [2]:
        return "a training run was not recorded."
    return ""
