"""`python -m runtime.fork_server`: import all libraries once and fork a kernel for each request.

The server runs no TensorFlow operation, because that would start threads, and a forked process has only the thread
that forked. Each connection belongs to one kernel: the client sends the request, and the server answers with the folder
of the kernel's sockets, once they exist, and later with the exit status. If the client hangs up, the kernel is ended.
The server ends when its standard input ends. A request consists of the number of bytes that follow (8 bytes, sent with
the kernel's end of the connection to the oracle) and a JSON document. After it the client sends single bytes, the
numbers of signals. The server answers the number 0 with the kernel's processor time and the time for which it waited
for a processor, in seconds.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import argparse
import base64
import contextlib
import functools
import json
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from . import gc_tuning, isolation, processes
from .loading import load

WATCH = 0.5
"""Seconds between two checks of the kernels' memory."""


def warm_up() -> None:
    """Draw a figure, which finds the fonts and fills caches, so that the first figure of each kernel need not."""
    import matplotlib.pyplot as plt
    import seaborn
    from matplotlib import backends

    if registry := getattr(backends, "backend_registry", None):  # new in Matplotlib 3.9
        registry.list_all()  # looks through all installed packages, once
    plt.switch_backend("agg")
    figure, axes = plt.subplots()
    seaborn.barplot(x=["a", "b"], y=[1.0, 2.0], ax=axes)
    figure.draw_without_rendering()
    plt.close(figure)


@dataclass
class Child:
    """A kernel: its connection, its limits, and the reason if the server ended it."""

    lifeline: socket.socket
    memory: int
    deadline: float
    folder: str
    reason: str = ""


