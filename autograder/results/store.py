"""What is kept of a graded submission, as files: verdict, evidence, results for other systems, the class's table."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from autograder.assignment.settings import Assignment
from autograder.encoders import encode_csv, encode_path, one_line
from autograder.errors import AutograderError
from autograder.grading.verdict import ItemVerdict, Verdict

from .layout import STUDENTS, student_folder
from .lock import is_running

if TYPE_CHECKING:
    from nbformat import NotebookNode

Given = Mapping[str, tuple[float | None, str | None]]
"""By item: the score and the comment that a person gave to one student."""

Manual = Mapping[str, Given]
"""The same by student."""

LATE = "late-penalty"
"""Stands among a student's items in `Given` for what handing in late costs, as points below zero."""

TEMPORARY = re.compile(r"\..+\.(\d+)\.tmp(?:-journal)?")
"""A name given by `temporary_name`, or that of a database's journal beside it."""

log = logging.getLogger(__name__)


def gradebook_url(out: Path) -> str:
    return f"sqlite:///{(out / 'gradebook.db').resolve()}"


def write_text(path: Path, text: str) -> None:
    """Writes a file whole or not at all: under a temporary name first, then renamed.

    A lone surrogate, which UTF-8 cannot hold and which a student's output may contain, becomes its escape.
    """
    temporary = temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        temporary.replace(path)
    except OSError as error:
        raise AutograderError(
            f"{path} cannot be written ({error.strerror}): make room or choose another OUT; what is graded is kept."
        ) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def temporary_name(path: Path) -> Path:
    """The name that a file has while this process writes it."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def remove_leftovers(out: Path) -> None:
    """Removes what processes that are gone had begun to write."""
    for path in out.rglob(".*.tmp*"):
        named = TEMPORARY.fullmatch(path.name)
        if named is not None and (int(named[1]) == os.getpid() or not is_running(int(named[1]))):
            with contextlib.suppress(OSError):
                path.unlink()


def remove(path: Path) -> None:
    """Removes a file if it is there."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise AutograderError(f"{path} cannot be removed ({error.strerror}): check who may write there.") from None


def write_submission(
    out: Path, assignment: Assignment, verdict: Verdict, evidence_json: str, executed: NotebookNode | None
) -> None:
    """Writes all files of one student. An older verdict goes first and the new one comes last: where a verdict is,
    the other files are complete and belong to it."""
    import nbformat  # here: what does not touch a notebook need not wait for it

    folder = student_folder(out, assignment, verdict.student)
    notebook = folder / assignment.notebook_name
    remove(folder / "verdict.json")
    write_text(folder / "evidence.json", evidence_json)
    if executed is not None:
        write_text(notebook, nbformat.writes(executed))
    else:
        remove(notebook)
    write_verdict(out, assignment, verdict)


def write_verdict(out: Path, assignment: Assignment, verdict: Verdict) -> None:
    """Write the verdict of one student and the results for other systems; the verdict itself comes last."""
    folder = student_folder(out, assignment, verdict.student)
    remove(folder / "verdict.json")
    write_text(folder / "results.json", json.dumps(results(assignment, verdict), indent=1, ensure_ascii=False))
    write_text(folder / "verdict.json", verdict.model_dump_json(indent=1))


def read_verdicts(out: Path, assignment: Assignment) -> list[Verdict]:
    """All verdicts on disk, by student.

    One that cannot be read is left out with a warning; its submission counts as not graded yet.
    """
    found = [_read_verdict(path, assignment) for path in (out / assignment.name / STUDENTS).glob("*/verdict.json")]
    return sorted((verdict for verdict in found if verdict is not None), key=lambda verdict: verdict.student)


def _read_verdict(path: Path, assignment: Assignment) -> Verdict | None:
    try:
        verdict = Verdict.model_validate_json(path.read_bytes())
    except OSError as error:
        reason = str(error.strerror)
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"])
    else:
        if (verdict.assignment, encode_path(verdict.student)) == (assignment.name, path.parent.name):
            return verdict
        reason = f"it is on {verdict.assignment} of {verdict.student}"
    log.warning("%s is left out (%s): make autograde grades that submission again.", path, reason)
    return None


