"""Create values that are given as code, for the arguments of questions and for stand-ins."""

from __future__ import annotations

import builtins
from typing import Any

from .values import Run, decode


def make_runner() -> Run:
    """Make the function that `decode` needs for code.

    The same code with the same given values is executed only once, so its values share a namespace. Functions can
    therefore record in a list the arguments that they were called with.
    """
    namespaces: dict[tuple[str, str], dict[str, Any]] = {}

    def run(data: dict[str, Any]) -> Any:
        key = (data["code"], repr(data["given"]))
        if key not in namespaces:
            given = {name: decode(value, run) for name, value in data["given"].items()}
            # Otherwise the notebook would get the runtime's own copy of the built-in functions.
            namespace = {"__builtins__": builtins, "__name__": "__main__", **given}
            exec(compile(data["code"], "<check>", "exec", dont_inherit=True), namespace)
            namespaces[key] = namespace
        return eval(compile(data["expression"], "<check>", "eval", dont_inherit=True), namespaces[key])

    return run
