"""The temporary files of a run, in one folder that is removed after the run or, if that was killed, by a later one."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from .lock import LOCK, is_running

NAME = re.compile(r"grader-(\d+)-\w+")
"""The folder's name, with the number of its process. It is short: a socket's path may have about 100 characters."""


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create a folder in which this process and its children put all temporary files while the context is open.

    The folder is locked while it is in use. Folders of runs that were killed are removed.
    """
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=f"grader-{os.getpid()}-"))
    lock = FileLock(folder / LOCK, blocking=False)
    try:
        lock.acquire()
        tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
        yield folder
    finally:
        tempfile.tempdir = before
        if variable is None:
            os.environ.pop("TMPDIR", None)
        else:
            os.environ["TMPDIR"] = variable
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _remove_abandoned(place: Path) -> None:
    for path in place.glob("grader-*-*"):
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink() and path.stat().st_uid == os.getuid() and _is_abandoned(path):
                shutil.rmtree(path, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    """Whether no process uses the folder, neither here nor in another container with the same temporary files.

    The process number alone does not show a process in another container; the lock alone does not show a process that
    has created its folder but not locked it yet.
    """
    named = NAME.fullmatch(folder.name)
    if named is None or is_running(int(named[1])):
        return False
    try:
        with FileLock(folder / LOCK, blocking=False):
            return True
    except Timeout:
        return False
