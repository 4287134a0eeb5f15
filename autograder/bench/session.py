"""One run of a notebook under the bench: sets everything up and follows the kernel cell by cell."""

from __future__ import annotations

import builtins
import json
import os
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from . import clock as clocks
from . import energy
from .callback import CallbackWatch, drive
from .clock import Clock
from .describe import describe
from .figures import FigureWatch
from .record import Recorder
from .rows import Rows
from .standin import made
from .surroundings import Surroundings
from .training import Training
from .updates import Updates
from .watch import Watch

STAND_IN = "stand_in"
"""The magic command that puts a stand-in in the place of a task."""


class Session:
    """The bench of one kernel; `start` makes it, IPython's cell events drive it."""

    def __init__(self, challenge: dict[str, Any], folder: Path, evidence: int, shell: Any) -> None:
        self.challenge, self.shell = challenge, shell
        self.clock = Clock()
        self.recorder = Recorder(evidence, challenge["nonce"])
        self.surroundings = Surroundings(folder, challenge["gpus"])
        names = challenge["data_files"]
        self.rows = Rows(*(self.surroundings.arrays[name] for name in names))
        self.watch = CallbackWatch(challenge["callback"])
        self.training = Training(challenge, self.clock, self.recorder, self.rows, self.watch)
        self.figures = FigureWatch()
        self.updates = Updates()
        self.acts = Watch(self.recorder, str(folder), set(challenge["given_cells"]))
        self._cpu = 0.0
        self._driven: Any = None
        self._described: dict[str, str] = {}

    def install(self) -> None:
        keras.utils.set_random_seed(self.challenge["seed"])
        self.surroundings.install(self.shell)
        self.watch.install()
        self.training.install()
        energy.install(self.clock, self.recorder, self.challenge["gpus"])
        clocks.install(self.clock)
        self.acts.guard(keras.Model, "fit", "evaluate", "predict", "compile", "__call__")
        self.acts.guard(sys.modules["zeus.monitor"], "ZeusMonitor")
        self.acts.guard(sys.modules["time"], "time", "perf_counter", "monotonic", "sleep")
        self.acts.guard(np, "load")
        self.acts.guard(json, "dumps")
        self.acts.guard(builtins, "float", "isinstance", "len", "sum")
        self.acts.install()
        self.updates.install(self.shell.display_pub)
        self.shell.register_magic_function(self.stand_in, "line", STAND_IN)
        self.shell.events.register("pre_run_cell", self._before_cell)
        self.shell.events.register("post_run_cell", self._after_cell)
        self.recorder.event("start")

    def _before_cell(self, info: Any) -> None:
        self.recorder.cell += 1
        self.recorder.event("begin")
        self._cpu = clocks.real_cpu()
        self.acts.silent = False

    def _after_cell(self, result: Any) -> None:
        self.acts.silent = True
        self.updates.send()
        cpu = clocks.real_cpu() - self._cpu
        self.acts.check_guarded()
        error = result.error_before_exec or result.error_in_exec
        self._drive_callback()
        self._record_names()
        self._record("figures", self.figures.described())
        kind = type(error).__name__ if error is not None else None
        self.recorder.event("end", error=kind, message=_short(error), cpu=round(cpu, 4))

    def _drive_callback(self) -> None:
        cls = self.shell.user_ns.get(self.watch.name)
        trials = self.challenge["trials"]
        if cls is None or cls is self._driven or not trials:
            return
        self._driven = cls
        random_state = np.random.get_state()
        self.recorder.event("callback", results=drive(cls, trials))
        np.random.set_state(random_state)

    def _record_names(self) -> None:
        for name in self.challenge["names"]:
            if name in self.shell.user_ns:
                self._record("name", describe(self.shell.user_ns[name]), name)

    def _record(self, kind: str, value: Any, name: str = "") -> None:
        """Writes a description only when it differs from the last one."""
        text = json.dumps(value)
        if self._described.get(kind + name) != text:
            self._described[kind + name] = text
            self.recorder.event(kind, name=name, value=value)

    def stand_in(self, task: str) -> None:
        """Puts into the notebook's namespace what the task should have defined; see the challenge's `stand_ins`."""
        energy.close_windows()
        values = self.challenge["stand_ins"].get(task, {})
        self.shell.user_ns.update({name: made(value, self.training) for name, value in values.items()})
        self._driven = self.shell.user_ns[self.watch.name] if self.watch.name in values else self._driven


def _short(error: BaseException | None) -> str:
    try:
        return str(error)[:500] if error is not None else ""
    except Exception:
        return ""


def start(shell: Any) -> Session:
    """Reads the challenge of this run and takes over the kernel; the challenge's file is gone before the first cell."""
    folder = Path(os.environ["BENCH_FOLDER"])
    path = folder / "challenge.json"
    challenge = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    session = Session(challenge, folder, int(os.environ.pop("BENCH_EVIDENCE")), shell)
    session.install()
    _leave_no_way_in()
    return session


def _leave_no_way_in() -> None:
    """Takes the bench out of what the notebook can import; what is at work goes on without that."""
    for path in Path(__file__).parent.glob("*.py"):  # to look at all modules takes longer than at this folder
        sys.modules.pop(f"bench.{path.stem}", None)
    sys.modules.pop("bench", None)
    sys.path[:] = [place for place in sys.path if place != str(Path(__file__).parent.parent)]
    os.environ.pop("PYTHONPATH", None)
