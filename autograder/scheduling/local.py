"""Processes of this machine that do one task at a time; one that dies or hangs costs its own task and no other."""

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
"""Signals by which others end a worker; by any other it has ended itself."""


class _Worker(Generic[Task, Outcome]):
    """One process, and the task that it has, with the time at which that is overdue."""

    def __init__(self, work: Callable[[Task], Outcome], prepare: Callable[[], None], room: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        # The work as bytes: reading it imports what it needs, and until then nothing would end the process.
        self.process = context.Process(target=_serve, args=(other, pickle.dumps((work, prepare)), room), daemon=True)
        # Ctrl-C reaches every process of the terminal; only the one that looks after the others answers it.
        # The tracker's start would undo the block, so it comes first.
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
        with contextlib.suppress(OSError):  # it is dead, and `receive` will say so
            self.connection.send(task)

    def receive(self) -> Outcome | Failed:
        """Return the outcome of its task; AutograderError is what the task raised as one."""
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
    """At most so many processes of this machine.

    Args:
        work: does a task; may raise AutograderError to end the run.
        jobs: the number of processes.
        seconds: what one task may take.
        prepare: called in each process before its first task.
        room: bytes that a process may take for a task. One that keeps half of them does no other task.
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
        """Start all processes now; otherwise each starts with its first task."""
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
        # A signal that comes just before a process begins to wait does not wake it: it waits for a moment only.
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
    """Do task after task until the connection ends; runs in the process of a worker."""
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
    """See to it that nothing works on, and writes, when the process that hands out the tasks is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    end_with(parent.pid or 0)  # also ends a process whose threads cannot run
    threading.Thread(target=watch, daemon=True).start()
