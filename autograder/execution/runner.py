"""Execute a submission in a kernel, cell by cell, and ask the kernel the questions of checks while it lives."""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import nbformat
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from autograder.assignment.scenario import Scenario
from autograder.errors import EvidenceError, KernelFailed, ServerGone
from autograder.submission.prepare import GIVEN, SHOWN, Submission
from autograder.submission.task_matching import defined_in

from .client import OutputLimitClient, make_context
from .evidence import KERNEL_DIED, Answer, CellEnd, Evidence, RunCell, hash_tests
from .kernels import GONE, ForkProvisioner, Kernels
from .limits import MAX_STRETCH, Limits
from .oracle import Connection, Oracle
from .replies import find_line, find_result
from .runtime.channel import SERVE

STAND_IN = "stand-in"

QUESTION_SECONDS = 5.0
"""Seconds that the student's code may take to answer one question of a check."""

FIRST_CHECK_SECONDS = 1.0
"""Seconds before the first measurement of how long a kernel waits for a processor."""


@dataclass(frozen=True)
class _Step:
    """A code cell to execute; `index` is its place in the submission's notebook, None for a stand-in.

    `tests` is the hash of a test cell's code, which is taken from the instructor's notebook.
    """

    cell: NotebookNode
    role: str
    index: int | None
    task: str = ""
    tests: str = ""


class Stopwatch:
    """Measures the seconds of several parts; `with watch("part"):` adds to one of them."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + time.monotonic() - started


@contextlib.contextmanager
def run(
    submission: Submission,
    scenario: Scenario,
    kernels: Kernels,
    *,
    limits: Limits,
    stand_ins: tuple[str, ...] = (),
    skip: frozenset[int] = frozenset(),
    files: Mapping[str, bytes] = MappingProxyType({}),
    tests: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Run]:
    """Run the notebook once; the kernel lives, and can be asked questions, until the context ends.

    Args:
        submission: the notebook and the role of each cell.
        scenario: the sampled data, training results and costs.
        kernels: the source of the kernel.
        limits: the limits of the run.
        stand_ins: tasks that get a stand-in after their last cell.
        skip: places of cells that are not run.
        files: additional files in the notebook's folder, by name.
        tests: the code of test cells by role, which is run instead of the submission's.

    Raises:
        KernelFailed: no kernel could be started.
        ServerGone: the fork server ended during the run.
        EvidenceError: the notebook prevented the kernel from reporting what it did.
    """
    steps = _plan_steps(submission, stand_ins, skip, tests)
    oracle = Oracle(scenario)
    with asyncio.Runner() as loop, Connection(oracle) as connection:
        driver = _Driver(steps, oracle, {**files, **scenario.files()}, kernels, limits)
        try:
            loop.run(driver.start(connection, scenario))
            loop.run(driver.execute_cells())
            yield Run(submission, scenario, steps, driver, loop, stand_ins)
        finally:
            loop.run(driver.stop())


@dataclass
class Run:
    """A notebook that has been executed, and its kernel, which still lives unless it died."""

    submission: Submission
    scenario: Scenario
    steps: list[_Step]
    driver: _Driver
    loop: asyncio.Runner
    stand_ins: tuple[str, ...]

    @property
    def timings(self) -> dict[str, float]:
        return self.driver.watch.seconds

    @property
    def evidence(self) -> Evidence:
        """The evidence recorded so far."""
        oracle, driver = self.driver.oracle, self.driver
        if "memory" in oracle.refused:
            raise MemoryError
        if "too much" in oracle.refused:
            raise EvidenceError(f"{oracle.lost()} The notebook needs review.")
        if silent := _find_silent_cell(self.steps, driver):
            raise EvidenceError(
                f"In {silent}, the notebook prevented the autograder from recording what it did. The notebook needs "
                "review."
            )
        return Evidence(
            cells=_describe_cells(self.steps, driver),
            events=tuple(oracle.events),
            training=self.scenario.training,
            gpus=self.scenario.gpus,
            stand_ins=self.stand_ins,
            lost=" ".join(filter(None, (oracle.lost(), driver.note))),
        )

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Ask the kernel a question. If it was asked before, return the recorded answer.

        Returns:
            `{"value": …}`, or `{"error": name, "message": text}` if it could not be answered.
        """
        for event in self.driver.oracle.events:
            if isinstance(event, Answer) and event.question == question:
                return event.answer
        with self.driver.watch("questions"):
            return self.loop.run(self.driver.ask(question))

    def seconds_waited(self) -> float:
        """Return for how long the kernel has waited for a processor: no time limit includes that."""
        return self.driver.waited

    @property
    def executed(self) -> NotebookNode:
        """The submission's notebook with the outputs of this run. Cells that did not run have none, and neither have
        test cells, because theirs would show hidden tests."""
        notebook = nbformat.from_dict(dict(self.submission.notebook))
        ran = {step.index: step.cell for step in self.steps if step.index is not None and not step.tests}
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                cell.outputs = list(ran[index].outputs) if index in ran else []
                cell.execution_count = ran[index].get("execution_count") if index in ran else None
        return notebook


