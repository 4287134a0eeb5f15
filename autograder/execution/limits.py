"""What one run of a submission may take."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.assignment.settings import TimeLimits
from autograder.common.units import MB

TIMES = TimeLimits()
"""The limits of an assignment that sets none."""

MAX_STRETCH = 4
"""How many times its limit in seconds a kernel may take that had to wait for a processor meanwhile."""


@dataclass(frozen=True)
class Limits:
    """`cell`, `run` and `start` in seconds: one cell, the whole notebook, until the kernel must have started.

    To the first two is added, up to `MAX_STRETCH` times themselves, what the kernel waits for a processor that others
    use.

    The others hold for the sandbox: `address_space` and `file_size` in bytes for each process, `memory` in bytes for
    all its processes together, `processes` (threads count) and `open_files` in number, `space` in bytes for the files
    in each of its folders, `output` in characters that a cell may write and `outputs` all cells together.
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