def read_executed(out: Path, assignment: Assignment, student: str) -> NotebookNode | None:
    """The executed notebook of a student, None where nothing could be executed."""
    import nbformat  # here, as above

    path = student_folder(out, assignment, student) / assignment.notebook_name
    try:
        return nbformat.reader.reads(path.read_text(encoding="utf-8"))  # it was checked when it was written
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise AutograderError(
            f"{path} cannot be read ({one_line(str(error), 120)}): remove the folder {path.parent} and run "
            "make autograde again."
        ) from None


def results(assignment: Assignment, verdict: Verdict) -> dict[str, Any]:
    """The verdict in Gradescope's form, one test per item that the autograder judges
    (https://gradescope-autograders.readthedocs.io/en/latest/specs/)."""
    judged = {item.id: item for item in verdict.items}
    tests = [
        _test(number, judged[item.id])
        for number, item in enumerate(assignment.items, 1)
        if item.graded_by == "autograder" and item.id in judged
    ]
    notes = [finding.text for finding in verdict.findings if finding.audience == "both"]
    return {
        "tests": tests,
        "output": "\n".join(filter(None, [verdict.reason, *notes])),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": round(verdict.timings.get("all", 0.0)),
        "extra_data": {"assignment": assignment.name, "state": verdict.state},
    }


def _test(number: int, item: ItemVerdict) -> dict[str, Any]:
    return {
        "name": item.id,
        "number": str(number),
        "score": round(item.points or 0.0, 2),
        "max_score": round(item.max_points, 2),
        "status": "passed" if item.points is not None and item.points >= item.max_points else "failed",
        "output": _output(item),
        "output_format": "text",
        "visibility": "visible",
        "extra_data": {"state": item.status},
    }


def _output(item: ItemVerdict) -> str:
    """The message, and each rule that was missed with what was seen; what kept rules from being checked comes once."""
    reasons = {rule.message: None for rule in item.properties if rule.status == "not checked"}
    missed = [*reasons, *(f"- {r.rubric} {r.message}".rstrip() for r in item.properties if r.status == "failed")]
    if item.points is None:
        return "\n".join([f"Not graded yet: {item.message}", *missed])
    return "\n".join(missed) or item.message


def write_grades(out: Path, assignment: Assignment, verdicts: Iterable[Verdict], manual: Manual) -> None:
    """Writes grades.csv: a row a student, a column an item; empty where a person has yet to decide.

    Late penalties have a column where there are any.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    columns = [item.id for item in assignment.items]
    if any(LATE in given for given in manual.values()):
        columns.append(LATE)
    table.writerow(["student", *columns, "total", "max", "state", "reason"])
    most = sum(item.points for item in assignment.items)
    for verdict in sorted(verdicts, key=lambda verdict: verdict.student):
        points = points_by_item(assignment, verdict, manual.get(verdict.student, {}))
        state, reason = standing(verdict, points)
        numbers = [plain(value) for value in (*(points.get(column) for column in columns), total(points), most)]
        table.writerow([encode_csv(verdict.student), *numbers, state, encode_csv(one_line(reason))])
    write_text(out / assignment.name / "grades.csv", text.getvalue())


def points_by_item(assignment: Assignment, verdict: Verdict, given: Given) -> dict[str, float | None]:
    """Points of every item of the assignment: a person's if there are any, else the autograder's, else None; with them
    what handing in late costs, if it does."""
    points: dict[str, float | None] = {item.id: None for item in assignment.items}
    points |= {item.id: item.points for item in verdict.items if item.id in points}
    known = {*points, LATE}
    return points | {item: score for item, (score, _) in given.items() if score is not None and item in known}


def total(points: Mapping[str, float | None]) -> float:
    return round(sum(value or 0.0 for value in points.values()), 2)


def standing(
    verdict: Verdict, points: Mapping[str, float | None]
) -> tuple[Literal["graded", "needs a person", "failed to run"], str]:
    """State and reason as they are now: what a person has given points for needs nobody any more."""
    waits = any(points[item.id] is None for item in verdict.items if item.id in points)
    if verdict.state == "needs a person" and not waits:
        return "graded", ""
    return verdict.state, verdict.reason


def plain(value: float | None) -> str:
    """Points with two digits at most, nothing for none."""
    return "" if value is None else f"{round(value, 2):g}"
