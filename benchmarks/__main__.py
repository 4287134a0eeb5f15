"""`python -m benchmarks`: measure, and write docs/performance.md."""

from __future__ import annotations

import os
from collections.abc import Callable
from statistics import median
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as for users: compiled files are kept

import typer
from rich.console import Console

from autograder.assignment.settings import Assignment
from autograder.commands.profile import profile
from autograder.errors import AutograderError

from . import lab, limit, page, record, rivals, scale, without_training

console = Console()

Only = Annotated[str, typer.Option(help="parts, separated by commas; page only writes the page")]
Sizes = Annotated[str, typer.Option(help="sizes of classes, separated by commas")]
Times = Annotated[int, typer.Option(help="how often each comparison is measured")]


def main(
    only: Only = "sizes,rivals,limit,memory,dask,lab,features", sizes: Sizes = "10,100,1000", times: Times = 5
) -> None:
    """Measure the given parts; all other parts keep their older figures."""
    assignment = Assignment.load("tta-eta")
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "sizes": lambda: _sizes(assignment, [int(size) for size in sizes.split(",")]),
        "rivals": lambda: _rivals(assignment, times),
        "limit": lambda: dict(zip(("kernel", "alone"), limit.without_kernel(assignment, times), strict=True)),
        "memory": lambda: scale.memory(assignment, 2 * times),
        "dask": lambda: scale.cluster(assignment, 4 * times, times),
        "lab": lambda: lab.epochs(times),
        "features": lambda: without_training.measure(Assignment.load("features"), times),
    }
    wanted = [part for part in only.split(",") if part]
    try:
        if unknown := set(wanted) - {*parts, "page"}:
            raise AutograderError(f"There is no part {', '.join(sorted(unknown))}; the parts are {', '.join(parts)}.")
        for part in parts:
            if part in wanted:
                before = os.getloadavg()
                console.print(f"Measuring {part} (load {before[0]:.2f}).")
                record.keep(part, parts[part](), before)
    except AutograderError as error:
        console.print(f"[bold red]Error:[/] {error}", highlight=False)
        raise typer.Exit(1) from None
    page.write()
    for target in page.targets(record.load()):
        console.print(f"{'met    ' if target.fits else 'NOT MET'} {target.what}: {target.found} ({target.wanted})")
    console.print(f"Page: {page.PAGE}")


def _sizes(assignment: Assignment, sizes: list[int]) -> dict[str, Any]:
    """Measure the given sizes; the figures of other sizes from an earlier run are kept."""
    known = {int(line["size"]): line for line in record.load().get("sizes", {}).get("classes", [])}
    for size in sizes:
        known[size] = scale.whole_class(assignment, size)
        console.print(f"{size}: {known[size]['seconds']:.1f} s, again {known[size]['again']:.1f} s")
    return {"classes": [known[size] for size in sorted(known)]}


def _rivals(assignment: Assignment, times: int) -> dict[str, Any]:
    parts, _ = profile(assignment, times)
    ways = {
        "class": rivals.in_a_class(assignment, times),
        "bench": rivals.nbgrader_with_bench(assignment, times),
        "nbgrader": rivals.nbgrader_for_real(assignment, times),
        "otter": rivals.otter_for_real(assignment, times),
    }
    rounds = zip(*ways.values(), strict=True)
    return {
        "alone": [sum(seconds) for seconds in zip(*parts.values(), strict=True)],
        "parts": {part: median(seconds) for part, seconds in parts.items()},
        "checks": len(rivals.CHECKS),
        **dict(zip(ways, map(list, zip(*rounds, strict=True)), strict=True)),
    }


if __name__ == "__main__":
    typer.run(main)
