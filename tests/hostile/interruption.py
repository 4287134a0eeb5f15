"""`python -m tests.hostile.interruption --kills 200 --submissions 40`: grading that is killed, and killed again.

A run is killed at a random moment and begun again with the same command; every second time its whole process group is
killed. In some runs a process that grades is first given no more memory than it has. Between two runs some submissions
are submitted anew, some verdicts are lost, and a person enters points, so that there is work left for the next run. At
the end nothing may be missing, doubled or left over, and only submissions whose process reached its limit need review
for that reason.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
from nbgrader.api import Gradebook, SubmittedNotebook

from autograder.assignment.settings import Assignment
from autograder.grading.verdict import Verdict
from autograder.reporting.database import open_gradebook
from autograder.results.store import ResultStore
from autograder.scheduling.memory import MESSAGE
from autograder.scheduling.workers import CRASHED
from samples.build import build
from tests.places import ROOT

NAME = "tta-eta"
SLOW = ("linden", "maple", "rowan")
"""Samples with cells that run into their time limits; more than one of each would be a test of patience."""

ITEM = "lr-comment"
"""What the person gives points for."""

OUT_OF_MEMORY = "grading the solution took too much memory"

GONE_WITHIN = 20.0
"""Seconds in which every process of a killed run must be gone."""


@dataclass
class Trial:
    """A class in a folder, and everything that must still be there at the end."""

    folder: Path
    rng: random.Random
    kills: int = 0
    limited: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    kept: dict[str, bytes] = field(default_factory=dict)
    stale: dict[str, bytes | None] = field(default_factory=dict)
    entered: dict[str, tuple[float, str]] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)
    short: int = 0
    outlived: float = 0.0
    startup: float = 5.0

    @property
    def submitted(self) -> Path:
        return self.folder / "submitted"

    @property
    def out(self) -> Path:
        return self.folder / "graded"

    @property
    def scratch(self) -> Path:
        return self.folder / "t"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.out / 'gradebook.db'}"

    def students(self) -> list[str]:
        return sorted(path.name for path in self.submitted.iterdir())

    def start(self) -> subprocess.Popen[bytes]:
        """The command, as a person types it, in a process group of its own."""
        self.scratch.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "autograder", "autograde"]
        command += ["--submitted", str(self.submitted), "--out", str(self.out)]
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | {"TMPDIR": str(self.scratch)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def hand_in(trial: Trial, count: int) -> None:
    """The samples, and the quick ones once more under other names until there are enough."""
    build(trial.folder / "samples")
    names = sorted(path.name for path in (trial.folder / "samples").iterdir())
    quick = [name for name in names if name not in SLOW]
    chosen = quick if count < len(names) else names
    copies = [f"{name}-{number}" for number in range(2, count + 2) for name in quick]
    for name in [*chosen, *copies][:count]:
        shutil.copytree(trial.folder / "samples" / name.partition("-")[0], trial.submitted / name)


def leave_work(trial: Trial) -> str:
    """Makes work for the next run, or none but writing the results; answers in which phase it is to be killed."""
    phase = trial.rng.choices(["start", "grading", "results"], [25, 10, 65])[0]
    if phase == "grading":
        for student in trial.rng.sample(trial.students(), min(3, len(trial.students()))):
            if trial.rng.random() < 0.5:
                (trial.out / NAME / "students" / student / "verdict.json").unlink(missing_ok=True)
                trial.stale[student] = None
            else:
                change(trial, student)
                trial.stale[student] = verdict_on(trial, student)
    return phase


def change(trial: Trial, student: str) -> None:
    """The student submits another version."""
    path = trial.submitted / student / NAME / f"{NAME}.ipynb"
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception:
        return
    cell = nbformat.v4.new_markdown_cell(f"Submitted again: {trial.rng.random()}")
    notebook.cells.append(cell)
    nbformat.write(notebook, path)


def enter_points(trial: Trial) -> None:
    """What a person gives in the formgrader between two runs."""
    with open_gradebook(trial.url) as book:
        known = {submission.student.id for submission in book.assignment_submissions(NAME)}
        for student in trial.rng.sample(sorted(known), min(3, len(known))):
            points, comment = trial.rng.randrange(12) / 2, f"Seen {trial.rng.random()}"
            grade = book.find_grade(ITEM, NAME, NAME, student)
            grade.manual_score, grade.needs_manual_grade = points, False
            book.find_comment(ITEM, NAME, NAME, student).manual_comment = comment
            trial.entered[student] = (points, comment)
        book.db.commit()


def kill_once(trial: Trial, phase: str, whole_group: bool) -> None:
    """Begins a run, kills it in the phase that is meant, and looks what is left of it."""
    process = trial.start()
    began, before = time.monotonic(), trial.limited
    family = psutil.Process(process.pid)
    if phase == "start":
        time.sleep(trial.rng.uniform(0.2, 1.6) * trial.startup)
    else:
        _wait_for(trial, phase, process)
        if phase == "grading" and trial.rng.random() < 0.5:
            take_memory(trial, family)
        time.sleep(trial.rng.uniform(0, 4.0 if phase == "grading" else 1.2))
    if process.poll() is not None:
        # Where the solution, which is graded first, has no memory, the run ends and says so.
        if process.returncode and not (trial.limited > before and OUT_OF_MEMORY in _tail(trial)):
            _lost(trial, f"a run ended with {process.returncode} by itself: {_tail(trial)}")
        return
    relatives = [*family.children(recursive=True), family]
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    trial.kills += 1
    trial.phases[phase] += 1
    if phase == "results":
        trial.startup = min(trial.startup, time.monotonic() - began)
    _see_them_go(trial, relatives)
    _see_what_is_kept(trial)


def take_memory(trial: Trial, main: psutil.Process) -> None:
    """Lower the limit of a process that grades to the memory that it has, so that its next allocation fails."""
    workers = [child for child in main.children() if "spawn_main" in " ".join(child.cmdline())]
    with suppress(psutil.Error, OSError, IndexError):
        worker = trial.rng.choice(workers)
        taken = int(Path(f"/proc/{worker.pid}/statm").read_text(encoding="ascii").split()[5]) * resource.getpagesize()
        worker.rlimit(psutil.RLIMIT_DATA, (taken, worker.rlimit(psutil.RLIMIT_DATA)[1]))
        trial.limited += 1


def _wait_for(trial: Trial, phase: str, process: subprocess.Popen[bytes]) -> None:
    """Until kernels run, or until there is nothing to grade or nothing left, and the results come next."""
    until = time.monotonic() + 300

    def is_there(name: str) -> bool:
        return any(trial.scratch.glob(f"grader-{process.pid}-*{name}"))

    while process.poll() is None and time.monotonic() < until:
        if phase == "grading" and is_there("/k-*"):
            return
        verdicts = sum(1 for _ in trial.out.glob(f"{NAME}/students/*/verdict.json"))
        if phase == "results" and is_there("") and not is_there("/kernels-*") and verdicts == len(trial.students()):
            return
        time.sleep(0.01)


def _see_them_go(trial: Trial, relatives: list[psutil.Process]) -> None:
    began = time.monotonic()
    _, alive = psutil.wait_procs(relatives, GONE_WITHIN)
    alive = [process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    trial.outlived = max(trial.outlived, time.monotonic() - began)
    for process in alive:
        _lost(trial, f"the process {process.pid} outlived its run")
        process.kill()


def verdict_on(trial: Trial, student: str) -> bytes | None:
    path = trial.out / NAME / "students" / student / "verdict.json"
    return path.read_bytes() if path.is_file() else None


def _see_what_is_kept(trial: Trial) -> None:
    """A verdict on what nobody has touched stays the one that it was."""
    for student in trial.students():
        found = verdict_on(trial, student)
        if student in trial.stale:
            if found in (None, trial.stale[student]):
                continue
            del trial.stale[student]
        elif student in trial.kept and found != trial.kept[student]:
            _lost(trial, f"the verdict on {student} did not stay")
        if found is not None:
            trial.kept[student] = found


def finish(trial: Trial) -> None:
    """Lets a run end by itself."""
    process = trial.start()
    if process.wait(3600):
        _lost(trial, f"the last run ended with {process.returncode}: {_tail(trial)}")


def look(trial: Trial) -> list[str]:
    """Everything that is missing, doubled, wrong or left over, in sentences."""
    found = [*trial.losses]
    assignment = Assignment.load(NAME)
    verdicts = {verdict.student: verdict for verdict in ResultStore(trial.out, assignment).read_verdicts()}
    if set(verdicts) != set(trial.students()):
        found.append(f"there are {len(verdicts)} verdicts on {len(trial.students())} submissions")
    short = [student for student, verdict in verdicts.items() if verdict.reason in (MESSAGE, CRASHED)]
    if len(short) > trial.limited:
        found.append(f"{short} need review for want of memory, and {trial.limited} processes were limited")
    trial.short = len(short)
    with closing(Gradebook(trial.url)) as book:
        submissions = Counter(submission.student.id for submission in book.assignment_submissions(NAME))
        if submissions != Counter(trial.students()):
            found.append(f"the gradebook's submissions are {submissions}")
        for notebook in book.notebook_submissions(NAME, NAME):
            found += _differences(trial, notebook, verdicts[notebook.student.id])
    with (trial.out / NAME / "grades.csv").open(encoding="utf-8", newline="") as table:
        rows = [row["student"] for row in csv.DictReader(table)]
    if rows != trial.students():
        found.append(f"grades.csv has the rows {rows}")
    pages = [trial.out / NAME / "students" / student / "feedback.html" for student in trial.students()]
    for page in [*pages, trial.out / NAME / "report.html"]:
        if not page.is_file() or not page.read_text(encoding="utf-8").rstrip().endswith("</html>"):
            found.append(f"{page} is not whole")
    left = [*trial.out.rglob("*.tmp*"), *trial.out.rglob("*-journal"), *trial.scratch.iterdir()]
    return found + [f"{path} is left over" for path in left]


def _differences(trial: Trial, notebook: SubmittedNotebook, verdict: Verdict) -> list[str]:
    """Where a row of the gradebook is not what the files and the person say."""
    student = notebook.student.id
    scores = {grade.name: grade for grade in notebook.grades}
    found = [
        f"{student}: {item.id} has {scores[item.id].auto_score} points in the gradebook, not {item.points}"
        for item in verdict.items
        if scores[item.id].auto_score != item.points
    ]
    if student in trial.entered:
        comments = {comment.name: comment.manual_comment for comment in notebook.comments}
        if (scores[ITEM].manual_score, comments[ITEM]) != trial.entered[student]:
            found.append(f"{student}: what a person entered is lost")
    return found


def _lost(trial: Trial, what: str) -> None:
    trial.losses.append(what)
    print(f"- {what}", flush=True)


def _tail(trial: Trial) -> str:
    return " / ".join((trial.folder / "log.txt").read_text(errors="replace").splitlines()[-4:])


def interrupt(folder: Path, kills: int, submissions: int, seed: int) -> Trial:
    """Kills that many runs over a class of that size, lets the last one end, and looks."""
    trial = Trial(folder, random.Random(seed))
    if trial.submitted.exists():
        finish(trial)
    else:
        hand_in(trial, submissions)
    rounds = 0
    while trial.kills < kills:
        rounds += 1
        # The first runs have the whole class before them; then there is always a gradebook to enter points into.
        phase = "grading" if rounds <= 2 else leave_work(trial)
        if rounds == 3 and kills > 3:
            finish(trial)
        if (trial.out / "gradebook.db").exists() and rounds % 5 == 0:
            enter_points(trial)
        before = trial.kills
        kill_once(trial, phase, whole_group=trial.kills % 2 == 1)
        if trial.kills % 20 == 0 and trial.kills > before:
            said = ", ".join(f"{count} in {phase}" for phase, count in sorted(trial.phases.items()))
            print(f"{trial.kills} killed ({said}), {len(trial.losses)} losses", flush=True)
    finish(trial)
    trial.losses = look(trial)
    return trial


def main() -> int:
    options = argparse.ArgumentParser(prog="tests.hostile.interruption", description=__doc__)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--submissions", type=int, default=40)
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--folder", type=Path, default=None, help="go on with the class of an earlier trial")
    chosen = options.parse_args()
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(2**32)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="i-") as place:
        trial = interrupt(chosen.folder or Path(place), chosen.kills, chosen.submissions, seed)
    for loss in trial.losses:
        print(f"- {loss}")
    minutes = (time.monotonic() - began) / 60
    print(
        f"{trial.kills} runs killed over {chosen.submissions} submissions in {minutes:.1f} min: {len(trial.losses)} "
        f"losses; {trial.limited} processes had no memory left, {trial.short} submissions need review for that reason; "
        f"{len(trial.entered)} students had points from a person; the last process was gone "
        f"{trial.outlived:.1f} s after its run at most (seed {seed})"
    )
    return 1 if trial.losses else 0


if __name__ == "__main__":
    sys.exit(main())
