"""Grades one submission: runs it, judges it, and runs it again where a broken task would spoil the ones after it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from nbformat import NotebookNode

from . import challenge as challenges
from .assignment import Assignment
from .errors import EvidenceError, KernelFailed, SubmissionError
from .evidence import Act, Evidence, Window
from .judge import judge
from .kernel import Kernels
from .limits import Limits
from .runner import KERNEL_DIED, Run, run
from .submission import Submission, find_file, load_release, prepare, read_notebook
from .verdict import Finding, ItemVerdict, Verdict

Training = Literal["scripted", "real"]


@dataclass(frozen=True)
class Options:
    """How submissions are run; `seed` None draws a new challenge for each."""

    seed: int | None = None
    training: Training = "scripted"
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Graded:
    """The verdict on a submission with what it rests on."""

    verdict: Verdict
    evidence: Evidence | None = None
    executed: NotebookNode | None = None


def grade_folder(assignment: Assignment, folder: Path, student: str, kernels: Kernels, options: Options) -> Graded:
    """Grades what lies in a student's folder; whatever is wrong with it ends in a verdict, not in an error."""
    try:
        path, findings = find_file(folder, assignment)
        notebook = read_notebook(path)
        submission = prepare(student, notebook, load_release(assignment), assignment)
    except SubmissionError as error:
        return Graded(not_run(assignment, student, str(error)))
    found = (*findings, *submission.findings)
    return grade(assignment, replace(submission, findings=found), kernels, options)


def not_run(assignment: Assignment, student: str, reason: str) -> Verdict:
    """The verdict on what cannot be executed: no points, every item explained."""
    items = tuple(
        ItemVerdict(id=i.id, title=i.title, max_points=i.points, points=0.0, status="graded", message=reason)
        for i in assignment.judged_items
    )
    return Verdict(assignment=assignment.name, student=student, state="failed to run", reason=reason, items=items)


def grade(assignment: Assignment, submission: Submission, kernels: Kernels, options: Options) -> Graded:
    """Runs and judges a submission as often as it takes to judge every item fairly."""
    seed = options.seed if options.seed is not None else secrets.randbits(48)
    started = time.monotonic()
    attempts = _Attempts(assignment, submission, kernels, options, seed)
    try:
        first = attempts.first()
        items = attempts.with_stand_ins(attempts.on_cpu(first))
    except (KernelFailed, EvidenceError) as error:
        verdict = for_a_person(assignment, submission.student, str(error), submission.findings)
        return Graded(verdict)
    timings = first.run.timings | {"all": time.monotonic() - started, "runs": float(attempts.count)}
    grader = {"seed": str(seed), "sandbox": kernels.sandbox}
    verdict = _verdict(assignment, submission, items, first.run.evidence, timings, grader)
    return Graded(verdict, first.run.evidence, first.run.executed)


@dataclass(frozen=True)
class _Attempt:
    run: Run
    items: tuple[ItemVerdict, ...]


@dataclass(frozen=True)
class _LeftUndone:
    """The tasks whose cell says that it is not implemented, and those whose cell stopped with another error."""

    empty: frozenset[str]
    failed: frozenset[str]


class _Attempts:
    """The runs of one submission, each under a challenge of its own."""

    def __init__(
        self, assignment: Assignment, submission: Submission, kernels: Kernels, options: Options, seed: int
    ) -> None:
        self.assignment, self.submission, self.kernels = assignment, submission, kernels
        self.options, self.seed = options, seed
        self.count = 0

    def _attempt(self, gpus: int = 1, stand_ins: tuple[str, ...] = (), skip: frozenset[str] = frozenset()) -> _Attempt:
        drawn = challenges.draw(
            self.assignment.parameters, self.seed + self.count, training=self.options.training, gpus=gpus
        )
        self.count += 1
        done = run(self.submission, drawn, self.kernels, limits=self.options.limits, stand_ins=stand_ins, skip=skip)
        return _Attempt(done, judge(self.assignment, drawn, done.evidence))

    def first(self) -> _Attempt:
        return self._attempt()

    def on_cpu(self, first: _Attempt) -> _Attempt:
        """A notebook that opens no energy window may be meant for a CPU runtime: it is run on one if needed."""
        if _all_full(first.items) or _uses_windows(first.run.evidence):
            return first
        second = self._attempt(gpus=0)
        return second if _points(second.items) > _points(first.items) else first

    def with_stand_ins(self, first: _Attempt) -> tuple[ItemVerdict, ...]:
        """Items that lost points behind a broken task are judged again with a stand-in for that task."""
        best = {item.id: item for item in first.items}
        stuck, left = _stuck(first.run.evidence), self._left_undone(first.run.evidence)
        replaced: set[str] = set()
        found = set(stuck & set(self.assignment.cells)) or self._broken(first.items, replaced, left)
        while found:
            replaced |= found
            stand_ins = tuple(cell for cell in self.assignment.cells if cell in replaced)
            again = self._attempt(first.run.evidence.gpus, stand_ins, stuck)
            for item in again.items:
                if self.assignment.item(item.id).cell not in replaced and _rank(item) >= _rank(best[item.id]):
                    best[item.id] = item
            found = self._broken(tuple(best.values()), replaced, left)
        return tuple(best.values())

    def _left_undone(self, evidence: Evidence) -> _LeftUndone:
        tasks = [cell for cell in evidence.cells if cell.role in self.assignment.cells and cell.status == "error"]
        empty = frozenset(cell.role for cell in tasks if cell.error == "NotImplementedError")
        return _LeftUndone(empty, frozenset(cell.role for cell in tasks) - empty)

    def _broken(self, items: tuple[ItemVerdict, ...], replaced: set[str], left: _LeftUndone) -> set[str]:
        """The first cells in line that lost points and on which a cell rests that lost points too, though filled in.

        A cell rests on those that it needs, and on earlier ones that stopped with an error, for what they left behind.
        """
        poor = [self.assignment.item(item.id) for item in items if item.points != item.max_points]
        cells = {item.cell for item in poor} - replaced
        order = {cell: place for place, cell in enumerate(self.assignment.cells)}
        rests = {
            item.cell: set(item.needs) | {cell for cell in left.failed if order[cell] < order[item.cell]}
            for item in poor
        }
        needed = {cell for item in poor if item.cell not in left.empty for cell in rests[item.cell] if cell in cells}
        behind = {cell for cell in rests if rests[cell] & needed}
        return needed - behind


