"""Files of an assignment: released with it alone, found where it is graded, and drawn anew for a run."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

import pytest

from autograder.assignment.course import Course
from autograder.assignment.release import check, given_files, release
from autograder.assignment.settings import Assignment
from autograder.commands.new_assignment import create
from autograder.errors import AssignmentError, ReleaseError
from autograder.execution.options import Options
from autograder.grading.checker import forget
from autograder.results.cache import hash_basis
from autograder.testing import Grader, lost_points, messages
from tests.small_course import NAME, make_course

FILES = '\n[files]\n"data/notes.csv" = "shared/notes.csv"\n'

READ = """
import sizes
table = pd.read_csv("data/notes.csv")
assert list(table["level"]) == {levels} and sizes.n == 2

def rms(x):
    return np.sqrt(np.mean(x**2))
"""

EXERCISE = """
from autograder.assignment.exercise import Exercise

def sample_files(parameters, rng):
    return {"data/notes.csv": b"level\\n%d\\n" % rng.randrange(10, 10**6)}

EXERCISE = Exercise(sample_files=sample_files)
"""

CHECK = '''

@item("rms", points=1)
def test_file(case):
    """It reads the file."""
    case.expect(case.look("int(pd.read_csv('data/notes.csv')['level'][0])"), int(case.files["data/notes.csv"][6:]))
'''


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = make_course(tmp_path_factory.mktemp("course"))
    (course.root / "shared").mkdir()
    (course.root / "shared" / "notes.csv").write_text("level\n1\n2\n", encoding="utf-8")
    (course.source / NAME / "sizes.py").write_text("n = 2\n", encoding="utf-8")
    settings = course.source / NAME / "assignment.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + FILES, encoding="utf-8")
    release(Assignment.load(NAME, course))
    return course


@pytest.fixture(scope="module")
def grader(course: Course) -> Iterator[Grader]:
    with Grader(NAME, course) as opened:
        yield opened


def test_files_are_released_with_their_assignment_and_no_other(course: Course, grader: Grader) -> None:
    check(grader.assignment)
    with zipfile.ZipFile(course.release / f"{NAME}.zip") as archive:
        assert archive.namelist() == [f"{NAME}/{name}" for name in ("data/notes.csv", f"{NAME}.ipynb", "sizes.py")]
    create("other", course)
    assert [path.name for path in (course.release / "other").iterdir()] == ["other.ipynb"]
    assert not (course.release / "other.zip").exists()


def test_a_changed_or_missing_file_is_found_out_and_graded_again(course: Course, grader: Grader) -> None:
    before = hash_basis(grader.assignment, Options())
    released = course.release / NAME / "data" / "notes.csv"
    text = released.read_text(encoding="utf-8")
    try:
        released.write_text("level\n3\n", encoding="utf-8")
        assert hash_basis(grader.assignment, Options()) != before
        with pytest.raises(ReleaseError, match=r"does not match the source \(data/notes.csv\)"):
            check(grader.assignment)
    finally:
        released.write_text(text, encoding="utf-8")
    with pytest.raises(ReleaseError, match="There is no nowhere.csv in the course: correct `files`"):
        release(grader.assignment.model_copy(update={"files": {"a.csv": "nowhere.csv"}}).at(course))


@pytest.mark.parametrize("path", ["/etc/passwd", "../notes.csv", "a/../../b"])
def test_paths_stay_in_the_course(course: Course, path: str) -> None:
    settings = course.source / NAME / "assignment.toml"
    text = settings.read_text(encoding="utf-8")
    try:
        settings.write_text(text.replace("shared/notes.csv", path), encoding="utf-8")
        with pytest.raises(AssignmentError, match="points outside the folder"):
            Assignment.load(NAME, course)
    finally:
        settings.write_text(text, encoding="utf-8")


def test_they_lie_beside_the_notebook_that_is_graded(grader: Grader) -> None:
    assert {"data/notes.csv", "sizes.py"} < set(given_files(grader.assignment))
    verdict = grader.grade({"rms": READ.format(levels=[1, 2])})
    assert lost_points(verdict) == {}, messages(verdict)


def test_a_provided_cell_that_stops_is_named_first(course: Course, grader: Grader) -> None:
    path = course.release / NAME / f"{NAME}.ipynb"
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text(text.replace('"import pandas as pd"', "\"import pandas as pd\\nopen('no.csv')\""), "utf-8")
        first = grader.grade().findings[0]
    finally:
        path.write_text(text, encoding="utf-8")
    assert (first.kind, first.cell, first.audience) == ("provided cell stopped", "number 2", "both")
    assert first.text.startswith("A provided cell stopped with FileNotFoundError: [Errno 2] No such file or directory:")
    wrong = grader.grade({"rms": "1 / 0"})
    assert not [finding for finding in wrong.findings if finding.kind == "provided cell stopped"]


def test_other_files_can_be_drawn_for_every_run(course: Course, grader: Grader) -> None:
    checks = course.checks / "my_task"
    (checks / "exercise.py").write_text(EXERCISE, encoding="utf-8")
    tests = checks / "test_my_task.py"
    tests.write_text(tests.read_text(encoding="utf-8") + CHECK, encoding="utf-8")
    forget(checks)
    read = 'level = int(pd.read_csv("data/notes.csv")["level"][0])\n' + READ.partition("\n\n")[2]
    for seed in (1, 2):
        assert lost_points(grader.grade({"rms": read}, seed=seed)) == {}
    (checks / "exercise.py").write_text(EXERCISE.replace('b"level', '"level'), encoding="utf-8")
    forget(checks)
    with pytest.raises(AssignmentError, match="`sample_files` must return bytes for 'data/notes.csv'"):
        grader.grade({"rms": read})
