"""Memory and processor time of processes, from /proc on Linux: see proc(5)."""

from __future__ import annotations

import contextlib
import functools
import os
from collections import defaultdict
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
FEW_DESCRIPTORS = 64
"""The number of open files and sockets of a process up to which its sockets are not counted."""

TICKS = os.sysconf("SC_CLK_TCK")
"""Clock ticks per second, the unit of processor time in /proc."""


def threads() -> int:
    """Return the number of threads of this process; 1 if the system does not provide it."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("Threads:")), 1)


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                stat = Path("/proc", name, "stat").read_text(encoding="utf-8", errors="replace")
                children[int(stat.rpartition(")")[2].split()[1])].append(int(name))
    found = [pid]
    for process in found:
        found += children[process]
    return found


def memory(pid: int, limit: int) -> int:
    """Return the bytes used by a process and its descendants; shared pages are divided among all processes that share
    them, and each socket counts as much as its buffer can hold.

    Finding that out takes a while, so it is done only if a cheap estimate, which counts shared pages for each process,
    is above `limit`.
    """
    processes = family(pid)
    buffers = count_sockets(processes) * _read_buffer_size()
    resident = sum(_resident(process) for process in processes)
    if resident + buffers > limit:
        resident = sum(_proportional(process) for process in processes)
    return resident + buffers


def count_sockets(pids: list[int]) -> int:
    """Return the number of sockets that these processes have open; those that they share count once.

    What is in a socket's buffer belongs to no process. The descriptors of a process with few of them are not looked at.
    """
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            names = os.listdir(f"/proc/{pid}/fd")
            if len(names) > FEW_DESCRIPTORS:
                for name in names:
                    with contextlib.suppress(OSError):
                        found.add(os.readlink(f"/proc/{pid}/fd/{name}"))
    return sum(target.startswith("socket:") for target in found)


@functools.cache
def _read_buffer_size() -> int:
    """Return the size of a socket's send buffer, which programs in the sandbox cannot enlarge; see socket(7)."""
    with contextlib.suppress(OSError, ValueError):
        return int(Path("/proc/sys/net/core/wmem_default").read_text(encoding="ascii"))
    return 212_992


def time_spent(pid: int) -> tuple[float, float]:
    """Return the processor time of a process, and the time for which its threads waited for a processor, in seconds.

    The times of all threads are added; the waiting time of ended threads is not included. (0.0, 0.0) if the system does
    not provide them.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        waits = [
            int(path.read_text(encoding="ascii").split()[1]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")
        ]
    except (OSError, IndexError, ValueError):
        return 0.0, 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS, sum(waits) / 1e9


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except OSError:
        return 0


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
