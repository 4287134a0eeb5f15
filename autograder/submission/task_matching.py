"""Find out which task a piece of code solves, by the signatures that the exercise defines; nothing is executed."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from autograder.assignment.exercise import TaskSignature

LONGEST = 100_000
"""Maximum length of a cell that is parsed: a syntax tree takes several hundred times the memory of its text."""

DRAWING = ("plt.", "sns.", "plot", ".bar", "axes")
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
OTHER_MAGIC = re.compile(r"\s*%%(?!time\b|timeit\b|capture\b|prun\b)")


@dataclass(frozen=True)
class Shape:
    """What code does: the names that it `stores` (`empty`: only as an empty list or None), `uses` and `appends_to`
    (with append, extend, insert or +=), the `classes` that it defines, and whether it `plots` anything."""

    stores: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    appends_to: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    plots: bool = False


@lru_cache(maxsize=256)
def shape_of(source: str) -> Shape:
    """Return the shape of code; an empty one if it is not Python or too long."""
    tree = _tree(source)
    if tree is None:
        return Shape()
    nodes = list(ast.walk(tree))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    added = {id(node.target) for node in nodes if isinstance(node, ast.AugAssign)}
    given = [(target, getattr(node, "value", None)) for node in nodes for target in _targets(node)]
    empty = {target.id for target, value in given if _is_empty(value)}
    full = {target.id for target, value in given if not _is_empty(value)}
    return Shape(
        stores=frozenset(n.id for n in names if isinstance(n.ctx, ast.Store) and id(n) not in added),
        empty=frozenset(empty - full),
        uses=frozenset(node.id for node in names),
        appends_to=frozenset(_filled(nodes)),
        classes=frozenset(node.name for node in nodes if isinstance(node, ast.ClassDef)),
        plots=any(word in source for word in DRAWING),
    )


def defined_in(source: str) -> frozenset[str]:
    """Return the names that code defines at its top level, including functions, classes and imports."""
    body = getattr(_tree(source), "body", [])
    inner = [node for top in body if not isinstance(top, SCOPES) for node in ast.walk(top)]
    names = {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {(node.asname or node.name).partition(".")[0] for node in inner if isinstance(node, ast.alias)}
    return frozenset(names | {node.name for node in body if isinstance(node, SCOPES)})


def task_of(source: str, signatures: Sequence[TaskSignature]) -> str | None:
    """Return the grade_id of the task that code solves or begins, None if there is none."""
    shape = shape_of(source)
    return next((signature.task for signature in signatures if _fits(signature, shape)), None)


def opens(task: str, source: str, signatures: Sequence[TaskSignature]) -> bool:
    """Whether code starts the task from scratch, so that the results of an earlier copy are lost."""
    shape, signature = shape_of(source), _signature(task, signatures)
    if signature.assigns:
        return shape.stores >= signature.assigns
    if signature.appends_to:
        return signature.appends_to in shape.stores
    return task_of(source, signatures) == task


def completes(task: str, source: str, signatures: Sequence[TaskSignature]) -> bool:
    """Whether code does all that the task asks, not only a first part of it."""
    shape, signature = shape_of(source), _signature(task, signatures)
    if signature.assigns:
        return shape.stores >= signature.assigns
    if signature.appends_to:
        return signature.appends_to in shape.appends_to | (shape.stores - shape.empty)
    return task_of(source, signatures) == task


def takes_part(task: str, source: str, signatures: Sequence[TaskSignature]) -> bool:
    """Whether code does at least a part of the task."""
    return task_of(source, signatures) == task or bool(shape_of(source).stores & _signature(task, signatures).assigns)


def _fits(signature: TaskSignature, shape: Shape) -> bool:
    if signature.assigns:
        return len(shape.stores & signature.assigns) >= min(2, len(signature.assigns))
    if signature.appends_to:
        return signature.appends_to in shape.stores | shape.appends_to
    if signature.defines_class:
        return signature.defines_class in shape.classes
    return shape.plots and bool(signature.plots & shape.uses)


def _signature(task: str, signatures: Sequence[TaskSignature]) -> TaskSignature:
    """Return the signature of a task; one that never fits if the task has none."""
    return next((signature for signature in signatures if signature.task == task), TaskSignature(task))


def _tree(source: str) -> ast.AST | None:
    if len(source) > LONGEST or OTHER_MAGIC.match(source):
        return None
    for code in (source, MAGIC.sub(r"\1pass", source)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _filled(nodes: list[ast.AST]) -> set[str]:
    found = set()
    for node in nodes:
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.attr in ("append", "extend", "insert")
        ):
            found.add(node.func.value.id)
    return found


def _targets(node: ast.AST) -> list[ast.Name]:
    """Return the names to which an assignment statement assigns its whole value."""
    if isinstance(node, ast.Assign):
        return [target for target in node.targets if isinstance(target, ast.Name)]
    return [node.target] if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else []


def _is_empty(node: ast.AST | None) -> bool:
    if isinstance(node, ast.Call):
        return not node.args and not node.keywords and isinstance(node.func, ast.Name) and node.func.id == "list"
    return (isinstance(node, ast.List) and not node.elts) or (isinstance(node, ast.Constant) and node.value is None)
