"""Grade one submission: run it, judge it, and run it again if a broken task affected the tasks after it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.assignment import scenario as scenarios
from autograder.assignment.settings import Assignment
from autograder.errors import EvidenceError, KernelFailed, ServerGone, SubmissionError, Unreadable
from autograder.execution.evidence import KERNEL_DIED, Evidence, Figures, Window
from autograder.execution.kernels import Kernels
from autograder.execution.options import Options
from autograder.execution.runner import Run, run
from autograder.submission.findings import Finding
from autograder.submission.limited import read_submission
from autograder.submission.prepare import Submission
from autograder.submission.saved_outputs import SavedOutputs

from .checker import Judgement, judge
from .run_findings import collect_findings, find_provided_stop
from .saved_runs import EDITION, Merged, Purpose, SavedRun, SavedRuns
from .verdict import GradedSubmission, ItemVerdict, Verdict

DRAWING_SECONDS = 20.0
"""Time after which no further figure of a run is drawn."""

MAX_STUCK = 3
"""How often a submission is run again at most because cells ran too long or ended the kernel."""


def grade_folder(
    assignment: Assignment, folder: Path, student: str, kernels: Kernels, options: Options
) -> GradedSubmission:
    """Grade the submission in a student's folder; whatever is wrong with it leads to a verdict, not to an error."""
    try:
        submission = read_submission(folder, assignment, student)
    except SubmissionError as error:
        return GradedSubmission(not_run(assignment, student, str(error)), saved_outputs=SavedOutputs())
    except Unreadable as error:
        return GradedSubmission(leave_ungraded(assignment, student, str(error)), saved_outputs=SavedOutputs())
    return grade(assignment, submission, kernels, options)


def not_run(assignment: Assignment, student: str, reason: str) -> Verdict:
    """Return the verdict on a submission that cannot be executed: no points, with the reason in every item."""
    items = tuple(
        ItemVerdict(id=i.id, title=i.title, max_points=i.points, points=0.0, status="graded", message=reason)
        for i in assignment.judged_items
    )
    return Verdict(assignment=assignment.name, student=student, state="failed to run", reason=reason, items=items)


def grade(
    assignment: Assignment,
    submission: Submission,
    kernels: Kernels,
    options: Options,
) -> GradedSubmission:
    """Run and judge a submission as often as necessary to judge every item fairly.

    Args:
        assignment: the assignment whose checks are applied.
        submission: the repaired notebook; figures in its saved outputs need not be drawn again.
        kernels: the source of kernels.
        options: the settings of the runs.
    """
    seed = options.seed if options.seed is not None else secrets.randbits(64)
    started = time.monotonic()
    try:
        attempts = _attempt_all(assignment, submission, kernels, options, seed)
    except (KernelFailed, EvidenceError) as error:
        verdict = leave_ungraded(assignment, submission.student, str(error), submission.findings)
        return GradedSubmission(verdict, saved_outputs=submission.saved_outputs)
    timings = attempts.timings | {"all": time.monotonic() - started, "runs": float(len(attempts.runs))}
    grader = {"seed": str(seed), "sandbox": kernels.sandbox}
    record = SavedRuns(edition=EDITION, runs=tuple(attempts.runs))
    verdict = _verdict(assignment, submission, attempts, timings, grader)
    return GradedSubmission(verdict, record, attempts.show(), submission.saved_outputs)


def _attempt_all(
    assignment: Assignment, submission: Submission, kernels: Kernels, options: Options, seed: int
) -> _Attempts:
    """Make all necessary runs. Start again, once, if the fork server ends during one of them."""
    for _ in range(2):
        attempts = _Attempts(assignment, submission, kernels, options, seed)
        try:
            attempts.run_all()
            return attempts
        except ServerGone as error:
            gone = error
    raise gone


@dataclass(frozen=True)
class _LeftUndone:
    """The tasks whose cell raised NotImplementedError, and those whose cell raised another error."""

    empty: frozenset[str]
    failed: frozenset[str]


