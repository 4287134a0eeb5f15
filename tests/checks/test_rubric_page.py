"""The page for students shows every check of the lab with its points."""

from __future__ import annotations

from autograder.assignment.settings import Assignment
from autograder.grading.checker import collect
from tests.places import ROOT


def test_students_can_read_what_earns_points(assignment: Assignment) -> None:
    page = (ROOT / "docs" / "student.md").read_text(encoding="utf-8")
    shown = {(row[1], float(row[2])) for row in map(_split, page.splitlines()) if len(row) == 3 and _is_number(row[2])}
    checks = collect(assignment.checks_folder, tuple(item.id for item in assignment.judged_items))
    assert checks
    assert {(check.rubric, check.weight) for check in checks} - shown == set()


def _split(line: str) -> list[str]:
    return [part.strip() for part in line.strip().strip("|").split(" | ")]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
