"""Try one row: grade a submission that contains the attack, then run the attack without protection."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbformat import NotebookNode

from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.execution.kernels import Kernels
from autograder.execution.limits import Limits
from autograder.execution.options import Options
from autograder.execution.runner import run
from autograder.grading.grade import grade, grade_folder
from autograder.grading.verdict import GradedSubmission
from autograder.reporting import feedback
from autograder.results.store import ResultStore
from autograder.submission.prepare import EXTRA, Submission, load_release, prepare
from tests.fidelity.build import notebook, variant

from .bait import Bait
from .row import FULL, REACHED, FileRow, Points, Row
from .table import rows
from .unguarded import careless_oracle

SLACK = 60.0
"""Seconds that a row may take beyond its own limits."""


@dataclass(frozen=True)
class Outcome:
    """The result of a row: whether it is the required one, a sentence about it, and whether the control fired; None if
    it did not because root did not run it."""

    id: str
    tried: str
    must: str
    is_right: bool
    told: str
    control: bool | None


@dataclass(frozen=True)
class Grounds:
    """What is needed to try rows: bait, normal kernels, kernels without a sandbox, and with an unguarded runtime."""

    bait: Bait
    sandboxed: Kernels
    free: Kernels
    unguarded: Kernels


def try_row(grounds: Grounds, name: str) -> Outcome:
    """Try one row with and without protection."""
    row = rows()[name]
    try:
        return _file_row(grounds.sandboxed, row) if isinstance(row, FileRow) else _row(grounds, row)
    except Exception as error:
        return Outcome(row.id, row.tried, _must(row), False, f"{type(error).__name__}: {error}", False)


def _must(row: Row | FileRow) -> str:
    points = {"person": "a person decides", "less": "less than all"}.get(str(row.points), f"{row.points} points")
    finding = f"; finding: {row.finding}" if row.finding not in ("", ".") else ""
    return points + finding


def _row(grounds: Grounds, row: Row) -> Outcome:
    bait = grounds.bait
    row = replace(row, cell=bait.into(row.cell))
    started = time.monotonic()
    with _peak() as peak:
        graded = _graded_with(row, grounds.sandboxed)
    seconds = time.monotonic() - started
    output = _outputs_of(row.cell, graded.executed)
    wrong = _faults(graded, row.points, row.finding)
    if row.control in ("reached", "imports", "answers") and row.output != REACHED and REACHED in output:
        wrong.append("it reached its goal")
    if row.output and graded.executed is not None and not re.search(row.output, output):
        wrong.append(f"the output is {output[-200:]!r}")
    if seconds > Limits(**row.limits).run + SLACK:
        wrong.append(f"it took {seconds:.0f} s")
    if row.memory and peak[0] > row.memory:
        wrong.append(f"the grader took {peak[0]:.0f} MB more")
    if not bait.is_untouched():
        wrong.append("the bait was touched")
    if row.control == "page":
        wrong += _live_parts(graded)
    control = _control(row, grounds) or (None if row.needs_root and os.getuid() else False)
    told = "; ".join(wrong) or _told(graded, seconds)
    return Outcome(row.id, row.tried, _must(row), not wrong, told, control)


def _graded_with(row: Row, kernels: Kernels) -> GradedSubmission:
    """Grade a correct submission that contains the attack."""
    submission = prepare("student", with_attack(row.cell, task=row.task), load_release(_assignment()), _assignment())
    options = Options(seed=7, limits=Limits(**row.limits))
    return grade(_assignment(), submission, kernels, options)


@contextlib.contextmanager
def _peak() -> Iterator[list[float]]:
    """Yield a list that gets the peak memory of this process in the context, in megabytes, in excess of that before."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, peak = _megabytes("VmRSS"), [0.0]
    yield peak
    peak[0] = _megabytes("VmHWM") - before


def _megabytes(name: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name)) / 1000


def with_attack(*code: str, task: str = "") -> NotebookNode:
    """Return a correct submission with the code in cells before its tasks, or at the end of the given task's cell."""
    document = nbformat.from_dict(dict(_reference()))
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in document.cells]
    place = ids.index(task or "data-details")
    if task:
        document.cells[place].source += "".join(f"\n{part}" for part in code)
    else:
        document.cells[place:place] = [nbformat.v4.new_code_cell(part) for part in code]
    return document


def _file_row(kernels: Kernels, row: FileRow) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="handed-in-") as place:
        folder = Path(place, "student")
        folder.mkdir()
        row.make(folder, nbformat.writes(_reference()))
        graded = grade_folder(_assignment(), folder, "student", kernels, Options(seed=7))
        wrong = _faults(graded, row.points, row.finding)
        if (folder.parent / "escaped.txt").exists() or (folder.parent.parent / "escaped.txt").exists():
            wrong.append("a file was written outside")
        return Outcome(
            row.id, row.tried, _must(row), not wrong, "; ".join(wrong) or _told(graded, 0), row.control(folder)
        )


def _faults(graded: GradedSubmission, points: Points, finding: str) -> list[str]:
    """Describe in what a verdict differs from what it must be."""
    verdict = graded.verdict
    lost = {item.id: item.message[:150] for item in verdict.items if item.points != item.max_points}
    wrong = []
    if points == "person":
        is_right = verdict.state == "needs review"
    else:
        is_right = verdict.points < verdict.max_points if points == "less" else verdict.points == points
    if not is_right:
        wrong.append(f"{verdict.points:g} points, {verdict.state}: {verdict.reason} {lost}")
    said = " ".join(
        [verdict.reason, *(f"{f.kind} {f.text}" for f in verdict.findings), *(i.message for i in verdict.items)]
    )
    if finding and not re.search(finding, said):
        wrong.append(f"it was not reported; the findings are: {said[:200]}")
    return wrong


