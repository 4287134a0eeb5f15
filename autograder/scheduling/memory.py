"""A limit on the memory of a grading process.

The messages of a kernel are limited in size, but the memory that libraries need to process them is not. A process that
reaches the limit gets a MemoryError, or a library aborts it; other processes are not affected.
"""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from autograder.common.units import MB

ROOM = 450 * MB
"""Additional bytes that grading one submission may take; the process has about 150 MB, a sample takes 100 MB."""

MESSAGE = (
    f"The grading process used more than {ROOM / MB:.0f} MB of memory for this submission: check how much output the "
    "notebook produces."
)

SCARCE = 32 * MB
"""If fewer bytes are left, Python and its libraries raise all kinds of errors."""


@contextlib.contextmanager
def limit_memory(room: int = ROOM) -> Iterator[None]:
    """Let this process allocate at most `room` bytes more than it has; only on Linux.

    The limit applies to private writable memory of all threads (RLIMIT_DATA). A limit on the address space (RLIMIT_AS)
    would not work, because each thread reserves far more of it than it uses.
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
    """Return how many bytes of this process count towards the limit; 0 if that is unknown."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5]) * resource.getpagesize()


def is_memory_error(error: Exception) -> bool:
    """Whether too little memory was left when the error was raised, including what its frames still use."""
    if isinstance(error, MemoryError):
        return True
    limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
    return limit != resource.RLIM_INFINITY and limit - count_data() < SCARCE
