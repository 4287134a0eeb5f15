"""The lab: an epoch with the provided code, compared with plain `fit`."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from typing import Any

from autograder.errors import AutograderError
from benchmarks import ROOT

WAYS = {1: "plain", 64: "given"}
"""Names of the values of `steps_per_execution`: Keras's default, and that of the provided code."""


def epochs(times: int) -> dict[str, list[float]]:
    """Measure the seconds of an epoch at batch size 128, and the test accuracy after 6 epochs, in both ways; one number
    per training run, measured alternately."""
    command = [sys.executable, "data/measure_fit.py", "--json", "--seeds", str(times)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AutograderError(f"measure_fit.py failed: {done.stderr[-500:]}")
    found: dict[str, list[float]] = {}
    trainings: list[dict[str, Any]] = json.loads(done.stdout)
    for training in trainings:
        if not training["way"]["tensors"]:
            name = WAYS[training["way"]["steps_per_execution"]]
            found.setdefault(name, []).append(median(training["epochs"][1:]))  # in the first epoch, TensorFlow traces
            found.setdefault(f"{name} accuracy", []).append(training["test_accuracy"])
    return found
