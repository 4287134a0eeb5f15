"""`python -m bench.warm`: a parent that has imported everything and forks a kernel for whoever asks.

The parent runs no TensorFlow operation, because that would start threads, and a forked process has only the thread
that forked. A connection is the lifeline of one kernel: the request goes in, the place of its sockets and later the
exit status come back, and when the other side hangs up the kernel is ended. When its standard input ends, so does the
parent. A request is the number of bytes that follow (8 bytes, with the file descriptor that takes the evidence), then a
JSON document; what is sent later are single bytes, the numbers of signals.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import argparse
import base64
import contextlib
import importlib
import io
import json
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from . import garbage, tree, walls

WATCH = 0.5
"""Seconds between two looks at the kernels' memory."""


LATE = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.magics.ast_mod",
    "IPython.core.magics.execution",
    "IPython.core.magics.pylab",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "tensorflow.keras.layers",
    "tensorflow.python.data.ops.from_tensors_op",
    "tornado.platform.asyncio",
    "zmq.utils.garbage",
)
"""Modules that others import only when they need them, and every kernel of the lab does."""


def import_everything() -> None:
    """What the notebooks of the lab import, and what the kernel itself imports when it starts."""
    import bench.pictures
    import bench.session  # noqa: F401
    import ipykernel.kernelapp  # noqa: F401
    import matplotlib.pyplot as plt
    import matplotlib_inline.backend_inline  # noqa: F401
    import pandas  # noqa: F401
    import seaborn
    from matplotlib.backends.registry import backend_registry

    for name in LATE:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    backend_registry.list_all()  # type: ignore[no-untyped-call]
    plt.switch_backend("agg")
    figure, axes = plt.subplots()
    seaborn.barplot(x=["a", "b"], y=[1.0, 2.0], ax=axes)
    figure.savefig(io.BytesIO(), format="png")  # finds fonts and fills what the first figure has to wait for
    plt.close(figure)


@dataclass
class Child:
    """A kernel: its lifeline, what it may take, and why it was ended if it was not by itself."""

    lifeline: socket.socket
    memory: int
    deadline: float
    folder: str
    reason: str = ""


