"""`python -m tests.fuzz.fuzz_target TARGET ...`: one target under atheris; what follows is for libFuzzer."""

from __future__ import annotations

import sys

import atheris

READERS = ["autograder", "json", "markdown_it", "mdit_py_plugins", "nbformat", "jupytext", "latex2mathml", "tarfile",
           "zipfile"]  # fmt: skip
"""The packages whose branches count as something new."""


def main() -> None:
    target = sys.argv.pop(1)
    with atheris.instrument_imports(include=READERS):
        from .targets import TARGETS
    atheris.Setup(sys.argv, TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
