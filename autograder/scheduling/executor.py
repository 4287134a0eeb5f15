"""Running many tasks: the interface of executors, and the loop that starts tasks and retries them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Literal, Self, TypeVar

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

POLL_SECONDS = 1.0
"""Seconds that an executor waits for an outcome before it checks deadlines and signals."""

MAX_ATTEMPTS = 2
"""How many times a task is started if its worker dies."""


@dataclass(frozen=True)
class Failed:
    """The outcome of a task that failed.

    Its worker was killed (`died`) or crashed (`crashed`), or the task exceeded its memory limit (`memory`), or it was
    ended because it took too long (`overdue`).
    """

    reason: Literal["died", "crashed", "memory", "overdue"]


class Executor(ABC, Generic[Task, Outcome]):
    """Runs tasks, several at a time, here or elsewhere. Leaving its context ends the tasks that still run."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """End all workers, or the connection to them, with the tasks that still run."""

    @abstractmethod
    def count_slots(self) -> int:
        """Return how many tasks can currently run at a time."""

    @abstractmethod
    def submit(self, task: Task) -> None:
        """Start a task; the caller makes sure that fewer than `count_slots()` are running."""

    @abstractmethod
    def poll(self) -> list[tuple[Task, Outcome | Failed]]:
        """Return the tasks that have ended since the last call; wait at most `POLL_SECONDS` for the first.

        Raises:
            AutograderError: there is a problem that affects all tasks.
        """

    def run(
        self, tasks: Iterable[Task], on_start: Callable[[Task], None] = lambda _: None
    ) -> Iterator[tuple[Task, Outcome | Failed]]:
        """Run tasks and yield each with its outcome, in the order in which they end.

        A task whose worker dies is started once more. A task that takes too long or too much memory is not, because it
        would do so again.

        Args:
            tasks: the tasks to run.
            on_start: called with each task when it is started.

        Raises:
            AutograderError: as in `poll`.
        """
        waiting, running = deque(tasks), 0
        attempts: Counter[int] = Counter()
        while waiting or running:
            while waiting and running < self.count_slots():
                task = waiting.popleft()
                attempts[id(task)] += 1
                self.submit(task)
                running += 1
                on_start(task)
            for task, outcome in self.poll():
                running -= 1
                if outcome in (Failed("died"), Failed("crashed")) and attempts[id(task)] < MAX_ATTEMPTS:
                    waiting.append(task)
                else:
                    yield task, outcome
