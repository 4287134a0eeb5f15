"""Kernels that contain the runtime, forked by a fork server that has imported all libraries (warm) or none (plain)."""

from __future__ import annotations

import asyncio
import base64
import compileall
import contextlib
import functools
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Literal

import zmq.asyncio
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.provisioning import KernelProvisionerBase, KernelProvisionerFactory

from autograder.errors import KernelFailed, ServerGone

from . import sandbox
from .client import KernelManager
from .limits import MAX_STRETCH, Limits
from .runtime.loading import INSTRUMENTS

Start = Literal["auto", "warm", "plain"]
"""Warm kernels are forked from a server that has imported everything; plain ones import it all themselves."""

SandboxChoice = Literal["auto", "any", "bwrap", "podman", "none"]
"""The requested sandbox: `any` is the first that works, and `auto` the same, or `none` if none works."""

RUNTIME = Path(__file__).resolve().parent / "runtime"
SPEC = "runtime"
PROVISIONER = "fork-server"
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables of the grader's environment that are passed on to kernels."""


log = logging.getLogger(__name__)

GONE = "gone"
"""The reason given for a kernel that ended because its fork server is gone."""

MAX_STARTS = 5
"""How many times a fork server that ends unexpectedly is started again."""

ANSWER_SECONDS = 10.0
"""Seconds to wait for the fork server's answer about a kernel."""

RESTART_SECONDS = 60.0
"""Seconds to wait for a fork server that is being started again."""


@dataclass(frozen=True)
class Kernels:
    """Where kernels come from: the folder with the runtime, the kernel's specification and the fork server's socket."""

    runtime: Path
    sandbox: sandbox.Sandbox
    note: str = ""

    def manager(self, folder: Path, context: zmq.asyncio.Context) -> KernelManager:
        """Return the manager of one kernel, which uses local sockets instead of ports; its files are in `folder`."""
        factory = KernelProvisionerFactory.instance()
        entry = EntryPoint(PROVISIONER, f"{__name__}:ForkProvisioner", KernelProvisionerFactory.GROUP_NAME)
        factory.provisioners.setdefault(PROVISIONER, entry)
        specs = KernelSpecManager(kernel_dirs=[str(self.runtime / "kernels")], ensure_native_kernel=False)
        manager = KernelManager(kernel_name=SPEC, kernel_spec_manager=specs, context=context)
        manager.transport = "ipc"
        manager.ip = str(folder / "k")
        manager.connection_file = str(folder / "kernel.json")
        return manager

    def last_words(self) -> str:
        """Return the last line written by the fork server or by a kernel that failed to start."""
        return _read_last_line(self.runtime)

    @property
    def _place(self) -> str:
        """The folder of the runtime as a kernel sees it."""
        return sandbox.KIT if self.sandbox != "none" else str(self.runtime)

    def request(
        self, files: Mapping[str, bytes], setup: dict[str, Any], key: bytes, oracle: int, limits: Limits
    ) -> dict[str, Any]:
        """Return the arguments for `start_kernel`.

        Args:
            files: the files in the kernel's folder, by name.
            setup: the settings of the instruments, see `Scenario.setup`.
            key: the bytes with which the kernel's messages to the oracle begin.
            oracle: the kernel's end of that connection, a file descriptor.
            limits: the limits of the run.
        """
        given = {"files": files, "setup": setup, "key": key, "oracle": oracle, "limits": limits}
        variables = environment(self._place)
        if setup["training"] == "scripted":  # compiling for this processor pays off only for real training
            variables["TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL"] = "0"
        return {**given, "env": variables}