def _told(graded: GradedSubmission, seconds: float) -> str:
    verdict = graded.verdict
    notes = [verdict.reason, *(f.text for f in verdict.findings)]
    return " ".join([f"{verdict.points:g} points, {verdict.state}, {seconds:.1f} s.", *filter(None, notes)])


def _outputs_of(source: str, executed: NotebookNode | None) -> str:
    """Return the output of the cell with that source."""
    return " ".join(_outputs(cell) for cell in executed.cells if source in cell.source) if executed else ""


def _outputs(cell: NotebookNode) -> str:
    """Return the whole output of a cell, as text."""
    return " ".join(str(output.get("text") or output.get("data") or output.get("ename")) for output in cell.outputs)


def _live_parts(graded: GradedSubmission) -> list[str]:
    """Describe what of the student's work could be executed in the feedback page."""
    assignment = _assignment()
    with tempfile.TemporaryDirectory() as place:
        store = ResultStore(Path(place), assignment)
        feedback.write_feedback(store, [graded], {})
        page = (store.student_folder("student") / "feedback.html").read_text(encoding="utf-8")
    return _alive(page)


def _alive(page: str) -> list[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            if tag in ("script", "iframe", "object", "embed", "foreignobject"):
                found.append(f"the page has a <{tag}>")
            found.extend(f"the page has {name}=" for name, _ in attributes if name.startswith("on"))

    Reader(convert_charrefs=True).feed(page)
    if "\x1b" in page:
        found.append("the page contains control codes for terminals")
    return found


def _control(row: Row, grounds: Grounds) -> bool:
    """Whether the attack works without protection."""
    free = grounds.free
    match row.control:
        case "unguarded":
            return _earns(row, grounds.unguarded)
        case "reached":
            kernels, limits = (grounds.sandboxed, Limits(**row.free)) if row.free else (free, Limits(cell=30))
            return REACHED in _loose(row.cell, kernels, limits)
        case "stops":
            return REACHED not in _usual(row.cell)
        case "plain":
            return re.search(row.plain, _plain(row.cell, 12 if row.plain == "timeout" else 90)) is not None
        case "imports":
            return REACHED in _plain(f"import sys; sys.path.insert(0, '{free.runtime}')\n{row.cell}", 90)
        case "answers":
            return _in_grader(row.cell)
        case "lingers":
            return _lingers(row.cell, free)
        case _:
            return _unguarded(row.cell)


def _earns(row: Row, unguarded: Kernels) -> bool:
    """Whether the attack reaches its goal with an unguarded runtime, without being reported."""
    with careless_oracle():
        graded = _graded_with(row, unguarded)
    wanted = FULL if row.points in ("less", "person") else row.points
    told = row.finding and not _faults(graded, wanted, row.finding)
    return not _faults(graded, wanted, "") and not told and REACHED in _outputs_of(row.cell, graded.executed)


def _loose(code: str, kernels: Kernels, limits: Limits) -> str:
    """Return the output of the code in a kernel with the instruments."""
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    submission = Submission("student", document, (EXTRA,))
    with run(submission, sample_scenario(_assignment(), 7), kernels, limits=limits) as live:
        return _outputs(live.executed.cells[0])


def _usual(code: str) -> str:
    """Return the output of a later cell if a notebook is executed in the usual way."""
    sources = (code, "import time; time.sleep(2)", f"print('{REACHED}')")
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with tempfile.TemporaryDirectory() as place, contextlib.suppress(Exception):
        client = NotebookClient(document, timeout=8, kernel_name="python3", resources={"metadata": {"path": place}})
        client.execute()
    return _outputs(document.cells[2])


IPYTHON = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
with capture_output() as captured:
    result = shell.run_cell(sys.stdin.read())
for output in captured.outputs:
    print(output.data)
print(captured.stdout, captured.stderr, repr(result.error_in_exec), type(result.error_in_exec).__name__)
"""


COMMAND = "import sys; from IPython import start_ipython; start_ipython(['-c', sys.stdin.read()])"


def _plain(code: str, seconds: float, program: str = COMMAND) -> str:
    """Return the output of the code in IPython without the autograder, or "timeout" if it does not end."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-c", program]
        try:
            done = subprocess.run(
                command, input=code, capture_output=True, text=True, timeout=seconds, cwd=place, check=False
            )
        except subprocess.TimeoutExpired:
            return "timeout"
        return done.stdout + done.stderr


def _in_grader(code: str) -> bool:
    """Whether the code finds something in the process of a grader that runs notebooks itself."""
    kept = [sample_scenario(_assignment(), 7), _assignment().model_dump()]
    printed: list[str] = []
    exec(code, {"print": lambda *parts: printed.append(" ".join(map(str, parts)))})
    return bool(kept) and any(REACHED in line for line in printed)


def _lingers(code: str, kernels: Kernels) -> bool:
    """Whether a process that the code started still runs after its kernel has ended; it is then killed."""
    before = {process.pid for process in psutil.process_iter()}
    _loose(code, kernels, Limits(cell=30))
    left = [p for p in psutil.process_iter(["cmdline"]) if p.pid not in before and p.info["cmdline"] == ["sleep", "20"]]
    for process in left:
        process.kill()
    return bool(left)


def _unguarded(code: str) -> bool:
    """Whether the output would be executed in a page or a terminal that shows it unchanged."""
    output = _plain(code, 90, IPYTHON)
    return bool(_alive(output)) or "\x1b]0;" in output


@cache
def _assignment() -> Assignment:
    return Assignment.load("tta-eta")


@cache
def _reference() -> NotebookNode:
    return notebook(variant("reference"))
