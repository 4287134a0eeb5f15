"""What Linux tells of processes in /proc: see proc(5)."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
"""Units of processor time in a second."""


def threads() -> int:
    """The number of threads of this process; 1 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("Threads:")), 1)


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
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
    """Bytes that a process and its descendants take; pages that they share with others are divided among all.

    That takes a while to find out, so it is asked only where the cheap figure, which counts such pages for each,
    is above `limit`.
    """
    processes = family(pid)
    resident = sum(_resident(process) for process in processes)
    return resident if resident <= limit else sum(_proportional(process) for process in processes)


def time_spent(pid: int) -> tuple[float, float]:
    """Seconds of the processor that a process took, and those for which its threads were ready and had to wait for it.

    All threads count together; those that ended do not count as waiting. (0.0, 0.0) where the system does not tell.
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
