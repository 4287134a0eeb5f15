"""Executes a submission in a kernel with the bench inside and brings the evidence out."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from .challenge import Challenge
from .errors import KernelFailed
from .evidence import AnyEvent, CellBegin, CellEnd, Evidence, RunCell, read_events
from .kernel import Kernels
from .submission import GIVEN, Submission

STAND_IN = "stand-in"
KERNEL_DIED = "KernelDied"
"""The error of a cell that began and never ended."""


@dataclass(frozen=True)
class Limits:
    """Seconds for one cell, for the whole run, and until the kernel must have started."""

    cell: float = 60.0
    run: float = 300.0
    start: float = 120.0


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
    skip: frozenset[str] = frozenset(),
) -> Run:
    """Runs the notebook once. Tasks in `stand_ins` get a stand-in after their cell, or in its place if in `skip`."""
    steps = _steps(submission, stand_ins, skip)
    given = [number for number, step in enumerate(steps) if step.role == GIVEN]
    challenge = replace(challenge, given_cells=given)
    folder = Path(tempfile.mkdtemp(prefix="run-"))
    try:
        challenge.write(folder)
        started = time.monotonic()
        driver = _Driver(steps, folder, kernels, limits)
        asyncio.run(driver.drive())
        seconds = time.monotonic() - started
        events, lost = read_events(folder / challenge.evidence_file, challenge.nonce)
        evidence = Evidence(
            cells=_run_cells(steps, events, driver),
            events=events,
            training=challenge.training,
            gpus=challenge.gpus,
            stand_ins=stand_ins,
            lost=" ".join(filter(None, (lost, driver.note))),
        )
        return Run(evidence, _executed(submission, steps), {"start": driver.start_seconds, "run": seconds})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _steps(submission: Submission, stand_ins: tuple[str, ...], skip: frozenset[str]) -> list[_Step]:
    steps: list[_Step] = []
    pending = list(stand_ins)
    last = {role: index for index, role in enumerate(submission.roles)}
    for index, (cell, role) in enumerate(zip(submission.notebook.cells, submission.roles, strict=True)):
        if cell.cell_type == "code" and cell.source.strip() and role not in skip:
            steps.append(_Step(cell, role, index))
        if role in pending and last[role] == index:
            pending.remove(role)
            steps.append(_stand_in(role))
    first_use = next((number for number, step in enumerate(steps) if step.role != GIVEN), len(steps))
    return steps[:first_use] + [_stand_in(role) for role in pending] + steps[first_use:]


def _stand_in(task: str) -> _Step:
    return _Step(nbformat.v4.new_code_cell(f"import bench; bench.stand_in({task!r})"), STAND_IN, None)


class _Driver:
    """Takes one kernel through the steps."""

    def __init__(self, steps: list[_Step], folder: Path, kernels: Kernels, limits: Limits) -> None:
        self.steps, self.folder, self.kernels, self.limits = steps, folder, kernels, limits
        self.note = ""
        self.start_seconds = 0.0
        self.timed_out: set[int] = set()

    async def drive(self) -> None:
        notebook = nbformat.v4.new_notebook(cells=[step.cell for step in self.steps])
        sockets = Path(tempfile.mkdtemp(prefix="k-"))
        self._manager = self.kernels.manager(sockets)
        client = NotebookClient(notebook, km=self._manager, timeout=None, allow_errors=True, store_widget_state=False)
        client.resources = {"metadata": {"path": str(self.folder)}}
        try:
            await self._start(client, self.kernels.environment(self.folder))
            await self._cells(client)
        finally:
            await self._stop(client)
            shutil.rmtree(sockets, ignore_errors=True)

    async def _start(self, client: NotebookClient, env: dict[str, str]) -> None:
        started = time.monotonic()
        client.startup_timeout = int(self.limits.start)
        try:
            await client.async_start_new_kernel(env=env, cwd=str(self.folder))
            await client.async_start_new_kernel_client()
        except Exception as error:
            raise KernelFailed(f"The kernel did not start: {type(error).__name__}: {error}") from error
        self.start_seconds = time.monotonic() - started

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
            except DeadKernelError:
                self.note = "The kernel died while a cell ran."
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

    async def _stop(self, client: NotebookClient) -> None:
        with contextlib.suppress(Exception):
            if client.kc is not None:
                client.kc.stop_channels()
        with contextlib.suppress(Exception):
            await self._manager.shutdown_kernel(now=True)


def _run_cells(steps: list[_Step], events: tuple[AnyEvent, ...], driver: _Driver) -> tuple[RunCell, ...]:
    ends = {event.cell: event for event in events if isinstance(event, CellEnd)}
    begun = {event.cell for event in events if isinstance(event, CellBegin)}
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
        cells.append(RunCell(role=step.role, source="", status=status, error=error, message=end.message if end else ""))
    return tuple(cells)


def _executed(submission: Submission, steps: list[_Step]) -> NotebookNode:
    """The submission's notebook with the outputs of this run; cells that did not run have none."""
    notebook = nbformat.from_dict(dict(submission.notebook))
    ran = {step.index: step.cell for step in steps if step.index is not None}
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            cell.outputs = list(ran[index].outputs) if index in ran else []
            cell.execution_count = ran[index].get("execution_count") if index in ran else None
    return notebook
