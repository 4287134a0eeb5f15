"""Kernels come and go without leaving anything behind, warm or plain, with and without isolation."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.assignment.source import source_path
from autograder.errors import EvidenceError, KernelFailed
from autograder.execution import kernels as kernel
from autograder.execution import sandbox
from autograder.execution.kernels import ForkProvisioner, Kernels, SandboxChoice, kernels
from autograder.execution.limits import Limits
from autograder.execution.options import Options
from autograder.execution.runtime.processes import time_spent
from autograder.grading.grade import grade
from autograder.submission.parsing import read_notebook
from autograder.submission.prepare import prepare

from .cells import run_cells

needs_sandbox = pytest.mark.skipif(bool(sandbox.missing()), reason=sandbox.missing())
needs_podman = pytest.mark.skipif(bool(sandbox.missing("podman")), reason=sandbox.missing("podman"))
PODMAN = pytest.param("podman", marks=needs_podman)
SANDBOXES = [pytest.param("bwrap", marks=needs_sandbox), PODMAN, "none"]


def ours() -> set[int]:
    """The processes below this one that have to do with kernels."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "runtime.fork_server" in " ".join(process.cmdline()):
                found.add(process.pid)
    return found


def containers(isolation: SandboxChoice) -> set[str]:
    """The folders that have containers on this machine, also such as have ended; other graders may have some too."""
    if isolation != "podman":
        return set()
    command = ["podman", "ps", "--all", "--filter", "name=kernels-", "--format", "{{.Names}}"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return {name.rpartition("-")[0] for name in names}


def settled(expected: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not expected() and time.monotonic() < deadline:
        time.sleep(0.05)
    return expected()


def test_kernels_that_write_much_to_the_real_stdout_do_not_block(warm_kernels: Kernels, assignment: Assignment) -> None:
    """A pipe holds 64 KiB: what kernels write past Python's own streams must not fill the fork server's."""
    before = ours()
    for _ in range(3):
        done = run_cells(warm_kernels, assignment, "import os; os.write(1, b'x' * 50_000)", "print(1)")
        assert [cell.status for cell in done.evidence.cells] == ["ran", "ran"]
    assert settled(lambda: ours() == before)


@pytest.mark.parametrize("isolation", SANDBOXES)
def test_nothing_outlives_the_fork_server(assignment: Assignment, isolation: SandboxChoice) -> None:
    before = ours()
    with kernels("plain", isolation) as source:
        done = run_cells(source, assignment, "import subprocess; subprocess.Popen(['sleep', '300'])", "print(1)")
        assert [cell.status for cell in done.evidence.cells] == ["ran", "ran"]
        assert source.runtime.exists()
        assert isolation != "podman" or source.runtime.parent.name in containers(isolation)
    assert settled(lambda: ours() == before)
    assert source.runtime.parent.name not in containers(isolation)
    assert not source.runtime.parent.exists()


@pytest.mark.parametrize("isolation", [PODMAN, "none"])
def test_a_fork_server_that_is_killed_is_started_again(assignment: Assignment, isolation: SandboxChoice) -> None:
    before = ours()
    with kernels("plain", isolation) as source:
        (server,) = ours() - before
        psutil.Process(server).kill()
        assert settled(lambda: bool(ours() - before - {server}))  # of Podman only the client died: the old goes later
        done = run_cells(source, assignment, "print(1)")
        assert [cell.status for cell in done.evidence.cells] == ["ran"]
    assert settled(lambda: ours() == before)
    assert settled(lambda: source.runtime.parent.name not in containers(isolation))


def test_a_parent_that_dies_under_a_submission_costs_it_nothing(
    assignment: Assignment, release: NotebookNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first run loses its server while a cell runs; the submission is graded anew, from the beginning."""
    before, killed = ours(), []
    original = NotebookClient.async_execute_cell

    async def kill_first(client: NotebookClient, cell: NotebookNode, number: int) -> NotebookNode:
        if number == 3 and not killed:
            (server,) = {pid for pid in ours() - before if psutil.Process(pid).ppid() == os.getpid()}
            killed.extend([server, *(kernel.pid for kernel in psutil.Process(server).children())])
            psutil.Process(server).kill()
        return await original(client, cell, number)

    monkeypatch.setattr(NotebookClient, "async_execute_cell", kill_first)
    notebook = read_notebook(source_path(assignment))
    with kernels("warm", "none") as source:
        submission = prepare("ada", notebook, release, assignment)
        graded = grade(assignment, submission, source, Options(seed=1))
    assert len(killed) == 2
    assert settled(lambda: not any(psutil.pid_exists(pid) for pid in killed))
    assert (graded.verdict.state, graded.verdict.points) == ("graded", 88)
    assert settled(lambda: ours() == before)


@pytest.mark.parametrize("isolation", SANDBOXES)
def test_a_fork_server_whose_grader_is_gone_ends_with_its_kernels(tmp_path: Path, isolation: SandboxChoice) -> None:
    """The grader is killed, so that nothing of it can clean up."""
    code = (
        "import time\n"
        "from autograder.execution.kernels import kernels\n"
        f"with kernels('plain', {isolation!r}) as source:\n"
        "    print(source.runtime.parent.name, flush=True)\n"
        "    time.sleep(60)\n"
    )
    grader = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert grader.stdout is not None
    name = grader.stdout.readline().strip()
    assert name
    assert isolation != "podman" or name in containers(isolation)
    below = {process.pid for process in psutil.Process(grader.pid).children(recursive=True)}
    assert below
    grader.kill()
    grader.communicate()
    assert settled(lambda: not any(psutil.pid_exists(pid) for pid in below))
    assert settled(lambda: name not in containers(isolation))
    shutil.rmtree(Path(tempfile.gettempdir(), name), ignore_errors=True)


def test_plain_kernels_are_the_fallback(assignment: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has threads after its imports cannot fork; a cold one takes its place, and that is said."""
    original = kernel._lay_runtime

    def threaded(folder: Path) -> Path:
        runtime = original(folder)
        module = runtime / "runtime" / "fork_server.py"
        thread = "import threading; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
        text = module.read_text(encoding="utf-8").replace("            warm_up()\n", f"            {thread}\n")
        module.write_text(text, encoding="utf-8")
        return runtime

    monkeypatch.setattr(kernel, "_lay_runtime", threaded)
    with kernels("auto") as source:
        assert "each is started as a new process" in source.note
        assert run_cells(source, assignment, "print(1)").evidence.cells[0].status == "ran"
    with pytest.raises(KernelFailed, match="2 threads"), kernels("warm"):
        pass


@pytest.fixture
def no_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine whose bubblewrap may not do its work."""
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n", encoding="utf-8")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sandbox, "bwrap", lambda: broken)
    sandbox.missing.cache_clear()
    yield
    sandbox.missing.cache_clear()


@pytest.mark.usefixtures("no_bubblewrap")
@pytest.mark.parametrize("isolation", ["any", "bwrap"])
def test_without_a_sandbox_nothing_runs_unless_it_is_said(
    monkeypatch: pytest.MonkeyPatch, isolation: SandboxChoice
) -> None:
    monkeypatch.setattr(sandbox, "podman", lambda: ([], "it is not installed"))
    with pytest.raises(KernelFailed, match=r"No permissions .*--sandbox none"), kernels("plain", isolation):
        pass
    with kernels("plain", "auto") as source:
        assert source.sandbox == "none"
        assert "without a sandbox" in source.note


@needs_podman
@pytest.mark.usefixtures("no_bubblewrap")
@pytest.mark.parametrize("isolation", ["any", "auto"])
def test_podman_is_taken_where_bubblewrap_cannot_be_had_and_that_is_said(
    assignment: Assignment, release: NotebookNode, isolation: SandboxChoice
) -> None:
    with kernels("warm", isolation) as source:
        assert "The submissions run in a Podman container, because bubblewrap does not work here." in source.note
        notebook = read_notebook(source_path(assignment))
        graded = grade(assignment, prepare("ada", notebook, release, assignment), source, Options(seed=1))
    assert graded.verdict.grader["sandbox"] == "podman"
    assert (graded.verdict.state, graded.verdict.points) == ("graded", 88)


def test_podman_by_name_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "podman", lambda: ([], "it is not installed"))
    sandbox.missing.cache_clear()
    with pytest.raises(KernelFailed, match=r"Podman does not work .*not installed"), kernels("plain", "podman"):
        pass
    sandbox.missing.cache_clear()


LOOK = """
import os
tops = ("/", "/dev", "/etc", "/home", "/opt", "/opt/kit", "/run", "/sys", "/tmp")
seen = {os.path.join(top, name) for top in tops if os.path.isdir(top) for name in os.listdir(top)}
folders = [place for place, _, _ in os.walk("/") if not place.startswith("/proc")]
seen |= {f"writes-{place}" for place in folders if os.access(place, os.W_OK)}
environments = (repr(os.environ), open("/proc/self/environ").read())
print(*seen, *("secret" for text in environments if "not-for-students" in text))
"""
OF_PODMAN = {"/dev/mqueue", "/etc/hostname", "/etc/mtab", "/run", "/run/.containerenv", "/sys", "/sys/fs"}
"""What Podman adds: empty folders in memory that nobody may write to, and the name of the machine, which is made up."""


@needs_sandbox
@needs_podman
def test_podman_shows_what_bubblewrap_shows(assignment: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    """No place more that can be written to, either; nor the grader's variables, of which Podman passes on some."""
    monkeypatch.setenv("https_proxy", "http://not-for-students@localhost:1")
    seen = {}
    for isolation in typing.get_args(sandbox.Engine):
        with kernels("plain", isolation) as source:
            executed = run_cells(source, assignment, LOOK).executed
        seen[isolation] = set(executed.cells[0].outputs[0].text.split())
    assert "writes-/home/student" in seen["bwrap"] & seen["podman"]
    assert seen["podman"] - seen["bwrap"] <= OF_PODMAN


@needs_sandbox
def test_the_packaged_bubblewrap_serves_where_the_system_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    sandbox.bwrap.cache_clear()
    found = sandbox.bwrap()
    sandbox.bwrap.cache_clear()
    assert found is not None
    assert subprocess.run([*sandbox.bwrap_command(found), "/bin/true"], check=False).returncode == 0


@needs_sandbox
def test_memory_is_watched_over_all_processes(assignment: Assignment) -> None:
    """Each process stays below what one may take; together they take too much, and the kernel is ended."""
    hungry = (
        "import os, threading\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0:\n"
        "        taken = b'x' * 150_000_000\n"
        "        threading.Event().wait(30)\n"
        "threading.Event().wait(30)\n"
    )
    with kernels("plain", "bwrap") as source:
        done = run_cells(source, assignment, hungry, "print(2)", limits=Limits(memory=700_000_000))
    assert "700 MB of memory" in done.evidence.lost
    assert [cell.status for cell in done.evidence.cells] == ["error", "not run"]


@needs_sandbox
def test_a_package_that_is_installed_among_the_others_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    program = sandbox.bwrap()
    assert program is not None
    package = Path(str(pytest.__file__)).parent
    listing = ["/bin/ls", str(package)]
    seen = subprocess.run([*sandbox.bwrap_command(program), *listing], capture_output=True, text=True, check=True)
    assert "__init__.py" in seen.stdout
    monkeypatch.setattr(sandbox, "PACKAGE", package)
    hidden = subprocess.run([*sandbox.bwrap_command(program), *listing], capture_output=True, text=True, check=True)
    assert hidden.stdout == ""


def test_the_grader_connects_to_no_socket_that_a_notebook_puts_in_the_place_of_a_kernels(
    warm_kernels: Kernels, assignment: Assignment, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "outside"))
        listener.listen(64)
        listener.setblocking(False)
        attack = f"""
            import os, pathlib, socket
            places = list(pathlib.Path(".kernel").glob("k-*"))
            for place in places:
                place.unlink()
                place.symlink_to({str(tmp_path / "outside")!r})
            print(len(places), flush=True)
            for descriptor in range(3, 200):
                try:
                    stream = socket.socket(fileno=os.dup(descriptor))
                except OSError:
                    continue
                if stream.type == socket.SOCK_STREAM and not stream.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    stream.shutdown(socket.SHUT_RDWR)  # whoever was connected tries again
        """
        limits = Limits(cell=1, run=3)
        with contextlib.suppress(EvidenceError):
            run_cells(warm_kernels, assignment, attack, "print(1)", limits=limits)
        with pytest.raises(BlockingIOError):
            listener.accept()


WAITS = "import threading\nthreading.Event().wait({})"


def test_a_cell_may_take_longer_by_what_its_kernel_waited_for_a_processor(
    warm_kernels: Kernels, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def claims_to_wait(self: ForkProvisioner) -> tuple[float, float]:
        return 0.0, time.monotonic()

    cells = (WAITS.format(2.5), "a = 1")
    limits = Limits(cell=1.5)
    patient = run_cells(warm_kernels, assignment, *cells, limits=limits)
    assert [cell.status for cell in patient.evidence.cells] == ["timeout", "ran"]
    monkeypatch.setattr(ForkProvisioner, "time_spent", claims_to_wait)
    hindered = run_cells(warm_kernels, assignment, *cells, limits=limits)
    assert [cell.status for cell in hindered.evidence.cells] == ["ran", "ran"]


def test_a_time_limit_can_interrupt_the_runtime_at_any_point(warm_kernels: Kernels, assignment: Assignment) -> None:
    """A sleep is simulated: such a loop is nearly always within a request to the oracle."""
    loop = "import time\nwhile True:\n    time.sleep(0)"
    done = run_cells(warm_kernels, assignment, *[loop] * 5, "import time\na = time.time()", limits=Limits(cell=0.7))
    assert [cell.status for cell in done.evidence.cells] == ["timeout"] * 5 + ["ran"]
    assert not any(cell.fault for cell in done.evidence.cells)
    assert not done.evidence.lost


def test_where_the_machine_has_no_time_left_nothing_is_said_of_the_notebook(
    warm_kernels: Kernels, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def claims_to_wait(self: ForkProvisioner) -> tuple[float, float]:
        return 0.0, 2 * time.monotonic()  # more than has gone by does not count

    monkeypatch.setattr(ForkProvisioner, "time_spent", claims_to_wait)
    with pytest.raises(KernelFailed, match="too busy to run the notebook"):
        run_cells(warm_kernels, assignment, WAITS.format(60), limits=Limits(cell=1.1))


def test_what_computes_in_many_threads_does_not_wait(
    warm_kernels: Kernels, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its threads wait for one another: together they took as much time of the processor as went by."""

    async def claims_to_compute(self: ForkProvisioner) -> tuple[float, float]:
        return 2 * time.monotonic(), 9 * time.monotonic()

    monkeypatch.setattr(ForkProvisioner, "time_spent", claims_to_compute)
    done = run_cells(warm_kernels, assignment, WAITS.format(60), limits=Limits(cell=1.1))
    assert [cell.status for cell in done.evidence.cells] == ["timeout"]


def test_the_fork_server_tells_what_a_kernel_took_and_waited_for(
    warm_kernels: Kernels, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    asked = ForkProvisioner.time_spent

    async def listen(self: ForkProvisioner) -> tuple[float, float]:
        told.append(await asked(self))
        return told[-1]

    monkeypatch.setattr(ForkProvisioner, "time_spent", listen)
    busy = "import os\nwhile sum(os.times()[:2]) < 0.3: pass\nimport threading\nthreading.Event().wait(2)"
    run_cells(warm_kernels, assignment, busy)
    assert len(told) == 2
    assert told[-1][0] >= 0.3
    assert told[-1][1] >= told[0][1] >= 0


def test_a_process_that_shares_its_processor_waits_for_it() -> None:
    core = min(os.sched_getaffinity(0))
    spin = f"import os\nos.sched_setaffinity(0, [{core}])\nwhile True: pass"
    with contextlib.ExitStack() as stack:
        pair = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(2)]
        for process in pair:
            stack.callback(process.communicate)
            stack.callback(process.kill)
        deadline = time.monotonic() + 60
        while min(min(time_spent(process.pid)) for process in pair) < 0.2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
