"""The lock on a folder of results: one run at a time writes there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from filelock import FileLock, Timeout

from autograder.errors import AutograderError

LOCK = ".lock"
"""The file that a run locks in its folder; it names the process of the run."""


@contextlib.contextmanager
def hold_lock(out: Path) -> Iterator[None]:
    """Hold the lock on a folder of results, which is created if it does not exist.

    The operating system releases the lock when the process ends, however it ends. At the end of the context, the file
    is removed, and so is a folder that was created here and is still empty.

    Raises:
        AutograderError: another run holds the lock, or nothing can be written there.
    """
    path = out / LOCK
    lock = FileLock(path, blocking=False, fallback_to_soft=False, on_acquired=_write_holder)
    try:
        is_new = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise AutograderError(_describe_holder(path)) from None
    except OSError as error:
        raise AutograderError(
            f"{out} cannot be written ({error.strerror}): free some disk space or choose another OUT; all results "
            "so far are kept."
        ) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()  # before the release: afterwards the file may be another run's
            if is_new:
                out.rmdir()
        lock.release()


def is_running(pid: int) -> bool:
    """Whether this machine has a process with that number."""
    return bool(psutil.pid_exists(pid))


def _write_holder(descriptor: int) -> None:
    os.truncate(descriptor, 0)
    os.write(descriptor, f"process {os.getpid()}, since {datetime.now():%Y-%m-%d %H:%M:%S}\n".encode())


def _describe_holder(path: Path) -> str:
    """Describe the run that holds or, if it has removed its file by now, held the lock, and what to do."""
    try:
        holder = path.read_text(encoding="utf-8", errors="replace")[:200].strip() or "unknown process"
    except OSError:
        return f"Another run was using {path.parent} until just now: run the same command again."
    return (
        f"Another run ({holder}) is writing to {path.parent}: wait until it has finished, or stop it, and run the same "
        "command again."
    )
