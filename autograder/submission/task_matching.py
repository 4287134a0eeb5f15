"""Find out which task a piece of code solves, by the signs that the exercise defines; nothing is executed."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from autograder.assignment.exercise import Sign

LONGEST = 100_000
"""Maximum length of a cell that is parsed: a syntax tree takes several hundred times the memory of its text."""

DRAWING = ("plt.", "sns.", "plot", ".bar", "axes")
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
OTHER_MAGIC = re.compile(r"\s*%%(?!time\b|timeit\b|capture\b|prun\b)")


@dataclass(frozen=True)
class Shape:
    """What code does: the names that it `stores` (`empty`: only as an empty list or None), `uses` and `fills` (with
    append, extend, insert or +=), the `classes` that it defines, and whether it `draws` a plot."""

    stores: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    fills: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    draws: bool = False


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
        fills=frozenset(_filled(nodes)),
        classes=frozenset(node.name for node in nodes if isinstance(node, ast.ClassDef)),
        draws=any(word in source for word in DRAWING),
    )


def defined_in(source: str) -> frozenset[str]:
    """Return the names that code defines at its top level, including functions, classes and imports."""
    body = getattr(_tree(source), "body", [])
    inner = [node for top in body if not isinstance(top, SCOPES) for node in ast.walk(top)]
    names = {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {(node.asname or node.name).partition(".")[0] for node in inner if isinstance(node, ast.alias)}
    return frozenset(names | {node.name for node in body if isinstance(node, SCOPES)})


def task_of(source: str, signs: Sequence[Sign]) -> str | None:
    """Return the grade_id of the task that code solves or begins, None if there is none."""
    shape = shape_of(source)
    return next((sign.task for sign in signs if _fits(sign, shape)), None)


def opens(task: str, source: str, signs: Sequence[Sign]) -> bool:
    """Whether code starts the task from scratch, so that the results of an earlier copy are lost."""
    shape, sign = shape_of(source), _sign(task, signs)
    if sign.sets:
        return shape.stores >= sign.sets
    return sign.fills in shape.stores if sign.fills else task_of(source, signs) == task


def completes(task: str, source: str, signs: Sequence[Sign]) -> bool:
    """Whether code does all that the task asks, not only a first part of it."""
    shape, sign = shape_of(source), _sign(task, signs)
    if sign.sets:
        return shape.stores >= sign.sets
    return sign.fills in shape.fills | (shape.stores - shape.empty) if sign.fills else task_of(source, signs) == task


def takes_part(task: str, source: str, signs: Sequence[Sign]) -> bool:
    """Whether code does at least a part of the task."""
    return task_of(source, signs) == task or bool(shape_of(source).stores & _sign(task, signs).sets)


def _fits(sign: Sign, shape: Shape) -> bool:
    if sign.sets:
        return len(shape.stores & sign.sets) >= min(2, len(sign.sets))
    if sign.fills:
        return sign.fills in shape.stores | shape.fills
    return sign.makes in shape.classes if sign.makes else bool(sign.draws & shape.uses) and shape.draws


def _sign(task: str, signs: Sequence[Sign]) -> Sign:
    """Return the sign of a task; one that never fits if the task has none."""
    return next((sign for sign in signs if sign.task == task), Sign(task))


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
