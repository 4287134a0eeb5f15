"""Build the submissions of the corpora, by filling the descriptions in `tests/corpus/variants` into the release.

The descriptions of the lab are in the folder itself, those of another assignment in a subfolder with its name.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from samples.filling import Description, fill, read_description
from tests.places import COURSE

VARIANTS = Path(__file__).resolve().parent.parent / "corpus" / "variants"
LAB = "tta-eta"
RELEASE = COURSE / "release" / LAB / f"{LAB}.ipynb"
REFERENCE = "reference"


@cache
def variant(name: str, assignment: str = LAB) -> Description:
    """Return the description of a variant; cells that it does not contain are those of the reference solution."""
    own = read_description(variants_folder(assignment) / f"{name}.py")
    if name == REFERENCE:
        return own
    return own.model_copy(update={"cells": {**variant(REFERENCE, assignment).cells, **own.cells}})


def variant_names(assignment: str = LAB) -> list[str]:
    return sorted(path.stem for path in variants_folder(assignment).glob("*.py"))


def variants_folder(assignment: str) -> Path:
    return VARIANTS if assignment == LAB else VARIANTS / assignment


def notebook(description: Description, release: Path = RELEASE) -> NotebookNode:
    return fill(_release(release), description)


@cache
def _release(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)