class ForkServer:
    """Accepts requests and supervises the kernels that it forks."""

    def __init__(self, server: socket.socket, is_isolated: bool, loaded: Any) -> None:
        self.server, self.is_isolated, self.loaded = server, is_isolated, loaded
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
        folder = "" if self.is_isolated else tempfile.mkdtemp(prefix="kernel-")
        parent = os.getpid()
        with isolation.own_process_ids() if self.is_isolated else contextlib.nullcontext():
            pid = os.fork()
        if pid == 0:
            if not self.is_isolated:
                isolation.end_with(parent)
            self._become_kernel(request, files[0], connection, folder or isolation.HOME)
        os.close(files[0])
        limits = request["limits"]
        self.children[pid] = Child(connection, limits["memory"], time.monotonic() + limits["seconds"], folder)
        self.selector.register(connection, selectors.EVENT_READ, pid)

    def _become_kernel(self, request: dict[str, Any], oracle: int, line: socket.socket, folder: str) -> NoReturn:
        status, log = 1, os.dup(2)
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.selector.close()
            for other in (self.server, self.wake, self.wake_writer, *(c.lifeline for c in self.children.values())):
                other.close()
            _leave_standard_streams()
            os.setsid()
            os.umask(0o022)  # the kernel reads these files as another user
            private = _prepare(request, oracle, folder, self.is_isolated)
            kernel, modules = self.loaded or load(request["setup"]["instruments"])
            argv = ["-f", str(private / "kernel.json")]
            on_ready = functools.partial(_say_ready, private, line, log)
            kernel.run(argv, modules, request["setup"], oracle, bytes.fromhex(request.pop("key")), on_ready)
            status = 0
        except BaseException as error:
            with contextlib.suppress(OSError):  # both are closed before a student's code can run
                os.write(log, traceback.format_exc().encode())
                line.sendall(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
            raise
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
                _remove(child.folder)
                _tell(child, {"status": os.waitstatus_to_exitcode(status), "reason": child.reason})
                self._hang_up(child)

    def _hear(self, pid: int) -> None:
        if (child := self.children.get(pid)) is None:
            return
        try:
            numbers = child.lifeline.recv(64)
        except OSError:
            numbers = b""
        for number in numbers:
            if number:
                _signal(pid, number)
            else:
                cpu, waited = processes.time_spent(pid)
                _tell(child, {"cpu": cpu, "waited": waited})
        if not numbers:  # the client hung up; the kernel's folder is removed after it has ended
            _signal(pid, signal.SIGKILL)
            self._hang_up(child)

    def _hang_up(self, child: Child) -> None:
        if child.lifeline.fileno() >= 0:
            self.selector.unregister(child.lifeline)
            child.lifeline.close()

    def _watch(self) -> None:
        """End kernels that take too much memory or are still running after their deadline."""
        now = time.monotonic()
        for pid, child in self.children.items():
            if child.reason:
                continue
            if now > child.deadline:
                child.reason = "time"
            elif self.is_isolated and _takes_too_much(pid, child.memory):
                child.reason = "memory"
            if child.reason:
                _signal(pid, signal.SIGKILL)

    def _end(self) -> NoReturn:
        """End all kernels and the server. The standard input has closed, and no kernel may outlive the grader."""
        for pid, child in self.children.items():
            _signal(pid, signal.SIGKILL)
            _remove(child.folder)
        sys.exit()


def _remove(folder: str) -> None:
    """Remove what a kernel left behind, or what can be removed of it; very deep folders end in a RecursionError."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)


def _tell(child: Child, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # the other side may have hung up
        child.lifeline.sendall(json.dumps(message).encode() + b"\n")


def _takes_too_much(pid: int, limit: int) -> bool:
    """Whether a kernel's processes and its files in memory take more than `limit` bytes."""
    left = limit - isolation.count_files(pid)
    return processes.memory(pid, left) > left


def _signal(pid: int, number: int) -> None:
    """Send a signal to a kernel and the processes of its group."""
    with contextlib.suppress(OSError):
        os.killpg(pid, number)


def _request(connection: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """Read a request and its file descriptors; the request is None if the client hung up before it was complete."""
    head, files, _, _ = socket.recv_fds(connection, 8, 1)
    if len(head) < 8 or not files:
        return None, files
    with connection.makefile("rb") as stream:
        size = int.from_bytes(head, "big")
        body = stream.read(size)
    return (json.loads(body), files) if len(body) == size else (None, files)


def _prepare(request: dict[str, Any], oracle: int, folder: str, is_isolated: bool) -> Path:
    """Isolate this process and fill its folder; return the subfolder in which the kernel's sockets will be."""
    limits = request["limits"]
    os.set_inheritable(oracle, False)
    if is_isolated:
        isolation.unshare_namespaces(limits["space"])
    for name, text in request["files"].items():
        path = Path(folder, name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(base64.b64decode(text))
    private = Path(folder, ".kernel")
    private.mkdir(mode=0o755)
    connection = request["connection"] | {"ip": str(private / "k")}
    (private / "kernel.json").write_text(json.dumps(connection), encoding="ascii")
    if is_isolated:
        os.chown(private, isolation.owner(), isolation.owner())
        isolation.apply_limits(limits, oracle)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(request["env"])
    os.environ.update(HOME=folder)
    os.environ.update(IPYTHONDIR=str(private), MPLCONFIGDIR=str(private))
    if is_isolated and isolation.holds_python():
        os.environ["TMPDIR"] = folder
    tempfile.tempdir = None  # the server's folder for temporary files may not exist here
    return private


def _say_ready(private: Path, line: socket.socket, log: int) -> None:
    """Report where the kernel's sockets are, after they were created and before any code of a notebook runs."""
    place = os.open(private, os.O_RDONLY | os.O_DIRECTORY)
    socket.send_fds(line, [json.dumps({"folder": str(private)}).encode() + b"\n"], [place])
    os.close(place)
    line.close()
    os.close(log)


def _leave_standard_streams() -> None:
    """Replace the standard streams: nobody reads the server's, and a full pipe would block the kernel."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def main(arguments: list[str]) -> None:
    options = argparse.ArgumentParser(prog="runtime.fork_server")
    options.add_argument("--listen", type=int, required=True, help="file descriptor of the listening socket")
    options.add_argument("--isolated", action="store_true", help="isolate every kernel")
    options.add_argument("--cold", action="store_true", help="import nothing beforehand")
    options.add_argument("--instruments", default="", help="the instruments of the kernels, separated by commas")
    chosen = options.parse_args(arguments)
    loaded = None
    with gc_tuning.keep_imports():
        if not chosen.cold:
            loaded = load([name for name in chosen.instruments.split(",") if name])
            warm_up()
    if processes.threads() != 1:
        raise SystemExit(f"The process that forks kernels has {processes.threads()} threads and cannot fork safely.")
    server = ForkServer(socket.socket(fileno=chosen.listen), chosen.isolated, loaded)
    print("ready", flush=True)
    server.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