def _plan_steps(
    submission: Submission, stand_ins: tuple[str, ...], skip: frozenset[int], tests: Mapping[str, str]
) -> list[_Step]:
    steps: list[_Step] = []
    pending = list(stand_ins)
    last = {role: index for index, role in enumerate(submission.roles)}
    for index, (cell, role) in enumerate(zip(submission.notebook.cells, submission.roles, strict=True)):
        if cell.cell_type == "code" and cell.source.strip() and index not in skip and role != SHOWN:
            steps.append(_make_test(tests[role], role, index) if role in tests else _Step(cell, role, index))
        if role in pending and last[role] == index:
            pending.remove(role)
            steps.append(_make_stand_in(role))
    first_use = next((number for number, step in enumerate(steps) if not _is_given(step)), len(steps))
    return steps[:first_use] + [_make_stand_in(role) for role in pending] + steps[first_use:]


def _make_test(source: str, role: str, index: int) -> _Step:
    return _Step(nbformat.v4.new_code_cell(source), role, index, tests=hash_tests(source))


def _is_given(step: _Step) -> bool:
    return step.role == GIVEN or bool(step.tests)


def _make_stand_in(task: str) -> _Step:
    return _Step(nbformat.v4.new_code_cell(SERVE), STAND_IN, None, task)