class _Attempts:
    """The runs of one submission, each under its own scenario."""

    def __init__(
        self,
        assignment: Assignment,
        submission: Submission,
        kernels: Kernels,
        options: Options,
        seed: int,
    ) -> None:
        self.assignment, self.submission, self.kernels = assignment, submission, kernels
        self.options, self.seed = options, seed
        self.runs: list[SavedRun] = []
        self.executed: list[NotebookNode] = []
        self.timings: dict[str, float] = {}
        self.merged = Merged(assignment)
        self.replaced: set[str] = set()
        self.stuck: set[int] = set()

    @property
    def items(self) -> tuple[ItemVerdict, ...]:
        return self.merged.items

    def run_all(self) -> None:
        """Make the first run, and the further ones that are necessary to judge every item fairly."""
        self._attempt("first")
        self._go_past_stuck_cells()
        self._try_without_gpu()
        self._try_with_stand_ins()

    @property
    def latest(self) -> Evidence:
        return self.runs[-1].evidence

    def _attempt(self, purpose: Purpose, gpus: int = 1) -> None:
        """Run the submission once, judge it while the kernel is alive, and draw the figures that pages will show."""
        seed, training = self.seed + len(self.runs), self.options.training
        scenario = scenarios.sample_scenario(
            self.assignment, seed, inputs_seed=self.options.inputs_seed, training=training, gpus=gpus
        )
        replaced = tuple(cell for cell in self.assignment.cells if cell in self.replaced)
        limits = self.options.limits_of(self.assignment)
        how: dict[str, Any] = {"limits": limits, "stand_ins": replaced, "skip": frozenset(self.stuck)}
        files = scenarios.collect_files(self.assignment, scenario)
        tests = self.assignment.read_tests()
        with run(self.submission, scenario, self.kernels, files=files, tests=tests, **how) as live:
            evidence = live.evidence
            started = time.monotonic()
            judged = judge(self.assignment, scenario, evidence, live.ask, seconds_waited=live.seconds_waited)
            self.merged.add(purpose, replaced, judged.items)
            executed = live.executed
            self._show_figures(executed, judged, live)
            evidence = live.evidence
            if not self.runs:
                self.timings = live.timings | {"judge": time.monotonic() - started}
        self.runs.append(SavedRun(
            purpose=purpose, replaced=replaced, scenario=scenario, evidence=evidence, samples=judged.samples
        ))  # fmt: skip
        self.executed.append(executed)

    def _show_figures(self, executed: NotebookNode, judged: Judgement, live: Run) -> None:
        """Draw the figures of items that lost points, and those that are missing from the student's saved outputs."""
        figures = _figures_by_cell(live.evidence)
        own = self.submission.saved_outputs
        saved = {series.plots for series in self.assignment.exercise.series if own.pictures(series.name)}
        wanted: list[tuple[str, int]] = []
        for item in judged.items:
            task = self.assignment.item(item.id).cell
            number = judged.figures.get(item.id)
            if number is None or (task in saved and item.points == item.max_points):
                continue
            figures.pop(number, None)
            wanted.append((task, number))
        roles = {number: cell.role for number, cell in enumerate(live.evidence.cells)}
        tasks = [(roles.get(cell, ""), number) for number, cell in figures.items()]
        wanted += [(task, number) for task, number in tasks if task in self.assignment.cells and task not in saved]
        started = time.monotonic() - live.seconds_waited()
        for task, number in wanted:
            if time.monotonic() - live.seconds_waited() - started < DRAWING_SECONDS:
                self._draw(executed, task, number, live)

    def _draw(self, executed: NotebookNode, task: str, number: int, live: Run) -> None:
        """Draw a figure and add it to the outputs of the task's last cell; do nothing if the kernel fails."""
        try:
            answer = live.ask({"ask": "draw", "figure": number, "render": True})
        except KernelFailed:
            return
        value = answer.get("value")
        picture = value.get("png") if isinstance(value, dict) else None
        places = [place for place, role in enumerate(self.submission.roles) if role == task]
        if isinstance(picture, str) and places and executed.cells[places[-1]].cell_type == "code":
            output = nbformat.v4.new_output("display_data", data={"image/png": picture})
            executed.cells[places[-1]].outputs.append(output)

    def show(self) -> NotebookNode:
        """Return the executed notebook, with each task's outputs from the run in which it was judged."""
        shown = self.executed[0]
        for item_id, source in self.merged.source.items():
            task = self.assignment.item(item_id).cell
            for place, role in enumerate(self.submission.roles):
                if source and role == task and shown.cells[place].cell_type == "code":
                    shown.cells[place].outputs = self.executed[source].cells[place].outputs
        return shown

    def _go_past_stuck_cells(self) -> None:
        """Run again without the cells that ran too long or ended the kernel, with stand-ins for tasks among them."""
        for _ in range(MAX_STUCK):
            stuck = _find_stuck(self.latest)
            if not stuck or _all_full(self.items):
                break
            self.stuck |= set(stuck)
            self.replaced |= set(stuck.values()) & set(self.assignment.cells)
            self._attempt("without stuck cells")

    def _try_without_gpu(self) -> None:
        """Run again without a GPU if points were lost and no energy was measured: the notebook may be for a CPU."""
        measures = "energy" in self.assignment.exercise.instruments
        if measures and not _all_full(self.items) and not _uses_windows(self.latest):
            self._attempt("without GPU", gpus=0)

    def _try_with_stand_ins(self) -> None:
        """Judge items that lost points after a broken task again, with a stand-in for that task."""
        used = [saved for saved in self.runs if saved.purpose != "without GPU"][-1]
        if self.runs[-1].purpose == "without GPU" and len(self.runs) - 1 in self.merged.source.values():
            used = self.runs[-1]
        left = self._find_undone(used.evidence)
        while found := self._find_broken(left):
            self.replaced |= found
            self._attempt("with stand-ins", used.evidence.gpus)

    def _find_undone(self, evidence: Evidence) -> _LeftUndone:
        tasks = [cell for cell in evidence.cells if cell.role in self.assignment.cells and cell.status == "error"]
        empty = frozenset(cell.role for cell in tasks if cell.is_stub)
        return _LeftUndone(empty, frozenset(cell.role for cell in tasks) - empty)

    def _find_broken(self, left: _LeftUndone) -> set[str]:
        """Find the first cells that lost points and on which a completed cell depends that lost points, too.

        A cell depends on those that it needs, and on earlier ones that stopped with an error, because of their effects.
        """
        poor = [self.assignment.item(item.id) for item in self.items if item.points != item.max_points]
        cells = {item.cell for item in poor} - self.replaced
        order = {cell: place for place, cell in enumerate(self.assignment.cells)}
        rests = {
            item.cell: set(item.needs) | {cell for cell in left.failed if order[cell] < order[item.cell]}
            for item in poor
        }
        needed = {cell for item in poor if item.cell not in left.empty for cell in rests[item.cell] if cell in cells}
        behind = {cell for cell in rests if rests[cell] & needed}
        return (needed - behind) & set(self.runs[-1].scenario.stand_ins)


