"""The temporary files of a run: all in one folder, which goes with the run or, if that was killed, with a later one."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .lock import runs, take

NAME = re.compile(r"grader-(\d+)-\w+")
"""The folder's name, with the process whose it is. It is short because the path of a socket has some 100 characters."""


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder that this process and those that it starts take for all temporary files from now on.

    Its owner holds it locked; those of owners that are gone are removed.
    """
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    _remove_those_of_the_dead(Path(tempfile.gettempdir()))
    own = Path(tempfile.mkdtemp(prefix=f"grader-{os.getpid()}-"))
    descriptor = os.open(own, os.O_RDONLY)
    try:
        take(descriptor)
        tempfile.tempdir = os.environ["TMPDIR"] = str(own)
        yield own
    finally:
        tempfile.tempdir = before
        if variable is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = variable
        shutil.rmtree(own, ignore_errors=True)
        os.close(descriptor)


def _remove_those_of_the_dead(place: Path) -> None:
    for path in place.glob("grader-*-*"):
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink() and path.stat().st_uid == os.getuid() and _is_dead(path):
                shutil.rmtree(path, ignore_errors=True)


def _is_dead(path: Path) -> bool:
    """Whether no process on this machine, be it in another container, has the folder.

    The number alone would not do for another container, the lock alone not for an owner that has yet to take it.
    """
    named = NAME.fullmatch(path.name)
    if named is None or runs(int(named[1])):
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        return take(descriptor) is not False
    finally:
        os.close(descriptor)
