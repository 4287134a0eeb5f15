"""`python -m tests.fuzz`: has atheris look for bytes on which the readers fail, led by the branches that they take.

Ends with status 1 if it finds any; they are then in `found/`, where `test_found.py` tries them again. What it learned
is kept in `.tools/fuzz`, and the next run goes on from there.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from .targets import FOUND, TARGETS, make_seeds

LEARNED = Path(".tools", "fuzz")
LIMITS = ("-timeout=60", "-rss_limit_mb=2500", "-max_len=20000", "-print_final_stats=1")
"""Seconds and megabytes that one input may take, and its bytes."""


def main(
    only: Annotated[str, typer.Option(help="the target: archive, notebook or markdown; all of them by default")] = "",
    minutes: Annotated[float, typer.Option(min=0.1, help="for each target")] = 10.0,
) -> None:
    """Fuzz each target for some minutes, or until something is found."""
    if only and only not in TARGETS:
        raise typer.BadParameter(f"there is no target {only!r}")
    failed = [target for target in TARGETS if only in ("", target) and not _fuzz(target, minutes)]
    print(f"Found something in: {', '.join(failed)}; see tests/fuzz/found." if failed else "Nothing was found.")
    raise typer.Exit(1 if failed else 0)


def _fuzz(target: str, minutes: float) -> bool:
    """Whether nothing is found."""
    for folder in (LEARNED / target, FOUND / target):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in make_seeds(target):
        (LEARNED / target / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    command = [sys.executable, "-m", "tests.fuzz.fuzz_target", target, str(LEARNED / target), *LIMITS]
    limit = f"-max_total_time={60 * minutes:.0f}"
    return subprocess.run([*command, limit, f"-artifact_prefix={FOUND / target}/"], check=False).returncode == 0


if __name__ == "__main__":
    typer.run(main)
