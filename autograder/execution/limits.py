"""The limits of one run of a submission."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.assignment.settings import TimeLimits
from autograder.common.units import MB

TIMES = TimeLimits()
"""The time limits of an assignment that sets none of its own."""

MAX_STRETCH = 4
"""How many times its time limit a kernel may take if it had to wait for a processor."""


@dataclass(frozen=True)
class Limits:
    """The limits of one run. `cell`, `run` and `start` are in seconds: for one cell, for the whole notebook, and for
    starting the kernel.

    Time for which the kernel waits for a processor in use by others is added to `cell` and `run`, up to `MAX_STRETCH`
    times the limit in total.

    The others apply to the sandbox: `address_space` and `file_size` in bytes for each process, `memory` in bytes for
    all its processes together, `processes` (including threads) and `open_files` as numbers, `space` in bytes for the
    files in each of its writable folders, `output` in characters that one cell may write, and `outputs` in characters
    for all cells together.
    """

    cell: float = TIMES.cell_seconds
    run: float = TIMES.run_seconds
    start: float = 120.0
    address_space: int = 6_000 * MB
    memory: int = 2_000 * MB
    processes: int = 256
    open_files: int = 512
    file_size: int = 200 * MB
    space: int = 256 * MB
    output: int = 1 * MB
    outputs: int = 12 * MB
