"""Kernels forked from the warm parent come and go without leaving anything behind."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from jupyter_client.asynchronous.client import AsyncKernelClient

from autograder.assignment import Assignment
from autograder.challenge import draw
from autograder.kernel import Kernels, kernels


async def talk(source: Kernels, folder: Path, code: str) -> int:
    """Starts a kernel, runs code in it, ends it; answers its process id."""
    sockets = folder / "sockets"
    sockets.mkdir()
    manager = source.manager(sockets)
    await manager.start_kernel(env=source.environment(folder), cwd=str(folder))
    client: AsyncKernelClient = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        reply = await client.execute_interactive(code, timeout=60, output_hook=lambda message: None)
        assert reply["content"]["status"] == "ok", reply
        assert manager.provisioner is not None
        return int(manager.provisioner._child)  # type: ignore[attr-defined]
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone(pid: int, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def run_one(source: Kernels, assignment: Assignment, folder: Path, code: str) -> int:
    folder.mkdir()
    draw(assignment.parameters, 1).write(folder)
    return asyncio.run(talk(source, folder, code))


def test_kernels_that_write_much_to_the_real_stdout_do_not_block(
    warm_kernels: Kernels, assignment: Assignment, tmp_path: Path
) -> None:
    """A pipe holds 64 KiB: what kernels write past Python's own streams must not fill the parent's."""
    for number in range(3):
        pid = run_one(warm_kernels, assignment, tmp_path / str(number), "import os; os.write(1, b'x' * 50_000)")
        assert gone(pid)


def test_nothing_outlives_the_parent(assignment: Assignment, tmp_path: Path) -> None:
    with kernels("warm") as source:
        runtime = source.runtime
        pid = run_one(source, assignment, tmp_path / "run", "1")
    assert gone(pid)
    assert not runtime.exists()


def test_plain_kernels_are_the_fallback(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.kernel.sys.platform", "darwin")
    with kernels("auto") as source:
        assert source.spec == "bench"
        assert "plain one" in source.note
