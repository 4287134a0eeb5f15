"""The smallest assignment: its checks draw inputs, and tell the student of the smallest that fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.assignment.course import Course
from autograder.assignment.settings import TimeLimits
from autograder.commands.rejudge import rejudge_class
from autograder.errors import KernelFailed
from autograder.execution.limits import Limits
from autograder.execution.options import Options
from autograder.grading.checker import forget
from autograder.grading.saved_runs import SavedRuns, rejudge
from autograder.results.store import ResultStore
from autograder.testing import Grader, build_submission, lost_points, messages
from tests.small_course import NAME, make_course, write_checks

MEAN = {"rms": "def rms(x):\n    return np.mean(np.abs(x))"}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return make_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def grader(course: Course) -> Iterator[Grader]:
    with Grader(NAME, course) as opened:
        yield opened


def test_the_solution_has_all_points_and_the_release_none(grader: Grader) -> None:
    assert lost_points(grader.grade()) == {}
    untouched = grader.grade(others="release")
    assert lost_points(untouched) == {"rms": 3, "loudest": 2}
    assert messages(untouched)["rms"] == "`rms` is not complete."


def test_the_smallest_input_that_fails_is_shown(grader: Grader) -> None:
    for seed in (1, 2):
        verdict = grader.grade(MEAN, seed=seed)
        assert lost_points(verdict) == {"rms": 2}
        said = "For array([0., 1.]), `rms` returned 0.5; it should be 0.7071068."
        assert messages(verdict)["rms"] == said


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def rms(x):\n    return 1 / 0", "For array([0.]), `rms` stopped with ZeroDivisionError: division by zero."),
        ("def rms(x):\n    return x", "For array([0.]), `rms` returned array([0.]); it should be 0. Its shape is (1,)"),
        ("def rms(x):\n    while True: pass", "did not return: it ran longer than the 5 s limit."),
        ("def root(x):\n    return 0", "`rms` is not defined"),
        ("def rms(x):\n    return object()", "returned a value of type object; it should be 0."),
    ],
)
def test_what_went_wrong_is_told(grader: Grader, source: str, sentence: str) -> None:
    verdict = grader.grade({"rms": source})
    assert lost_points(verdict)["rms"] == 3
    assert sentence in messages(verdict)["rms"]


def test_an_assignment_sets_how_long_its_notebook_may_run(grader: Grader, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def note_limits(*_: object, limits: Limits, **how: object) -> None:
        seen.append(limits)
        raise KernelFailed("No kernel is needed here.")

    monkeypatch.setattr("autograder.grading.grade.run", note_limits)
    grader.grade()
    own = grader.assignment.model_copy(update={"limits": TimeLimits(cell_seconds=5, run_seconds=90)})
    monkeypatch.setattr(grader, "assignment", own)
    grader.grade()
    assert seen == [Limits(cell=60, run=300), Limits(cell=5, run=90)]
    assert Options(limits=Limits(cell=1)).limits_of(own) == Limits(cell=1)


def test_tables_are_sent_to_the_notebook(grader: Grader) -> None:
    verdict = grader.grade({"loudest": "def loudest(table):\n    return table['name'].iloc[0]"})
    assert lost_points(verdict) == {"loudest": 2}
    assert "`loudest` returned 'sound 0'; it should be 'sound 1'" in messages(verdict)["loudest"]


def test_inputs_are_other_ones_in_every_run_and_the_same_for_the_same_seed(grader: Grader) -> None:
    notebook = build_submission(grader.assignment)
    records = [grader.run(notebook, seed).record for seed in (1, 1, 2)]
    first, same, other = (record.runs[0].samples["rms/root_mean_square"] for record in records if record is not None)
    assert first == same
    assert first != other
    assert len(first) >= 15


def test_no_tensorflow_is_imported(course: Course, grader: Grader) -> None:
    assert "keras" not in grader.assignment.exercise.instruments
    verdict = grader.grade({"rms": "import sys\nassert 'tensorflow' not in sys.modules\ndef rms(x): return 0"})
    assert "AssertionError" not in messages(verdict)["rms"]


def test_saved_evidence_gives_the_same_verdict(grader: Grader) -> None:
    for cells in ({}, MEAN):
        graded = grader.run(build_submission(grader.assignment, cells), seed=5)
        assert graded.record is not None
        again = SavedRuns.model_validate_json(graded.record.model_dump_json())
        assert rejudge(grader.assignment, again) == graded.verdict.items


def test_an_edited_rule_is_applied_and_a_new_question_is_run_again(
    grader: Grader, course: Course, tmp_path: Path
) -> None:
    graded = grader.run(build_submission(grader.assignment, MEAN), seed=6)
    store = ResultStore(tmp_path, grader.assignment)
    store.write(graded)
    path = grader.assignment.checks_folder / "test_my_task.py"
    text = path.read_text(encoding="utf-8")
    try:
        write_checks(course, text.replace("np.sqrt(np.mean(x**2))", "np.mean(np.abs(x))"))
        forget(path.parent)
        assert rejudge_class(store).changed == {"student": (3.0, 5.0)}
        write_checks(course, text.replace("arrays(float, (1, 200))", "arrays(float, (1, 300))"))
        forget(path.parent)
        assert rejudge_class(store).to_run == ("student",)
    finally:
        write_checks(course, text)
        forget(path.parent)


MODEL = """
class Inner:
    level = 2.5
class Model:
    inner = Inner()
    def predict(self, x): return x * 2
def rms(x): return Model()
"""
CHECKS = '''
from autograder.rubric import close_to, equal_to, item

@item("rms", points=3)
def test_model(case):
    """`rms` returns a model."""
    case.expect(case.call("rms", 1, then=("predict", 4)), equal_to(8))
    case.expect(case.call("rms", 1, attributes=("inner.level", "inner.none")).value.inner.level, close_to(2.5))
    case.expect(case.call("rms", 1, then=("fit", 4)).value, close_to(1))

@item("loudest", points=2)
def test_table(case):
    """The table has one row."""
    assert len(case.look("table").value) == 1, case.no_such_name
'''


def test_methods_attributes_and_errors_of_a_result(course: Course, grader: Grader) -> None:
    path = course.checks / "my_task" / "test_my_task.py"
    before = path.read_text(encoding="utf-8")
    write_checks(course, CHECKS)
    forget(path.parent)
    verdict = grader.grade({"rms": MODEL, "loudest": "table = [1]"})
    assert (
        messages(verdict)["rms"]
        == "`rms(1).fit(4)` stopped with AttributeError: 'Model' object has no attribute 'fit'."
    )
    missing = grader.grade({"rms": MODEL, "loudest": "pass"})
    assert messages(missing)["loudest"] == "`table` is not defined."
    fault = grader.grade({"rms": MODEL, "loudest": "table = [1, 2]"})
    with pytest.raises(
        AssertionError, match=r"test_my_task.py, line 14, AttributeError: 'Case' object has no attribute"
    ):
        lost_points(fault)
    path.write_text(before, encoding="utf-8")
    forget(path.parent)
