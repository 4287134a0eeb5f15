"""Grading many submissions: opens the executor, tries the solution first, and makes a result of every task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace

from autograder.execution.kernels import Kernels, SandboxChoice, Start
from autograder.grading.verdict import Done
from autograder.submission import limited
from autograder.submission.folders import contents

from . import memory
from .executor import Executor, Failed
from .local import LocalExecutor
from .preflight import run_preflight
from .task import Task, grade_task, mark_for_review

MAX_RUNS = 6
"""How many whole runs a submission may take before it is given up; the runner ends each of them by itself."""

SLACK_SECONDS = 60.0
"""What a submission may take beside its runs."""

DIED = "The grading process died twice on it."
CRASHED = (
    "The grading process crashed twice on it, as it does where it needs more memory than it may have: "
    "look at how much the notebook puts out."
)
OVERDUE = "The grading process did not come back in time and was ended."
REASONS = {"died": DIED, "crashed": CRASHED, "memory": memory.MESSAGE, "overdue": OVERDUE}


@dataclass(frozen=True)
class WorkerConfig:
    """Where submissions are graded, and in what kernels.

    Attributes:
        kernel: how kernels are started.
        sandbox: what isolates the kernels.
        jobs: the number of processes of this machine.
        scheduler: the address of a Dask scheduler, whose workers then grade with their own kernels.
        wait_for_kernels: returns the kernels of this machine once they can be had; without a scheduler.
    """

    kernel: Start
    sandbox: SandboxChoice
    jobs: int = 1
    scheduler: str = ""
    wait_for_kernels: Callable[[], Kernels] | None = None


def grade_tasks(
    tasks: list[Task],
    stack: ExitStack,
    config: WorkerConfig,
    *,
    on_start: Callable[[str], None],
    log: Callable[[str], None],
    meanwhile: Callable[[], None],
) -> Iterator[Done]:
    """Grade submissions and yield their results as they come; a worker that is lost costs its own submission a verdict.

    Args:
        tasks: one for each submission.
        stack: holds the workers, which end with it.
        config: where and how they are graded.
        on_start: called with the student of each task that is started.
        log: called with sentences about the run as a whole.
        meanwhile: called in a thread while the workers get ready.

    Raises:
        KernelFailed: the solution does not get full points here.
        AutograderError: nothing can be graded, or no result can be written.
    """
    waiting = stack.enter_context(ThreadPoolExecutor(1)).submit(meanwhile)
    executor, tasks = _open_executor(tasks, stack, config, log)
    waiting.result()
    run_preflight(tasks[0], executor)
    for task, outcome in executor.run(tasks, lambda task: on_start(task.student)):
        yield finish_failed(task, outcome) if isinstance(outcome, Failed) else outcome


def _open_executor(
    tasks: list[Task], stack: ExitStack, config: WorkerConfig, log: Callable[[str], None]
) -> tuple[Executor[Task, Done], list[Task]]:
    """The executor, with the tasks as it takes them."""
    seconds = max_seconds(tasks[0])
    if config.scheduler:
        from .dask_cluster import DaskExecutor  # here: Dask takes long to import

        return stack.enter_context(DaskExecutor(config.scheduler, seconds, config.kernel, config.sandbox)), tasks
    assert config.wait_for_kernels is not None
    executor = stack.enter_context(
        LocalExecutor(grade_task, min(config.jobs, len(tasks)), seconds, prepare=limited.start)
    )
    executor.start()  # the processes import what they need while the fork server does
    kernels = config.wait_for_kernels()
    if kernels.note:
        log(kernels.note)
    return executor, [replace(task, kernels=kernels) for task in tasks]


def finish_failed(task: Task, failed: Failed) -> Done:
    """Write the verdict on a task that has no outcome: its submission needs a manual review.

    Unless its worker was killed by others, it is not graded again by the next run before it changes.
    """
    digest = "" if failed.reason == "died" else contents(task.folder, task.basis).digest
    return mark_for_review(task, REASONS[failed.reason], digest)


def max_seconds(task: Task) -> float:
    """Return the seconds after which a submission is given up."""
    limits = task.options.limits_of(task.assignment)
    return MAX_RUNS * (limits.start + limits.run) + SLACK_SECONDS
