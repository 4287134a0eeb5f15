"""The control for attacks on the runtime, which must succeed here: a runtime without protection, and a careless oracle.

The sandbox and the oracle's record are unchanged. The protection that the table attributes to the runtime is removed:
sealed functions, the audit, a separate encoder and separate built-in functions for reports, hidden modules, a secret
key, and stand-ins only for the cells that are given them.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from autograder.execution import kernels as source
from autograder.execution import oracle
from autograder.execution.kernels import Kernels
from autograder.execution.sandbox import Engine

WITHOUT = {
    "seal.py": """
def seal(function, like=None, is_entry=True):
    return function if like is None else functools.update_wrapper(function, like)
""",
    "channel.py": """
def is_called_by_runtime():
    return True

def make_encoder(default=None):
    return json.JSONEncoder(separators=(",", ":"), default=default).encode
""",
    "loading.py": """
_own_builtins = contextlib.nullcontext

def _hide_runtime():
    pass
""",
    "kernel.py": """
run_without_key = run

def run(argv, modules, setup, descriptor, key, on_ready=lambda: None):
    run_without_key(argv, modules, setup, descriptor, key, on_ready)
""",
    "instruments/audit.py": """
def install(session):
    pass
""",
}
"""Code that is appended to the runtime's modules and replaces earlier definitions."""


@contextlib.contextmanager
def unguarded_kernels(engine: Engine) -> Iterator[Kernels]:
    """Provide kernels in the sandbox with a runtime in which everything can be found and nothing is reported."""
    with tempfile.TemporaryDirectory(prefix="unguarded-") as folder:
        runtime = Path(folder, "runtime")
        shutil.copytree(source.RUNTIME, runtime, ignore=shutil.ignore_patterns("__pycache__"))
        for name, text in WITHOUT.items():
            with (runtime / name).open("a", encoding="utf-8") as module:
                module.write(text)
        with mock.patch.object(source, "RUNTIME", runtime), source.kernels("auto", engine) as unguarded:
            yield unguarded


@contextlib.contextmanager
def careless_oracle() -> Iterator[None]:
    """Make the oracles of this process use a key of zeros and send the stand-ins of data-details in any cell."""
    begin_cell = oracle.Oracle.begin_cell

    def begin(self: Any, number: int, is_given: bool) -> None:
        begin_cell(self, number, is_given)
        self.put_question({"ask": "assign", "values": self.scenario.stand_ins.get("data-details", {})})

    with mock.patch.object(oracle.secrets, "token_bytes", bytes), mock.patch.object(oracle.Oracle, "begin_cell", begin):
        yield
