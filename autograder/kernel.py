"""Kernels with the bench inside: forked from a warm parent, or plain ones that import everything themselves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from .errors import KernelFailed

BENCH = Path(__file__).resolve().parent / "bench"
PLAIN, WARM = "bench", "bench-warm"
PROVISIONER = "warm-parent"
PASSED_ON = ("PATH", "LANG", "LC_ALL", "HOME", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables of the grader's environment that a kernel gets to see."""


@dataclass(frozen=True)
class Kernels:
    """Where kernels come from: the folder with the bench and the kernel specs, and which spec is used."""

    runtime: Path
    spec: str
    note: str = ""

    def manager(self, sockets: Path) -> AsyncKernelManager:
        """A manager for one kernel that talks over sockets in the given folder, not over ports."""
        factory = KernelProvisionerFactory.instance()
        entry = EntryPoint(PROVISIONER, f"{__name__}:WarmProvisioner", KernelProvisionerFactory.GROUP_NAME)
        factory.provisioners.setdefault(PROVISIONER, entry)
        specs = KernelSpecManager(kernel_dirs=[str(self.runtime / "kernels")], ensure_native_kernel=False)
        manager = AsyncKernelManager(kernel_name=self.spec, kernel_spec_manager=specs)
        manager.transport = "ipc"
        manager.ip = str(sockets / "k")
        manager.connection_file = str(sockets / "kernel.json")
        return manager

    def environment(self, folder: Path) -> dict[str, str]:
        """What a kernel sees of the environment: nothing of the grader's own but what Python needs."""
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1"}
        few_threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
        own = {"PYTHONPATH": str(self.runtime), "BENCH_FOLDER": str(folder), "IPYTHONDIR": str(folder / ".ipython")}
        caches = {"MPLCONFIGDIR": str(self.runtime / "matplotlib"), "PYTHONDONTWRITEBYTECODE": "1"}
        return kept | quiet | few_threads | own | caches


@contextlib.contextmanager
def kernels(kind: str = "auto") -> Iterator[Kernels]:
    """Kernels for a whole grading run: `warm`, `plain`, or `auto`, which falls back to plain and says so."""
    folder = Path(tempfile.mkdtemp(prefix="kernels-"))
    process: subprocess.Popen[str] | None = None
    try:
        runtime = _lay_runtime(folder)
        note = ""
        if kind != "plain":
            process, note = _start_parent(runtime)
            if process is None and kind == "warm":
                raise KernelFailed(note)
        yield Kernels(runtime, PLAIN if process is None else WARM, note)
    finally:
        if process is not None:
            process.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _lay_runtime(folder: Path) -> Path:
    """Copies the bench alone to where kernels find it; the rest of the autograder stays out of their path."""
    runtime = folder / "runtime"
    shutil.copytree(BENCH, runtime / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    argv = [sys.executable, "-m", "bench", "-f", "{connection_file}"]
    provisioner = {"provisioner_name": PROVISIONER, "config": {"parent_socket": str(runtime / "parent")}}
    for name, metadata in ((PLAIN, {}), (WARM, {"kernel_provisioner": provisioner})):
        spec = {"argv": argv, "display_name": name, "language": "python", "metadata": metadata}
        (runtime / "kernels" / name).mkdir(parents=True)
        (runtime / "kernels" / name / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return runtime


def _start_parent(runtime: Path) -> tuple[subprocess.Popen[str] | None, str]:
    """The warm parent once it is ready, or None and why not."""
    if not hasattr(os, "fork") or sys.platform != "linux":
        return None, "Kernels cannot be forked on this system; each submission starts a plain one."
    command = [sys.executable, "-m", "bench.warm", str(runtime / "parent")]
    environment = Kernels(runtime, PLAIN).environment(runtime)
    log = (runtime / "parent.log").open("w", encoding="utf-8")
    process = subprocess.Popen(
        command, env=environment, cwd=runtime, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
    )
    log.close()
    assert process.stdout is not None
    if process.stdout.readline().strip() == "ready":
        return process, ""
    process.kill()
    process.wait()
    lines = (runtime / "parent.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    reason = lines[-1] if lines else "it said nothing"
    return None, f"The warm parent did not start ({reason}); each submission starts a plain kernel."


class WarmProvisioner(LocalProvisioner):
    """Asks the warm parent for a kernel; see `bench.warm` for the protocol."""

    parent_socket = ""

    def __init__(self, **kwargs: Any) -> None:
        self.parent_socket = kwargs.pop("parent_socket", "")
        super().__init__(**kwargs)
        self._lifeline: socket.socket | None = None
        self._status: int | None = None
        self._child: int | None = None

    @property
    def has_process(self) -> bool:
        return self._lifeline is not None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        request = {"argv": cmd[cmd.index("-f") :], "cwd": str(kwargs.get("cwd") or "."), "env": kwargs["env"]}
        lifeline = socket.socket(socket.AF_UNIX)
        lifeline.connect(self.parent_socket)
        lifeline.sendall(json.dumps(request).encode() + b"\n")
        self._child = json.loads(await asyncio.to_thread(_read_line, lifeline))["pid"]
        lifeline.setblocking(False)
        self._lifeline, self._status = lifeline, None
        return self.connection_info

    async def poll(self) -> int | None:
        if self._lifeline is None:
            return 0
        if self._status is None:
            with contextlib.suppress(BlockingIOError, OSError, ValueError):
                text = self._lifeline.recv(4096)
                self._status = json.loads(text)["status"] if text else 1
        return self._status

    async def wait(self) -> int | None:
        while (status := await self.poll()) is None:
            await asyncio.sleep(0.02)
        self._hang_up()
        return status

    async def send_signal(self, signum: int) -> None:
        if self._child is not None and await self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child, signum)

    async def kill(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:
        self._hang_up()

    def _hang_up(self) -> None:
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None


def _read_line(connection: socket.socket) -> str:
    with connection.makefile("r", encoding="utf-8") as lines:
        return lines.readline()
