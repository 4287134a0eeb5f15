"""A course with one small assignment, as `make new-assignment` writes it, in a separate folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from autograder.assignment.course import Course
from autograder.commands.new_assignment import create
from tests.places import ROOT

NAME = "my-task"


def make_course(root: Path) -> Course:
    """Write the course into an empty folder."""
    shutil.copy(ROOT / "nbgrader_config.py", root)
    course = Course(root)
    create(NAME, course)
    return course


def write_checks(course: Course, text: str) -> Path:
    """Replace the checks of the course's assignment."""
    path = course.checks / "my_task" / "test_my_task.py"
    path.write_text(text, encoding="utf-8")
    return path
