"""The page on performance says what was measured, and whether it is enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autograder.assignment.settings import Assignment
from autograder.reporting.similarity import NEAR, code_of_class, groups
from autograder.submission.prepare import load_release
from benchmarks import classes, limit, page, record

FIGURES: dict[str, Any] = {
    "sizes": {
        "classes": [
            {"size": 10, "seconds": 20.0, "again": 3.0},
            {"size": 100, "seconds": 90.0, "again": 3.5},
            {"size": 1000, "seconds": 950.0, "again": 6.0},
        ]
    },
    "rivals": {
        "alone": [1.6, 1.5, 1.4],
        "parts": {"kernel": 1.2, "checks": 0.3},
        "class": [0.9, 0.9, 0.9],
        "bench": [9.0, 8.1, 8.0],
        "nbgrader": [17.0, 18.0, 40.0],
        "otter": [23.0, 22.0, 24.0],
        "checks": 4,
    },
    "limit": {"kernel": [1.4, 1.6], "alone": [1.0, 1.0]},
    "memory": {"kernel": 120e6, "worker": 150e6, "kernels": 10},
    "dask": {"one": [2.0, 1.8], "two": [1.0, 1.0]},
    "lab": {"plain": [1.0, 1.2], "given": [0.4, 0.5], "plain accuracy": [0.97, 0.98], "given accuracy": [0.97, 0.975]},
}


@pytest.fixture
def kept(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "performance.json"
    for part, figures in FIGURES.items():
        record.keep(part, figures, (0.5, 0.5, 0.5), path)
    return record.load(path)


def test_targets_are_met_or_not_by_the_figures(kept: dict[str, Any]) -> None:
    found = [(target.found, target.fits) for target in page.targets(kept)]
    assert found == [
        ("0.9 s", True),
        ("20 times", False),
        ("9 times", True),
        ("1.5", False),
        ("120 MB", False),
        ("0.475", True),
        ("6 s", False),
        ("1.9 times", True),
        ("2.45", True),
    ]


def test_what_was_not_measured_is_left_out(kept: dict[str, Any]) -> None:
    del kept["sizes"], kept["rivals"], kept["dask"], kept["lab"]
    assert [target.found for target in page.targets(kept)] == ["1.5", "120 MB"]


def test_a_part_that_is_measured_again_replaces_itself_alone(tmp_path: Path, kept: dict[str, Any]) -> None:
    path = tmp_path / "performance.json"
    record.keep("memory", {"kernel": 1e6, "worker": 2e6, "kernels": 1}, (3.0, 0.0, 0.0), path)
    again = record.load(path)
    assert again["memory"]["kernel"] == 1e6
    assert again["memory"]["measured"]["load"] == 3.0
    assert again["dask"] == kept["dask"]


def test_the_page_shows_table_and_plot(tmp_path: Path, kept: dict[str, Any]) -> None:
    page.write(tmp_path / "page.md", tmp_path / "plot.png", kept)
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| 1,000 | 950.0 s | 0.95 s | 6.0 s |" in text
    assert text.count("**not met**") == 4
    assert "97.0%, 98.0%" in text
    assert "| checks | 0.300 | 20 % |" in text
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_no_two_submissions_of_a_class_are_near_identical(assignment: Assignment) -> None:
    made = {str(number): classes.notebook(assignment, number) for number in range(12)}
    assert groups(code_of_class(made, load_release(assignment)), NEAR) == []


def test_the_solution_runs_to_its_end_in_a_process_without_a_kernel(assignment: Assignment) -> None:
    ours, alone = limit.without_kernel(assignment, 1)
    assert len(ours) == len(alone) == 1
