"""A Dask scheduler and workers as processes of this machine, for the benchmark of a cluster and the tests of one."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import ROOT


@contextlib.contextmanager
def start_dask(*arguments: str, prefix: Sequence[str] = (), **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process of Dask, and kill it in the end with all that it started.

    Args:
        arguments: the command of `dask` with its options.
        prefix: the command that runs it, such as one that binds it to a core or a network.
        settings: environment variables.
    """
    started = subprocess.Popen(
        [*prefix, sys.executable, "-m", "dask", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


@contextlib.contextmanager
def start_scheduler() -> Iterator[str]:
    """Start a scheduler on a free port, and yield its address once it listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with start_dask("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show"):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.2)
        yield f"tcp://127.0.0.1:{port}"


def start_worker(
    address: str, folder: Path, core: int | None = None
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """Start a worker with one thread, whose files lie in `folder`, on one core if it is named."""
    prefix = () if core is None else ("taskset", "--cpu-list", str(core))
    place = ("--local-directory", str(folder), "--host", "127.0.0.1", "--no-dashboard")
    return start_dask("worker", address, "--nworkers", "1", "--nthreads", "1", *place, prefix=prefix)
