"""Draw which package of `autograder` imports which. `python -m docs.draw_imports` writes the picture."""

from __future__ import annotations

import ast
import html
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "architecture.svg"

INSIDE = "execution.runtime"
"""A package in a package that has a box of its own, because it runs inside the sandbox."""

ENTRY = "cli"
"""The only module outside the packages that has a box."""

WIDTH, HEIGHT, GAP, STEP = 150, 32, 40, 64
"""Size of a box, horizontal gap between boxes and vertical step between rows, in pixels."""

Graph = dict[str, set[str]]


def read_imports(package: Path) -> Graph:
    """Return for each box the boxes that it imports, from the `import` statements of all modules.

    Args:
        package: the folder of the package `autograder`.
    """
    graph: Graph = {}
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package.parent).with_suffix("").parts
        if (importer := _box(module, package)) is None:
            continue
        names = graph.setdefault(importer, set())
        for target in _imported(ast.parse(path.read_text(encoding="utf-8")), module[:-1]):
            if (box := _box(target, package)) not in (None, importer):
                names.add(str(box))
    return graph


def _box(module: tuple[str, ...], package: Path) -> str | None:
    """Return the box of a module; None for modules of other packages and those that are shared by all."""
    if module[0] != package.name or len(module) < 2:
        return None
    if module[1:3] == tuple(INSIDE.split(".")):
        return INSIDE
    return module[1] if module[1] == ENTRY or (package / module[1]).is_dir() else None


def _imported(tree: ast.Module, folder: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the full name of everything that a module in `folder` imports while it runs, not only for type checkers."""
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] if node.level else ()
            base += tuple((node.module or "").split(".")) if node.module else ()
            yield from ((*base, alias.name) for alias in node.names)


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")):
            yield node
            yield from _statements(node)


def reachable(graph: Graph) -> Graph:
    """Return for each box all boxes that it imports directly or through others."""
    closure = {box: set(targets) for box, targets in graph.items()}
    for middle in closure:
        for targets in closure.values():
            if middle in targets:
                targets |= closure[middle]
    return closure


def rows_of(graph: Graph) -> list[list[str]]:
    """Return the boxes in rows, each above everything that it imports; boxes of a circle share a row."""
    closure = reachable(graph)

    def level(box: str) -> int:
        below = [target for target in closure[box] if box not in closure[target]]
        return 1 + max(map(level, below), default=-1)

    levels = {box: level(box) for box in sorted(graph)}
    return [[box for box in levels if levels[box] == row] for row in range(max(levels.values()), -1, -1)]


def needed_arrows(graph: Graph) -> list[tuple[str, str]]:
    """Return the imports that do not follow from others, and all those of a circle."""
    closure = reachable(graph)

    def follows(box: str, target: str) -> bool:
        return any(
            target in closure[middle] and box not in closure[middle] and middle not in closure[target]
            for middle in graph[box] - {target}
        )

    return [(box, target) for box in sorted(graph) for target in sorted(graph[box]) if not follows(box, target)]


def draw(graph: Graph) -> str:
    """Return the picture as SVG: rows of boxes, with an arrow from each box to what it imports."""
    rows, closure = rows_of(graph), reachable(graph)
    width = 2 * GAP + max(len(row) * (WIDTH + GAP) - GAP for row in rows) + 4 * GAP
    places = {
        box: (width / 2 + (place - (len(row) - 1) / 2) * (WIDTH + GAP), HEIGHT / 2 + 4 + STEP * level)
        for level, row in enumerate(rows)
        for place, box in enumerate(row)
    }
    arrows = [
        _arrow(places[box], places[target], circle=box in closure[target]) for box, target in needed_arrows(graph)
    ]
    boxes = [
        f'<rect x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}" width="{WIDTH}" height="{HEIGHT}" rx="5"/>'
        f'<text x="{x:g}" y="{y + 5:g}">{html.escape(box)}</text>'
        for box, (x, y) in places.items()
    ]
    height = STEP * (len(rows) - 1) + HEIGHT + 8
    style = (
        "rect{fill:#e8f1fa;stroke:#0072b2}text{font:15px sans-serif;text-anchor:middle;fill:#111}"
        "path{fill:none;stroke:#555;stroke-width:1.4;marker-end:url(#tip)}.circle{stroke:#d55e00;stroke-dasharray:5 3}"
    )
    tip = '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}">',
            "<title>Imports between the packages of autograder</title>",
            f'<style>{style}</style><defs>{tip}<path d="M0 0L8 4L0 8z" style="fill:#555;stroke:none"/></marker></defs>',
            f'<rect width="{width:g}" height="{height:g}" style="fill:white;stroke:none"/>',
            *arrows,
            *boxes,
            "</svg>\n",
        ]
    )


def _arrow(start: tuple[float, float], end: tuple[float, float], circle: bool) -> str:
    """Return an arrow; it passes beside the boxes in between if it crosses more than one row."""
    (x, y), (to_x, to_y) = start, end
    kind = ' class="circle"' if circle else ""
    if to_y == y:
        side = WIDTH / 2 if to_x > x else -WIDTH / 2
        return f'<path{kind} d="M{x + side:g} {y:g}L{to_x - side:g} {to_y:g}"/>'
    if to_y - y <= STEP:
        return f'<path{kind} d="M{x:g} {y + HEIGHT / 2:g}L{to_x:g} {to_y - HEIGHT / 2:g}"/>'
    side = -1 if to_x < x else 1
    bend = side * (WIDTH / 2 + GAP + (to_y - y) / 8)
    bend += min(x, to_x) if side < 0 else max(x, to_x)
    edge, to_edge = x + side * WIDTH / 2, to_x + side * WIDTH / 2
    return f'<path{kind} d="M{edge:g} {y:g}C{bend:g} {y:g} {bend:g} {to_y:g} {to_edge:g} {to_y:g}"/>'


if __name__ == "__main__":
    PICTURE.write_text(draw(read_imports(ROOT / "autograder")), encoding="utf-8")
    print(f"Written: {PICTURE.relative_to(ROOT)}")
