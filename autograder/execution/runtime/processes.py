"""Memory and processor time of processes, from /proc on Linux: see proc(5)."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
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
    them.

    Finding that out takes a while, so it is done only if a cheap estimate, which counts shared pages for each process,
    is above `limit`.
    """
    processes = family(pid)
    resident = sum(_resident(process) for process in processes)
    return resident if resident <= limit else sum(_proportional(process) for process in processes)


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
