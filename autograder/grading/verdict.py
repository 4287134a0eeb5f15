"""The verdict on one submission: points and a message per item, findings, timings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from autograder.common.models import Frozen
from autograder.submission.findings import Finding
from autograder.submission.saved_outputs import SavedOutputs

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from .saved_runs import SavedRuns


class CurveChart(Frozen):
    """A training curve on which a callback stopped training at the wrong epoch.

    Epochs are counted from 1. `stopped` is None if the callback did not stop, `due` if it should not have stopped.
    `caption` replaces the message on a page that shows the chart, which need not repeat the values; if it is empty, the
    message stays.
    """

    threshold: float
    patience: int = Field(gt=0)
    val_accuracy: tuple[float, ...]
    stopped: int | None
    due: int | None
    caption: str = ""


class Stop(Frozen):
    """Why the cell of a task did not finish in the run that was judged.

    `cell` is the task, `number` the cell's number as the student counts; `line` ("line 3") and `code` are where in the
    cell it stopped. `defined_in` is the number of the later cell that defines the missing name.
    """

    cell: str
    number: int | None = None
    why: Literal["error", "time limit", "kernel ended", "not run", "not filled in"]
    error: str = ""
    text: str = ""
    line: str = ""
    code: str = ""
    defined_in: int | None = None
    missing_module: bool = False

    @property
    def name(self) -> str:
        """The cell's name for the beginning of a sentence."""
        return f"The cell {self.cell}" if self.number is None else f"Cell number {self.number} ({self.cell})"

    @property
    def what(self) -> str:
        """The error with its text."""
        return f"{self.error}{': ' if self.text else ''}{self.text}"

    @property
    def end(self) -> str:
        """How the cell ended, in words that follow its name."""
        return ENDS[self.why]

    def __str__(self) -> str:
        if self.why != "error":
            return f"{self.name} {self.end}."
        where = f" on {self.line}, `{self.code}`," if self.code else ""
        stop = f"{self.name} stopped{where} with {self.what}."
        if self.missing_module:
            missing = "A module that it uses is not installed where notebooks are graded, so its import was ignored."
            return f"{stop} {missing}"
        if self.defined_in is None:
            return stop
        later = f"The name is defined only in cell number {self.defined_in}, further down"
        return f"{stop} {later}: define it before you use it, then run all cells from the top."


ENDS = {
    "error": "raised an error",
    "time limit": "ran longer than its time limit and was stopped",
    "not run": "was not reached before the run was stopped",
    "kernel ended": "made the kernel stop",
    "not filled in": "is not complete",
}
"""How a cell that did not finish ended, in the same words for students and graders."""


class PropertyVerdict(Frozen):
    """One sentence of the rubric, and whether the evidence confirms it.

    `status` is `ungraded` if the evidence does not decide it, and `not checked` if there was nothing to check, for
    example because its cell stopped. `message` is for the student, and `chart` is the training curve that the message
    is about. `fault` is for the author of the check: the error that ended it, with file and line.
    """

    id: str
    rubric: str
    max_points: float
    points: float
    status: Literal["passed", "failed", "not checked", "ungraded"]
    message: str = ""
    fault: str = ""
    chart: CurveChart | None = None


class ItemVerdict(Frozen):
    """The points of one item; `points` is None if it needs review.

    They come from one run: `stop` says where the item's cell stopped in it, and `stand_ins` are the tasks on which the
    item depends and for which stand-ins were used. `first_stop` is where the cell stopped in the first run, without any
    stand-in, if the item was judged in a later one.
    """

    id: str
    title: str
    max_points: float
    points: float | None
    status: Literal["graded", "ungraded"]
    message: str
    properties: tuple[PropertyVerdict, ...] = ()
    stop: Stop | None = None
    first_stop: Stop | None = None
    stand_ins: tuple[str, ...] = ()


def _rename_state(state: object) -> object:
    """Return the current name of a state; verdicts of earlier versions may contain an older one."""
    return "needs review" if state == "needs a person" else state


class Verdict(Frozen):
    """Everything decided about one submission.

    `state` is the one word for the class table: `graded`, `needs review` (an item is ungraded)
    or `failed to run` (nothing could be executed; `reason` says why).
    """

    assignment: str
    student: str
    state: Annotated[Literal["graded", "needs review", "failed to run"], BeforeValidator(_rename_state)]
    reason: str = ""
    items: tuple[ItemVerdict, ...]
    findings: tuple[Finding, ...] = ()
    timings: dict[str, float] = Field(default_factory=dict)
    grader: dict[str, str] = Field(default_factory=dict)

    @property
    def points(self) -> float:
        """The sum of the points given, not including ungraded items."""
        return round(sum(item.points or 0.0 for item in self.items), 2)

    @property
    def max_points(self) -> float:
        return sum(item.max_points for item in self.items)


@dataclass(frozen=True)
class GradedSubmission:
    """The verdict on a submission, and what it is based on.

    `record` is the evidence of its runs and `executed` the notebook as it was run; both are None if nothing could be
    run, and `record` is not read again from results on disk. `saved_outputs` are those of the student's own run, None
    if they have not been read. `submitted_at`, in UTC, is when it was submitted, if that is known.
    """

    verdict: Verdict
    record: SavedRuns | None = None
    executed: NotebookNode | None = None
    saved_outputs: SavedOutputs | None = None
    submitted_at: datetime | None = None

    @property
    def student(self) -> str:
        """The student who submitted it."""
        return self.verdict.student


@dataclass(frozen=True)
class Done:
    """What happened to one student's submission."""

    student: str
    verdict: Verdict
    skipped: bool = False
