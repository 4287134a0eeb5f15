"""The list of what a person has to do before the grades of a class can be published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.assignment.settings import Item
from autograder.submission.findings import Finding

ASK_AGAIN = (
    "Ask the student for the notebook, replace the file in the submissions folder, and run make autograde again."
)
DECIDE = "Look at the cell and enter the points."

ADVICE: Mapping[str, str] = {
    "suspicious act": (
        "Read the cell. If it tried to access the grader's files, talk to the student first. The record was made "
        "inside the notebook's own process, so the notebook could have interfered with it."
    ),
    "evidence": "Read the notebook before you rely on its points: some of what it did was not recorded.",
    "no sandbox": "Use a sandbox before you run submissions from people you do not know.",
    "real training": "Points vary by chance with real training: use it to try the lab, not to grade a class.",
    "changed while graded": "Grade again, so that the points are those of the latest version.",
    "time limit": (
        "Points were deducted for what the cell did not finish. If many submissions lose points, increase cell_seconds."
    ),
    "kernel ended": "Nothing to do: the later cells were run without the cell that made the kernel stop.",
    "several files": "Check that the right file was graded.",
    "left aside": "Check that the right file was graded.",
    "unreadable file": "Open the file that could not be read, if the graded one looks like an early version.",
    "file name": "Nothing to do. Remind the student of the required file name if you collect files manually.",
    "provided cell changed": "Nothing to do: the provided cell was restored before the run.",
    "provided cell missing": "Nothing to do: the provided cell was restored before the run.",
    "provided cell stopped": (
        "Nothing to do if an earlier answer is the cause. If the cell stopped for most of the class, check the release."
    ),
    "other language": "If the notebook is not in Python, ask the student for one that is.",
    "task missing": "Check whether the answer is somewhere else in the notebook.",
    "task copied": "If points were lost, find out which of the copies the student meant.",
    "merge conflict": "Look at the cell: the file contained both versions.",
}
"""What to do about findings, by kind."""

REPAIRS = frozenset(
    {
        "answer beside its cell",
        "cell type",
        "encoding",
        "invalid notebook",
        "missing cell ids",
        "stub not run",
        "task split",
        "text after the end",
        "zero bytes",
    }
)
"""Kinds of findings that describe a repair."""

HEADINGS: Mapping[str, str] = {
    "answer beside its cell": "Answer next to its cell",
    "evidence": "Incomplete record of the run",
    "kernel ended": "Kernel stopped",
    "left aside": "Ignored file",
    "task copied": "Several versions of a task",
    "stub not run": "Work in another cell",
    "suspicious act": "Suspicious activity",
    "zero bytes": "NUL bytes",
}
"""Headings of findings in the report, by kind; the name of any other kind is its heading."""

REPAIRED = "Nothing to do: this was repaired before the run."
LOOK = "Look at the submission before you rely on its points."


@dataclass(frozen=True)
class ToDo:
    """An entry of the list: student, problem and action; `items` still need points, perhaps each for its own reason."""

    student: str
    state: str
    problem: str
    action: str
    items: Sequence[tuple[Item, str]] = ()


@dataclass(frozen=True)
class Group:
    """The findings of one kind, by student, and what to do about them."""

    kind: str
    advice: str
    findings: list[tuple[str, Finding]]

    @property
    def heading(self) -> str:
        """The heading in the report; results of earlier versions call provided cells "given"."""
        return HEADINGS.get(self.kind) or self.kind.replace("given", "provided").capitalize()


def group_findings(findings: Mapping[str, Sequence[Finding]]) -> list[Group]:
    """Group findings by kind: those that require an action first, then the most frequent."""
    found: dict[str, list[tuple[str, Finding]]] = {}
    for student, several in findings.items():
        for finding in several:
            found.setdefault(finding.kind, []).append((student, finding))
    groups = [Group(kind, _advise(kind), each) for kind, each in found.items()]
    return sorted(groups, key=lambda group: (group.advice.startswith("Nothing"), -len(group.findings)))


def _advise(kind: str) -> str:
    return ADVICE.get(kind) or (REPAIRED if kind in REPAIRS else LOOK)
