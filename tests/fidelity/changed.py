"""The corpora with other settings: the numbers in the submissions are replaced together with the settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autograder.assignment.settings import Assignment
from samples.filling import Description

SETTINGS = {
    "threshold": 0.98,
    "learning_rates": (0.0001, 0.001, 0.01, 0.1),
    "batch_sizes": (64, 128, 256, 512, 1024, 2048, 4096, 8192),
}
# Patterns, because each student writes the same numbers differently.
TYPED = {
    r"(?<![\d.])0?\.95\b": "0.98",
    r"(?<=0\.0001, 0\.001, 0\.01, 0\.1), 1\.0": "",
    r"(?<=0\.0001,0\.001,0\.01,0\.1),1\.0": "",
    r"(?<=1e-4, 1e-3, 1e-2, 1e-1), 1\.0": "",
    r"logspace\(-4, 0, 5\)": "logspace(-4, -1, 4)",
    r"arange\(-4, 1\)": "arange(-4, 0)",
    r"(?<=64, 128, 256, 512, 1024, 2048)\b": ", 4096, 8192",
    r"(?<=64,128,256,512,1024,2048)\b": ",4096,8192",
    r"range\(6, 12\)": "range(6, 14)",
    r"<= 2048": "<= 8192",
    r"\[128\] \* 5": "[128] * 4",
    r"\[0\.001\] \* 6": "[0.001] * 8",
}

RIGHT_THEN = ("lr-setting-missing",)
"""Mutants that are correct with the other settings, which do not require what the mutants omit."""


def changed(assignment: Assignment, settings: Mapping[str, Any] = SETTINGS) -> Assignment:
    """Return the assignment with the other settings."""
    document = assignment.model_dump()
    document["parameters"] |= settings
    return Assignment.model_validate(document)


def adapted(description: Description, typed: Mapping[str, str] = TYPED) -> Description:
    """Return the submission as it would have been written for the other settings.

    Args:
        description: the submission for the lab's own settings.
        typed: a regular expression for each way to type a setting, and what replaces it.
    """

    def adapt(text: str) -> str:
        for pattern, number in typed.items():
            text = re.sub(pattern, number, text)
        return text

    cells = {name: adapt(source) for name, source in description.cells.items()}
    extras = tuple(extra.model_copy(update={"source": adapt(extra.source)}) for extra in description.extras)
    return description.model_copy(update={"cells": cells, "extras": extras})
