"""The limit: the same cells in a process that is warm already, without kernel, messages or walls."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from autograder.assignment.release import importable
from autograder.assignment.scenario import draw
from autograder.assignment.settings import Assignment
from autograder.errors import AutograderError
from autograder.execution.kernels import environment, kernels
from autograder.execution.limits import Limits
from autograder.execution.runner import run
from autograder.submission.prepare import load_release, prepare

from .classes import notebook

PROGRAM = """
import json, os, sys, time, types
sys.path.insert(0, sys.argv[1])
from bench import garbage, warm
with garbage.imports():
    warm.import_everything()
import bench.session
from bench import pictures
from IPython.core.interactiveshell import InteractiveShell
class Shell(InteractiveShell):
    kernel = types.SimpleNamespace()
    def enable_gui(self, gui=None):
        pass
for line in sys.stdin:
    folder = line.strip()
    entrance, leave = os.pipe()
    if not (pid := os.fork()):
        started = time.perf_counter()
        clock = time.perf_counter
        evidence = os.open(os.path.join(folder, "evidence"), os.O_WRONLY | os.O_CREAT)
        os.chdir(folder)
        os.environ.update(BENCH_FOLDER=folder, BENCH_EVIDENCE=str(evidence), IPYTHONDIR=folder)
        cells = json.load(open("cells.json"))
        sys.stdout = open(os.devnull, "w")
        shell = Shell.instance()
        garbage.seldom()
        pictures.install()
        shell.run_line_magic("matplotlib", "inline")
        bench.session.start(shell)
        fine = all(shell.run_cell(cell).success for cell in cells)
        os.write(leave, json.dumps([fine, clock() - started]).encode())
        os._exit(0)
    os.close(leave)
    told = os.read(entrance, 200)
    os.close(entrance)
    os.waitpid(pid, 0)
    print(told.decode() or "[false, 0]", flush=True)
"""


def without_kernel(assignment: Assignment, times: int) -> tuple[list[float], list[float]]:
    """Seconds from the fork to the end of the last cell: in kernels, and in a warm process alone, taken in turns."""
    ours, alone = [], []
    with kernels("warm") as source, tempfile.TemporaryDirectory() as place:
        bench = source.runtime
        variables = environment(str(bench)) | {"MPLCONFIGDIR": place, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        command = [sys.executable, "-c", PROGRAM, str(bench)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, env=variables, text=True, **pipes) as warm:  # type: ignore[call-overload]
            for number in range(times + 1):
                submission = prepare("s", notebook(assignment, number), load_release(assignment), assignment)
                challenge = draw(assignment, number)
                done = run(submission, challenge, source, limits=Limits(), files=importable(assignment))
                ran = [submission.notebook.cells[cell.index].source for cell in done.evidence.cells]
                files = {**importable(assignment), **challenge.files(), "cells.json": json.dumps(ran).encode()}
                folder = Path(place, str(number))
                folder.mkdir()
                for name, content in files.items():
                    (folder / name).parent.mkdir(exist_ok=True)
                    (folder / name).write_bytes(content)
                warm.stdin.write(f"{folder}\n")
                warm.stdin.flush()
                fine, seconds = json.loads(warm.stdout.readline())
                if not fine:
                    raise AutograderError("A cell of the solution stopped in a process without a kernel.")
                if number:  # the first of each fills caches
                    alone.append(seconds)
                    ours.append(sum(done.timings[part] for part in ("fork", "connection", "cells")))
    return ours, alone
