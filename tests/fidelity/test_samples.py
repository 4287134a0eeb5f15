"""Tests that the sample class is written as students would submit it."""

from __future__ import annotations

import ast
import re
import shutil

import nbformat
import pytest

from autograder.assignment.course import Course
from autograder.assignment.release import release
from autograder.assignment.settings import Assignment
from autograder.assignment.source import dumps, read, source_path
from autograder.common.cells import grade_id
from samples.build import RAW, SAMPLES, build, students
from samples.filling import read_description
from tests.places import COURSE, ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("class")
    build(place)
    return place


def test_every_student_hands_in_one_file(folder):
    assert sorted(path.name for path in folder.iterdir()) == students()
    assert len(students()) >= 12
    assert all(len(list((folder / student / "tta-eta").iterdir())) == 1 for student in students())


def test_notebooks_are_valid_and_raw_files_are_not(folder):
    for path in folder.glob("*/tta-eta/*.ipynb"):
        if path.parts[-3] in RAW:
            with pytest.raises(nbformat.reader.NotJSONError):
                nbformat.read(path, as_version=4)
        else:
            nbformat.validate(nbformat.read(path, as_version=4))


def test_building_again_leaves_no_old_file(folder):
    old = folder / students()[0] / "tta-eta" / "old.txt"
    old.write_text("old")
    build(folder)
    assert not old.exists()


def test_the_class_fits_a_course_that_leaves_tasks_out(tmp_path, monkeypatch):
    """An instructor requires another accuracy, and neither the plots nor the written answer about learning rates."""
    shutil.copytree(COURSE / "source", tmp_path / "source")
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    settings = tmp_path / "source" / "tta-eta" / "assignment.toml"
    text = settings.read_text(encoding="utf-8").replace("threshold = 0.95 ", "threshold = 0.98 ")
    text = re.sub(r"\[\[items\]\]\nid = \"lr-(plots|comment)\"\n(.+\n)+\n", "", text)
    settings.write_text(text.replace('"lr-plots-check", ', ""), encoding="utf-8")
    assignment = Assignment.load("tta-eta", Course(tmp_path))
    notebook = read(source_path(assignment))
    notebook.cells = [cell for cell in notebook.cells if not (grade_id(cell) or "").startswith(("lr-plots", "lr-com"))]
    source_path(assignment).write_text(dumps(notebook), encoding="utf-8")
    release(assignment)
    monkeypatch.chdir(tmp_path)
    files = build(tmp_path / "submitted")
    assert len(files) == len(students())
    assert "learning_rate" in (tmp_path / "submitted" / "amber" / "tta-eta" / "tta-eta.ipynb").read_text()


@pytest.mark.parametrize(
    "path", sorted((SAMPLES / "students").glob("*/*.py")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_sample_is_valid_python(path):
    description = read_description(path)
    assert description.header.style
    for cell, source in description.cells.items():
        if not cell.endswith("comment"):
            ast.parse(source)