def _figures_by_cell(evidence: Evidence) -> dict[int, int]:
    """Return the figures of a run, each with the cell after which it was first seen."""
    seen: dict[int, int] = {}
    for event in evidence.of(Figures):
        for figure in event.value:
            seen.setdefault(figure.number, event.cell)
    return seen


def _find_stuck(evidence: Evidence) -> dict[int, str]:
    """Return the place in the notebook and the role of cells that ran too long or ended the kernel."""
    return {
        cell.index: cell.role
        for cell in evidence.cells
        if cell.index is not None and (cell.status == "timeout" or cell.error == KERNEL_DIED)
    }


def _all_full(items: Collection[ItemVerdict]) -> bool:
    return all(item.points == item.max_points for item in items)


def _uses_windows(evidence: Evidence) -> bool:
    given = evidence.cells_of("given")
    return any(window.cell not in given for window in evidence.of(Window))


def leave_ungraded(assignment: Assignment, student: str, reason: str, findings: tuple[Finding, ...] = ()) -> Verdict:
    """Return the verdict on a submission that could not be judged, for a reason that is not the student's fault."""
    items = tuple(
        ItemVerdict(id=i.id, title=i.title, max_points=i.points, points=None, status="ungraded", message=reason)
        for i in assignment.judged_items
    )
    return Verdict(
        assignment=assignment.name,
        student=student,
        state="needs review",
        reason=reason,
        items=items,
        findings=findings,
    )


def _is_settled(assignment: Assignment, items: Sequence[ItemVerdict], finding: Finding) -> bool:
    """Whether a task that seemed to be missing has all points: its work was in another cell."""
    judged = [item for item in items if assignment.item(item.id).cell == finding.cell]
    return finding.kind == "task missing" and bool(judged) and all(item.points == item.max_points for item in judged)


def _verdict(
    assignment: Assignment,
    submission: Submission,
    attempts: _Attempts,
    timings: dict[str, float],
    grader: dict[str, str],
) -> Verdict:
    ungraded = [item.id for item in attempts.items if item.status == "ungraded"]
    evidence = [saved.evidence for saved in attempts.runs]
    findings = [
        *find_provided_stop(evidence[0]),
        *(finding for finding in submission.findings if not _is_settled(assignment, attempts.items, finding)),
        *collect_findings(evidence, grader["sandbox"]),
    ]
    return Verdict(
        assignment=assignment.name,
        student=submission.student,
        state="needs review" if ungraded else "graded",
        reason=f"Not graded yet: {', '.join(ungraded)}." if ungraded else "",
        items=attempts.items,
        findings=tuple(findings),
        timings={name: round(seconds, 3) for name, seconds in timings.items()},
        grader=grader,
    )
