"""What authors of assignments are told of their mistakes: one sentence, with file and line."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment
from autograder.errors import AssignmentError
from autograder.grading.checker import collect, forget
from autograder.testing import build_submission

GOOD = """
from autograder.rubric import item

@item("rms", points=2)
def test_rms(case):
    pass
"""

TOML = """\
title = "A task"

[[items]]
id = "rms"
points = 3

[[items]]
id = "peak"
points = 2
needs = ["rms"]
"""


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = Course(tmp_path)
    (course.source / "my-task").mkdir(parents=True)
    (course.checks / "my_task").mkdir(parents=True)
    (course.source / "my-task" / "assignment.toml").write_text(TOML, encoding="utf-8")
    return course


def edit(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


MODULES = {
    "fails at import": (
        edit(GOOD, "import item", "import items, itm"),
        "line 2, raises ImportError: cannot import name",
    ),
    "is no Python": (edit(GOOD, "(case):", "(case)"), "line 5, raises SyntaxError"),
    "stops": (f"{GOOD}\n1 / 0\n", "line 8, raises ZeroDivisionError: division by zero."),
    "no item": (edit(GOOD, '@item("rms", points=2)', ""), "test_rms does not refer to an item: write `@item"),
    "unknown item": (
        edit(GOOD, '"rms"', '"rsm"'),
        "test_rms refers to the unknown item 'rsm' (did you mean 'rms'?).",
    ),
    "no points": (
        "from autograder.rubric import items\n\npytestmark = items('rms')\n\ndef test_rms(case):\n    pass\n",
        "line 5: test_rms does not say how many points it is worth: add `@points(1)`.",
    ),
    "a bad weight": (
        edit(GOOD, "points=2", "points=-1"),
        "line 4: test_rms is worth -1 points: write a number above 0.",
    ),
    "a weight as text": (edit(GOOD, "points=2", "points='2'"), "test_rms is worth '2' points"),
    "no case": (edit(GOOD, "(case)", "()"), "line 4: test_rms has no argument `case`: write `def test_rms(case):`."),
    "no check": ("x = 1\n", "There is no check in"),
}


@pytest.mark.parametrize("mistake", MODULES)
def test_a_mistake_in_a_module_of_checks(course: Course, mistake: str) -> None:
    text, sentence = MODULES[mistake]
    folder = course.checks / "my_task"
    (folder / "test_my_task.py").write_text(text, encoding="utf-8")
    with pytest.raises(AssignmentError) as caught:
        collect(folder, ("rms", "peak"))
    said = str(caught.value)
    assert sentence in said
    assert "\n" not in said
    assert "my_task" in said
    (folder / "test_my_task.py").write_text(GOOD + "# now it is right\n", encoding="utf-8")
    forget(folder)
    assert [check.item for check in collect(folder, ("rms", "peak"))] == ["rms"]


SETTINGS = {
    "a typo in a key": (
        "points = 2",
        "point = 2",
        "line 9: items.2.point: there is no setting 'point' (did you mean 'points'?).",
    ),
    "a typo at the top": ('title = "A', 'titel = "A', "titel: there is no setting 'titel' (did you mean 'title'?)"),
    "points as text": (
        "points = 3",
        'points = "3"',
        "line 5: items.1.points: points must be a number, without quotes;",
    ),
    "no points": ("points = 3\n", "", "line 3: items.1.points is missing."),
    "points of 0": ("points = 3", "points = 0", "line 5: items.1.points must be greater than 0."),
    "an id that is there twice": ('id = "peak"', 'id = "rms"', "more than one item has the id 'rms'."),
    "a typo in a name": ('["rms"]', '["rsm"]', "item 'peak' needs the unknown cell 'rsm' (did you mean 'rms'?)."),
    "no toml": ("points = 3", "points = ", "assignment.toml is not valid TOML:"),
    "unknown parameters": ("[[items]]", "[parameters]\nepochs = 3\n\n[[items]]", "there is no setting 'epochs'"),
    "a typo in a limit": (
        "[[items]]",
        "[limits]\ncell_second = 3\n\n[[items]]",
        "line 4: limits.cell_second: there is no setting 'cell_second' (did you mean 'cell_seconds'?).",
    ),
    "a limit of 0": ("[[items]]", "[limits]\nrun_seconds = 0\n\n[[items]]", "line 4: limits.run_seconds must be"),
    "unknown checks": ("[[items]]", 'checks = "nowhere"\n\n[[items]]', "checks/nowhere does not exist."),
}


@pytest.mark.parametrize("mistake", SETTINGS)
def test_a_mistake_in_the_settings(course: Course, mistake: str) -> None:
    old, new, sentence = SETTINGS[mistake]
    path = course.source / "my-task" / "assignment.toml"
    path.write_text(edit(TOML, old, new), encoding="utf-8")
    with pytest.raises(AssignmentError) as caught:
        Assignment.load("my-task", course)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_that_was_nearly_right(course: Course) -> None:
    with pytest.raises(AssignmentError, match=re.escape("There is no assignment 'my-tsk' (did you mean 'my-task'?)")):
        Assignment.load("my-tsk", course)


EXERCISES = {
    "raises": ("import numpy\n1 / 0\n", "exercise.py, line 2, raises ZeroDivisionError: division by zero."),
    "is no Python": ("def\n", "exercise.py, line 1, raises SyntaxError: invalid syntax."),
    "has none": ("EXERCIES = 3\n", "exercise.py has no EXERCISE: write `EXERCISE = Exercise(...)`."),
    "has another thing": ("EXERCISE = 3\n", "exercise.py has an EXERCISE that is a int"),
    "unknown cells": (
        "from autograder.assignment.exercise import Exercise, TaskSignature\n"
        "EXERCISE = Exercise(signatures=(TaskSignature('rsm', defines_class='A'),))\n",
        "exercise.py: `signatures` refers to the unknown cell 'rsm' (did you mean 'rms'?).",
    ),
    "unknown series": (
        "from autograder.assignment.exercise import Exercise, Series\n"
        "EXERCISE = Exercise(series=(Series('s', rows='rows', plots='peek', comment='rms'),))\n",
        "exercise.py: `series` refers to the unknown cell 'peek' (did you mean 'peak'?).",
    ),
    "unknown instruments": (
        "from autograder.assignment.exercise import Exercise\nEXERCISE = Exercise(instruments=('figure',))\n",
        "exercise.py: `instruments` refers to the unknown instrument 'figure' (did you mean 'figures'?).",
    ),
}


@pytest.mark.parametrize("mistake", EXERCISES)
def test_a_mistake_in_the_exercise(course: Course, mistake: str) -> None:
    text, sentence = EXERCISES[mistake]
    (course.checks / "my_task" / "exercise.py").write_text(text, encoding="utf-8")
    with pytest.raises(AssignmentError) as caught:
        Assignment.load("my-task", course)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


DRAWN = {
    "raises": ("{}['x']", "exercise.py, line 3, raises KeyError: 'x'."),
    "returns the wrong thing": ("{}", "exercise.py: `sample` returns a dict: return a Script."),
    "stand-ins for unknown cells": (
        "Script([], {}, [], {'rsm': {'x': 1}})",
        "exercise.py: `stand_ins` refers to the unknown cell 'rsm' (did you mean 'rms'?).",
    ),
    "plans out of range": (
        "Script([], {'0.1/32': [0]}, [], {})",
        "exercise.py: `settings` refers to plan 0, but there are 0 plans.",
    ),
}


@pytest.mark.parametrize("mistake", DRAWN)
def test_a_mistake_in_what_an_exercise_samples(course: Course, mistake: str) -> None:
    from autograder.assignment.scenario import sample_scenario

    value, sentence = DRAWN[mistake]
    text = (
        "from autograder.assignment.exercise import Exercise, Script\n"
        f"def sample(parameters, sizes, rng):\n    return {value}\nEXERCISE = Exercise(sample=sample)\n"
    )
    (course.checks / "my_task" / "exercise.py").write_text(text, encoding="utf-8")
    assignment = Assignment.load("my-task", course)
    with pytest.raises(AssignmentError) as caught:
        sample_scenario(assignment, 1)
    assert sentence in str(caught.value)


def test_a_test_names_a_cell_that_is_not_there(course: Course) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("", metadata={"nbgrader": {"grade_id": "rms", "solution": True}})]
    )
    assignment = Assignment.load("my-task", course)
    assignment.release_folder.mkdir(parents=True)
    nbformat.write(notebook, assignment.release_folder / "my-task.ipynb")
    with pytest.raises(AssignmentError, match=re.escape("The release has no cell 'rns' (did you mean 'rms'?).")):
        build_submission(assignment, {"rns": "1"}, others="release")
