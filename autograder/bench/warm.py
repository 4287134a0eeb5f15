"""`python -m bench.warm SOCKET`: a parent that has imported everything and forks a kernel for whoever asks.

The parent runs no TensorFlow operation, because that would start threads, and a forked process has only the thread
that forked. A connection is the lifeline of one kernel: the request goes in, the process id and later the exit status
come back, and when the other side hangs up the kernel is ended. When its standard input ends, so does the parent.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import contextlib
import gc
import json
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn


def import_everything() -> None:
    """What the notebooks of the lab import, and what the kernel itself needs."""
    import bench.session  # noqa: F401
    import ipykernel.kernelapp  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import matplotlib_inline.backend_inline  # noqa: F401
    import pandas  # noqa: F401
    import seaborn  # noqa: F401
    import tensorflow  # noqa: F401


def threads() -> int:
    """The number of threads of this process; 1 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("Threads:")), 1)


class Parent:
    """Accepts requests and looks after the kernels that it forked."""

    def __init__(self, path: str) -> None:
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(path)
        self.server.listen(64)
        self.wake, self.wake_writer = socket.socketpair()
        self.wake_writer.setblocking(False)
        signal.set_wakeup_fd(self.wake_writer.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.server, selectors.EVENT_READ)
        self.selector.register(self.wake, selectors.EVENT_READ)
        self.selector.register(sys.stdin, selectors.EVENT_READ)
        self.children: dict[int, socket.socket] = {}

    def serve(self) -> None:
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.server:
                    self._accept()
                elif key.fileobj is self.wake:
                    self.wake.recv(4096)
                    self._reap()
                elif key.fileobj is sys.stdin:
                    self._end()
                elif isinstance(key.fileobj, socket.socket):
                    self._hung_up(key.fileobj)

    def _accept(self) -> None:
        connection, _ = self.server.accept()
        with connection.makefile("r", encoding="utf-8") as lines:
            text = lines.readline()
        if not text:
            connection.close()
            return
        pid = os.fork()
        if pid == 0:
            self._become_kernel(json.loads(text), connection)
        self.children[pid] = connection
        self.selector.register(connection, selectors.EVENT_READ)
        connection.sendall(json.dumps({"pid": pid}).encode() + b"\n")

    def _become_kernel(self, request: dict[str, Any], connection: socket.socket) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.selector.close()
            for other in (connection, self.server, self.wake, self.wake_writer, *self.children.values()):
                other.close()
            _leave_standard_streams()
            os.setsid()
            os.chdir(request["cwd"])
            os.environ.clear()
            os.environ.update(request["env"])
            from bench.__main__ import main

            main(request["argv"])
            status = 0
        finally:
            os._exit(status)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            connection = self.children.pop(pid, None)
            if connection is not None:
                self.selector.unregister(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(json.dumps({"status": os.waitstatus_to_exitcode(status)}).encode() + b"\n")
                connection.close()

    def _hung_up(self, connection: socket.socket) -> None:
        if connection.recv(4096):
            return
        self.selector.unregister(connection)
        for pid, other in list(self.children.items()):
            if other is connection:
                del self.children[pid]
                with contextlib.suppress(OSError):
                    os.killpg(pid, signal.SIGKILL)
        connection.close()

    def _end(self) -> NoReturn:
        """Nobody is left at the other end of the standard input: no kernel may outlive the grader."""
        for pid in self.children:
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
        sys.exit()


def _leave_standard_streams() -> None:
    """Nobody reads what a kernel writes to the parent's streams, and a full pipe would hold it up."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def main(path: str) -> None:
    import_everything()
    if threads() != 1:
        raise SystemExit(f"The warm parent has {threads()} threads and cannot fork safely.")
    gc.collect()
    gc.freeze()
    parent = Parent(path)
    print("ready", flush=True)
    parent.serve()


if __name__ == "__main__":
    main(sys.argv[1])
