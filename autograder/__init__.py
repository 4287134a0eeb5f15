"""Grades assignments by evidence.

The public API, imported when it is first used::

    from pathlib import Path
    from autograder import Assignment, Course, grade_class, grade_notebook

    assignment = Assignment.load("tta-eta", Course(Path("my-course")))
    graded = grade_notebook(assignment, Path("notebook.ipynb"))
    print(graded.verdict.points, "of", graded.verdict.max_points)
    verdicts = grade_class(assignment, Path("submitted"), Path("graded"))

The way of one submission, package by package: `assignment` holds what is asked (`course`, `settings`, `exercise`, and
the `scenario` that is sampled); `submission` finds, reads and repairs what was submitted; `execution` forks a kernel
inside the `sandbox` and takes it through the notebook with the `runtime` inside, whose questions the `oracle` answers,
and `evidence` is what comes out; in `grading`, `checker` lets pytest decide over it with the modules in `checks`,
`grade` does that as often as fairness asks, and `verdict` is the result; `results` keeps it in a `store`. `scheduling`
does this for a class, on this machine or on a cluster; `reporting` writes what people read, `integrations` connects
other systems, and `commands` is what a person calls. Each package imports only from those before it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assignment.course import Course
    from .assignment.settings import Assignment
    from .commands.grade import grade_class, grade_notebook

__all__ = ["Assignment", "Course", "grade_class", "grade_notebook"]

_HOMES = {
    "Assignment": "assignment.settings",
    "Course": "assignment.course",
    "grade_class": "commands.grade",
    "grade_notebook": "commands.grade",
}
"""The module of each name; to import them all takes a second that `--help` should not take."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
