"""What an attack on the runtime has to succeed against: a runtime without its obstacles, and a careless oracle.

The sandbox and the oracle's record stay as they are. What is taken away is what the table says to hold an attack back:
sealed functions, the audit, reports with an encoder and built-in functions of their own, modules that are out of sight,
a secret key, and stand-ins for those alone who are given them.
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
"""What is put at the end of the runtime's modules, in the place of what stands before it."""


@contextlib.contextmanager
def unguarded_kernels(engine: Engine) -> Iterator[Kernels]:
    """Kernels in the sandbox, with a runtime that lets everything be found and reports nothing."""
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
    """Oracles of this process whose key is all zeros, and that hand out the stand-ins of data-details in any cell."""
    begin_cell = oracle.Oracle.begin_cell

    def begin(self: Any, number: int, is_given: bool) -> None:
        begin_cell(self, number, is_given)
        self.put_question({"ask": "assign", "values": self.scenario.stand_ins.get("data-details", {})})

    with mock.patch.object(oracle.secrets, "token_bytes", bytes), mock.patch.object(oracle.Oracle, "begin_cell", begin):
        yield
