"""Running many tasks: the interface of what carries them out, and the one loop that hands them out and retries them."""

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
"""How long an executor waits for an outcome before it looks at deadlines and signals."""

MAX_ATTEMPTS = 2
"""How often a task is started whose worker dies."""


@dataclass(frozen=True)
class Failed:
    """Stands for the outcome of a task that has none.

    Its worker was killed (`died`) or crashed by itself (`crashed`); or the task needed more memory than it may have
    (`memory`), or was ended because it took too long (`overdue`).
    """

    reason: Literal["died", "crashed", "memory", "overdue"]


class Executor(ABC, Generic[Task, Outcome]):
    """Carries out tasks, several at a time, here or elsewhere. Leaving its context ends what still runs."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """End all workers, or the connection to them, with the tasks that still run."""

    @abstractmethod
    def count_slots(self) -> int:
        """Return how many tasks can run at a time as things are now."""

    @abstractmethod
    def submit(self, task: Task) -> None:
        """Start a task; fewer than `count_slots()` run at the moment."""

    @abstractmethod
    def poll(self) -> list[tuple[Task, Outcome | Failed]]:
        """Return the tasks that have ended since the last call, after waiting `POLL_SECONDS` at most for the first.

        Raises:
            AutograderError: something is wrong that no other task can escape.
        """

    def run(
        self, tasks: Iterable[Task], on_start: Callable[[Task], None] = lambda _: None
    ) -> Iterator[tuple[Task, Outcome | Failed]]:
        """Run tasks and yield each with its outcome, in the order in which they end.

        A task whose worker dies is started once more; one that takes too long or too much memory is not, because it
        would again.

        Args:
            tasks: what is to be done.
            on_start: called with each task that is started.

        Raises:
            AutograderError: as `poll`.
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
