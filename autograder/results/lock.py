"""The lock on a folder of results: one run at a time writes there."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

import psutil  # type: ignore[import-untyped]

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from autograder.errors import AutograderError

LOCK = ".lock"
"""The file in the folder of results that a grading run holds locked."""


@contextlib.contextmanager
def held(out: Path) -> Iterator[None]:
    """Holds the lock, makes the folder if there is none; AutograderError says who else holds it.

    The system lets go of it when its process ends in whatever way; the file stays, with the name of its last holder.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = (out / LOCK).open("a+", encoding="utf-8", errors="replace")
    except OSError as error:
        raise AutograderError(f"{out} cannot be written ({error.strerror}): choose another OUT.") from None
    with file:
        file.seek(0)
        holder = file.read(200).strip()
        if not _is_taken(file, holder):
            raise AutograderError(
                f"Another run ({holder or 'it has yet to say which'}) writes into {out}: wait until it has ended, or "
                "end it, and run the same command again."
            )
        _sign(out, file)
        yield


def _is_taken(file: IO[str], holder: str) -> bool:
    """Whether the lock is ours now. Where files cannot be locked, the process that is named in it decides."""
    if (taken := take(file.fileno())) is not None:
        return taken
    named = re.match(r"process (\d+)", holder)
    return named is None or int(named[1]) == os.getpid() or not runs(int(named[1]))


def take(descriptor: int) -> bool | None:
    """Whether the lock on an open file or folder is ours now; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def runs(pid: int) -> bool:
    return bool(psutil.pid_exists(pid))


def _sign(out: Path, file: IO[str]) -> None:
    try:
        file.truncate(0)
        file.write(f"process {os.getpid()}, since {datetime.now():%Y-%m-%d %H:%M:%S}\n")
        file.flush()
    except OSError as error:
        with contextlib.suppress(OSError):
            file.close()
        raise AutograderError(
            f"{out} cannot be written ({error.strerror}): make room or choose another OUT; what is graded is kept."
        ) from None
