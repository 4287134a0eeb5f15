"""The sample class is laid out as students would hand it in."""

from __future__ import annotations

import ast

import nbformat
import pytest

from samples.build import RAW, SAMPLES, build, students
from samples.filling import read_description


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


@pytest.mark.parametrize("path", sorted((SAMPLES / "students").glob("*.py")), ids=lambda path: path.stem)
def test_sample_is_valid_python(path):
    description = read_description(path)
    assert description.header.style
    for cell, source in description.cells.items():
        if not cell.endswith("comment"):
            ast.parse(source)