def environment(place: str) -> dict[str, str]:
    """Return a kernel's environment variables: the few of the grader's that Python needs, and the runtime's path."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1"}
    few_threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    few_threads["TF_NUM_INTEROP_THREADS"] = "2"
    python = {"PYTHONPATH": place, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1", "USER": "student"}
    return kept | quiet | few_threads | python


@contextlib.contextmanager
def kernels(
    start: Start = "auto", isolation: SandboxChoice = "auto", instruments: Sequence[str] = INSTRUMENTS
) -> Iterator[Kernels]:
    """Provide kernels for a whole grading run.

    With `auto`, `start` and `isolation` use what works on this machine, and `note` says what that is. If a value is
    requested by name and does not work, KernelFailed is raised. The libraries that the `instruments` need are imported
    before the first kernel is forked.
    """
    chosen, note = _choose(isolation)
    notes = [note] if note else []
    folder = Path(tempfile.mkdtemp(prefix="kernels-"))
    server: _ForkServer | None = None
    try:
        runtime = _lay_runtime(folder)
        process, why = _start_fork_server(runtime, chosen, instruments, cold=start == "plain")
        is_cold = start == "plain"
        if process is None and start == "auto":
            notes.append(
                f"Kernels cannot be forked from a preloaded process here ({why}), so each is started as a new process, "
                "which takes longer."
            )
            process, why = _start_fork_server(runtime, chosen, instruments, cold=True)
            is_cold = True
        if process is None:
            raise KernelFailed(f"The process that starts the kernels could not be started: {why}.")
        server = _ForkServer(process, runtime, chosen, instruments, is_cold)
        yield Kernels(runtime, chosen, " ".join(notes))
    finally:
        if server is not None:
            server.end()
        shutil.rmtree(folder, ignore_errors=True)


IN_PODMAN = "The submissions run in a Podman container, because bubblewrap does not work here."


def _choose(isolation: SandboxChoice) -> tuple[sandbox.Sandbox, str]:
    """Choose the sandbox; return it and a note about it."""
    if isolation == "none":
        return "none", ""
    engines: tuple[sandbox.Engine, ...] = (isolation,) if isolation in ("bwrap", "podman") else ("bwrap", "podman")
    reasons: list[str] = []
    for engine in engines:
        if not (why := sandbox.missing(engine)):
            return engine, f"{IN_PODMAN} {reasons[0]}" if reasons else ""
        reasons.append(why)
    if isolation == "auto":
        return "none", "The submissions run without a sandbox, because none works on this machine."
    raise KernelFailed(" ".join([*reasons, sandbox.ADVICE]))


class _ForkServer:
    """The fork server, which is started again if it ends too early."""

    def __init__(
        self,
        process: subprocess.Popen[str],
        runtime: Path,
        isolation: sandbox.Sandbox,
        instruments: Sequence[str],
        cold: bool,
    ) -> None:
        self.process = process
        self._start = functools.partial(_start_fork_server, runtime, isolation, instruments, cold=cold)
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._keep, name="fork server", daemon=True)
        self._watch.start()

    def _keep(self) -> None:
        for _ in range(MAX_STARTS):
            self.process.wait()
            if self._ended.is_set():
                return
            with self.process:
                pass  # closes its pipes
            process, why = self._start()
            if process is None:
                log.warning("The process that starts the kernels stopped and could not be started again (%s).", why)
                return
            self.process = process
            if self._ended.is_set():
                self._hang_up()

    def end(self) -> None:
        """End the fork server and all its kernels."""
        self._ended.set()
        self._hang_up()
        self._watch.join()
        with self.process:
            pass

    def _hang_up(self) -> None:
        """Close the fork server's standard input, which makes it end."""
        assert self.process.stdin is not None
        self.process.stdin.close()


