"""Grading on a Dask cluster: the same tasks on workers, each with its own kernels.

A worker receives the files of a submission and the settings, and returns text, so no shared folder is needed. See
https://distributed.dask.org/en/stable/ for schedulers and workers.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from distributed import Client, Future, KilledWorker, wait

from autograder.assignment.settings import Assignment
from autograder.common.encoders import one_line
from autograder.errors import AutograderError
from autograder.execution.kernels import Kernels, SandboxChoice, Start, kernels
from autograder.execution.options import Options
from autograder.grading.grade import grade_folder
from autograder.grading.saved_runs import SavedRuns
from autograder.grading.verdict import Done, GradedSubmission, Verdict
from autograder.results.cache import hash_basis
from autograder.submission import folders
from autograder.submission.saved_outputs import SavedOutputs

from .executor import POLL_SECONDS, Executor, Failed
from .memory import limit_memory
from .task import Task, describe_failure, finish, mark_for_review

MAX_SECONDS_WITHOUT_WORKER = 60.0
"""Seconds to wait for a worker, if there is none, before the run ends with an error."""


@dataclass(frozen=True)
class Job:
    """A task as it is sent to a worker: the submission's files by name, and everything that grading depends on."""

    assignment: str
    student: str
    files: dict[str, bytes]
    options: Options
    start: Start
    sandbox: SandboxChoice
    basis: str


@dataclass(frozen=True)
class Answer:
    """A worker's answer, with its parts as JSON; `failure` says why there is no verdict."""

    verdict: str = ""
    evidence: str = ""
    executed: str = ""
    saved_outputs: str = ""
    failure: str = ""


@dataclass(frozen=True)
class _Sent:
    """A task that was sent to a worker, with its deadline and the contents of its folder at that time."""

    task: Task
    deadline: float
    before: folders.Contents


class DaskExecutor(Executor[Task, Done]):
    """Runs tasks on the workers of a scheduler; each of their threads runs one task at a time.

    Args:
        address: the address of the scheduler, such as tcp://host:8786.
        seconds: the time limit of a task.
        start: how workers start their kernels.
        sandbox: the sandbox of their kernels.
    """

    def __init__(self, address: str, seconds: float, start: Start, sandbox: SandboxChoice) -> None:
        self.address, self.seconds, self.start, self.sandbox = address, seconds, start, sandbox
        self._idle_since: float | None = None
        self._sent: dict[Future[Answer], _Sent] = {}
        self._not_sent: list[tuple[Task, Done]] = []
        try:
            self.client = Client(address, timeout=10)
        except (OSError, ValueError) as error:
            raise AutograderError(
                f"There is no Dask scheduler at {address} ({one_line(str(error), 120)}): start one with "
                "`make scheduler`, or omit SCHEDULER to grade on this machine."
            ) from None

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.client.close(timeout=5)

    def count_slots(self) -> int:
        """Return the number of threads of all workers; raise AutograderError if there was no worker for long."""
        count = sum(worker["nthreads"] for worker in self.client.scheduler_info(n_workers=-1)["workers"].values())
        now = time.monotonic()
        if count or self._idle_since is None:
            self._idle_since = None if count else now
        elif now - self._idle_since > MAX_SECONDS_WITHOUT_WORKER:
            raise AutograderError(
                f"The scheduler at {self.address} has no workers. The results so far are kept: start workers with "
                f"`make worker SCHEDULER={self.address}` and run the same command again to continue."
            )
        return int(count)

    def submit(self, task: Task) -> None:
        before = folders.contents(task.folder, task.basis)
        try:
            job = self._pack(task, before)
        except OSError as error:
            self._not_sent.append((task, mark_for_review(task, before.trouble or describe_failure(error))))
            return
        future = self.client.submit(grade_remotely, job, pure=False, retries=0)
        self._sent[future] = _Sent(task, time.monotonic() + self.seconds, before)

    def _pack(self, task: Task, before: folders.Contents) -> Job:
        """Pack a task for a worker; raise OSError if its folder cannot be read."""
        if before.trouble:
            raise OSError(before.trouble)
        files = folders.read_files(task.folder)
        return Job(task.assignment.name, task.student, files, task.options, self.start, self.sandbox, task.basis)

    def poll(self) -> list[tuple[Task, Done | Failed]]:
        if self.client.status != "running":
            raise AutograderError(
                f"The scheduler at {self.address} is gone. Results so far are kept: run the same command to continue."
            )
        ended: list[tuple[Task, Done | Failed]] = [*self._not_sent]
        self._not_sent.clear()
        if ended:
            return ended
        if not self._sent:
            time.sleep(POLL_SECONDS)
            return []
        with contextlib.suppress(TimeoutError):
            wait(list(self._sent), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
        now = time.monotonic()
        late = [future for future, sent in self._sent.items() if sent.deadline < now and not future.done()]
        self.client.cancel(late, force=True)
        for future in [future for future in self._sent if future.done() or future in late]:
            sent = self._sent.pop(future)
            ended.append((sent.task, Failed("overdue") if future in late else _get_outcome(future, sent)))
        return ended


def _get_outcome(future: Future[Answer], sent: _Sent) -> Done | Failed:
    if future.status in ("cancelled", "lost"):
        return Failed("died")
    try:
        answer: Answer = future.result(timeout=30)
    except (KilledWorker, OSError):
        return Failed("died")
    except MemoryError:
        return Failed("memory")
    except AutograderError:
        raise
    except Exception as error:
        return mark_for_review(sent.task, describe_failure(error))
    if answer.failure:
        raise AutograderError(answer.failure)
    verdict = Verdict.model_validate_json(answer.verdict)
    record = SavedRuns.model_validate_json(answer.evidence) if answer.evidence else None
    executed = nbformat.reads(answer.executed, as_version=4) if answer.executed else None
    saved = SavedOutputs.model_validate_json(answer.saved_outputs) if answer.saved_outputs else None
    return finish(sent.task, GradedSubmission(verdict, record, executed, saved), sent.before)


def grade_remotely(job: Job) -> Answer:
    """Grade one submission, in a worker; raise MemoryError if that takes too much memory."""
    assignment = Assignment.load(job.assignment)
    if job.basis and hash_basis(assignment, job.options) != job.basis:
        return Answer(failure=f"A worker on {os.uname().nodename} has a different version of the kit or assignment.")
    with tempfile.TemporaryDirectory(prefix="submission-") as place:
        for name, data in job.files.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        kernels = _open_kernels(job.start, job.sandbox)
        with limit_memory():
            graded = grade_folder(assignment, Path(place), job.student, kernels, job.options)
    return Answer(
        graded.verdict.model_dump_json(),
        graded.record.model_dump_json() if graded.record else "",
        nbformat.writes(graded.executed) if graded.executed is not None else "",
        graded.saved_outputs.model_dump_json() if graded.saved_outputs is not None else "",
    )


@cache
def _open_kernels(start: Start, sandbox: SandboxChoice) -> Kernels:
    """Return the kernels of this worker, which are started when they are first needed and end with the worker."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(kernels(start, sandbox))
