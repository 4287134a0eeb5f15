"""Stand-ins of any value: later cells find what a broken one should have left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment
from autograder.commands.validate import validate_release
from autograder.errors import AssignmentError
from autograder.execution.stand_ins import decode_stand_ins, encode_stand_ins
from autograder.grading.checker import forget
from autograder.grading.saved_runs import SavedRuns, rejudge
from autograder.testing import Grader, build_submission, lost_points, messages
from tests.small_course import NAME, make_course

EXERCISE = '''
import numpy as np
import pandas as pd
from autograder.assignment.exercise import Exercise
from autograder.rubric import Code

SOURCE = """
def rms(x):
    return np.linalg.norm(x) / len(x) ** 0.5

class Meter:
    level = scale[-1]
"""

script = Code("import numpy as np" + SOURCE, scale=np.arange(4.0))
values = {
    "rms": script["rms"],
    "Meter": script["Meter"],
    "meter": script["Meter()"],
    "weights": np.arange(6, dtype="int16").reshape(2, 3),
    "table": pd.DataFrame({"name": ["a", "b"], "level": [1.5, np.nan]}, index=[3, 7]),
    "pair": (1, {"x"}),
}
EXERCISE = Exercise(stand_ins={"rms": values})
'''

LATER = """
assert (weights.dtype, weights.shape) == ("int16", (2, 3))
assert list(table.index) == [3, 7] and np.isnan(table.loc[7, "level"])
assert pair == (1, {"x"})
assert isinstance(meter, Meter) and meter.level == 3
assert rms(np.array([3.0, 4.0])) > 3.5

def loudest(table):
    return table.loc[table["level"].idxmax(), "name"]
"""


CHECK = '''

@item("loudest", points=1)
def test_root_mean_square_of_one(case):
    """The level of one sound is right."""
    asked = "[loudest(pd.DataFrame({'name': ['a'], 'level': [1]})), rms(np.array([3.0]))]"
    case.expect(case.look(asked), close_to(["a", 3.0]))
'''


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = make_course(tmp_path_factory.mktemp("course"))
    settings = course.source / NAME / "assignment.toml"
    text = settings.read_text(encoding="utf-8").replace('id = "loudest"', 'id = "loudest"\nneeds = ["rms"]')
    settings.write_text(text, encoding="utf-8")
    (course.checks / "my_task" / "exercise.py").write_text(EXERCISE, encoding="utf-8")
    forget(course.checks / "my_task")
    return course


@pytest.fixture(scope="module")
def grader(course: Course) -> Iterator[Grader]:
    with Grader(NAME, course) as opened:
        yield opened


@pytest.mark.parametrize("broken", ["raise NotImplementedError()", "1 / 0"])
def test_later_cells_find_values_of_every_type(grader: Grader, broken: str) -> None:
    graded = grader.run(build_submission(grader.assignment, {"rms": broken, "loudest": LATER}))
    assert lost_points(graded.verdict) == {"rms": 3}, messages(graded.verdict)
    assert graded.record is not None
    again = SavedRuns.model_validate_json(graded.record.model_dump_json())
    assert rejudge(grader.assignment, again) == graded.verdict.items


def test_a_stub_that_a_later_cell_calls_is_replaced_and_named(grader: Grader) -> None:
    stub = "def rms(x):\n    raise NotImplementedError()"
    calls = f"{LATER}\nrms(np.array([1.0]))\n"
    assert lost_points(grader.grade({"rms": stub, "loudest": calls})) == {"rms": 3}
    alone = grader.grade({"rms": stub, "loudest": f"rms(np.array([1.0]))\n{LATER}".replace("loudest", "other")})
    said = messages(alone)["loudest"]
    assert "is not defined" in said, "the stand-in was there, and the cell went on"


def test_an_assignment_without_energy_is_run_once(grader: Grader) -> None:
    verdict = grader.grade({"rms": "def rms(x): return 0"})
    assert lost_points(verdict) == {"rms": 2}
    assert verdict.timings["runs"] == 1


def test_a_stand_in_without_names_is_said_to_the_author(course: Course, grader: Grader) -> None:
    exercise = replace(grader.assignment.exercise, stand_ins={"rms": (1, 2)})
    with pytest.raises(AssignmentError, match="the stand-in for 'rms' is a tuple: give a dictionary of names"):
        exercise.sample_script(course.checks / "my_task", ("rms", "loudest"), (None, None, None))  # type: ignore[arg-type]


def test_what_cannot_be_sent_is_said_to_the_author() -> None:
    with pytest.raises(AssignmentError, match="'thing' of the cell 'rms' .* of type object. Pass it as code"):
        encode_stand_ins({"rms": {"thing": [1, {"deep": object()}]}})
    with pytest.raises(AssignmentError, match="'big' .* too large"):
        encode_stand_ins({"rms": {"big": np.zeros(1_000_000)}})


@pytest.mark.parametrize("data", [{"a": {"b": {"odd": 1}}}, {"a": 1}, {"a": {"b": {"code": 1}}}])
def test_a_record_of_another_form_is_refused(data: dict[str, dict[str, object]]) -> None:
    with pytest.raises(ValueError, match="."):
        decode_stand_ins(data)


def test_validate_breaks_each_needed_cell(course: Course, grader: Grader) -> None:
    assert validate_release(grader.assignment) == []
    path = course.checks / "my_task" / "exercise.py"
    checks = course.checks / "my_task" / "test_my_task.py"
    checks.write_text(checks.read_text(encoding="utf-8") + CHECK, encoding="utf-8")
    forget(path.parent)
    assert validate_release(grader.assignment) == []
    path.write_text(EXERCISE.replace("/ len(x)", "/ (1 + len(x))"), encoding="utf-8")
    forget(path.parent)
    (problem,) = validate_release(grader.assignment)
    settings = course.source / NAME / "assignment.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('needs = ["rms"]\n', ""), encoding="utf-8")
    (unknown,) = validate_release(Assignment.load(NAME, course))
    assert "Add 'rms' to `needs` of the item loudest in assignment.toml" in unknown
    assert problem.startswith("If the cell rms is not completed, the solution loses points in loudest: `[loudest(")
    assert problem.endswith("Check the stand-in for rms in exercise.py.")
