"""Provisional verdicts on request: students on one machine ask through a socket and learn their points, but no checks.

The operating system identifies the user at the other end, so nobody can ask in another user's name, and the answer goes
only to that user. The command for students is `lab_verdict.py`, which needs no other file of the kit.
"""

from __future__ import annotations

import builtins
import contextlib
import json
import os
import queue
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from autograder.assignment.settings import Assignment
from autograder.common.units import MB
from autograder.errors import AutograderError, UsageError
from autograder.execution.kernels import SandboxChoice, Start
from autograder.execution.options import Options
from autograder.grading.verdict import ItemVerdict, Verdict
from autograder.results.files import write_text
from autograder.results.store import ResultStore
from autograder.scheduling.task import Task

from .nbgrader import GradingService

MAX_BYTES = 20 * MB
"""Maximum size of a notebook."""

MAX_WAITING = 100
"""Maximum number of requests that are being read or waiting; others are refused."""

READ_SECONDS = 30
"""Seconds that a request may take to arrive."""

MAX_PATH = 100
"""Maximum number of bytes in a socket's path; Linux allows 107."""

PEER = struct.Struct("3i")
"""The format in which Linux returns the process, user and group at the other end of a socket."""

GO_AHEAD = b"\n"
"""Sent to a user who may ask, before the notebook is received; a refusal is sent instead."""

UNDECIDED = "not decided yet"
NOT_GRADED = "Your notebook could not be graded: tell your instructor."

Log = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """A notebook that a user sent, and the connection for the answer."""

    user: int
    notebook: bytes
    connection: socket.socket


