"""Who grades the submissions of a class: processes of this machine, each of which has kernels, or a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autograder.errors import KernelFailed
from autograder.execution.kernels import Kernels, Start, Walls
from autograder.execution.limits import Limits
from autograder.grading.verdict import Done
from autograder.submission import limited
from autograder.submission.folders import contents

from .local import Lost, Pool
from .preflight import require_full_points, solution_task, try_kernels
from .task import Task, grade_task, leave_to_a_person

if TYPE_CHECKING:
    from .cluster import Cluster

MOST_RUNS = 6
"""How many whole runs a submission may take before it is given up; the runner ends each of them by itself."""

SLACK = 60.0
"""Seconds that a submission may take beside its runs."""

DIED = "The grading process died twice on it."
OVERDUE = "The grading process did not come back in time and was ended."


@dataclass(frozen=True)
class Crew:
    """Who grades: at most `jobs` processes of this machine, with the kernels that are `ready` when they are asked for,
    or, where it is named, the workers of a scheduler, with kernels of their own."""

    scheduler: str
    jobs: int
    start: Start
    walls: Walls
    ready: Callable[[], Kernels] | None = None


def graded(
    tasks: list[Task],
    stack: ExitStack,
    crew: Crew,
    begin: Callable[[str], None],
    say: Callable[[str], None],
    meanwhile: Callable[[], None],
) -> Iterator[Done]:
    """The tasks as they are done; one that is lost costs its own submission a verdict, no more.

    `begin` hears the student of each task that is begun, `say` gets sentences, and `meanwhile` is called while those
    who grade get ready, in a thread.
    """
    seconds = longest(tasks[0].options.limits)
    workers: Pool[Task, Done] | Cluster
    waiting = stack.enter_context(ThreadPoolExecutor(1)).submit(meanwhile)
    if crew.ready is None:
        from .cluster import Cluster

        workers = stack.enter_context(Cluster(crew.scheduler, seconds, crew.start, crew.walls))
    else:
        pool = Pool(grade_task, min(crew.jobs, len(tasks)), seconds, limited.start)
        stack.callback(pool.end)
        pool.start()  # they import what they need while the fork server does
        source = crew.ready()
        if source.note:
            say(source.note)
        tasks = [replace(task, kernels=source) for task in tasks]
        workers = stack.enter_context(pool)
    waiting.result()
    run_preflight(tasks[0], workers)
    for task, outcome in workers.run(tasks, lambda task: begin(task.student)):
        if not isinstance(outcome, Lost):
            yield outcome
        elif outcome.how == "died":
            yield leave_to_a_person(task, DIED)
        else:
            yield leave_to_a_person(task, OVERDUE, contents(task.folder, task.basis).digest)


def run_preflight(task: Task, workers: Pool[Task, Done] | Cluster) -> None:
    """Have one who grades try the solution; KernelFailed where it does not get full points, see `preflight`."""
    with solution_task(task) as solution:
        if solution is None:
            if task.kernels is not None:
                try_kernels(task.assignment, task.kernels)
            return
        for _, outcome in workers.run([solution], lambda _: None):
            if isinstance(outcome, Lost):
                raise KernelFailed(f"Nothing was graded, because grading the solution {outcome.how}.")
            require_full_points(task.assignment, outcome)


def longest(limits: Limits) -> float:
    """Seconds after which a submission is given up."""
    return MOST_RUNS * (limits.start + limits.run) + SLACK
