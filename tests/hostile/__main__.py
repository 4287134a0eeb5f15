"""`python -m tests.hostile`: try every row with and without protection, and print what must happen and what did.

The exit status is 1 unless every row has the required result and every control fires.
"""

from __future__ import annotations

import multiprocessing
import os
import pwd
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatch
from functools import partial
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from autograder.execution import sandbox
from autograder.execution.kernels import kernels

from . import bait
from .table import rows, table
from .trial import Grounds, Outcome, try_row
from .unguarded import unguarded_kernels

console = Console(width=None if sys.stdout.isatty() else 160)


def main(
    only: Annotated[str, typer.Option(help="rows: parts of names, or patterns with *, separated by commas")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="rows tried at a time")] = 2,
    engine: Annotated[Literal["bwrap", "podman"], typer.Option("--sandbox", help="the sandbox")] = "bwrap",
    user: Annotated[
        str, typer.Option(help="the user to run as, if root starts this; must be able to read the kit")
    ] = "",
) -> None:
    """Try every attack and fault of the table, with the protection and without it."""
    if user:
        raise typer.Exit(_run_as(user, "--only", only, "--jobs", str(jobs), "--sandbox", engine))
    if why := sandbox.missing(engine):
        console.print(why)
        raise typer.Exit(1)
    console.print(f"As the user {os.getuid()}.")
    patterns = [name if "*" in name else f"*{name}*" for name in only.split(",")]
    chosen = [name for name in rows() if any(fnmatch(name, pattern) for pattern in patterns)]
    if not chosen:
        raise typer.BadParameter(f"no row is called {only!r}")
    outcomes = _tried(chosen, jobs, engine)
    for part, members in table().items():
        if mine := [outcomes[row.id] for row in members if row.id in outcomes]:
            console.print(_shown(part, mine))
    wrong = [outcome for outcome in outcomes.values() if not outcome.is_right]
    quiet = [outcome for outcome in outcomes.values() if outcome.control is False]
    powerless = sum(outcome.control is None for outcome in outcomes.values())
    console.print(f"\n{len(outcomes)} rows: {len(wrong)} had the wrong result, {len(quiet)} controls did not fire")
    if powerless:
        console.print(f"{powerless} of these attacks need root, so their controls were not expected to fire.")
    raise typer.Exit(1 if wrong or quiet else 0)


def _run_as(name: str, *options: str) -> int:
    """Run this command as another user, with that user's groups and home folder; return its exit status."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise typer.BadParameter(f"there is no user {name!r}") from None
    environment = os.environ | {"HOME": user.pw_dir, "USER": name, "LOGNAME": name, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "tests.hostile", *options]
    groups = os.getgrouplist(name, user.pw_gid)
    try:
        done = subprocess.run(
            command, user=user.pw_uid, group=user.pw_gid, extra_groups=groups, env=environment, check=False
        )
    except PermissionError as error:
        raise typer.BadParameter(
            f"{name} may not run {error.filename}: put the checkout, and the Python of its .venv, where this user can "
            "read them"
        ) from None
    return done.returncode


def _tried(names: list[str], jobs: int, engine: sandbox.Engine) -> dict[str, Outcome]:
    context = multiprocessing.get_context("spawn")
    with (
        bait.laid() as laid,
        kernels("auto", engine) as sandboxed,
        kernels("auto", "none") as free,
        unguarded_kernels(engine) as unguarded,
        ProcessPoolExecutor(min(jobs, len(names)), mp_context=context) as pool,
        Progress(console=console, transient=True) as progress,
    ):
        grounds = Grounds(laid, sandboxed, free, unguarded)
        futures = [pool.submit(partial(try_row, grounds), name) for name in names]
        done = {}
        for future in progress.track(as_completed(futures), total=len(futures), description="Trying"):
            outcome = future.result()
            done[outcome.id] = outcome
            if not outcome.is_right or outcome.control is False:
                fired = " (its control did not fire)" if outcome.control is False else ""
                console.print(f"[red]{outcome.id}[/]: {escape(outcome.told)}{fired}", highlight=False)
        return done


def _shown(part: str, outcomes: list[Outcome]) -> Table:
    table = Table(title=part, title_justify="left")
    for name in ("row", "what was tried", "what must happen", "what did", "control"):
        table.add_column(name)
    for outcome in outcomes:
        style = "" if outcome.is_right else "bold red"
        fired = {True: "fired", None: "needs root"}.get(outcome.control, "[bold red]did not fire[/]")
        told = outcome.told if len(outcome.told) < 200 else f"{outcome.told[:200]}…"
        table.add_row(outcome.id, escape(outcome.tried), escape(outcome.must), escape(told), fired, style=style)
    return table


if __name__ == "__main__":
    typer.run(main)
