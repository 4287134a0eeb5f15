"""Findings about a run: what a person should know in addition to the points."""

from __future__ import annotations

from autograder.execution.evidence import KERNEL_DIED, Act, Evidence
from autograder.submission.findings import Finding
from autograder.submission.prepare import EXTRA, GIVEN

from .case import quote_error
from .verdict import ENDS

NO_SANDBOX = "The notebook was run without a sandbox, with the permissions of the user who graded it."
REAL_TRAINING = (
    "Training was real, not simulated, so all information about it comes from the notebook itself and could not be "
    "verified."
)

FROM_INSIDE = "reported by the notebook's own process and therefore not certain"
"""What findings say about reports of code that shares the notebook's process."""

MAX_DETAILS = 5
"""Maximum number of details that are named of one kind of act."""


def collect_findings(runs: list[Evidence], sandbox: str) -> list[Finding]:
    """Return all findings of a submission, each once: those of its first run, and what the notebook did only in a
    later one, which it could recognise by a stand-in."""
    first, *later = runs
    findings = _find_first(first, sandbox)
    for evidence in later:
        lost = [Finding(kind="evidence", text=evidence.lost)] if evidence.lost else []
        findings += [finding for finding in (*lost, *_find_acts(evidence)) if finding not in findings]
    return findings


def find_provided_stop(evidence: Evidence) -> list[Finding]:
    """Return a finding if a provided cell was the first to stop, which may be the reason for all later errors; none if
    it called a function that the student has not completed."""
    stopped = next((number for number, cell in enumerate(evidence.cells) if cell.status == "error"), None)
    if stopped is None or evidence.cells[stopped].role != GIVEN or evidence.cells[stopped].incomplete:
        return []
    cell = evidence.cells[stopped]
    message = quote_error(cell.message)
    text = f"A provided cell stopped with {cell.error}{f': {message}' if message else ''}."
    if any(earlier.role != GIVEN for earlier in evidence.cells[:stopped]):
        text += " It may depend on an earlier cell that the student wrote: check that cell first."
    text += " Later cells may have failed for that reason."
    return [Finding(kind="provided cell stopped", text=text, cell=name_place(evidence, stopped), audience="both")]


def _find_first(evidence: Evidence, sandbox: str) -> list[Finding]:
    findings = []
    if sandbox == "none":
        findings.append(Finding(kind="no sandbox", text=NO_SANDBOX))
    if evidence.training == "real":
        findings.append(Finding(kind="real training", text=REAL_TRAINING))
    if evidence.lost:
        findings.append(Finding(kind="evidence", text=evidence.lost))
    return [*findings, *_find_acts(evidence), *_find_ends(evidence)]


def _find_acts(evidence: Evidence) -> list[Finding]:
    """Return what the notebook did that a person should look at, once for each place and kind. It was reported by code
    that shares the notebook's process, and the text says so."""
    found: dict[tuple[str, str], list[str]] = {}
    for act in evidence.of(Act):
        found.setdefault((name_place(evidence, act.cell), act.what), []).append(act.detail)
    return [
        Finding(kind="suspicious act", text=_describe_act(what, _list(details)), cell=place)
        for (place, what), details in found.items()
    ]


def _describe_act(what: str, details: str) -> str:
    return f"The notebook {what} ({FROM_INSIDE}){f': {details}' if details else ''}."


def _list(details: list[str]) -> str:
    """Return the first few details, and how many more there were."""
    named = [detail for detail in details if detail and not detail.startswith("and ")]
    more = [detail for detail in details if detail.startswith("and ")]
    if len(named) > MAX_DETAILS and not more:
        more = [f"and {len(named) - MAX_DETAILS} more"]
    return ", ".join([*named[:MAX_DETAILS], *more])


def _find_ends(evidence: Evidence) -> list[Finding]:
    """Return findings on the cells that did not finish by themselves, and why."""
    ends = [
        ("time limit" if cell.status == "timeout" else "kernel ended", number)
        for number, cell in enumerate(evidence.cells)
        if cell.status == "timeout" or cell.error == KERNEL_DIED
    ]
    return [
        Finding(kind=kind, text=f"The cell {ENDS[kind]}.", cell=name_place(evidence, number), audience="both")
        for kind, number in ends
    ]


def name_place(evidence: Evidence, number: int) -> str:
    """Return the name of a cell: that of its task, or its number as the student counts cells."""
    cell = evidence.cells[number] if 0 <= number < len(evidence.cells) else None
    if cell is None or cell.index is None:
        return "unknown"
    return cell.role if cell.role not in (GIVEN, EXTRA) else f"number {cell.index + 1}"
