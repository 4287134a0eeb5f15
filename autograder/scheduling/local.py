"""Worker processes on this machine that run one task at a time; one that dies or hangs affects only its own task."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, Generic

from autograder.errors import AutograderError
from autograder.execution.runtime.gc_tuning import keep_imports, tune_gc
from autograder.execution.runtime.isolation import end_with

from .executor import POLL_SECONDS, Executor, Failed, Outcome, Task
from .memory import ROOM, count_data, limit_memory

KILLS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
"""Signals with which others end a worker; any other signal means that the worker crashed."""


class _Worker(Generic[Task, Outcome]):
    """One process, with its task and the task's deadline."""

    def __init__(self, work: Callable[[Task], Outcome], prepare: Callable[[], None], room: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        # The work is passed as bytes: unpickling it imports modules, which must happen after `_end_with_parent`.
        self.process = context.Process(target=_serve, args=(other, pickle.dumps((work, prepare)), room), daemon=True)
        # Ctrl-C reaches every process of the terminal, but only the main process should react to it. The resource
        # tracker is started first, because its start would unblock the signal.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            other.close()
        self.task: Task | None = None
        self.deadline = 0.0
        self.is_worn = False

    def start(self, task: Task, seconds: float) -> None:
        self.task, self.deadline = task, time.monotonic() + seconds
        with contextlib.suppress(OSError):  # the process is dead, which `receive` will report
            self.connection.send(task)

    def receive(self) -> Outcome | Failed:
        """Return the outcome of the task; raise the task's AutograderError if it raised one."""
        try:
            answer, self.is_worn = self.connection.recv()
        except (EOFError, OSError):
            self.process.join(POLL_SECONDS)
            status = self.process.exitcode
            return Failed("died" if status is None or -status in KILLS else "crashed")
        if isinstance(answer, AutograderError):
            raise answer
        return answer

    def close(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _do_nothing() -> None:
    pass


class LocalExecutor(Executor[Task, Outcome]):
    """Runs tasks in processes on this machine.

    Args:
        work: the function that does a task; it may raise AutograderError to end the run.
        jobs: the maximum number of processes.
        seconds: the time limit of a task.
        prepare: called in each process before its first task.
        room: the memory limit of a task in bytes. A process that keeps half of them gets no further task.
    """

    def __init__(
        self,
        work: Callable[[Task], Outcome],
        jobs: int,
        seconds: float,
        prepare: Callable[[], None] = _do_nothing,
        room: int = ROOM,
    ) -> None:
        self.work, self.jobs, self.seconds, self.prepare, self.room = work, jobs, seconds, prepare, room
        self._workers: list[_Worker[Task, Outcome]] = []

    def start(self) -> None:
        """Start all processes now; otherwise each is started with its first task."""
        while len(self._workers) < self.jobs:
            self._add_worker()

    def close(self) -> None:
        for worker in self._workers:
            worker.process.kill()
        while self._workers:
            self._workers.pop().close()

    def count_slots(self) -> int:
        return self.jobs

    def submit(self, task: Task) -> None:
        idle = next((worker for worker in self._workers if worker.task is None), None)
        (idle or self._add_worker()).start(task, self.seconds)

    def poll(self) -> list[tuple[Task, Outcome | Failed]]:
        busy = [worker for worker in self._workers if worker.task is not None]
        left = min(worker.deadline for worker in busy) - time.monotonic()
        # A signal that arrives just before `wait` does not interrupt it, so it waits only for a short time.
        ready = wait([worker.connection for worker in busy], max(0.0, min(POLL_SECONDS, left)))
        now = time.monotonic()
        ended = []
        for worker in busy:
            if worker.connection not in ready and worker.deadline > now:
                continue
            outcome = worker.receive() if worker.connection in ready else Failed("overdue")
            task, worker.task = worker.task, None
            assert task is not None
            ended.append((task, outcome))
            if isinstance(outcome, Failed) or worker.is_worn:
                self._workers.remove(worker)
                worker.close()
        return ended

    def _add_worker(self) -> _Worker[Task, Outcome]:
        self._workers.append(_Worker(self.work, self.prepare, self.room))
        return self._workers[-1]


def _serve(connection: Connection, pickled: bytes, room: int) -> None:
    """Do one task after another until the connection ends, in the process of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_parent()
    with keep_imports():
        work: Callable[[Any], Any]
        work, prepare = pickle.loads(pickled)
    tune_gc()
    prepare()
    before = count_data()
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        try:
            with limit_memory(room):
                answer = work(task)
        except AutograderError as error:
            answer = error
        except MemoryError:
            answer = Failed("memory")
        connection.send((answer, count_data() - before > room // 2))


def _end_with_parent() -> None:
    """Make this process end when the process that distributes the tasks is gone, so that it writes no results."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    end_with(parent.pid or 0)  # also works if no thread of this process can run
    threading.Thread(target=watch, daemon=True).start()
