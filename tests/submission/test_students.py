"""Five notebooks that were written from the release alone get what a fair teacher would give."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat import NotebookNode

from samples.filling import fill, read_description
from tests.conftest import Grade

FOLDER = Path(__file__).parent / "students"
LOST = {"four": {"callback": 11.0, "lr-metrics": 10.0, "bs-metrics": 10.0}}


@pytest.mark.parametrize("name", ["one", "two", "three", "four", "five"])
def test_points_are_what_a_fair_teacher_would_give(grade_notebook: Grade, release: NotebookNode, name: str) -> None:
    verdict = grade_notebook(fill(release, read_description(FOLDER / f"{name}.py")), seed=8).verdict
    assert {i.id: i.points for i in verdict.items if i.points != i.max_points} == LOST.get(name, {})
