"""What the author of an assignment calls: a new assignment, and a notebook that is tried."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment
from autograder.commands import try_notebook as trying
from autograder.execution.options import Options
from autograder.grading.checker import forget
from autograder.testing import build_submission
from tests.places import ROOT
from tests.small_course import NAME, make_course, write_checks


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return make_course(tmp_path_factory.mktemp("course"))


@pytest.fixture
def here(course: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    monkeypatch.chdir(course.root)
    return course


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli.app, list(arguments))
    return f"{done.exit_code} {done.output}"


def test_a_new_assignment_validates_and_a_second_one_of_the_name_is_refused(here: Course) -> None:
    assert "full points" in run("validate", "--assignment", NAME)
    assert "source/my-task already exists" in run("new-assignment", NAME)
    assert "is not a valid assignment name" in run("new-assignment", "My Task")


def test_its_own_tests_pass_and_run_no_check(here: Course) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "checks/my_task"]
    done = subprocess.run(command, cwd=here.root, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
                          capture_output=True, text=True, timeout=300)  # fmt: skip
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_a_notebook_is_tried_rule_by_rule(here: Course, tmp_path: Path) -> None:
    notebook = build_submission(Assignment.load(NAME, here), {"rms": "def rms(x):\n    return np.mean(np.abs(x))"})
    nbformat.write(notebook, tmp_path / "wrong.ipynb")
    output = run("try", str(tmp_path / "wrong.ipynb"), "--assignment", NAME, "--seed", "3", "--evidence")
    for line in (
        "rms: 1 of 3",
        "✗ 0/2  `rms` returns the root mean square of any array.",
        "✓ 1/1  The root mean square of silence is 0.",
        "`rms` returned 0.5; it should be 0.7071068.",
        "3 of 5 points",
        "cell 1 (rms): ran",
        "requested rms",
    ):
        assert line in output
    assert "There is no notebook nowhere.ipynb" in run("try", "nowhere.ipynb", "--assignment", NAME)


def test_an_item_without_a_check_is_tried_but_no_class_is_graded_with_it(here: Course, tmp_path: Path) -> None:
    assignment = Assignment.load(NAME, here)
    path = assignment.checks_folder / "test_my_task.py"
    text = path.read_text(encoding="utf-8")
    write_checks(here, text.replace('@item("loudest"', '@item("rms"'))
    forget(path.parent)
    missing = "There is no check for the item 'loudest': write one with `@item('loudest', points=...)`, or remove the"
    folder = tmp_path / "submitted" / "ada" / NAME
    folder.mkdir(parents=True)
    nbformat.write(build_submission(assignment), folder / f"{NAME}.ipynb")
    try:
        tried = run("try", "--assignment", NAME)
        graded = run("autograde", "--assignment", NAME, "--submitted", str(folder.parents[1]), "--out", str(tmp_path))
    finally:
        write_checks(here, text)
        forget(path.parent)
    assert f"3 of 3 points\n{missing}" in tried
    assert graded.startswith("1 ")
    assert missing in " ".join(graded.split())
    assert not (tmp_path / NAME).exists()


def test_a_release_that_is_older_than_its_source_is_generated_again(here: Course) -> None:
    source = here.source / NAME / f"{NAME}.ipynb"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("import numpy as np", "import numpy as np, math"), encoding="utf-8")
    output = run("try", "--assignment", NAME)
    assert "The release was older than the source" in output
    assert "A provided cell had been changed" not in output
    assert "5 of 5 points" in output
    assert "The release was older" not in run("try", "--assignment", NAME)
    source.write_text(text, encoding="utf-8")
    run("release", "--assignment", NAME)


def test_watching_runs_again_after_an_edit_and_survives_a_mistake(course: Course) -> None:
    assignment = Assignment.load(NAME, course)
    path = assignment.checks_folder / "test_my_task.py"
    text = path.read_text(encoding="utf-8")
    edits = [text.replace("import numpy as np", "import numpyy as np"), text.replace("points=2", "points=4")]
    lines: list[str] = []

    def edit() -> None:
        if not edits:
            raise KeyboardInterrupt
        write_checks(course, edits.pop(0))

    try:
        with pytest.raises(KeyboardInterrupt):
            trying.watch(assignment, None, Options(seed=1), shows_evidence=False, log=lines.append, wait=edit)
    finally:
        write_checks(course, text)
    output = "\n".join(lines)
    assert "✓ 2/2  `rms`" in output
    assert "test_my_task.py, line 3, raises ModuleNotFoundError: No module named 'numpyy'." in output
    assert "✓ 2.4/2.4  `rms`" in output


def test_one_student_is_graded_and_run_again_when_a_check_asks_something_new(here: Course) -> None:
    assignment = Assignment.load(NAME, here)
    for student in ("ada", "bob"):
        folder = here.root / "submitted" / student / NAME
        folder.mkdir(parents=True)
        nbformat.write(build_submission(assignment), folder / f"{NAME}.ipynb")
    assert "There is no submission from 'adda' in submitted (did you mean 'ada'?)" in run(
        "autograde", "--assignment", NAME, "--student", "adda"
    )
    output = run("autograde", "--assignment", NAME, "--student", "ada")
    assert "ada" in output
    assert "bob" not in output
    path = assignment.checks_folder / "test_my_task.py"
    text = path.read_text(encoding="utf-8")
    try:
        write_checks(here, text.replace("np.zeros(10)", "np.zeros(11)"))
        forget(path.parent)
        output = run("rejudge", "--assignment", NAME)
    finally:
        write_checks(here, text)
        forget(path.parent)
    assert "0 changed, 0 unchanged, 1 to run again." in output
    assert "Running these submissions again, because a check needs something that was not recorded" in output
    assert "ada" in output.partition("Running these submissions again")[2]
