"""`python -m tests.versions`: tries the kit in environments with other versions of the packages, and of Python.

Ends with status 1 unless the solutions pass and the sample of the corpora is graded without a fault in each of them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.places import ROOT

from .environments import BuildError, Environment, build, find_python, find_versions, load_environments, variables

PAGE = ROOT / "docs" / "versions.md"
BEGIN, END = "<!-- make test-versions: begin -->", "<!-- make test-versions: end -->"
ASSIGNMENTS = ("tta-eta", "fixed-epochs")
COUNTS = re.compile(
    r"(\d+)\s+false\s+deductions,\s+(\d+)\s+missed\s+faults,\s+(\d+)\s+points\s+taken\s+from\s+the\s+wrong\s+item"
)
HEADER = (
    "environment",
    "versions",
    "validation",
    "false deductions",
    "undetected faults",
    "wrong-item deductions",
    "seconds",
    "date",
)

console = Console(width=None if sys.stdout.isatty() else 150)


@dataclass
class Result:
    """What came of one environment; `problem` says why it was not tried, or what failed first."""

    environment: Environment
    versions: dict[str, str] = field(default_factory=dict)
    passed: dict[str, bool] = field(default_factory=dict)
    counts: tuple[int, ...] = ()
    seconds: float = 0.0
    problem: str = ""
    is_skipped: bool = False

    @property
    def is_right(self) -> bool:
        return self.counts == (0, 0, 0) and len(self.passed) == len(ASSIGNMENTS) and all(self.passed.values())

    def row(self) -> tuple[str, ...]:
        """The cells of the table, below HEADER."""
        first = f"{self.environment.name}: {self.environment.purpose}"
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        if self.is_skipped:
            return (first, self.problem, *["not tried"] * 4, "", str(date.today()))
        validated = "passes" if all(self.passed.values()) else "fails"
        counts = [str(count) for count in self.counts] or ["?"] * 3
        return (first, versions, validated if self.passed else "?", *counts, f"{self.seconds:.0f}", str(date.today()))


def main(
    only: Annotated[str, typer.Option(help="names of the environments to try, separated by commas")] = "",
    sample: Annotated[int, typer.Option(min=1, help="submissions of the corpora to grade in each")] = 60,
    jobs: Annotated[int, typer.Option(min=1, help="submissions graded at a time")] = 2,
) -> None:
    """Build each environment, validate the assignments in it and grade a sample of the corpora."""
    environments = load_environments()
    names = [name for name in only.split(",") if name] or [each.name for each in environments]
    if unknown := set(names) - {each.name for each in environments}:
        raise typer.BadParameter(f"there is no environment {sorted(unknown)[0]!r}")
    results = []
    for environment in environments:
        if environment.name in names:
            console.print(f"[bold]{environment.name}[/]: {environment.purpose}")
            results.append(try_environment(environment, sample, jobs))
            if results[-1].problem:
                console.print(f"  {escape(results[-1].problem)}", highlight=False)
            write_table(results, [each.name for each in environments])
    table = Table(*HEADER, title="The kit with other versions")
    for result in results:
        table.add_row(*map(escape, result.row()), style=None if result.is_right or result.is_skipped else "red")
    console.print(table)
    raise typer.Exit(0 if all(result.is_right or result.is_skipped for result in results) else 1)


def try_environment(environment: Environment, sample: int, jobs: int) -> Result:
    """Build the environment and run the kit in it."""
    result = Result(environment)
    python = find_python(environment.python)
    if python is None:
        result.is_skipped, result.problem = True, f"Python {environment.python} is not installed here"
        return result
    try:
        build(environment, python)
    except BuildError as error:
        result.problem = f"It could not be built: {error}"
        return result
    result.versions = find_versions(environment)
    begin = time.monotonic()
    for assignment in ASSIGNMENTS:
        code, output = _run(environment, "autograder", "validate", "--assignment", assignment)
        result.passed[assignment] = code == 0
        if code != 0:
            result.problem = result.problem or output[-1500:]
    code, output = _run(environment, "tests.fidelity", "--sample", str(sample), "--jobs", str(jobs))
    if (counts := COUNTS.search(output)) is not None:
        result.counts = tuple(map(int, counts.groups()))
    if code != 0:
        result.problem = result.problem or output[-3000:]
    result.seconds = time.monotonic() - begin
    return result


def _run(environment: Environment, module: str, *arguments: str) -> tuple[int, str]:
    """Run a module of the checkout by the environment's interpreter; returns its status and all that it wrote."""
    done = subprocess.run(
        [environment.interpreter, "-m", module, *arguments],
        cwd=ROOT,
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.strip()


def write_table(results: list[Result], names: list[str]) -> None:
    """Put the rows between the markers of the page, in the order of `names`; rows of other environments stay."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    table, _, after = rest.partition(END)
    rows = {line[2:].partition(":")[0]: line for line in table.splitlines() if line.startswith("| ")}
    for result in results:
        rows[result.environment.name] = format_row(result.row())
    lines = [format_row(HEADER), f"|{'---|' * len(HEADER)}", *(rows[name] for name in names if name in rows)]
    PAGE.write_text("\n".join([before + BEGIN, *lines, END + after]), encoding="utf-8")


def format_row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(' '.join(cell.replace('|', '/').split()) for cell in cells)} |"


if __name__ == "__main__":
    typer.run(main)
