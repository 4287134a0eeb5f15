"""Which course is in use, and what an assignment knows of the one it belongs to."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest

from autograder.assignment.course import PACKAGE, Course
from autograder.assignment.settings import Assignment
from autograder.submission.limited import read_submission
from tests.places import COURSE, ROOT


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course with one assignment, away from this package."""
    shutil.copytree(COURSE / "source" / "fixed-epochs", tmp_path / "source" / "fixed-epochs")
    shutil.copytree(COURSE / "release" / "fixed-epochs", tmp_path / "release" / "fixed-epochs")
    return Course(tmp_path)


def test_a_course_in_the_working_directory_comes_first(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert Course.find() == Course(COURSE)
    monkeypatch.chdir(course.root)
    assert Course.find() == course
    assert Course.find().assignments() == ["fixed-epochs"]
    monkeypatch.chdir(course.source)
    assert Course.find() == Course(COURSE)
    monkeypatch.delenv("AUTOGRADER_COURSE")
    assert Course.find() == Course(PACKAGE.parent)


def test_an_assignment_takes_its_course_along(course: Course) -> None:
    loaded = Assignment.load("fixed-epochs", course)
    for same in (loaded, pickle.loads(pickle.dumps(loaded)), loaded.model_copy(update={"title": "?"})):
        assert same.course == course
        assert same.release_folder == course.root / "release" / "fixed-epochs"
    assert str(course.root) not in loaded.model_dump_json(), "the same verdicts count on another machine"


def test_the_process_that_reads_takes_the_release_of_the_same_course(course: Course, tmp_path: Path) -> None:
    loaded = Assignment.load("fixed-epochs", course)
    released = course.release / "fixed-epochs" / loaded.notebook_name
    submitted = tmp_path / "submitted"
    submitted.mkdir()
    shutil.copy(released, submitted)
    text = released.read_text(encoding="utf-8")
    released.write_text(text.replace("n_tr", "n_rows_here"), encoding="utf-8")
    assert text != released.read_text(encoding="utf-8")
    notebook = read_submission(submitted, loaded, "ada").notebook
    assert any("n_rows_here" in cell.source for cell in notebook.cells)
