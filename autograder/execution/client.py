"""The client that executes cells: nbclient's client with limits on the output of cells and on the size of messages."""

from __future__ import annotations

import functools
import queue
import time
from collections.abc import Callable
from typing import Any

import nbformat
import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.session import json_unpacker
from nbclient import NotebookClient
from nbformat import NotebookNode

from .limits import Limits

ECHO = 0.03
"""Seconds to wait, after a kernel's reply, for its message that it is idle. If none comes, this side was not listening
yet when it was sent, and the kernel is asked again."""

NEVER = -1
"""Tells ZeroMQ never to reconnect: later, the socket at the same path may be another program's."""

LARGEST_MESSAGE = 32_000_000
"""Maximum size in bytes of one message from a kernel; a larger one closes the connection for good."""

MAX_NESTING = 50
"""Maximum depth of the values in an output; libraries that write or read far deeper ones stop with a RecursionError."""

MAX_WAITING = 10
"""Maximum number of a kernel's messages that wait on this side; further ones wait in the kernel."""

SHOWN = ("stream", "display_data", "update_display_data", "execute_result", "error")
"""Kernel messages that become outputs of a cell."""

NEEDED = (*SHOWN, "status", "execute_input", "clear_output")
"""Kernel messages that are processed; comms and all others are dropped."""

Reply = Callable[[int, dict[str, Any]], None]


class OutputLimitClient(NotebookClient):
    """A notebook client that limits the output of cells."""

    def __init__(self, notebook: NotebookNode, limits: Limits, manager: AsyncKernelManager, on_reply: Reply) -> None:
        super().__init__(notebook, km=manager, timeout=None, allow_errors=True, store_widget_state=False)
        self.startup_timeout = int(limits.start)
        self.on_cell_executed = self._pass_reply
        manager.session.unpack = functools.partial(_unpack, 6 * limits.output + 1_000_000)
        self._limits, self._on_reply = limits, on_reply
        self._written: dict[int, int] = {}
        self._total = 0

    def _pass_reply(self, *, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
        self._on_reply(cell_index, execute_reply)

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        if msg["msg_type"] not in NEEDED:
            return None
        if msg["msg_type"] not in SHOWN:
            return super().process_message(msg, cell, cell_index)
        before, size = self._written.get(cell_index, 0), _count_characters(msg["content"])
        self._written[cell_index] = after = before + size
        is_full = self._total + size > self._limits.outputs
        if after <= self._limits.output and not is_full:
            self._total += size
            return super().process_message(msg, cell, cell_index)
        if before <= self._limits.output:
            self._written[cell_index] = max(after, self._limits.output + 1)
            is_notebook = after <= self._limits.output
            what = "outputs of this notebook were" if is_notebook else "output of this cell was"
            whose = "this cell's output" if is_notebook else "it"
            shown = f"only the first {before:,} characters of {whose} are shown" if before else f"{whose} is not shown"
            text = f"\n[The {what} too large; {shown}.]\n"
            cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text=text))
        return None


def _unpack(largest: int, part: bytes) -> Any:
    """Parse a part of a message, unless it has more than `largest` bytes, which no permitted output needs."""
    if len(part) <= largest:
        return json_unpacker(part)
    note = f"\n[An output of {len(part):,} bytes was too large and is not shown.]\n"
    return {"name": "stderr", "text": note, "data": {"text/plain": note}, "metadata": {}}


def _count_characters(content: Any, depth: int = 0) -> int:
    """Count the characters of text in a message; every other value counts as one, and very deep ones as too many."""
    if depth > MAX_NESTING:
        return LARGEST_MESSAGE
    if isinstance(content, dict):
        return sum(len(name) + _count_characters(value, depth + 1) for name, value in content.items())
    if isinstance(content, list):
        return sum(_count_characters(value, depth + 1) for value in content)
    return len(content) if isinstance(content, str) else 1


def make_context() -> zmq.asyncio.Context:
    """Create the ZeroMQ context of one kernel's sockets, which refuse large messages and connect only once."""
    context = zmq.asyncio.Context()
    context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
    context.setsockopt(zmq.RECONNECT_IVL, NEVER)
    context.setsockopt(zmq.RCVHWM, MAX_WAITING)
    return context


class KernelManager(AsyncKernelManager):
    """A kernel manager whose clients use its ZeroMQ context, not another one without its options."""

    def client(self, **settings: Any) -> AsyncKernelClient:  # type: ignore[override]  # as in AsyncKernelManager
        self.client_factory = KernelClient
        return super().client(context=self.context, **settings)


class KernelClient(AsyncKernelClient):
    """Channels without a heartbeat: the fork server reports when a kernel ends."""

    def start_channels(self, *chosen: bool, **named: bool) -> None:
        super().start_channels(*chosen, **{**named, "hb": False})

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return when the kernel has answered on both channels, without then waiting until it is silent."""
        deadline = time.monotonic() + (timeout or float("inf"))
        while not await self._answers(self.kernel_info()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"it did not answer in {timeout:g} seconds")
            if not await self.is_alive():
                raise RuntimeError("it died before it answered")

    async def _answers(self, request: str) -> bool:
        """Whether the reply arrived and, on the other channel, the message that the kernel is idle after it."""
        try:
            while (await self.get_shell_msg(timeout=1))["parent_header"].get("msg_id") != request:
                continue
            while True:
                message = await self.get_iopub_msg(timeout=ECHO)
                is_idle = message["content"].get("execution_state") == "idle"
                if is_idle and message["parent_header"].get("msg_id") == request:
                    return True
        except queue.Empty:
            return False