class _Driver:
    """Executes the steps in one kernel."""

    def __init__(
        self, steps: list[_Step], oracle: Oracle, files: dict[str, bytes], kernels: Kernels, limits: Limits
    ) -> None:
        self.steps, self.oracle, self.files, self.kernels, self.limits = steps, oracle, files, kernels, limits
        self.note = ""
        self.watch = Stopwatch()
        self.timed_out: set[int] = set()
        self.begun: set[int] = set()
        self.replies: dict[int, dict[str, Any]] = {}
        self.died = False
        self._starved: KernelFailed | None = None
        self.waited = 0.0
        self._exit = contextlib.ExitStack()
        self._context = make_context()
        self._client: OutputLimitClient | None = None

    async def start(self, connection: Connection, scenario: Scenario) -> None:
        """Start the kernel and connect to it."""
        folder = self._exit.enter_context(tempfile.TemporaryDirectory(prefix="k-"))
        self._manager = self.kernels.manager(Path(folder), self._context)
        self._question_cell = nbformat.v4.new_code_cell(SERVE)
        notebook = nbformat.v4.new_notebook(cells=[*(step.cell for step in self.steps), self._question_cell])
        client = OutputLimitClient(notebook, self.limits, self._manager, self._take_reply)
        self._client = client
        oracle = connection.kernels_end.fileno()
        request = self.kernels.request(self.files, scenario.setup(), self.oracle.key, oracle, self.limits)
        try:
            with self.watch("fork"):
                await client.async_start_new_kernel(**request)
            connection.close_kernels_end()
            with self.watch("connection"):
                await client.async_start_new_kernel_client()
        except (ServerGone, MemoryError):
            raise
        except Exception as error:
            words = self.kernels.last_words()
            raise KernelFailed(f"The kernel did not start ({type(error).__name__}: {error}; {words}).") from error

    async def execute_cells(self) -> None:
        """Execute all steps within their time limits, until the kernel ends."""
        deadline = time.monotonic() + self.limits.run
        with self.watch("cells"):
            for number, step in enumerate(self.steps):
                left = min(self.limits.cell, deadline + self.waited - time.monotonic())
                if left <= 0:
                    self.note = (
                        f"The notebook reached the time limit of {self.limits.run:g} s before its last cell was run."
                    )
                    return
                self.oracle.begin_cell(number, _is_given(step))
                self.begun.add(number)
                if step.task:
                    self.oracle.assign(step.task)
                if not await self._execute(step.cell, number, left):
                    return

    async def _execute(self, cell: NotebookNode, number: int, seconds: float) -> bool:
        """Execute one cell; return whether the kernel can continue."""
        assert self._client is not None
        task = asyncio.ensure_future(self._client.async_execute_cell(cell, number))
        if not await self._ends(task, seconds):
            self.timed_out.add(number)
            if not await self._interrupt(task):
                self.note = "A cell could not be interrupted, so the kernel was stopped."
                self.died = True
                return False
        try:
            await task
        except DeadKernelError:
            self.died, self.note = True, await self._why_it_died()
            return False
        except MemoryError:
            raise
        except Exception as error:  # a kernel can send anything, also what nbclient cannot read
            self.died, self.note = True, f"The kernel sent messages that could not be read ({type(error).__name__})."
            return False
        return True

    async def _ends(self, task: asyncio.Future[Any], seconds: float) -> bool:
        """Whether the task ends within `seconds`, extended by the time for which the kernel waited for a processor.

        Raises:
            KernelFailed: the kernel waited for so long that the duration of the task cannot be judged.
        """
        started = time.monotonic()
        await asyncio.wait({task}, timeout=min(FIRST_CHECK_SECONDS, seconds))
        if task.done():
            return True
        measured, before, waited = time.monotonic(), await self._provisioner.time_spent(), 0.0
        while not task.done() and (left := started + seconds + waited - time.monotonic()) > 0:
            await asyncio.wait({task}, timeout=left)
            cpu, ready = await self._provisioner.time_spent()
            elapsed = time.monotonic() - measured
            # Several threads can wait at once, so their waiting time may exceed the time that passed.
            waited = max(waited, min(ready - before[1], elapsed - (cpu - before[0])))
            if not task.done() and waited > (MAX_STRETCH - 1) * seconds:
                self.died = True
                self._starved = KernelFailed(
                    "This machine was too busy to run the notebook, which received only "
                    f"{cpu - before[0]:.0f} s of processor time in {elapsed:.0f} s. The submission must be graded "
                    "again when fewer programs are running."
                )
                raise self._starved
        self.waited += waited
        return task.done()

    @property
    def _provisioner(self) -> ForkProvisioner:
        provisioner = self._manager.provisioner
        assert isinstance(provisioner, ForkProvisioner)
        return provisioner

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Have the kernel answer a question.

        Raises:
            KernelFailed: the machine has, or had earlier in the run, too little processor time for the notebook.
        """
        if self._starved is not None:
            raise self._starved
        gone = {"error": KERNEL_DIED, "message": "the kernel had already stopped"}
        if self.died or self._client is None:
            return gone
        self.oracle.put_question(question)
        cell, number = self._question_cell, len(self.steps)
        seconds = float(question.get("seconds", QUESTION_SECONDS)) + 2.0
        if not await self._execute(cell, number, seconds):
            return gone
        self.timed_out.discard(number)
        answer = self.oracle.take_answer()
        return answer or {"error": "TimeLimit", "message": f"it ran longer than the {seconds - 2:g} s limit"}

    def _take_reply(self, number: int, reply: dict[str, Any]) -> None:
        """Store the kernel's reply to a cell."""
        content = reply.get("content")
        self.replies[number] = content if isinstance(content, dict) else {}

    async def _interrupt(self, task: asyncio.Future[Any]) -> bool:
        """Interrupt the running cell; False if it does not end. Time spent waiting for a processor is not counted."""
        for patience in (2.0, 2.0, 4.0):
            await self._manager.interrupt_kernel()
            if await self._ends(task, patience):
                return True
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
        return False

    async def _why_it_died(self) -> str:
        provisioner = self._provisioner
        await provisioner.poll()
        if provisioner.reason == GONE:
            raise ServerGone(
                "The process that starts the kernels stopped while a cell was running: grade the submission again."
            )
        if provisioner.reason == "memory":
            return f"The kernel was stopped because it used more than {self.limits.memory / 1e6:,.0f} MB of memory."
        return "The kernel died while a cell was running."

    async def stop(self) -> None:
        """End the kernel and everything that belongs to it."""
        with self.watch("end"):
            with contextlib.suppress(Exception):
                if self._client is not None and self._client.kc is not None:
                    self._client.kc.stop_channels()
            with contextlib.suppress(Exception):
                if (provisioner := self._manager.provisioner) is not None:
                    await provisioner.kill()
                    await provisioner.wait()
                await self._manager.cleanup_resources()
            self._context.destroy(linger=0)
            self._exit.close()


