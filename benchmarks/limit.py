"""The lower limit: the same cells and instruments in a forked process, without kernel, messages or sandbox."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from autograder.assignment.release import given_files
from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.errors import AutograderError
from autograder.execution.evidence import Evidence
from autograder.execution.kernels import Kernels, environment, kernels
from autograder.execution.limits import Limits
from autograder.execution.oracle import Connection, Oracle
from autograder.execution.runner import run
from autograder.submission.prepare import Submission, load_release, prepare

from .classes import notebook

PROGRAM = """
import json, os, socket, sys, time, types
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from runtime import gc_tuning
from runtime.fork_server import warm_up
from runtime.loading import load
line = socket.socket(fileno=int(sys.argv[2]))
with gc_tuning.keep_imports():
    kernel, modules = load(sys.argv[3].split(","))
    warm_up()
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
class Shell(InteractiveShell):
    kernel = types.SimpleNamespace()
    def enable_gui(self, gui=None):
        pass
while True:
    text, (oracle, *_), _, _ = socket.recv_fds(line, 100_000, 1)
    request = json.loads(text)
    entrance, leave = os.pipe()
    if not (pid := os.fork()):
        started = time.perf_counter()
        clock = time.perf_counter
        folder = request["folder"]
        os.chdir(folder)
        os.environ.update(HOME=folder, IPYTHONDIR=folder)
        cells = json.load(open("cells.json"))
        sys.stdout = open(os.devnull, "w")
        settings = Config()
        settings.InlineBackend.figure_formats = set()
        shell = Shell.instance(config=settings)
        gc_tuning.tune_gc()
        shell.run_line_magic("matplotlib", "inline")
        key = bytes.fromhex(request["key"])
        steps = kernel.start(modules, request["setup"], oracle, key, Path(folder), shell)
        fine = True
        for cell in cells:
            steps.begin_cell(cell)
            success = shell.run_cell(cell).success
            steps.end_cell(not success)
            fine = fine and success
        os.write(leave, json.dumps([fine, clock() - started]).encode())
        os._exit(0)
    os.close(leave)
    os.close(oracle)
    told = os.read(entrance, 200)
    os.close(entrance)
    os.waitpid(pid, 0)
    line.sendall(told or b"[false, 0]")
"""


def without_kernel(assignment: Assignment, times: int) -> tuple[list[float], list[float]]:
    """Measure the seconds from the fork to the end of the last cell, in kernels and, alternately, without."""
    ours, alone = [], []
    own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with own, other, kernels("warm") as source, tempfile.TemporaryDirectory() as place:
        variables = environment(str(source.runtime)) | {"MPLCONFIGDIR": place, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        names = ",".join(assignment.exercise.instruments)
        command = [sys.executable, "-c", PROGRAM, str(source.runtime), str(other.fileno()), names]
        with subprocess.Popen(command, env=variables, pass_fds=[other.fileno()], stderr=subprocess.DEVNULL) as warm:
            try:
                for number in range(times + 1):
                    release = load_release(assignment)
                    submission = prepare("s", notebook(assignment, number), release, assignment)
                    seconds, evidence = _in_kernel(assignment, submission, source, number)
                    ran = [submission.notebook.cells[cell.index].source for cell in evidence.cells]
                    folder = Path(place, str(number))
                    least = _alone(assignment, ran, own, folder, number)
                    if number:  # the first run of each kind fills caches
                        ours.append(seconds)
                        alone.append(least)
            finally:
                warm.kill()
    return ours, alone


def _in_kernel(assignment: Assignment, submission: Submission, source: Kernels, seed: int) -> tuple[float, Evidence]:
    with run(
        submission, sample_scenario(assignment, seed), source, limits=Limits(), files=given_files(assignment)
    ) as live:
        return sum(live.timings[part] for part in ("fork", "connection", "cells")), live.evidence


def _alone(assignment: Assignment, cells: list[str], line: socket.socket, folder: Path, seed: int) -> float:
    scenario = sample_scenario(assignment, seed)
    files = {**given_files(assignment), **scenario.files(), "cells.json": json.dumps(cells).encode()}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    oracle = Oracle(scenario)
    with Connection(oracle) as connection:
        request = {"folder": str(folder), "key": oracle.key.hex(), "setup": scenario.setup()}
        socket.send_fds(line, [json.dumps(request).encode()], [connection.kernels_end.fileno()])
        connection.close_kernels_end()
        fine, seconds = json.loads(line.recv(200))
    if not fine:
        raise AutograderError("A cell of the solution stopped in a process without a kernel.")
    return float(seconds)
