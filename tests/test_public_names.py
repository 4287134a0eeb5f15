"""The product uses public names of other libraries only; what cannot do without stands in `compat.py`, with its
reason."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment
from tests.places import COURSE, ROOT

KIT = Course(COURSE)
OWN_CHECKS = {path.name for path in (ROOT / "autograder" / "checks").iterdir() if path.is_dir()} - {
    Assignment.load(name, KIT).checks for name in KIT.assignments()
}
"""Folders that an instructor added: their checks may use what they want."""

PRODUCT = [
    path
    for path in (*sorted((ROOT / "autograder").rglob("*.py")), *sorted((COURSE / "source").rglob("*.py")))
    if not OWN_CHECKS.intersection(path.parts)
]
INTERNAL = ("keras.src", "tensorflow.python", "unittest.mock", "_pytest")
OWN_OS = {"os._exit", "sys._getframe"}
"""Documented functions of Python's own library that begin with an underscore."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__")) and name != "_"


def defined_names(trees: dict[Path, ast.Module]) -> set[str]:
    """Every private name that the product itself defines: functions, classes, variables, attributes, slots."""
    found: set[str] = set()
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
                found.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
    return {name for name in found if is_private(name)}


def is_own(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def faults(path: Path, tree: ast.Module, own: set[str]) -> list[str]:
    found = []
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import):
            found += [f"{path}:{line} imports {alias.name}" for alias in node.names if is_internal(alias.name)]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and not (node.module or "").startswith("autograder"):
            module = node.module or ""
            names = [
                alias.name for alias in node.names if is_private(alias.name) or is_internal(f"{module}.{alias.name}")
            ]
            if is_internal(module) or any(map(is_private, module.split("."))) or names:
                found.append(f"{path}:{line} imports {', '.join(names)} from {module}")
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            if ast.unparse(node) not in OWN_OS:
                found.append(f"{path}:{line} uses {ast.unparse(node)}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("getattr", "setattr", "hasattr", "delattr") and len(node.args) > 1:
                name = node.args[1]
                if isinstance(name, ast.Constant) and is_private(str(name.value)) and name.value not in own:
                    found.append(f"{path}:{line} uses {name.value} by name")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(INTERNAL):
            found.append(f"{path}:{line} names {node.value}")
    return found


def is_internal(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in INTERNAL)


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in PRODUCT}


def test_no_private_name_of_another_library_is_used(trees: dict[Path, ast.Module]) -> None:
    own = defined_names(trees)
    found = [
        fault
        for path, tree in trees.items()
        if path.name != "compat.py"
        for fault in faults(path.relative_to(ROOT), tree, own)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "import keras.src.trainers",
        "from keras.src import trainers",
        "from tensorflow.python.eager import context",
        "from unittest import mock",
        "from unittest.mock import patch",
        "from keras import src",
        "from matplotlib._mathtext import Parser",
        "from IPython.core.interactiveshell import _should_be_async",
        "import matplotlib\nmatplotlib._private_thing()",
        "getattr(model, '_compile_metrics')",
        "name = 'keras.src.layers'",
    ],
)
def test_the_walk_finds_what_it_looks_for(code: str) -> None:
    assert faults(Path("x.py"), ast.parse(code), set())


def test_compat_has_at_most_five_entries() -> None:
    path = ROOT / "autograder" / "compat.py"
    if path.exists():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        entries = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not is_private(node.name)]
        assert len(entries) <= 5
