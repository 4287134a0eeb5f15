"""Grades one submission: runs it, judges it, and runs it again where a broken task would spoil the ones after it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder.assignment import scenario as challenges
from autograder.assignment.release import importable
from autograder.assignment.settings import Assignment
from autograder.errors import EvidenceError, KernelFailed, ParentGone, SubmissionError, Unreadable
from autograder.execution.evidence import Act, Evidence, Window
from autograder.execution.kernels import Kernels
from autograder.execution.options import Options
from autograder.execution.runner import KERNEL_DIED, Run, run
from autograder.submission.limited import read_submission
from autograder.submission.prepare import EXTRA, GIVEN, Submission

from .checker import judge
from .verdict import Finding, ItemVerdict, Verdict

MOST_STUCK = 3
"""How often a submission is run again because cells hung or ended the kernel."""


@dataclass(frozen=True)
class Graded:
    """The verdict on a submission with what it rests on."""

    verdict: Verdict
    evidence: Evidence | None = None
    executed: NotebookNode | None = None


def grade_folder(assignment: Assignment, folder: Path, student: str, kernels: Kernels, options: Options) -> Graded:
    """Grades what lies in a student's folder; whatever is wrong with it ends in a verdict, not in an error."""
    try:
        submission = read_submission(folder, assignment, student)
    except SubmissionError as error:
        return Graded(not_run(assignment, student, str(error)))
    except Unreadable as error:
        return Graded(for_a_person(assignment, student, str(error)))
    return grade(assignment, submission, kernels, options)


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
    try:
        attempts, first, items = _judged(assignment, submission, kernels, options, seed)
    except (KernelFailed, EvidenceError) as error:
        verdict = for_a_person(assignment, submission.student, str(error), submission.findings)
        return Graded(verdict)
    timings = first.timings | {"all": time.monotonic() - started, "runs": float(attempts.count)}
    grader = {"seed": str(seed), "sandbox": kernels.sandbox}
    verdict = _verdict(assignment, submission, items, first.evidence, timings, grader)
    return Graded(verdict, first.evidence, first.executed)


def _judged(
    assignment: Assignment, submission: Submission, kernels: Kernels, options: Options, seed: int
) -> tuple[_Attempts, Run, tuple[ItemVerdict, ...]]:
    """All runs that it took. They begin anew, once, where the parent of the kernels ended under them."""
    for _ in range(2):
        attempts = _Attempts(assignment, submission, kernels, options, seed)
        try:
            return attempts, *attempts.judged()
        except ParentGone as error:
            gone = error
    raise gone


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
        self.best: dict[str, ItemVerdict] = {}
        self.replaced: set[str] = set()
        self.stuck: set[int] = set()

    def judged(self) -> tuple[Run, tuple[ItemVerdict, ...]]:
        """The first run, and the verdict on each item after all runs that it took."""
        first = self._attempt()
        self.best = {item.id: item for item in first.items}
        latest = self._on_cpu(self._past_what_is_stuck(first))
        self._with_stand_ins(latest.run.evidence)
        return first.run, tuple(self.best.values())

    def _attempt(self, gpus: int = 1) -> _Attempt:
        seed, training = self.seed + self.count, self.options.training
        drawn = challenges.draw(self.assignment, seed, training=training, gpus=gpus)
        self.count += 1
        stand_ins = tuple(cell for cell in self.assignment.cells if cell in self.replaced)
        limits = self.options.limits
        done = run(
            self.submission,
            drawn,
            self.kernels,
            limits=limits,
            stand_ins=stand_ins,
            skip=frozenset(self.stuck),
            files=importable(self.assignment),
        )
        return _Attempt(done, judge(self.assignment, drawn, done.evidence))

    def _keep_better(self, attempt: _Attempt) -> None:
        """Items of a task with a stand-in keep what the task itself was worth."""
        for item in attempt.items:
            if self.assignment.item(item.id).cell not in self.replaced and _rank(item) >= _rank(self.best[item.id]):
                self.best[item.id] = item

    def _past_what_is_stuck(self, latest: _Attempt) -> _Attempt:
        """Runs it again without the cells that did not end in time or ended the kernel, with stand-ins for tasks."""
        for _ in range(MOST_STUCK):
            stuck = _stuck(latest.run.evidence)
            if not stuck or _all_full(tuple(self.best.values())):
                break
            self.stuck |= set(stuck)
            self.replaced |= set(stuck.values()) & set(self.assignment.cells)
            latest = self._attempt()
            self._keep_better(latest)
        return latest

    def _on_cpu(self, latest: _Attempt) -> _Attempt:
        """A notebook that opens no energy window may be meant for a CPU runtime: it is run on one if needed."""
        items = tuple(self.best.values())
        if _all_full(items) or _uses_windows(latest.run.evidence):
            return latest
        second = self._attempt(gpus=0)
        if _points(second.items) <= _points(items):
            return latest
        self.best |= {i.id: i for i in second.items if self.assignment.item(i.id).cell not in self.replaced}
        return second

    def _with_stand_ins(self, evidence: Evidence) -> None:
        """Items that lost points behind a broken task are judged again with a stand-in for that task."""
        left = self._left_undone(evidence)
        while found := self._broken(tuple(self.best.values()), self.replaced, left):
            self.replaced |= found
            self._keep_better(self._attempt(evidence.gpus))

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


def _stuck(evidence: Evidence) -> dict[int, str]:
    """Place in the notebook and role of cells that did not end in time or ended the kernel."""
    return {
        cell.index: cell.role
        for cell in evidence.cells
        if cell.index is not None and (cell.status == "timeout" or cell.error == KERNEL_DIED)
    }


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
        found.setdefault((_place(evidence, act.cell), act.what), []).append(act.detail)
    return [
        Finding(
            kind="suspicious act", text=f"It {what}: {', '.join(filter(None, details[:5]))}".rstrip(": "), cell=place
        )
        for (place, what), details in found.items()
    ]


def _ends(evidence: Evidence) -> list[Finding]:
    """Which cells did not come to their own end, and why."""
    texts = {
        "time limit": "The cell did not end in time and was stopped.",
        "kernel ended": "The cell ended the kernel.",
    }
    ends = [
        ("time limit" if cell.status == "timeout" else "kernel ended", number)
        for number, cell in enumerate(evidence.cells)
        if cell.status == "timeout" or cell.error == KERNEL_DIED
    ]
    return [
        Finding(kind=kind, text=texts[kind], cell=_place(evidence, number), audience="both") for kind, number in ends
    ]


def _place(evidence: Evidence, number: int) -> str:
    """A cell by the name of its task or by its number, as the student counts cells."""
    cell = evidence.cells[number] if 0 <= number < len(evidence.cells) else None
    if cell is None or cell.index is None:
        return "unknown"
    return cell.role if cell.role not in (GIVEN, EXTRA) else f"number {cell.index + 1}"


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
    findings += [*_acts(evidence), *_ends(evidence)]
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
