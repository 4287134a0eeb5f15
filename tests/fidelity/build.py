"""Submissions of the two corpora: descriptions under `tests/corpus/variants`, filled into the release."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from samples.filling import Description, fill, read_description
from tests.places import ROOT

VARIANTS = Path(__file__).resolve().parent.parent / "corpus" / "variants"
RELEASE = ROOT / "release" / "tta-eta" / "tta-eta.ipynb"
REFERENCE = "reference"


@cache
def variant(name: str) -> Description:
    """The described variant; cells that it does not bring are those of the reference solution."""
    own = read_description(VARIANTS / f"{name}.py")
    if name == REFERENCE:
        return own
    return own.model_copy(update={"cells": {**variant(REFERENCE).cells, **own.cells}})


def variant_names() -> list[str]:
    return sorted(path.stem for path in VARIANTS.glob("*.py"))


def notebook(description: Description, release: Path = RELEASE) -> NotebookNode:
    return fill(_release(release), description)


@cache
def _release(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)
