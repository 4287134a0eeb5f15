"""Let the import of a package that is not installed fail only where a notebook uses the package.

Hosted services have many packages, and a notebook may import one that it does not need. The name is then bound to the
error, so that the message at its first use names the missing package.

Events: none.
"""

from __future__ import annotations

import ast
import types
from typing import Any

from ..seal import seal

GUARDED = """
try:
    pass
except ModuleNotFoundError as _problem:
    if _problem.name != {package!r}:
        raise
    print("Import ignored: the module {package} is not installed where notebooks are graded.")
    {names} = _problem.with_traceback(None)
"""


BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith)
"""Statements in which imports are guarded, too; functions and `try` handle a failure themselves."""


def install(session: Any) -> None:
    def visit(tree: ast.Module) -> ast.Module:
        """Transform the code of a cell. There is no class, because a notebook could find it through its base class."""
        tree.body = _guard_all(tree.body)
        return tree

    session.shell.ast_transformers.append(types.SimpleNamespace(visit=seal(visit)))


def _guard_all(statements: list[ast.stmt]) -> list[ast.stmt]:
    guarded: list[ast.stmt] = []
    for statement in statements:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                one = ast.copy_location(ast.Import([alias]), statement)
                guarded.append(_guard(one, alias.name, [alias.asname or _package(alias.name)]))
        elif isinstance(statement, ast.ImportFrom) and statement.module not in (None, "__future__"):
            names = [alias.asname or alias.name for alias in statement.names if alias.name != "*"]
            guarded.append(_guard(statement, str(statement.module), names))
        else:
            if isinstance(statement, BLOCKS):
                statement.body = _guard_all(statement.body)
                if not isinstance(statement, (ast.With, ast.AsyncWith)):
                    statement.orelse = _guard_all(statement.orelse)
            guarded.append(statement)
    return guarded


def _guard(statement: ast.stmt, module: str, names: list[str]) -> ast.stmt:
    text = GUARDED.format(package=_package(module), names=" = ".join(names or ["_problem"]))
    guarded = ast.parse(text).body[0]
    assert isinstance(guarded, ast.Try)
    guarded.body = [statement]
    for node in (guarded, *(each for handler in guarded.handlers for each in ast.walk(handler))):
        ast.copy_location(node, statement)
    return guarded


def _package(module: str) -> str:
    return module.partition(".")[0]
