"""`python -m tests.fidelity`: test the autograder with correct and wrong submissions of an assignment.

The exit status is 1 unless every correct variant keeps all points and every mutant loses points only in its items.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from fnmatch import fnmatch
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from autograder.assignment.settings import Assignment
from autograder.execution.kernels import kernels
from autograder.execution.options import Options

from .build import LAB
from .changed import RIGHT_THEN, adapted, changed
from .mutants import MUTANTS_OF
from .outcome import Case, Outcome, cases, grader

console = Console(width=None if sys.stdout.isatty() else 150)  # the table is wider than the default of 80


def main(
    assignment_name: Annotated[str, typer.Option("--assignment", help="the assignment of the submissions")] = LAB,
    seed: Annotated[int, typer.Option(help="random seed of the scenarios")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="submissions graded at a time")] = 2,
    only: Annotated[str, typer.Option(help="names to grade: part of the name, or a pattern with *")] = "",
    variants: Annotated[bool, typer.Option("--variants", help="grade the correct variants only")] = False,
    mutants: Annotated[bool, typer.Option("--mutants", help="grade the mutants only")] = False,
    sample: Annotated[int, typer.Option(min=0, help="number of submissions, always the same; 0 for all")] = 0,
    other_settings: Annotated[bool, typer.Option("--changed", help="grade them under other settings")] = False,
) -> None:
    """Grade correct variants and one-fault mutants, and compare what was lost with what should be."""
    if assignment_name not in MUTANTS_OF or (other_settings and assignment_name != LAB):
        known = LAB if other_settings else ", ".join(MUTANTS_OF)
        raise typer.BadParameter(f"there are only submissions of {known}, not of {assignment_name!r}")
    assignment = Assignment.load(assignment_name)
    chosen = [
        case
        for case in cases(variants or not mutants, mutants or not variants, assignment_name)
        if fnmatch(case.name, only if "*" in only else f"*{only}*")
    ]
    if other_settings:
        assignment = changed(assignment)
        chosen = [
            replace(case, description=adapted(case.description)) for case in chosen if case.name not in RIGHT_THEN
        ]
    if not chosen:
        raise typer.BadParameter(f"no case is called {only!r}")
    if 0 < sample < len(chosen):
        chosen = _sample(chosen, sample)
    outcomes = []
    for outcome in _graded(chosen, assignment, Options(seed=seed), jobs):
        outcomes.append(outcome)
        if outcome.is_wrong:
            _explain(outcome)
    console.print(matrix(assignment, outcomes))
    console.print(result_line(outcomes, seed))
    raise typer.Exit(1 if any(outcome.is_wrong for outcome in outcomes) else 0)


def _sample(chosen: list[Case], count: int) -> list[Case]:
    """Sample `count` cases, always the same ones; a quarter of them are correct variants, if there are enough."""
    rng = random.Random(0)
    right = [case for case in chosen if not case.is_mutant]
    wrong = [case for case in chosen if case.is_mutant]
    few = min(len(right), count // 4)
    return [*rng.sample(right, few), *rng.sample(wrong, min(len(wrong), count - few))]


def _graded(chosen: list[Case], assignment: Assignment, options: Options, jobs: int) -> Iterator[Outcome]:
    columns = (TextColumn("Grading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    context = multiprocessing.get_context("spawn")
    with (
        kernels(instruments=assignment.exercise.instruments) as source,
        ProcessPoolExecutor(min(jobs, len(chosen)), mp_context=context) as pool,
        Progress(*columns, console=console, transient=True) as progress,
    ):
        grade = grader(assignment, source, options)
        futures = [pool.submit(grade, case) for case in chosen]
        for future in progress.track(as_completed(futures), total=len(futures)):
            yield future.result()


def matrix(assignment: Assignment, outcomes: list[Outcome]) -> Table:
    """Return a table: for each set of items that should lose points, how many cases lost some in each item."""
    ids = [item.id for item in assignment.judged_items]
    table = Table(title="Cases that lost points, by item")
    table.add_column("should lose points in")
    table.add_column("cases", justify="right")
    for item_id in ids:
        table.add_column(item_id, justify="right", no_wrap=True)
    expected = sorted({outcome.case.items for outcome in outcomes}, key=lambda items: [i not in items for i in ids])
    for items in sorted(expected, key=len):
        row = [outcome for outcome in outcomes if outcome.case.items == items]
        cells = [_cell(sum(i in outcome.lost for outcome in row), len(row), i in items) for i in ids]
        table.add_row(", ".join(i for i in ids if i in items) or "nothing (variants)", str(len(row)), *cells)
    return table


def _cell(lost: int, cases_in_row: int, expected: bool) -> str:
    right = lost == (cases_in_row if expected else 0)
    text = str(lost) if lost or expected else "·"
    return text if right else f"[bold red]{text}[/]"


def _explain(outcome: Outcome) -> None:
    case = outcome.case
    console.print(f"\n[bold]{escape(case.name)}[/] {escape(case.fault or case.description.header.title)}")
    if outcome.verdict.reason:
        console.print(f"  {escape(outcome.verdict.reason)}", highlight=False)
    for item_id in sorted(outcome.missed):
        console.print(f"  {item_id}: should lose points, but keeps all", style="yellow", highlight=False)
    for item_id in sorted(outcome.undeserved):
        item = outcome.item(item_id)
        points = "?" if item.points is None else f"{item.points:g}"
        console.print(f"  {item_id}: {points} of {item.max_points:g}", style="red", highlight=False)
        console.print(f"    {escape(item.message)}", highlight=False)


def result_line(outcomes: list[Outcome], seed: int) -> str:
    """Return a line with the three numbers that must be 0, counted in items."""
    variants = [outcome for outcome in outcomes if not outcome.case.is_mutant]
    mutants = [outcome for outcome in outcomes if outcome.case.is_mutant]
    return (
        f"\n{len(variants)} variants, {len(mutants)} mutants, seed {seed}: "
        f"{sum(len(outcome.undeserved) for outcome in variants)} false deductions, "
        f"{sum(len(outcome.missed) for outcome in mutants)} missed faults, "
        f"{sum(len(outcome.undeserved) for outcome in mutants)} points taken from the wrong item"
    )


if __name__ == "__main__":
    typer.run(main)
