"""What the command line says to a person and to a program: streams, exit statuses, colours and wording."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.assignment.settings import Assignment
from autograder.grading.verdict import ItemVerdict, Verdict
from autograder.results.points import points_by_item
from autograder.results.store import ResultStore
from tests.places import ROOT

NAME = "tta-eta"

USAGE = {
    "unknown assignment": (["report", "--assignment", "nope"], "There is no assignment 'nope'"),
    "no results": (["report", "--out", "nowhere"], f"no results of {NAME} in nowhere yet: run make autograde."),
    "no pages": (["feedback", "--out", "nowhere"], f"There are no results of {NAME} in nowhere yet"),
    "no evidence": (["rejudge", "--out", "nowhere"], f"There are no results of {NAME} in nowhere yet"),
    "nothing to export": (
        ["export", "--format", "canvas", "--out", "nowhere"],
        f"There are no results of {NAME} in nowhere yet",
    ),
    "no submissions": (["autograde", "--submitted", "nowhere"], "There is no folder nowhere"),
    "no notebook": (["validate", "nowhere.ipynb"], "There is no notebook nowhere.ipynb."),
    "a name": (["new-assignment", "My Task"], "'My Task' is not a valid assignment name"),
    "unknown option": (["report", "--outt", "x"], "No such option: --outt"),
    "not a number": (["autograde", "--jobs", "x"], "Invalid value for '--jobs': must be a whole number, not 'x'."),
    "too small a number": (["profile", "--times", "0"], "Invalid value for '--times': must be at least 1."),
    "not a choice": (["export", "--format", "csv"], "Invalid value for '--format': 'csv' is not one of 'canvas',"),
}


@pytest.mark.parametrize("mistake", USAGE)
def test_a_command_that_cannot_begin_ends_with_2(mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, sentence = USAGE[mistake]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert done.stdout.strip() == ""
    assert not re.search("pydantic|Input should|Value error|Traceback", done.output)
    assert not list(tmp_path.iterdir())


def test_a_fault_in_the_submissions_ends_with_1(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.app, ["autograde", "--submitted", str(tmp_path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "Error: There are no submissions in" in done.stderr
    assert done.stdout.strip() == ""


def run_in_a_terminal(**settings: str) -> bytes:
    """Return what a terminal gets to see of an error."""
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "autograder", "report", "--assignment", "nope"]
    subprocess.run(command, cwd=ROOT, env=environment | {"TERM": "xterm-256color"} | settings,
                   stdin=theirs, stdout=theirs, stderr=theirs, timeout=120, check=False)  # fmt: skip
    os.close(theirs)
    text = os.read(ours, 100_000)
    os.close(ours)
    return text


def test_no_color_is_heeded() -> None:
    colour = re.compile(rb"\x1b\[[\d;]*3\d")
    assert colour.search(run_in_a_terminal())
    text = run_in_a_terminal(NO_COLOR="1")
    assert b"There is no assignment" in text
    assert not colour.search(text)


def test_points_of_a_person_are_pending_until_they_are_given(assignment: Assignment, tmp_path: Path) -> None:
    items = tuple(
        ItemVerdict(
            id=item.id, title=item.title, max_points=item.points, points=item.points, status="graded", message=""
        )
        for item in assignment.judged_items
    )
    verdict = Verdict(assignment=NAME, student="ada", state="graded", items=items)
    store = ResultStore(tmp_path, assignment)
    for given, total, state in (
        ({}, "88/88 + 12 pending", "to be graded"),
        ({"lr-comment": (4.5, None)}, "92.5/94 + 6 pending", "to be graded"),
        ({"lr-comment": (4.5, None), "bs-comment": (6.0, None)}, "98.5/100", "graded"),
    ):
        store.write_grades([verdict], {"ada": given})
        points = store.read_points([verdict])
        assert points["ada"] == points_by_item(assignment, verdict, given)
        *_, totals, states = cli.class_table(assignment, [verdict], points).columns
        assert (list(totals.cells), list(states.cells)) == ([total], [state])