def _stuck(evidence: Evidence) -> frozenset[str]:
    """The roles of cells that did not end in time or ended the kernel: they are left out of a second run."""
    return frozenset(cell.role for cell in evidence.cells if cell.status == "timeout" or cell.error == KERNEL_DIED)


def _rank(item: ItemVerdict) -> tuple[float, bool]:
    return (item.points if item.points is not None else -1.0, item.status == "graded")


def _points(items: tuple[ItemVerdict, ...]) -> float:
    return sum(item.points or 0.0 for item in items)


def _all_full(items: tuple[ItemVerdict, ...]) -> bool:
    return all(item.points == item.max_points for item in items)


def _uses_windows(evidence: Evidence) -> bool:
    given = evidence.cells_of("given")
    return any(window.cell not in given for window in evidence.of(Window))


def for_a_person(assignment: Assignment, student: str, reason: str, findings: tuple[Finding, ...] = ()) -> Verdict:
    """The verdict on what could not be judged, through no fault that could be pinned on the student."""
    items = tuple(
        ItemVerdict(id=i.id, title=i.title, max_points=i.points, points=None, status="ungraded", message=reason)
        for i in assignment.judged_items
    )
    return Verdict(
        assignment=assignment.name,
        student=student,
        state="needs a person",
        reason=reason,
        items=items,
        findings=findings,
    )


def _acts(evidence: Evidence) -> list[Finding]:
    """What the notebook did that a person should look at, once for each place and kind."""
    found: dict[tuple[str, str], list[str]] = {}
    for act in evidence.of(Act):
        role = evidence.cells[act.cell].role if 0 <= act.cell < len(evidence.cells) else None
        cell = role if role not in (None, "extra") else f"number {act.cell + 1}"
        found.setdefault((cell, act.what), []).append(act.detail)
    return [
        Finding(
            kind="suspicious act",
            text=f"It {what}: {', '.join(filter(None, details[:5]))}".rstrip(": ") + ".",
            cell=cell,
        )
        for (cell, what), details in found.items()
    ]


def _verdict(
    assignment: Assignment,
    submission: Submission,
    items: tuple[ItemVerdict, ...],
    evidence: Evidence,
    timings: dict[str, float],
    grader: dict[str, str],
) -> Verdict:
    ungraded = [item.id for item in items if item.status == "ungraded"]
    findings = [*submission.findings]
    if grader["sandbox"] == "none":
        findings.append(Finding(kind="no sandbox", text="It ran without a sandbox, with the rights of the grader."))
    if evidence.lost:
        findings.append(Finding(kind="evidence", text=evidence.lost))
    findings += _acts(evidence)
    findings += [
        Finding(kind="time limit", text="A cell did not end in time and was stopped.", cell=cell.role, audience="both")
        for cell in evidence.cells
        if cell.status == "timeout"
    ]
    return Verdict(
        assignment=assignment.name,
        student=submission.student,
        state="needs a person" if ungraded else "graded",
        reason=f"Not graded yet: {', '.join(ungraded)}." if ungraded else "",
        items=items,
        findings=tuple(findings),
        timings={name: round(seconds, 3) for name, seconds in timings.items()},
        grader=grader,
    )
