"""`python -m benchmarks.fidelity`: grade the same submissions with each grader, and write docs/fidelity.md."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from autograder.assignment.settings import Assignment
from autograder.errors import AutograderError
from benchmarks import ROOT, record
from tests.fidelity.outcome import Case

from . import asserts, graders, lab, page, results, sample

console = Console()

MEASURED = 5
"""Number of submissions whose time is measured."""

Only = Annotated[str, typer.Option(help="graders, separated by commas: kit, nbgrader, otter")]
Limit = Annotated[int, typer.Option(min=0, help="number of submissions to grade, always the same ones; 0 for all")]
Jobs = Annotated[int, typer.Option(min=1, help="submissions graded at a time")]
Work = Annotated[Path, typer.Option(help="folder of the results: submissions with a result there are not graded again")]


def main(only: Only = "", limit: Limit = 0, jobs: Jobs = 2, work: Work = ROOT / ".fidelity") -> None:
    """Grade with each grader in turn, continuing an interrupted run; at the end, measure times and write the page."""
    before = os.getloadavg()
    assignment = lab.small(Assignment.load("tta-eta"))
    cases = [lab.adapt(case) for case in sample.choose()]
    wanted = [name for name in only.split(",") if name] or list(graders.PREPARE)
    found: dict[str, dict[str, Any]] = {}
    try:
        if unknown := set(wanted) - set(graders.PREPARE):
            raise AutograderError(f"There is no grader {', '.join(sorted(unknown))}: use kit, nbgrader or otter.")
        for name in graders.PREPARE:
            now = (cases[:limit] if limit else cases) if name in wanted else []
            found[name] = _grade(name, assignment, cases, now, work / name, jobs)
    except AutograderError as error:
        console.print(f"[bold red]Error:[/] {error}", highlight=False)
        raise typer.Exit(1) from None
    described = {case.name: results.describe(case, sample.is_reshaped(case)) for case in cases}
    for name, graded in found.items():
        _report(name, results.count(described, graded))
    if all(len(graded) == len(cases) for graded in found.values()):
        curves = len(list(asserts.curves()))
        settings = {"curves": curves, "seed": sample.SEED, **lab.SETTINGS, **lab.SIZES}
        seconds = _measure(assignment, [case for case in cases if not sample.is_reshaped(case)], work)
        figures = {"cases": described, "results": found, "seconds": seconds, "settings": settings}
        record.keep("comparison", figures, before, page.FILE)
        page.write()
        console.print(f"Page: {page.PAGE}")
    else:
        console.print("The page is written when every grader has graded all submissions.")


def _grade(
    name: str, assignment: Assignment, cases: list[Case], now: list[Case], work: Path, jobs: int
) -> dict[str, dict[str, Any]]:
    """Grade the submissions of `now` that have no stored result; return all stored results of this grader."""
    version = graders.VERSIONS[name](assignment)
    keys = {case.name: results.fingerprint(case, version) for case in cases}
    paths = {case.name: work / f"{case.name}.json" for case in cases}
    todo = [case for case in now if results.load(keys[case.name], paths[case.name]) is None]
    for case, result in _run(name, assignment, todo, work, jobs):
        results.save(result, keys[case.name], paths[case.name])
        _explain(case, result)
    kept = {case.name: results.load(keys[case.name], paths[case.name]) for case in cases}
    return {case: result for case, result in kept.items() if result is not None}


def _run(
    name: str, assignment: Assignment, todo: list[Case], work: Path, jobs: int
) -> Iterator[tuple[Case, results.Result]]:
    """Grade in separate processes; yield each result when it is ready."""
    if not todo:
        return
    columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    context = multiprocessing.get_context("spawn")
    with (
        graders.PREPARE[name](assignment, work) as grader,
        ProcessPoolExecutor(min(jobs, len(todo)), mp_context=context) as pool,
        Progress(*columns, console=console) as progress,
    ):
        futures = {pool.submit(grader.grade, case): case for case in todo}
        try:
            for future in progress.track(as_completed(futures), total=len(todo)):
                yield futures[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _measure(assignment: Assignment, cases: list[Case], work: Path) -> dict[str, list[float]]:
    """Grade some submissions one at a time, each with all graders in turn; return the seconds.

    The first submission is not counted, because it takes longer.
    """
    first, *counted = cases[: MEASURED + 1]
    seconds: dict[str, list[float]] = {name: [] for name in graders.PREPARE}
    with contextlib.ExitStack() as stack:
        ready = {
            name: stack.enter_context(prepare(assignment, work / name)) for name, prepare in graders.PREPARE.items()
        }
        for case in [first, *counted]:
            for name, grader in ready.items():
                taken = grader.grade(case).seconds
                if case is not first:
                    seconds[name].append(round(taken, 2))
                console.print(f"{name}: {case.name} in {taken:.1f} s", highlight=False)
    return seconds


def _explain(case: Case, result: results.Result) -> None:
    """Print what was graded wrongly."""
    missed, undeserved = case.items - set(result.lost), set(result.lost) - case.items
    if missed or undeserved or result.problem:
        console.print(f"[bold]{escape(case.name)}[/] {escape(result.problem)}")
    for item in sorted(missed):
        console.print(f"  {item}: should lose points, but keeps all", style="yellow", highlight=False)
    for item in sorted(undeserved):
        console.print(f"  {item}: {escape(result.lost[item][: results.MESSAGE])}", style="red", highlight=False)


def _report(name: str, counted: results.Count) -> None:
    console.print(
        f"{name}: {len(counted.unfair)} of {counted.right} correct submissions lose points, "
        f"{len(counted.unnoticed)} of {counted.wrong} wrong ones keep all, {counted.elsewhere_items} items without a "
        "mistake lose points",
        highlight=False,
    )


if __name__ == "__main__":
    typer.run(main)