class RateLimit:
    """Allows each user one request in a number of seconds, even across restarts: the times are stored in a file."""

    def __init__(self, path: Path, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self.path, self.seconds, self.clock = path, seconds, clock
        try:
            self._last: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        except ValueError:
            raise UsageError(f"{path} is damaged: remove it. Then everybody can ask again.") from None

    def seconds_left(self, user: int) -> float:
        """Return how long the user has to wait; 0 if a request may be made now."""
        return max(0.0, self._last.get(str(user), -self.seconds) + self.seconds - self.clock())

    def record(self, user: int) -> None:
        """Record a request that is made now."""
        self._last[str(user)] = self.clock()
        write_text(self.path, json.dumps(self._last))


@dataclass
class VerdictServer:
    """Takes requests in threads, and grades them one after the other.

    Attributes:
        assignment: the assignment to grade.
        grade: the function that grades a notebook and returns the verdict.
        limit: how often a user may ask.
        log: called with a message about each request.
    """

    assignment: Assignment
    grade: Callable[[bytes], Verdict]
    limit: RateLimit
    log: Log
    _active: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _requests: queue.SimpleQueue[Request] = field(default_factory=queue.SimpleQueue)

    def accept(self, listener: socket.socket) -> None:
        """Accept requests until the listener is closed."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                if listener.fileno() < 0:
                    return
                time.sleep(1)  # for example, too many open files: try again later
                continue
            _, user, _ = PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
            if refusal := self._admit(user):
                _send(connection, {"granted": False, "text": refusal})
                continue
            threading.Thread(target=self._read, args=(connection, user), daemon=True).start()

    def answer_next(self) -> None:
        """Wait for a request, grade it and send the answer."""
        request = self._requests.get()
        try:
            verdict = self.grade(request.notebook)
            self.log(f"User {request.user}: {verdict.points:g} points, {verdict.state}.")
            text = "\n".join(describe_provisional(self.assignment, verdict))
            _send(request.connection, {"granted": True, "text": text})
        except AutograderError as error:
            self.log(f"User {request.user}: not graded. {error}")
            _send(request.connection, {"granted": False, "text": NOT_GRADED})
        finally:
            self._release(request.user)

    def _admit(self, user: int) -> str:
        """Return why the user may not ask now; "" if the request is accepted, which must be followed by `_release`."""
        with self._lock:
            if user in self._active:
                return "Your last notebook is still being graded."
            if left := self.limit.seconds_left(user):
                return f"You can ask again in {max(1, round(left / 60))} min."
            if len(self._active) >= MAX_WAITING:
                return "Too many notebooks are waiting: try again later."
            self._active.add(user)
            return ""

    def _release(self, user: int) -> None:
        with self._lock:
            self._active.discard(user)

    def _read(self, connection: socket.socket, user: int) -> None:
        try:
            connection.sendall(GO_AHEAD)
            notebook = _receive(connection)
            with self._lock:
                self.limit.record(user)
        except (OSError, ValueError, AutograderError) as error:
            self.log(f"User {user}: refused. {error}")
            self._release(user)
            # Students need not see problems of this machine.
            text = str(error) if isinstance(error, ValueError) else NOT_GRADED
            _send(connection, {"granted": False, "text": text})
        else:
            self._requests.put(Request(user, notebook, connection))


def _receive(connection: socket.socket) -> bytes:
    """Receive data until the other side has ended; raise ValueError if they are too large or take too long."""
    deadline = time.monotonic() + READ_SECONDS
    received = bytearray()
    size = 0
    while (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        part = connection.recv(65_536)
        if not part and size <= MAX_BYTES:
            return bytes(received)
        if not part:
            raise ValueError(f"The notebook is larger than {MAX_BYTES // MB} MB.")
        size += len(part)
        if size <= MAX_BYTES:  # further data are read but dropped: a client that is cut off gets no answer
            received += part
    raise ValueError(f"The notebook did not arrive within {READ_SECONDS} s.")


def _send(connection: socket.socket, answer: dict[str, Any]) -> None:
    """Send an answer and close the connection; a client that does not wait gets no answer."""
    with connection, contextlib.suppress(OSError):
        connection.settimeout(5)
        connection.sendall(json.dumps(answer).encode())
        connection.shutdown(socket.SHUT_WR)


def describe_provisional(assignment: Assignment, verdict: Verdict) -> list[str]:
    """Return what a student may know before the deadline: points by item, and which of their cells stopped.

    It contains no check, message, value, finding or error message: these could contain answers, or parts of the data
    with which the notebook was graded.
    """
    if verdict.state == "failed to run":
        return ["This file could not be run, because it is not a valid notebook. Open it in Jupyter and save it again."]
    judged = sum(item.points for item in assignment.judged_items)
    pending = assignment.max_points - judged
    by_hand = f"; another {pending:g} points are graded by hand" if pending else ""
    lines = [f"{assignment.title}: {verdict.points:g} of {judged:g} points (provisional{by_hand})."]
    for item in verdict.items:
        points = UNDECIDED if item.points is None else f"{item.points:g} of {item.max_points:g}"
        lines.append(f"- {item.title}: {points}{_describe_stop(item)}")
    return lines


def _describe_stop(item: ItemVerdict) -> str:
    stop = item.stop or item.first_stop
    if stop is None:
        return ""
    if stop.why != "error":
        return f" (the cell {stop.cell} {stop.end})"
    kind = getattr(builtins, stop.error, None)
    is_builtin = isinstance(kind, type) and issubclass(kind, BaseException)
    return f" (the cell {stop.cell} stopped with {stop.error if is_builtin else 'an error'})"


@contextlib.contextmanager
def open_socket(path: Path) -> Iterator[socket.socket]:
    """Listen at a path to which every user of the machine can connect; raise UsageError if that is not possible."""
    if len(os.fsencode(path.absolute())) > MAX_PATH:
        raise UsageError(f"The path {path} is too long for a socket: use one of at most {MAX_PATH} bytes.")
    try:
        mode = path.parent.stat().st_mode
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UsageError(f"Others may write to {path.parent} and could replace the socket: use another folder.")
        with socket.socket(socket.AF_UNIX) as listener:
            if path.is_socket():
                _remove_stale(path)
            listener.bind(str(path))
            try:
                path.chmod(0o666)
                listener.listen(MAX_WAITING)
                yield listener
            finally:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"The socket {path} cannot be opened ({error.strerror}).") from None


def _remove_stale(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise UsageError(f"Another process already uses the socket {path}.")


def serve(
    assignment: Assignment,
    path: Path,
    out: Path,
    *,
    minutes: float,
    kernel: Start = "auto",
    sandbox: SandboxChoice = "any",
    log: Log = print,
) -> None:
    """Answer requests for provisional verdicts until the process is stopped.

    Args:
        assignment: the assignment to grade.
        path: the socket.
        out: the folder for the times of requests; verdicts are not stored.
        minutes: the minimum time between two requests of a user.
        kernel: how kernels are started.
        sandbox: the sandbox of the notebooks.
        log: called with a message about each request.
    """
    limit = RateLimit(out / "requests.json", 60 * minutes)
    with open_socket(path) as listener, contextlib.closing(_Grader(assignment, kernel, sandbox)) as grader:
        server = VerdictServer(assignment, grader.grade, limit, log)
        threading.Thread(target=server.accept, args=(listener,), daemon=True).start()
        log(f"Waiting for requests for {assignment.name} at {path}; a student can ask every {minutes:g} min.")
        while True:
            server.answer_next()


class _Grader:
    """Grades notebooks without storing anything; kernels and process are replaced after a failure of the machine."""

    def __init__(self, assignment: Assignment, kernel: Start, sandbox: SandboxChoice) -> None:
        self.assignment, self.kernel, self.sandbox = assignment, kernel, sandbox
        self.service = GradingService(kernel, sandbox)

    def grade(self, notebook: bytes) -> Verdict:
        with TemporaryDirectory() as place:
            folder = Path(place, "submitted")
            folder.mkdir()
            (folder / self.assignment.notebook_name).write_bytes(notebook)
            store = ResultStore(Path(place, "graded"), self.assignment)
            verdict = self.service.grade(Task(store, "student", folder, self.service.kernels, Options(), ""))
            if verdict.state == "needs review" and store.read_executed("student") is None:
                self.service.close()
                self.service = GradingService(self.kernel, self.sandbox)
            return verdict

    def close(self) -> None:
        self.service.close()