def _describe_cells(steps: list[_Step], driver: _Driver) -> tuple[RunCell, ...]:
    """Describe the outcome of each step."""
    faults = {e.cell: e.fault for e in driver.oracle.events if isinstance(e, CellEnd) and e.fault}
    fatal = max(driver.begun, default=-1) if driver.died else None
    cells = []
    for number, step in enumerate(steps):
        reply = driver.replies.get(number, {})
        failed = reply.get("status") == "error"
        status: Literal["ran", "error", "timeout", "not run"]
        error, message, line, elsewhere = None, "", "", ""
        if failed:
            error, message = str(reply.get("ename", ""))[:100], str(reply.get("evalue", ""))[:500]
            line, elsewhere = find_line(reply.get("traceback"), in_first_cell=bool(step.tests))
        if number in driver.timed_out:
            status = "timeout"
        elif number == fatal:
            status, error = "error", KERNEL_DIED
        elif number not in driver.begun or number not in driver.replies:
            status = "not run"
        else:
            status = "error" if failed else "ran"
        fault = faults.get(number, "") or ""
        cells.append(RunCell(
            role=step.role, index=step.index, status=status, error=error, message=message, line=line, fault=fault,
            incomplete=elsewhere if error == "NotImplementedError" and not step.tests else "",
            defined_in=_find_definition(steps[number + 1 :], message) if error == "NameError" else None,
            tests=step.tests, result=find_result(step.cell) if step.tests else "",
        ))  # fmt: skip
    return tuple(cells)


UNDEFINED = re.compile(r"name '(\w+)' is not defined")


def _find_definition(later: list[_Step], message: str) -> int | None:
    """Find the first of these cells that defines the name in a NameError's message; return its place."""
    name = UNDEFINED.search(message)
    cells = [step for step in later if step.index is not None] if name is not None else []
    return next((step.index for step in cells if name is not None and name[1] in defined_in(step.cell.source)), None)


def _find_silent_cell(steps: list[_Step], driver: _Driver) -> str:
    """Find the first cell that finished without a report; empty if there is none."""
    if "events" in driver.oracle.refused:
        return ""
    reported = {event.cell for event in driver.oracle.events if isinstance(event, CellEnd)}
    ended = [number for number in sorted(driver.replies) if number < len(steps) and not steps[number].task]
    silent = [number for number in ended if number not in reported]
    if not silent or (driver.died and silent[0] == max(driver.begun)):
        return ""
    step = steps[silent[0]]
    return f"cell number {step.index + 1}" if step.index is not None else f"a {step.role}"
