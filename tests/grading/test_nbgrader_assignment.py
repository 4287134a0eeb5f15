"""Assignments of nbgrader's are graded unchanged: their test cells give the points, as nbgrader counts them."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.assignment import release as releases
from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment
from autograder.commands.rejudge import rejudge_class
from autograder.commands.validate import validate_release
from autograder.common.cells import cells_by_id
from autograder.errors import AssignmentError
from autograder.execution.options import Options
from autograder.grading.saved_runs import SavedRuns, rejudge
from autograder.integrations.gradescope import pack
from autograder.results.cache import hash_basis
from autograder.results.store import ResultStore
from autograder.submission.prepare import load_release
from autograder.testing import Grader, build_submission, lost_points, messages
from tests.nbgrader_courses import make_quickstart, make_statistics, make_texts
from tests.places import ROOT

HIDDEN = "the mean of one number is that number"


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    yield from _open("problem1", make_quickstart(tmp_path_factory.mktemp("quickstart")))


@pytest.fixture(scope="module")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    yield from _open("statistics", make_statistics(tmp_path_factory.mktemp("statistics")))


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    yield from _open("texts", make_texts(tmp_path_factory.mktemp("texts")))


def _open(name: str, course: Course) -> Iterator[Grader]:
    assignment = Assignment.load(name, course)
    releases.release(assignment)
    with Grader(assignment) as grader:
        yield grader


def test_the_quickstart_assignment_has_its_items(quickstart: Grader) -> None:
    assert [(item.id, item.cell, item.points, item.graded_by) for item in quickstart.assignment.items] == [
        ("correct_squares", "squares", 1, "test cell"),
        ("squares_invalid_input", "squares", 1, "test cell"),
        ("correct_sum_of_squares", "sum_of_squares", 0.5, "test cell"),
        ("sum_of_squares_uses_squares", "sum_of_squares", 0.5, "test cell"),
        ("sum_of_squares_equation", "sum_of_squares_equation", 1, "person"),
        ("sum_of_squares_application", "sum_of_squares_application", 2, "person"),
        ("cell-938593c4a215c6cc", "cell-938593c4a215c6cc", 4, "person"),
    ]


def test_the_quickstart_assignment_is_graded(quickstart: Grader) -> None:
    assert validate_release(quickstart.assignment) == []
    wrong = quickstart.grade({
        "squares": "def squares(n):\n    return [i**2 for i in range(1, n + 1)]",
        "sum_of_squares": "def sum_of_squares(n):\n    return sum(i**2 for i in range(1, n + 1))",
    })  # fmt: skip
    assert lost_points(wrong) == {"squares_invalid_input": 1, "sum_of_squares_uses_squares": 0.5}
    said = messages(wrong)
    assert said["squares_invalid_input"] == 'The test `raise AssertionError("did not raise")` failed: did not raise.'
    assert said["sum_of_squares_uses_squares"] == "A test failed: sum_of_squares does not use squares."


@pytest.mark.parametrize("name", ["statistics", "texts"])
def test_assignments_in_its_style_validate(name: str, request: pytest.FixtureRequest) -> None:
    assert validate_release(request.getfixturevalue(name).assignment) == []


def test_hidden_tests_are_run_and_not_released(statistics: Grader) -> None:
    released = load_release(statistics.assignment)
    assert HIDDEN not in str(released)
    graded = statistics.run(build_submission(statistics.assignment, {"mean": "def mean(x): return 3"}))
    assert (
        messages(graded.verdict)["test_mean"] == f'The test `assert mean([0.5]) == 0.5, "{HIDDEN}"` failed: {HIDDEN}.'
    )
    assert HIDDEN not in str(graded.executed)


def test_the_tests_of_the_student_s_copy_do_not_count(statistics: Grader) -> None:
    cells = {"mean": "def mean(x): return 0", "test_mean": "pass", "test_spread": "2"}
    assert lost_points(statistics.grade(cells))["test_mean"] == 2
    notebook = build_submission(statistics.assignment, {"mean": "def mean(x): return 0"})
    notebook.cells = [cell for cell in notebook.cells if not cell.source.startswith(('"""', "score"))]
    assert lost_points(statistics.run(notebook).verdict)["test_mean"] == 2


