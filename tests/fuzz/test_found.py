"""What the fuzzer found once, and what it begins with, is read without an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from .targets import FOUND, TARGETS, make_seeds

FILES = sorted(path for path in FOUND.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name[:20]}")
def test_what_was_found_is_mended(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_the_first_inputs_are_read(target: str) -> None:
    for seed in make_seeds(target):
        TARGETS[target](seed)
        TARGETS[target](seed[: len(seed) // 2])
