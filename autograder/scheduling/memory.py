"""A limit on the memory of a process that grades.

What a kernel sends is limited in size, but what libraries make of it cannot be bounded from within. A process that
reaches the limit gets a MemoryError, or is aborted by a library that cannot go on, and no other process is hurt.
"""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from autograder.common.units import MB

ROOM = 450 * MB
"""Bytes that grading one submission may take beyond what its process, some 150 MB, had before. One of the samples takes
100 MB."""

MESSAGE = (
    f"Grading it took more than {ROOM / MB:.0f} MB of memory in the grading process: look at how much the notebook "
    "puts out."
)

SCARCE = 32 * MB
"""With so little left, Python and its libraries raise all kinds of errors."""


@contextlib.contextmanager
def limit_memory(room: int = ROOM) -> Iterator[None]:
    """Let this process, with all its threads, take so many bytes more than it has; only on Linux.

    What counts is memory that can be written and is not shared (RLIMIT_DATA). Addresses alone (RLIMIT_AS) would not do:
    each thread reserves far more of them than it uses.
    """
    if sys.platform != "linux":
        yield
        return
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = count_data() + room
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def count_data() -> int:
    """Return how many bytes of this process count for its limit; 0 where that cannot be told."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5]) * resource.getpagesize()


def is_memory_error(error: Exception) -> bool:
    """Whether memory was short where the error was raised; while it is handled, what its frames hold still counts."""
    if isinstance(error, MemoryError):
        return True
    limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
    return limit != resource.RLIM_INFINITY and limit - count_data() < SCARCE
