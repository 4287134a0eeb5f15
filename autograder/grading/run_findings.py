"""What a person should know of a run beside the points."""

from __future__ import annotations

from autograder.execution.evidence import KERNEL_DIED, Act, Evidence
from autograder.submission.findings import Finding
from autograder.submission.prepare import EXTRA, GIVEN

from .verdict import ENDS

INSIDE = "Reported from inside the kernel:"
MAX_DETAILS = 5
"""Details of one kind of act that are named."""


def collect_findings(runs: list[Evidence], sandbox: str) -> list[Finding]:
    """All findings of a submission, each once: those of its first run, and what the notebook did only in a later one,
    which it could tell by a stand-in."""
    first, *later = runs
    findings = _find_first(first, sandbox)
    for evidence in later:
        lost = [Finding(kind="evidence", text=evidence.lost)] if evidence.lost else []
        findings += [finding for finding in (*lost, *_find_acts(evidence)) if finding not in findings]
    return findings


def find_provided_stop(evidence: Evidence) -> list[Finding]:
    """A provided cell that stopped before any cell of the student's did: it may be the reason of all that follows."""
    stopped = next((number for number, cell in enumerate(evidence.cells) if cell.status == "error"), None)
    if stopped is None or evidence.cells[stopped].role != GIVEN:
        return []
    cell = evidence.cells[stopped]
    text = f"A provided cell stopped with {cell.error}: {cell.message.strip()}".rstrip(". :")[:300]
    text += ". Later cells may have failed for that reason."
    return [Finding(kind="provided cell stopped", text=text, cell=name_place(evidence, stopped), audience="both")]


def _find_first(evidence: Evidence, sandbox: str) -> list[Finding]:
    findings = []
    if sandbox == "none":
        findings.append(Finding(kind="no sandbox", text="It ran without a sandbox, with the rights of the grader."))
    if evidence.training == "real":
        text = "It trained for real: what is known of its trainings comes from inside the notebook's own process."
        findings.append(Finding(kind="real training", text=text))
    if evidence.lost:
        findings.append(Finding(kind="evidence", text=evidence.lost))
    return [*findings, *_find_acts(evidence), *_find_ends(evidence)]


def _find_acts(evidence: Evidence) -> list[Finding]:
    """What the notebook did that a person should look at, once for each place and kind. It was reported by code that
    shares the notebook's process, which the text says."""
    found: dict[tuple[str, str], list[str]] = {}
    for act in evidence.of(Act):
        found.setdefault((name_place(evidence, act.cell), act.what), []).append(act.detail)
    return [
        Finding(kind="suspicious act", text=f"{INSIDE} it {what}: {_list(details)}".rstrip(": "), cell=place)
        for (place, what), details in found.items()
    ]


def _list(details: list[str]) -> str:
    """The first few details, and how many more there were."""
    named = [detail for detail in details if detail and not detail.startswith("and ")]
    more = [detail for detail in details if detail.startswith("and ")]
    if len(named) > MAX_DETAILS and not more:
        more = [f"and {len(named) - MAX_DETAILS} more"]
    return ", ".join([*named[:MAX_DETAILS], *more])


def _find_ends(evidence: Evidence) -> list[Finding]:
    """Which cells did not come to their own end, and why."""
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
    """A cell by the name of its task or by its number, as the student counts cells."""
    cell = evidence.cells[number] if 0 <= number < len(evidence.cells) else None
    if cell is None or cell.index is None:
        return "unknown"
    return cell.role if cell.role not in (GIVEN, EXTRA) else f"number {cell.index + 1}"
