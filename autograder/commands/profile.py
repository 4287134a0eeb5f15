"""Measure how long each part of grading a submission takes: `make profile`."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from rich.table import Table

from autograder.assignment.release import given_files
from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.assignment.source import source_path
from autograder.execution.evidence import CellEnd, Evidence
from autograder.execution.kernels import Kernels, SandboxChoice, kernels
from autograder.execution.options import Options
from autograder.execution.runner import Stopwatch, run
from autograder.grading.checker import judge
from autograder.grading.saved_runs import EDITION, SavedRun, SavedRuns
from autograder.grading.verdict import GradedSubmission, Verdict
from autograder.reporting import feedback
from autograder.results.store import ResultStore
from autograder.submission.parsing import read_notebook
from autograder.submission.prepare import GIVEN, load_release, prepare

Parts = dict[str, list[float]]


def profile(assignment: Assignment, times: int, isolation: SandboxChoice = "auto") -> tuple[Parts, float]:
    """Measure the seconds of each part of grading the solution `times` times, and the seconds until kernels are
    available.

    A first repetition, which fills the caches, is not counted.
    """
    started = time.monotonic()
    parts: Parts = defaultdict(list)
    with kernels("auto", isolation) as source, tempfile.TemporaryDirectory() as place:
        ready = time.monotonic() - started
        for number in range(times + 1):
            for part, seconds in _once(assignment, source, number, Path(place)).items():
                if number:
                    parts[part].append(seconds)
    return parts, ready


def _once(assignment: Assignment, source: Kernels, seed: int, out: Path) -> dict[str, float]:
    watch, store = Stopwatch(), ResultStore(out, assignment)
    with watch("read and repair"):
        notebook = read_notebook(source_path(assignment))
        submission = prepare("solution", notebook, load_release(assignment), assignment)
    with watch("sample the scenario (data and training curves)"):
        scenario = sample_scenario(assignment, seed)
    started = time.monotonic()
    with run(
        submission, scenario, source, limits=Options().limits_of(assignment), files=given_files(assignment)
    ) as live:
        evidence, executed = live.evidence, live.executed
        with watch("checks"):
            items = judge(assignment, scenario, evidence, live.ask).items
    seconds = time.monotonic() - started - watch.seconds["checks"]
    with watch("write the result files"):
        verdict = Verdict(assignment=assignment.name, student="solution", state="graded", items=items)
        saved = SavedRun(purpose="first", replaced=(), scenario=scenario, evidence=evidence)
        graded = GradedSubmission(verdict, SavedRuns(edition=EDITION, runs=(saved,)), executed)
        store.write(graded)
    with watch("feedback page"):
        feedback.write_feedback(store, [graded], {})
    return watch.seconds | _of_run(evidence, live.timings, seconds)


def _of_run(evidence: Evidence, timings: dict[str, float], seconds: float) -> dict[str, float]:
    """Return the seconds of the parts of a run, with the processor time of cells separate from other times."""
    cells: defaultdict[str, float] = defaultdict(float)
    for end in evidence.of(CellEnd):
        role = evidence.cells[end.cell].role
        cells["cells: provided" if role == GIVEN else f"cells: {role}"] += end.cpu
    around = timings["cells"] - sum(cells.values())
    known = {
        "kernel: fork and sandbox": timings["fork"],
        "kernel: connection": timings["connection"],
        **cells,
        "cells: simulated training, messages, waiting": around,
        "kernel: shutdown": timings["end"],
    }
    return known | {"collect the evidence (what the notebook did)": seconds - sum(known.values())}


def table(parts: Parts, ready: float) -> Table:
    """Return a table with the median, range (both in seconds) and share of each part."""
    times = min(map(len, parts.values()))
    shown = Table(title=f"Seconds for a single submission, median of {times}", box=None)
    for name in ("part", "median", "minimum", "maximum", "share"):
        shown.add_column(name, justify="left" if name == "part" else "right")
    medians = {part: statistics.median(seconds) for part, seconds in parts.items()}
    whole = sum(medians.values())
    for part, seconds in parts.items():
        figures = (f"{value:.3f}" for value in (medians[part], min(seconds), max(seconds)))
        shown.add_row(part, *figures, f"{medians[part] / whole:.0%}")
    shown.add_row("all", f"{whole:.3f}", "", "", "", style="bold")
    shown.caption = f"Starting the kernels took {ready:.1f} s, once for all submissions."
    return shown
