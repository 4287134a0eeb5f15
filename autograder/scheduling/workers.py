"""Grade many submissions: open the executor, grade the solution first, and return a result for every task."""

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
"""The time limit of a submission, in complete runs; the runner ends each run itself."""

SLACK_SECONDS = 60.0
"""Seconds that a submission may take in addition to its runs."""

DIED = "The grading process died twice on this submission."
CRASHED = (
    "The grading process crashed twice on this submission, probably because of too little memory: "
    "check how much output the notebook produces."
)
OVERDUE = "The grading process took too long and was stopped."
REASONS = {"died": DIED, "crashed": CRASHED, "memory": memory.MESSAGE, "overdue": OVERDUE}


@dataclass(frozen=True)
class WorkerConfig:
    """Where submissions are graded, and in which kernels.

    Attributes:
        kernel: how kernels are started.
        sandbox: the sandbox of the kernels.
        jobs: the number of processes on this machine.
        scheduler: the address of a Dask scheduler, whose workers then grade with their own kernels.
        wait_for_kernels: returns the kernels of this machine when they are ready; None with a scheduler.
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
    """Grade submissions and yield each result when it is ready; if a worker is lost, only its submission has no
    verdict.

    Args:
        tasks: one task per submission.
        stack: the context on whose exit the workers end.
        config: where and how submissions are graded.
        on_start: called with the student of each task when it is started.
        log: called with messages about the run as a whole.
        meanwhile: called in a thread while the workers start.

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
    """Return the executor, and the tasks as it needs them."""
    seconds = max_seconds(tasks[0])
    if config.scheduler:
        from .dask_cluster import DaskExecutor  # here, because importing Dask takes long

        return stack.enter_context(DaskExecutor(config.scheduler, seconds, config.kernel, config.sandbox)), tasks
    assert config.wait_for_kernels is not None
    executor = stack.enter_context(
        LocalExecutor(grade_task, min(config.jobs, len(tasks)), seconds, prepare=limited.start)
    )
    executor.start()  # the processes and the fork server import their modules at the same time
    kernels = config.wait_for_kernels()
    if kernels.note:
        log(kernels.note)
    return executor, [replace(task, kernels=kernels) for task in tasks]


def finish_failed(task: Task, failed: Failed) -> Done:
    """Write the verdict of a task that failed: its submission is marked for manual review.

    The next run grades it again only if its worker was killed by others, or if the submission has changed.
    """
    digest = "" if failed.reason == "died" else contents(task.folder, task.basis).digest
    return mark_for_review(task, REASONS[failed.reason], digest)


def max_seconds(task: Task) -> float:
    """Return the time limit of a submission in seconds."""
    limits = task.options.limits_of(task.assignment)
    return MAX_RUNS * (limits.start + limits.run) + SLACK_SECONDS
