"""Processes that do one task at a time; one that dies or does not come back costs its own task, no more."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic, TypeVar

from autograder.errors import AutograderError
from autograder.execution.runtime.gc_tuning import collect_seldom, keep_imports
from autograder.execution.runtime.isolation import end_with

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

GLANCE = 1.0
"""Seconds after which one who waits looks around, at what is overdue and whether a signal came."""

TRIES = 2
"""How often a task is begun whose process dies."""


@dataclass(frozen=True)
class Lost:
    """What comes in the place of an outcome: `died` or `overdue`."""

    how: str


class _Worker(Generic[Task, Outcome]):
    """One process, and the task that it has with the time until which it may take."""

    def __init__(self, work: Callable[[Task], Outcome], prepare: Callable[[], None]) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, other = context.Pipe()
        # The work as bytes: to read it imports what it needs, and until then nothing would end the process.
        self.process = context.Process(target=_serve, args=(other, pickle.dumps((work, prepare))), daemon=True)
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

    def give(self, task: Task, seconds: float) -> None:
        self.task, self.deadline = task, time.monotonic() + seconds
        with contextlib.suppress(OSError):  # it is dead, which shows when it is listened to
            self.line.send(task)

    def hear(self) -> Outcome | Lost:
        """The outcome of its task, `died` if there will be none; raises what stopped the work as a whole."""
        try:
            told = self.line.recv()
        except (EOFError, OSError):
            return Lost("died")
        if isinstance(told, AutograderError):
            raise told
        return told

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.line.close()


def _no_preparation() -> None:
    pass


class Pool(Generic[Task, Outcome]):
    """At most `jobs` processes that `prepare` and `work`; a task that takes more than so many seconds is given up."""

    def __init__(
        self, work: Callable[[Task], Outcome], jobs: int, seconds: float, prepare: Callable[[], None] = _no_preparation
    ) -> None:
        self.work, self.jobs, self.seconds, self.prepare = work, jobs, seconds, prepare
        self.workers: list[_Worker[Task, Outcome]] = []

    def __enter__(self) -> Pool[Task, Outcome]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def start(self) -> None:
        """Starts all processes now; otherwise each starts with its first task."""
        while len(self.workers) < self.jobs:
            self.workers.append(_Worker(self.work, self.prepare))

    def end(self) -> None:
        for worker in self.workers:
            worker.process.kill()
        while self.workers:
            self.workers.pop().end()

    def run(
        self, tasks: Iterable[Task], begin: Callable[[Task], None] = lambda _: None
    ) -> Iterator[tuple[Task, Outcome | Lost]]:
        """Each task with its outcome, as they are done; `begin` hears of each that a process gets. AutograderError from
        a task ends it all."""
        waiting = deque((task, 1) for task in tasks)
        tries: dict[int, int] = {}
        while waiting or any(worker.task is not None for worker in self.workers):
            self._hand_out(waiting, tries, begin)
            for worker, outcome in self._heard():
                task, worker.task = worker.task, None
                assert task is not None
                if isinstance(outcome, Lost):
                    self.workers.remove(worker)
                    worker.end()
                if outcome == Lost("died") and tries[id(task)] < TRIES:
                    waiting.append((task, tries[id(task)] + 1))
                else:
                    yield task, outcome

    def _hand_out(self, waiting: deque[tuple[Task, int]], tries: dict[int, int], begin: Callable[[Task], None]) -> None:
        while waiting:
            idle = next((worker for worker in self.workers if worker.task is None), None)
            if idle is None and len(self.workers) == self.jobs:
                return
            if idle is None:
                idle = _Worker(self.work, self.prepare)
                self.workers.append(idle)
            task, tries[id(task)] = waiting.popleft()
            idle.give(task, self.seconds)
            begin(task)

    def _heard(self) -> list[tuple[_Worker[Task, Outcome], Outcome | Lost]]:
        """Waits until at least one has something to tell, has been busy for too long, or it is time to look around: a
        signal that comes just before a process begins to wait does not wake it."""
        busy = {worker.line: worker for worker in self.workers if worker.task is not None}
        first = min(worker.deadline for worker in busy.values())
        left = max(0.0, first - time.monotonic())
        ready = {line for line in wait(list(busy), min(GLANCE, left)) if isinstance(line, Connection)}
        now = time.monotonic()
        late = [worker for line, worker in busy.items() if line not in ready and worker.deadline <= now]
        return [*((busy[line], busy[line].hear()) for line in ready), *((worker, Lost("overdue")) for worker in late)]


def _serve(line: Connection, pickled: bytes) -> None:
    """What a process does: task after task, until nobody gives it any."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_parent()
    with keep_imports():
        work: Callable[[Any], Any]
        work, prepare = pickle.loads(pickled)
    collect_seldom()
    prepare()
    while True:
        try:
            task = line.recv()
        except EOFError:
            return
        try:
            told = work(task)
        except AutograderError as error:
            told = error
        line.send(told)


def _end_with_parent() -> None:
    """Nothing may go on working, and writing, when the process that gives out the tasks is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    end_with(parent.pid or 0)  # also ends a process whose threads cannot run
    threading.Thread(target=watch, daemon=True).start()
