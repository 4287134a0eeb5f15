"""Executes a submission in a kernel with the bench inside and brings the evidence out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import nbformat
import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from autograder.assignment.scenario import Challenge
from autograder.assignment.source import grade_id
from autograder.errors import EvidenceError, KernelFailed, ParentGone
from autograder.submission.prepare import GIVEN, Submission

from . import messages
from .evidence import LARGEST, AnyEvent, CellBegin, CellEnd, Evidence, Overflow, RunCell, read_events
from .kernels import GONE, Kernels, WarmProvisioner
from .limits import Limits

STAND_IN = "stand-in"
SHOWS = ("-check", "-show", "-plot")
KERNEL_DIED = "KernelDied"
"""The error of a cell that began and never ended."""


@dataclass(frozen=True)
class Run:
    """What one run brought: evidence, the executed notebook and the seconds of its parts."""

    evidence: Evidence
    executed: NotebookNode
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Step:
    """A code cell to execute: its index in the submission's notebook, None for a stand-in."""

    cell: NotebookNode
    role: str
    index: int | None


def run(
    submission: Submission,
    challenge: Challenge,
    kernels: Kernels,
    *,
    limits: Limits,
    stand_ins: tuple[str, ...] = (),
    skip: frozenset[int] = frozenset(),
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Run:
    """Runs the notebook once, without the cells at the places `skip`. Tasks in `stand_ins` get a stand-in after their
    last cell; `files` are put beside the notebook, by name."""
    steps = _steps(submission, stand_ins, skip)
    given = [number for number, step in enumerate(steps) if step.role == GIVEN]
    challenge = replace(challenge, given_cells=given)
    driver = _Driver(steps, {**files, **challenge.files()}, kernels, limits)
    asyncio.run(driver.drive())
    events, lost = read_events(driver.evidence, challenge.nonce)
    if silent := _silenced(steps, events, driver):
        raise EvidenceError(f"The notebook silenced the recorder in {silent}: a person has to look at what it does.")
    evidence = Evidence(
        cells=_run_cells(steps, events, driver),
        events=events,
        training=challenge.training,
        gpus=challenge.gpus,
        stand_ins=stand_ins,
        lost=" ".join(filter(None, (lost, driver.note))),
    )
    return Run(evidence, _executed(submission, steps), driver.watch.seconds)


def _steps(submission: Submission, stand_ins: tuple[str, ...], skip: frozenset[int]) -> list[_Step]:
    steps: list[_Step] = []
    pending = list(stand_ins)
    last = {role: index for index, role in enumerate(submission.roles)}
    for index, (cell, role) in enumerate(zip(submission.notebook.cells, submission.roles, strict=True)):
        if cell.cell_type == "code" and cell.source.strip() and index not in skip and not _only_shows(cell, role):
            steps.append(_Step(cell, role, index))
        if role in pending and last[role] == index:
            pending.remove(role)
            steps.append(_stand_in(role))
    first_use = next((number for number, step in enumerate(steps) if step.role != GIVEN), len(steps))
    return steps[:first_use] + [_stand_in(role) for role in pending] + steps[first_use:]


def _only_shows(cell: NotebookNode, role: str) -> bool:
    """Whether it is a given cell that shows the student something and leaves nothing behind, which its name tells."""
    return role == GIVEN and grade_id(cell).endswith(SHOWS)


def _stand_in(task: str) -> _Step:
    return _Step(nbformat.v4.new_code_cell(f"%stand_in {task}"), STAND_IN, None)


class Stopwatch:
    """Seconds by part; `with watch("part"):` adds to one."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + time.monotonic() - started


class _Client(NotebookClient):
    """A notebook client that keeps only so much of what a cell writes."""

    def __init__(self, notebook: NotebookNode, limits: Limits, **kwargs: Any) -> None:
        super().__init__(notebook, **kwargs)
        self._limits = limits
        self._written: dict[int, int] = {}

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        if msg["msg_type"] not in SHOWN:
            return super().process_message(msg, cell, cell_index)
        before = self._written.get(cell_index, 0)
        self._written[cell_index] = after = before + _characters(msg["content"])
        if after <= self._limits.output:
            return super().process_message(msg, cell, cell_index)
        if before <= self._limits.output:
            text = f"\n[The rest of this cell's output was cut off after {before:,} characters.]\n"
            cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text=text))
        return None


def _characters(content: Any) -> int:
    """How much text a message holds, other values as one each."""
    if isinstance(content, dict):
        return sum(len(name) + _characters(value) for name, value in content.items())
    if isinstance(content, list):
        return sum(map(_characters, content))
    return len(content) if isinstance(content, str) else 1


class _Channels(AsyncKernelClient):
    """Channels that refuse messages of a size that could only do harm; the connection is lost then."""

    def start_channels(self, *chosen: bool, **named: bool) -> None:
        """Without the heartbeat: the parent tells when a kernel ends, and the thread of that channel may never end when
        it is stopped at the wrong moment."""
        super().start_channels(*chosen, **{**named, "hb": False})

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Returns as soon as the kernel has answered on both channels; the original then waits for silence."""
        deadline = time.monotonic() + (timeout or float("inf"))
        while not await self._answers(self.kernel_info()):
            if not await self._async_is_alive():
                raise RuntimeError("it died before it answered")
            if time.monotonic() > deadline:
                raise RuntimeError(f"it did not answer in {timeout:g} seconds")

    async def _answers(self, request: str) -> bool:
        """Whether the reply came, and on the other channel that the kernel is idle after it."""
        try:
            while (reply := await self.get_shell_msg(timeout=1))["parent_header"].get("msg_id") != request:
                continue
            while (told := await self.get_iopub_msg(timeout=ECHO))["parent_header"].get("msg_id") != request or told[
                "content"
            ].get("execution_state") != "idle":
                continue
        except queue.Empty:
            return False
        self._handle_kernel_info_reply(reply)
        return True

    def _context_default(self) -> zmq.asyncio.Context:
        self._created_context = True
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
        context.setsockopt(zmq.RECONNECT_IVL, RECONNECT)
        return context


ECHO = 0.03
"""Seconds after its reply in which a kernel says that it is idle. Where nothing comes, this side had not been listening
yet when it did, and it is asked once more."""

RECONNECT = 5
"""Milliseconds after which a socket is tried again that the kernel has yet to make; ZeroMQ itself waits for 100."""

LARGEST_MESSAGE = 64_000_000
"""Bytes of one message from a kernel."""

SHOWN = ("stream", "display_data", "update_display_data", "execute_result", "error")
"""Kernel messages that become outputs of a cell."""


class _Driver:
    """Takes one kernel through the steps; `evidence` is what the kernel wrote of it."""

    def __init__(self, steps: list[_Step], files: dict[str, bytes], kernels: Kernels, limits: Limits) -> None:
        self.steps, self.files, self.kernels, self.limits = steps, files, kernels, limits
        self.note = ""
        self.watch = Stopwatch()
        self.timed_out: set[int] = set()
        self.ended: set[int] = set()
        self.died = False
        self.evidence = b""

    async def drive(self) -> None:
        notebook = nbformat.v4.new_notebook(cells=[step.cell for step in self.steps])
        with tempfile.TemporaryDirectory(prefix="k-") as folder, _Evidence() as evidence, messages.read_plainly():
            self._manager = self.kernels.manager(Path(folder))
            client = _Client(
                notebook, self.limits, km=self._manager, timeout=None, allow_errors=True, store_widget_state=False
            )
            try:
                await self._start(client, evidence)
                with self.watch("cells"):
                    await self._cells(client)
            finally:
                with self.watch("end"):
                    await self._stop(client)
                self.evidence = evidence.taken()

    async def _start(self, client: NotebookClient, evidence: _Evidence) -> None:
        client.startup_timeout = int(self.limits.start)
        self._manager.client_factory = _Channels
        try:
            request = self.kernels.request(self.files, evidence.entrance, self.limits)
            with self.watch("fork"):
                await client.async_start_new_kernel(**request)
            evidence.shut_entrance()
            with self.watch("connection"):
                await client.async_start_new_kernel_client()
        except ParentGone:
            raise
        except Exception as error:
            raise KernelFailed(f"The kernel did not start: {type(error).__name__}: {error}") from error

    async def _cells(self, client: NotebookClient) -> None:
        deadline = time.monotonic() + self.limits.run
        for number, step in enumerate(self.steps):
            left = min(self.limits.cell, deadline - time.monotonic())
            if left <= 0:
                self.note = f"The {self.limits.run:g} seconds for the whole notebook were over before its last cell."
                return
            task = asyncio.ensure_future(client.async_execute_cell(step.cell, number))
            await asyncio.wait({task}, timeout=left)
            if not task.done():
                self.timed_out.add(number)
                if not await self._interrupt(task):
                    self.note = "A cell could not be interrupted; the kernel was ended there."
                    return
            try:
                await task
                self.ended.add(number)
            except DeadKernelError:
                self.died, self.note = True, await self._why_it_died()
                return
            except Exception as error:  # a kernel can send anything, and what reads its messages may stumble
                self.died, self.note = True, f"The kernel's messages made no sense ({type(error).__name__})."
                return

    async def _interrupt(self, task: asyncio.Future[Any]) -> bool:
        """Ends the cell that runs; False if it does not let go."""
        for patience in (2.0, 2.0, 4.0):
            await self._manager.interrupt_kernel()
            await asyncio.wait({task}, timeout=patience)
            if task.done():
                return True
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
        return False

    async def _why_it_died(self) -> str:
        provisioner = self._manager.provisioner
        assert isinstance(provisioner, WarmProvisioner)
        await provisioner.poll()
        if provisioner.reason == GONE:
            raise ParentGone("The parent of the kernels ended while a cell ran: grade it again.")
        if provisioner.reason == "memory":
            return f"The kernel was ended because it took more than {self.limits.memory / 1e6:,.0f} MB of memory."
        return "The kernel died while a cell ran."

    async def _stop(self, client: NotebookClient) -> None:
        with contextlib.suppress(Exception):
            if client.kc is not None:
                client.kc.stop_channels()
        with contextlib.suppress(Exception):
            if (provisioner := self._manager.provisioner) is not None:
                await provisioner.kill()
                await provisioner.wait()
            await self._manager.cleanup_resources()


class _Evidence:
    """The pipe on which a kernel writes its evidence: what is in it can neither be changed nor taken back."""

    def __init__(self) -> None:
        self.exit, self.entrance = os.pipe()
        self._parts: list[bytes] = []
        self._size = 0

    def __enter__(self) -> _Evidence:
        os.set_blocking(self.exit, False)
        asyncio.get_running_loop().add_reader(self.exit, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        self.shut_entrance()
        asyncio.get_running_loop().remove_reader(self.exit)
        os.close(self.exit)

    def shut_entrance(self) -> None:
        """Closes this process's own end for writing; the kernel has another."""
        if self.entrance >= 0:
            os.close(self.entrance)
            self.entrance = -1

    def _take(self) -> bool:
        """Takes what is there; False if there is nothing now. What is beyond the limit is thrown away."""
        try:
            part = os.read(self.exit, 1 << 20)
        except BlockingIOError:
            return False
        if not part:
            asyncio.get_running_loop().remove_reader(self.exit)
        if self._size <= LARGEST:
            self._parts.append(part)
        self._size += len(part)
        return bool(part)

    def taken(self) -> bytes:
        """All that was written, up to a little more than the limit."""
        while self._take():
            pass
        return b"".join(self._parts)


def _run_cells(steps: list[_Step], events: tuple[AnyEvent, ...], driver: _Driver) -> tuple[RunCell, ...]:
    ends = {event.cell: event for event in events if isinstance(event, CellEnd)}
    begun = {event.cell for event in events if isinstance(event, CellBegin)}
    fatal = max(begun, default=-1) if driver.died else None  # also if it ended the kernel just after its own end
    cells = []
    for number, step in enumerate(steps):
        end = ends.get(number)
        status: Literal["ran", "error", "timeout", "not run"]
        if number in driver.timed_out:
            status = "timeout"
        elif end is not None:
            status = "error" if end.error else "ran"
        else:
            status = "error" if number in begun else "not run"
        error = end.error if end else (KERNEL_DIED if number in begun and status == "error" else None)
        if number == fatal:
            status, error = "error", KERNEL_DIED
        cells.append(
            RunCell(role=step.role, index=step.index, status=status, error=error, message=end.message if end else "")
        )
    return tuple(cells)


def _silenced(steps: list[_Step], events: tuple[AnyEvent, ...], driver: _Driver) -> str:
    """The first cell that ran to its end without a word of that in the evidence; empty if there is none."""
    told = {event.cell for event in events if isinstance(event, CellEnd)}
    if any(isinstance(event, Overflow) for event in events):
        return ""
    quiet = [number for number in sorted(driver.ended) if number not in told]
    return f"the cell {steps[quiet[0]].role} (number {quiet[0] + 1})" if quiet else ""


def _executed(submission: Submission, steps: list[_Step]) -> NotebookNode:
    """The submission's notebook with the outputs of this run; cells that did not run have none."""
    notebook = nbformat.from_dict(dict(submission.notebook))
    ran = {step.index: step.cell for step in steps if step.index is not None}
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            cell.outputs = list(ran[index].outputs) if index in ran else []
            cell.execution_count = ran[index].get("execution_count") if index in ran else None
    return notebook