class Parent:
    """Accepts requests and looks after the kernels that it forked."""

    def __init__(self, server: socket.socket, walled: bool) -> None:
        self.server, self.walled = server, walled
        self.wake, self.wake_writer = socket.socketpair()
        self.wake_writer.setblocking(False)
        signal.set_wakeup_fd(self.wake_writer.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector = selectors.DefaultSelector()
        for source in (self.server, self.wake, sys.stdin):
            self.selector.register(source, selectors.EVENT_READ)
        self.children: dict[int, Child] = {}

    def serve(self) -> None:
        while True:
            for key, _ in self.selector.select(WATCH if self.children else None):
                if key.fileobj is self.server:
                    self._accept()
                elif key.fileobj is self.wake:
                    self.wake.recv(4096)
                    self._reap()
                elif key.fileobj is sys.stdin:
                    self._end()
                else:
                    self._hear(key.data)
            self._watch()

    def _accept(self) -> None:
        connection, _ = self.server.accept()
        request, files = _request(connection)
        if request is None:
            connection.close()
            return
        folder = "" if self.walled else tempfile.mkdtemp(prefix="kernel-")
        parent = os.getpid()
        with walls.own_process_ids() if self.walled else contextlib.nullcontext():
            pid = os.fork()
        if pid == 0:
            if not self.walled:
                walls.end_with(parent)
            self._become_kernel(request, files[0], connection, folder or walls.HOME)
        os.close(files[0])
        limits = request["limits"]
        self.children[pid] = Child(connection, limits["memory"], time.monotonic() + limits["seconds"], folder)
        self.selector.register(connection, selectors.EVENT_READ, pid)

    def _become_kernel(self, request: dict[str, Any], evidence: int, line: socket.socket, folder: str) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.selector.close()
            for other in (self.server, self.wake, self.wake_writer, *(c.lifeline for c in self.children.values())):
                other.close()
            _leave_standard_streams()
            os.setsid()
            os.umask(0o022)  # what is laid out for the kernel is for another user to read
            with contextlib.closing(line):
                argv = _furnish_or_say(request, evidence, line, folder, self.walled)
            from bench.__main__ import main

            main(argv)
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
            if (child := self.children.pop(pid, None)) is not None:
                shutil.rmtree(child.folder, ignore_errors=True)
                reply = {"status": os.waitstatus_to_exitcode(status), "reason": child.reason}
                with contextlib.suppress(OSError):
                    child.lifeline.sendall(json.dumps(reply).encode() + b"\n")
                self._hang_up(child)

    def _hear(self, pid: int) -> None:
        if (child := self.children.get(pid)) is None:
            return
        try:
            numbers = child.lifeline.recv(64)
        except OSError:
            numbers = b""
        for number in numbers:
            _signal(pid, number)
        if not numbers:  # the other side hung up; what the kernel leaves behind goes when it has ended
            _signal(pid, signal.SIGKILL)
            self._hang_up(child)

    def _hang_up(self, child: Child) -> None:
        if child.lifeline.fileno() >= 0:
            self.selector.unregister(child.lifeline)
            child.lifeline.close()

    def _watch(self) -> None:
        """Ends what takes too much memory, and what is still there when everybody should have gone home."""
        now = time.monotonic()
        for pid, child in self.children.items():
            if child.reason:
                continue
            if now > child.deadline:
                child.reason = "time"
            elif self.walled and tree.memory(pid, child.memory) > child.memory:
                child.reason = "memory"
            if child.reason:
                _signal(pid, signal.SIGKILL)

    def _end(self) -> NoReturn:
        """Nobody is left at the other end of the standard input: no kernel may outlive the grader."""
        for pid, child in self.children.items():
            _signal(pid, signal.SIGKILL)
            shutil.rmtree(child.folder, ignore_errors=True)
        sys.exit()


def _signal(pid: int, number: int) -> None:
    """Sends a signal to a kernel and the processes of its group."""
    with contextlib.suppress(OSError):
        os.killpg(pid, number)


def _request(connection: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """The request and its file descriptors; None if the other side left before it was complete."""
    head, files, _, _ = socket.recv_fds(connection, 8, 1)
    if len(head) < 8 or not files:
        return None, files
    with connection.makefile("rb") as stream:
        size = int.from_bytes(head, "big")
        body = stream.read(size)
    return (json.loads(body), files) if len(body) == size else (None, files)


def _furnish_or_say(
    request: dict[str, Any], evidence: int, line: socket.socket, folder: str, walled: bool
) -> list[str]:
    """As `_furnish`; what goes wrong is told to the other side."""
    try:
        return _furnish(request, evidence, line, folder, walled)
    except Exception as error:
        line.sendall(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        raise


def _furnish(request: dict[str, Any], evidence: int, line: socket.socket, folder: str, walled: bool) -> list[str]:
    """Builds the walls, lays out the folder, tells where the sockets will be, and answers the kernel's arguments."""
    limits = request["limits"]
    if walled:
        walls.build(limits["space"])
    for name, text in request["files"].items():
        path = Path(folder, name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(base64.b64decode(text))
    private = Path(folder, ".kernel")
    private.mkdir(mode=0o755)
    connection = request["connection"] | {"ip": str(private / "k")}
    (private / "kernel.json").write_text(json.dumps(connection), encoding="ascii")
    if walled:
        os.chown(private, walls.owner(), walls.owner())
        walls.close(limits)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(request["env"])
    os.environ.update(HOME=folder, BENCH_FOLDER=folder, BENCH_EVIDENCE=str(evidence))
    os.environ.update(IPYTHONDIR=str(private), MPLCONFIGDIR=str(private))
    if walled and walls.holds_python():
        os.environ["TMPDIR"] = folder
    place = os.open(private, os.O_RDONLY | os.O_DIRECTORY)
    socket.send_fds(line, [json.dumps({"folder": str(private)}).encode() + b"\n"], [place])
    os.close(place)
    return ["-f", str(private / "kernel.json")]


def _leave_standard_streams() -> None:
    """Nobody reads what a kernel writes to the parent's streams, and a full pipe would hold it up."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def main(arguments: list[str]) -> None:
    options = argparse.ArgumentParser(prog="bench.warm")
    options.add_argument("--listen", type=int, required=True, help="file descriptor of the listening socket")
    options.add_argument("--walled", action="store_true", help="build walls around every kernel")
    options.add_argument("--cold", action="store_true", help="import nothing beforehand")
    chosen = options.parse_args(arguments)
    with garbage.imports():
        if not chosen.cold:
            import_everything()
    if tree.threads() != 1:
        raise SystemExit(f"The warm parent has {tree.threads()} threads and cannot fork safely.")
    parent = Parent(socket.socket(fileno=chosen.listen), chosen.walled)
    print("ready", flush=True)
    parent.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