def test_a_number_is_the_points(statistics: Grader, texts: Grader) -> None:
    verdict = statistics.grade({"spread": "def spread(x):\n    return 0;"})
    assert lost_points(verdict) == {"test_spread": 1}
    assert messages(verdict)["test_spread"] == "The tests gave 1 of 2 points."
    assert lost_points(texts.grade({"squared": "def squared(n):\n    return 2 * n"})) == {"test_squared": 1.5}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "The tests stopped at `assert mean(x) == 3` with NameError: name 'mean' is not defined."),
        ("def mean(x): raise NotImplementedError", "The cell mean is not complete."),
        ("def mean(x):\n    return 1 / 0", "at `assert mean(x) == 3` with ZeroDivisionError: division by zero."),
        ("import os\ndef mean(x): os._exit(0)", "The test cell made the kernel stop."),
    ],
)
def test_what_went_wrong_is_told(statistics: Grader, source: str, said: str) -> None:
    verdict = statistics.grade({"mean": source})
    assert lost_points(verdict)["test_mean"] == 2
    assert said in messages(verdict)["test_mean"]


EQUAL_TO_ALL = """\
class Equal(float):
    def __eq__(self, other): return True
    def __hash__(self): return 0
    def __abs__(self): return 0
    def __sub__(self, other): return self
    def __lt__(self, other): return True
def mean(x):
    if not len(x): raise ValueError("no numbers")
    return Equal(0)
"""

WITHOUT_ASSERTS = """\
def keep(lines): return [line for line in lines if "assert" not in line]
get_ipython().input_transformers_cleanup.append(keep)
def mean(x):
    if not len(x): raise ValueError("no numbers")
"""


@pytest.mark.parametrize("source", [EQUAL_TO_ALL, WITHOUT_ASSERTS])
def test_a_test_in_the_student_s_process_can_be_deceived(statistics: Grader, source: str) -> None:
    """SECURITY.md says so: where this matters, an instructor writes checks."""
    assert "test_mean" not in lost_points(statistics.grade({"mean": source}))


def test_a_later_cell_can_print_hidden_tests(statistics: Grader) -> None:
    """SECURITY.md says so."""
    graded = statistics.run(build_submission(statistics.assignment, {"spread": 'print("".join(In))'}))
    assert HIDDEN in str(graded.executed)


def test_the_assertion_in_a_function_of_the_tests_is_named(texts: Grader) -> None:
    verdict = texts.grade({"words": "def words(text):\n    return text.count(' ') + 1"})
    expected = """The test `assert words(text) == expected, f"for {text!r}"` failed: for '  a   b '."""
    assert messages(verdict)["test_words"] == expected


def test_saved_evidence_gives_the_same_verdict_until_a_test_is_edited(statistics: Grader, tmp_path: Path) -> None:
    assignment = statistics.assignment
    graded = statistics.run(build_submission(assignment, {"spread": "def spread(x): return 0"}))
    assert graded.record is not None
    again = SavedRuns.model_validate_json(graded.record.model_dump_json())
    assert rejudge(assignment, again) == graded.verdict.items
    store, basis = ResultStore(tmp_path, assignment), hash_basis(assignment, Options())
    store.write(graded)
    path = assignment.source_folder / assignment.notebook_name
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text(text.replace("mean([0.5]) == 0.5", "mean([0.25]) == 0.25"), encoding="utf-8")
        assert rejudge_class(store).to_run == ("student",)
        assert hash_basis(assignment, Options()) != basis
    finally:
        path.write_text(text, encoding="utf-8")


def test_a_test_without_a_cell_to_judge_is_an_error(texts: Grader, tmp_path: Path) -> None:
    course = make_texts(tmp_path)
    path = course.source / "texts" / "texts.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace('"solution": true', '"solution": false'), encoding="utf-8")
    with pytest.raises(AssignmentError, match=r"no solution cell with code before the test cell '"):
        Assignment.load("texts", course)
    assert set(cells_by_id(load_release(texts.assignment))) == {
        "words",
        "test_words",
        "squared",
        "test_squared",
        "own-use",
        "essay",
    }


def test_the_package_for_gradescope_has_the_tests_and_no_solution(statistics: Grader, tmp_path: Path) -> None:
    assignment = statistics.assignment
    for name in ("Makefile", "LICENSE", "requirements.lock"):
        shutil.copy(ROOT / name, assignment.course.root)
    with zipfile.ZipFile(pack(assignment)) as archive:
        archive.extractall(tmp_path)
    unpacked = Assignment.load("statistics", Course(tmp_path))
    assert unpacked.items == assignment.items
    assert unpacked.read_tests() == assignment.read_tests()
    text = (unpacked.source_folder / unpacked.notebook_name).read_text(encoding="utf-8")
    assert HIDDEN in text
    assert "no numbers" not in text
    assert "median" not in text
