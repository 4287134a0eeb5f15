"""Grading on a Dask cluster: the same tasks, on workers that each keep kernels of their own.

What goes to a worker are the files of one submission and settings, what comes back is text: no folder has to be shared.
See https://distributed.dask.org/en/stable/ for schedulers and workers.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType

import nbformat
from distributed import Client, Future, KilledWorker, wait

from autograder.encoders import one_line
from autograder.errors import AutograderError
from autograder.execution.kernels import Kernels, Start, Walls, kernels
from autograder.execution.options import Options
from autograder.grading.grade import Graded, grade_folder
from autograder.grading.record import SavedRuns
from autograder.grading.verdict import Done, Verdict
from autograder.submission import folders as folder

from .local import GLANCE, TRIES, Lost
from .task import Task, finish, leave_to_a_person, what_failed

PATIENCE = 60.0
"""Seconds to wait for a worker when there is none, before the run is given up."""


@dataclass(frozen=True)
class Job:
    """A task as it travels: the submission's files by name, and all that grading depends on."""

    assignment: str
    student: str
    files: dict[str, bytes]
    options: Options
    start: Start
    walls: Walls
    basis: str


@dataclass(frozen=True)
class Answer:
    """What comes back, as JSON; `failure` says why there is no verdict."""

    verdict: str = ""
    evidence: str = ""
    executed: str = ""
    failure: str = ""


@dataclass(frozen=True)
class _Sent:
    """A task on its way: which time it is tried, until when, and its folder as it was."""

    task: Task
    tries: int
    deadline: float
    before: folder.Contents


class Cluster:
    """The workers behind a scheduler; a task that is lost with its worker is begun once more."""

    def __init__(self, address: str, seconds: float, start: Start, walls: Walls) -> None:
        self.address, self.seconds, self.start, self.walls = address, seconds, start, walls
        self._idle_since: float | None = None

    def __enter__(self) -> Cluster:
        try:
            self.client = Client(self.address, timeout=10)
        except (OSError, ValueError) as error:
            raise AutograderError(
                f"There is no Dask scheduler at {self.address} ({one_line(str(error), 120)}): start one with "
                "`make scheduler`, or leave SCHEDULER out to grade on this machine."
            ) from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(Exception):
            self.client.close(timeout=5)

    def run(self, tasks: Iterable[Task], begin: Callable[[Task], None]) -> Iterator[tuple[Task, Done | Lost]]:
        """Each task with its outcome, as they are done; at most one for each thread of the cluster is on its way.
        `begin` hears of each that is sent."""
        waiting = deque((task, 1) for task in tasks)
        running: dict[Future[Answer], _Sent] = {}
        while waiting or running:
            while waiting and len(running) < self._threads():
                task, tries = waiting.popleft()
                before = folder.contents(task.folder, task.basis)
                try:
                    job = self._packed(task, before)
                except OSError as error:
                    yield task, leave_to_a_person(task, before.trouble or what_failed(error))
                    continue
                future = self.client.submit(grade_remotely, job, pure=False, retries=0)
                running[future] = _Sent(task, tries, time.monotonic() + self.seconds, before)
                begin(task)
            for future in self._finished(running):
                sent = running.pop(future)
                task, tries, outcome = sent.task, sent.tries, _outcome(future, sent)
                if isinstance(outcome, Lost) and tries < TRIES:
                    waiting.append((task, tries + 1))
                else:
                    yield task, outcome

    def _packed(self, task: Task, before: folder.Contents) -> Job:
        """The task for its journey; OSError if its folder cannot be read."""
        if before.trouble:
            raise OSError(before.trouble)
        files = folder.read_files(task.folder)
        return Job(task.assignment.name, task.student, files, task.options, self.start, self.walls, task.basis)

    def _threads(self) -> int:
        """How many tasks can run at once. AutograderError if there has been no worker for a while."""
        count = sum(worker["nthreads"] for worker in self.client.scheduler_info(n_workers=-1)["workers"].values())
        now = time.monotonic()
        if count or self._idle_since is None:
            self._idle_since = None if count else now
        elif now - self._idle_since > PATIENCE:
            raise AutograderError(
                f"The scheduler at {self.address} has no worker. What is graded is kept: start workers with "
                f"`make worker SCHEDULER={self.address}` and run the same command to go on."
            )
        return int(count)

    def _finished(self, running: dict[Future[Answer], _Sent]) -> list[Future[Answer]]:
        """Those that are done, or overdue and given up; waits a moment for the first."""
        if self.client.status != "running":
            raise AutograderError(
                f"The scheduler at {self.address} is gone: run the same command to go on. What is graded is kept."
            )
        if not running:
            time.sleep(GLANCE)
            return []
        with contextlib.suppress(TimeoutError):
            wait(list(running), timeout=GLANCE, return_when="FIRST_COMPLETED")
        late = [future for future, sent in running.items() if sent.deadline < time.monotonic()]
        self.client.cancel(late, force=True)
        return [future for future in running if future.done() or future in late]


def _outcome(future: Future[Answer], sent: _Sent) -> Done | Lost:
    if future.status in ("cancelled", "lost"):
        return Lost("overdue")
    try:
        answer: Answer = future.result(timeout=30)
    except (KilledWorker, OSError):
        return Lost("died")
    except AutograderError:
        raise
    except Exception as error:
        return leave_to_a_person(sent.task, what_failed(error))
    if answer.failure:
        raise AutograderError(answer.failure)
    verdict = Verdict.model_validate_json(answer.verdict)
    record = SavedRuns.model_validate_json(answer.evidence) if answer.evidence else None
    executed = nbformat.reads(answer.executed, as_version=4) if answer.executed else None
    return finish(sent.task, Graded(verdict, record, executed), sent.before)


def grade_remotely(job: Job) -> Answer:
    """Grades one submission; runs in a worker."""
    from autograder.assignment.settings import Assignment

    from .class_run import basis

    assignment = Assignment.load(job.assignment)
    if job.basis and basis(assignment, job.options) != job.basis:
        return Answer(failure=f"A worker on {os.uname().nodename} has another version of the kit or the assignment.")
    with tempfile.TemporaryDirectory(prefix="submission-") as place:
        for name, data in job.files.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        graded = grade_folder(assignment, Path(place), job.student, _kernels(job.start, job.walls), job.options)
    return Answer(
        graded.verdict.model_dump_json(),
        graded.record.model_dump_json() if graded.record else "",
        nbformat.writes(graded.executed) if graded.executed is not None else "",
    )


@cache
def _kernels(start: Start, walls: Walls) -> Kernels:
    """The kernels of this worker, made when they are first needed and ended with it."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(kernels(start, walls))