def _lay_runtime(folder: Path) -> Path:
    """Copy the runtime, and nothing else of the autograder, to where kernels find it."""
    runtime = folder / "runtime"
    shutil.copytree(RUNTIME, runtime / "runtime", ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(runtime / "runtime", quiet=2)  # only here, because kernels cannot write compiled files
    provisioner = {"provisioner_name": PROVISIONER, "config": {"server_socket": str(runtime / "server")}}
    spec = {"argv": [SPEC], "display_name": SPEC, "language": "python", "metadata": {"kernel_provisioner": provisioner}}
    (runtime / "kernels" / SPEC).mkdir(parents=True)
    (runtime / "kernels" / SPEC / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    for path in (folder, runtime):
        path.chmod(0o755)
    return runtime


def _start_fork_server(
    runtime: Path, isolation: sandbox.Sandbox, instruments: Sequence[str], cold: bool
) -> tuple[subprocess.Popen[str] | None, str]:
    """Start the fork server; return its process when it is ready, or None and the reason why it did not start."""
    if not hasattr(os, "fork"):
        raise KernelFailed(
            "Windows cannot fork processes, which starting a kernel requires: use the Windows Subsystem for Linux."
        )
    address = runtime / "server"
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener, (runtime / "server.log").open("w", encoding="utf-8") as log:
        listener.bind(str(address))
        listener.listen(64)
        place = sandbox.KIT if isolation != "none" else str(runtime)
        variables = environment(place) | dict.fromkeys(("MPLCONFIGDIR", "XDG_CACHE_HOME"), tempfile.gettempdir())
        command = [
            sys.executable,
            "-m",
            "runtime.fork_server",
            *["--cold"] * cold,
            *["--isolated"] * (isolation != "none"),
        ]
        command += ["--instruments", ",".join(instruments)]
        listening = listener.fileno()
        if isolation == "bwrap":
            bwrap = sandbox.bwrap()
            assert bwrap is not None
            command = [*sandbox.bwrap_command(bwrap, runtime / "runtime", variables), *command]
        elif isolation == "podman":
            program, _ = sandbox.podman()
            held = sandbox.podman_command(program, runtime.parent, listening, runtime / "runtime", variables)
            command, listening = [*held, *command], 3
        process = subprocess.Popen(
            [*command, "--listen", str(listening)],
            env=None if isolation == "podman" else variables,  # Podman runs outside the sandbox, with the grader's
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # so that Ctrl-C does not stop the server before it has ended its kernels
        )
    assert process.stdout is not None
    if process.stdout.readline().strip() == "ready":
        return process, ""
    process.kill()
    process.communicate()
    return None, _read_last_line(runtime)


def _read_last_line(runtime: Path) -> str:
    lines = (runtime / "server.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "no error message"


class ForkProvisioner(KernelProvisionerBase):
    """Requests a kernel from the fork server; see `runtime.fork_server` for the protocol."""

    server_socket = ""

    def __init__(self, **kwargs: Any) -> None:
        self.server_socket = kwargs.pop("server_socket", "")
        super().__init__(**kwargs)
        self._lifeline: socket.socket | None = None
        self._place: int | None = None
        self._status: int | None = None
        self._spent: dict[str, float] | None = None
        self.reason = ""

    @property
    def has_process(self) -> bool:
        return self._lifeline is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        assert self.parent is not None
        self.parent.write_connection_file()
        return await super().pre_launch(cmd=[SPEC], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        assert self.parent is not None
        connection = self.parent.get_connection_info()
        limits: Limits = kwargs["limits"]
        request = {
            "env": kwargs["env"],
            "files": {name: base64.b64encode(data).decode("ascii") for name, data in kwargs["files"].items()},
            "setup": kwargs["setup"],
            "key": kwargs["key"].hex(),
            "connection": connection | {"key": connection["key"].decode("ascii")},
            "limits": {
                "seconds": limits.start + MAX_STRETCH * (limits.run + limits.cell),
                "address_space": limits.address_space,
                "memory": limits.memory,
                "processes": limits.processes,
                "open_files": limits.open_files,
                "file_size": limits.file_size,
                "space": limits.space,
            },
        }
        self._lifeline, self._status, self.reason = socket.socket(socket.AF_UNIX), None, ""
        self._lifeline.settimeout(limits.start)
        folder = await asyncio.to_thread(self._ask, json.dumps(request).encode(), kwargs["oracle"])
        self._lifeline.setblocking(False)
        return connection | {"ip": f"{folder}/k"}

    def _ask(self, body: bytes, oracle: int) -> str:
        """Send the request and return the folder of the kernel's sockets, as a path that works in this process."""
        assert self._lifeline is not None
        self._connect(self._lifeline)
        reply, files = b"", list[int]()
        with contextlib.suppress(ConnectionError):  # the server may end at any moment
            socket.send_fds(self._lifeline, [len(body).to_bytes(8, "big")], [oracle])
            self._lifeline.sendall(body)
            reply, files, _, _ = socket.recv_fds(self._lifeline, 4096, 1)
        if not reply:
            raise ServerGone(
                "No kernel could be started, because the process that starts the kernels has stopped: grade the "
                "submission again."
            )
        if not files:
            raise KernelFailed(f"No kernel could be started ({json.loads(reply).get('error', 'it stopped')}).")
        self._place = files[0]
        folder = str(json.loads(reply)["folder"])
        # The open folder gives access to the sockets, although the kernel has a mount namespace of its own.
        return f"/proc/self/fd/{self._place}" if sys.platform == "linux" else folder

    def _connect(self, line: socket.socket) -> None:
        """Connect to the fork server; wait for one that is being started again."""
        deadline = time.monotonic() + RESTART_SECONDS
        while True:
            try:
                return line.connect(self.server_socket)
            except (ConnectionRefusedError, FileNotFoundError):
                if time.monotonic() > deadline:
                    raise ServerGone(
                        "The process that starts the kernels has stopped: grade the submission again."
                    ) from None
                time.sleep(0.2)

    async def poll(self) -> int | None:
        if self._lifeline is None:
            return 0
        if self._status is None:
            with contextlib.suppress(BlockingIOError):
                self._take(self._hear())
        return self._status

    def _hear(self) -> bytes:
        assert self._lifeline is not None
        try:
            return self._lifeline.recv(4096)
        except ConnectionError:
            return b""

    def _take(self, text: bytes) -> None:
        """Store what the fork server reports; if it hung up without a report, the kernel has ended, too."""
        for line in text.splitlines() or [b'{"status": 1, "reason": "%s"}' % GONE.encode()]:
            message: dict[str, Any] = json.loads(line)
            if "status" in message:
                self._status, self.reason = int(message["status"]), str(message["reason"])
            else:
                self._spent = message

    async def time_spent(self) -> tuple[float, float]:
        """Ask for the kernel's processor time and the time for which it waited for a processor, in seconds.

        The result is (0.0, 0.0) if the kernel has ended or the fork server does not answer.
        """
        self._spent = None
        await self.send_signal(0)
        deadline = time.monotonic() + ANSWER_SECONDS
        while await self.poll() is None and time.monotonic() < deadline:
            if self._spent is not None:
                return self._spent["cpu"], self._spent["waited"]
            await asyncio.sleep(0.005)
        return 0.0, 0.0

    async def wait(self) -> int | None:
        while (status := await self.poll()) is None:
            await asyncio.sleep(0.005)
        self._hang_up()
        return status

    async def send_signal(self, signum: int) -> None:
        if self._lifeline is not None and await self.poll() is None:
            with contextlib.suppress(OSError):
                self._lifeline.send(bytes([signum]))

    async def kill(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)

    async def cleanup(self, restart: bool = False) -> None:
        self._hang_up()

    def _hang_up(self) -> None:
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None
        if self._place is not None:
            os.close(self._place)
            self._place = None
