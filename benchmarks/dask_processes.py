"""A Dask scheduler and workers as processes on this machine, for the benchmark and the tests of a cluster."""

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
    """Start a process of Dask; at the end, kill it and all processes that it started.

    Args:
        arguments: the subcommand of `dask` and its options.
        prefix: a command that runs the process, for example one that binds it to a core or a network.
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
    """Start a scheduler on a free port, and yield its address when it is listening."""
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
    """Start a worker with one thread and its files in `folder`; if `core` is given, it runs only on this core."""
    prefix = () if core is None else ("taskset", "--cpu-list", str(core))
    place = ("--local-directory", str(folder), "--host", "127.0.0.1", "--no-dashboard")
    return start_dask("worker", address, "--nworkers", "1", "--nthreads", "1", *place, prefix=prefix)
