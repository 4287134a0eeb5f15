"""What is kept of a graded submission, as files: verdict, evidence, results for other systems, the class's table."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from pydantic import ValidationError

from .assignment import Assignment
from .errors import AutograderError
from .verdict import ItemVerdict, Verdict

Manual = Mapping[str, Mapping[str, tuple[float | None, str | None]]]
"""By student and item: the score and the comment that a person gave."""


def folder_of(out: Path, assignment: Assignment, student: str) -> Path:
    return out / assignment.name / student


def write_text(path: Path, text: str) -> None:
    """Writes a file whole or not at all: under a temporary name first, then renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise AutograderError(
            f"{path} cannot be written ({error.strerror}): make room or choose another OUT."
        ) from None


def write_submission(
    out: Path, assignment: Assignment, verdict: Verdict, evidence_json: str, executed: NotebookNode | None
) -> None:
    """Writes all files of one student; the verdict comes last, so that where it is, the others are complete."""
    folder = folder_of(out, assignment, verdict.student)
    notebook = folder / assignment.notebook_name
    write_text(folder / "evidence.json", evidence_json)
    write_text(folder / "results.json", json.dumps(results(assignment, verdict), indent=1, ensure_ascii=False))
    if executed is not None:
        write_text(notebook, nbformat.writes(executed))
    else:
        notebook.unlink(missing_ok=True)
    write_text(folder / "verdict.json", verdict.model_dump_json(indent=1))


def read_verdicts(out: Path, assignment: Assignment) -> list[Verdict]:
    """All verdicts on disk, by student; one that cannot be read is left out, and its submission is graded again."""
    verdicts = []
    for path in sorted((out / assignment.name).glob("*/verdict.json")):
        with contextlib.suppress(ValidationError, OSError, UnicodeDecodeError):
            verdicts.append(Verdict.model_validate_json(path.read_bytes()))
    return sorted(verdicts, key=lambda verdict: verdict.student)


def read_executed(out: Path, assignment: Assignment, student: str) -> NotebookNode | None:
    """The executed notebook of a student, None where nothing could be executed."""
    path = folder_of(out, assignment, student) / assignment.notebook_name
    return nbformat.read(path, as_version=4) if path.is_file() else None


def results(assignment: Assignment, verdict: Verdict) -> dict[str, Any]:
    """The verdict in Gradescope's form, one test per item
    (https://gradescope-autograders.readthedocs.io/en/latest/specs/)."""
    tests = [_test(number, item) for number, item in enumerate(verdict.items, 1)]
    notes = [finding.text for finding in verdict.findings if finding.audience == "both"]
    return {
        "tests": tests,
        "output": "\n".join(filter(None, [verdict.reason, *notes])),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": round(verdict.timings.get("all", 0.0)),
        "extra_data": {"assignment": assignment.name, "state": verdict.state},
    }


def _test(number: int, item: ItemVerdict) -> dict[str, Any]:
    lines = [f"- {p.rubric} {p.message}" for p in item.properties if p.status == "failed"]
    open_question = f"Not graded yet: {item.message}"
    return {
        "name": item.id,
        "number": str(number),
        "score": round(item.points or 0.0, 2),
        "max_score": round(item.max_points, 2),
        "status": "passed" if item.points == item.max_points else "failed",
        "output": open_question if item.points is None else "\n".join(lines) or item.message,
        "visibility": "visible",
        "extra_data": {"state": item.status},
    }


def write_grades(out: Path, assignment: Assignment, verdicts: Iterable[Verdict], manual: Manual) -> None:
    """Writes grades.csv: a row a student, a column an item; empty where a person has to decide."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["student", *(item.id for item in assignment.items), "total", "max", "state", "reason"])
    most = sum(item.points for item in assignment.items)
    for verdict in verdicts:
        points = points_by_item(assignment, verdict, manual.get(verdict.student, {}))
        total = round(sum(value or 0.0 for value in points.values()), 2)
        row = [_plain(value) for value in points.values()]
        table.writerow(
            [_safe(verdict.student), *row, _plain(total), _plain(most), verdict.state, _safe(verdict.reason)]
        )
    write_text(out / assignment.name / "grades.csv", text.getvalue())


def points_by_item(
    assignment: Assignment, verdict: Verdict, manual: Mapping[str, tuple[float | None, str | None]]
) -> dict[str, float | None]:
    """Points of every item of the assignment: a person's if there are any, else the autograder's, else None."""
    judged = {item.id: item.points for item in verdict.items}
    given = {item: score for item, (score, _) in manual.items() if score is not None}
    return {item.id: given.get(item.id, judged.get(item.id)) for item in assignment.items}


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
