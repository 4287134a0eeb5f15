"""nbgrader's own commands, on the course's own settings: they give the points that `make autograde` gives."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from traitlets.config.loader import PyFileConfigLoader

from autograder.assignment.settings import Assignment
from autograder.commands.grade import grade_class
from autograder.common.cells import grade_id
from autograder.errors import AutograderError
from autograder.execution.kernels import Kernels
from autograder.execution.options import Options
from autograder.grading.verdict import Done, Verdict
from autograder.integrations import nbgrader as nbgrader
from autograder.results.store import ResultStore, gradebook_url
from autograder.scheduling.task import Task
from samples.filling import Description, fill, read_description
from tests.places import ROOT

NAME = "tta-eta"
SEED = 5
REFERENCE = ROOT / "tests" / "corpus" / "variants" / "reference.py"


@dataclass(frozen=True)
class Course:
    """Submissions, and what each of the two doors made of them."""

    submitted: Path
    ours: Path
    theirs: Path
    log: str

    def environment(self) -> dict[str, str]:
        return {"OUT": str(self.theirs), "SUBMITTED": str(self.submitted), "SEED": str(SEED)}

    def nbgrader(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | self.environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr


def hand_in(submitted: Path, student: str, notebook: NotebookNode) -> None:
    folder = submitted / student / NAME
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{NAME}.ipynb")


def reference(release: NotebookNode, comment: str) -> NotebookNode:
    described = read_description(REFERENCE)
    cells = {**described.cells, "lr-comment": comment}
    changed = Description(name="reference", header=described.header, cells=cells, extras=described.extras)
    notebook = fill(release, changed)
    given = next(cell for cell in notebook.cells if grade_id(cell) == "lr-metrics")
    given.source = "# I changed a given cell."
    return notebook


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, assignment: Assignment, release: NotebookNode) -> Course:
    folder = tmp_path_factory.mktemp("course")
    made = Course(folder / "submitted", folder / "ours", folder / "theirs", "")
    hand_in(made.submitted, "full", reference(release, "A thought."))
    hand_in(made.submitted, "empty", release)

    def tell(done: Done, number: int, total: int) -> None:
        assert number <= total

    options = Options(seed=SEED)
    grade_class(assignment, made.submitted, made.ours, options, jobs=2, sandbox="auto", on_done=tell)
    return Course(made.submitted, made.ours, made.theirs, made.nbgrader("autograde", NAME))


def recorded(out: Path, student: str) -> dict[str, tuple[float | None, float | None, bool, str | None]]:
    """By item: automatic score, manual score, whether a person is asked for, what the autograder says."""
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}") as book:
        notebook = book.find_submission_notebook(NAME, NAME, student)
        said = {comment.name: comment.auto_comment for comment in notebook.comments}
        return {
            grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade, said.get(grade.name))
            for grade in notebook.grades
        }


def decided(out: Path, assignment: Assignment) -> dict[str, Verdict]:
    """The verdicts without what differs from run to run."""
    found = ResultStore(out, assignment).read_verdicts()
    return {v.student: v.model_copy(update={"timings": {}, "grader": {"seed": v.grader["seed"]}}) for v in found}


def test_both_doors_give_the_same_points(course: Course, assignment: Assignment) -> None:
    for student in ("full", "empty"):
        assert recorded(course.theirs, student) == recorded(course.ours, student)
    found = decided(course.theirs, assignment)
    assert found == decided(course.ours, assignment)
    assert (found["full"].points, found["empty"].points) == (88, 0)
    assert [finding.kind for finding in found["full"].findings] == ["provided cell changed"]


def test_both_doors_show_the_formgrader_the_same_notebook(course: Course) -> None:
    for student in ("full", "empty"):
        place = Path("autograded") / student / NAME / f"{NAME}.ipynb"
        theirs, ours = (nbformat.read(out / place, as_version=4) for out in (course.theirs, course.ours))
        assert [(c.source, c.metadata) for c in theirs.cells] == [(c.source, c.metadata) for c in ours.cells]
        pictures = [[o for c in book.cells for o in c.get("outputs", []) if "data" in o] for book in (theirs, ours)]
        assert len(pictures[0]) == len(pictures[1])
        assert bool(pictures[0]) == (student == "full")


@pytest.mark.parametrize("student", ['"><img src=x onerror=alert(1)>', "$\\href{javascript:alert(1)}{x}$", ".ada"])
def test_a_name_that_nbgraders_pages_do_not_escape_is_refused(tmp_path: Path, student: str) -> None:
    step = nbgrader.GradeSubmission(out=str(tmp_path))
    resources = {"nbgrader": {"assignment": NAME, "student": student, "notebook": NAME, "db_url": "sqlite://"}}
    with pytest.raises(AutograderError, match="rename the folder, or grade it with make autograde"):
        step.preprocess(nbformat.v4.new_notebook(), resources)
    assert list(tmp_path.iterdir()) == []


def test_what_is_graded_is_not_graded_again_unasked(course: Course) -> None:
    assert "Skipping existing assignment" in course.nbgrader("autograde", NAME)


def test_nbgraders_other_commands_read_the_gradebook(course: Course, tmp_path: Path) -> None:
    assert "full" in course.nbgrader("db", "student", "list")
    assert NAME in course.nbgrader("db", "assignment", "list")
    course.nbgrader("export", "--to", str(tmp_path / "grades.csv"))
    assert ",88.0," in (tmp_path / "grades.csv").read_text()


@pytest.fixture
def api(course: Course, monkeypatch: pytest.MonkeyPatch) -> Iterator[NbGraderAPI]:
    """What answers the formgrader's buttons."""
    for name, value in course.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.chdir(ROOT)
    yield NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config())
    if nbgrader.open_service.cache_info().currsize:
        nbgrader.open_service("auto", "any").close()
        nbgrader.open_service.cache_clear()


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning", "ignore:.*:ResourceWarning")
def test_the_button_keeps_what_a_person_entered(course: Course, api: NbGraderAPI, release: NotebookNode) -> None:
    with Gradebook(gradebook_url(course.theirs)) as book:
        grade = book.find_grade("lr-comment", NAME, NAME, "full")
        grade.manual_score, grade.needs_manual_grade = 4.5, False
        book.find_comment("lr-comment", NAME, NAME, "full").manual_comment = "Well seen."
        book.db.commit()

    async def press() -> dict[str, object]:
        return api.autograde(NAME, "full")  # in a running event loop, as in a Jupyter server

    assert asyncio.run(press())["success"]
    assert recorded(course.theirs, "full")["lr-comment"] == (None, 4.5, False, None)
    hand_in(course.submitted, "full", reference(release, "Another thought."))
    assert asyncio.run(press())["success"]
    assert recorded(course.theirs, "full")["lr-comment"] == (None, 4.5, True, None)
    with Gradebook(gradebook_url(course.theirs)) as book:
        assert book.find_comment("lr-comment", NAME, NAME, "full").manual_comment == "Well seen."


def die(_: Task) -> Done:
    """Stands for grading that ends its process."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@contextlib.contextmanager
def no_kernels(*_: object) -> Iterator[Kernels]:
    yield Kernels(Path("/nowhere"), "none")


def test_a_grading_process_that_dies_leaves_the_submission_to_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = multiprocessing.active_children()
    monkeypatch.setattr(nbgrader, "grade_task", die)
    monkeypatch.setattr(nbgrader, "kernels", no_kernels)
    monkeypatch.setattr(nbgrader.GradeSubmission, "_folder", lambda *_: tmp_path)
    nbgrader.open_service.cache_clear()
    step = nbgrader.GradeSubmission(out=str(tmp_path / "graded"))
    names = {"assignment": NAME, "student": "ada", "db_url": gradebook_url(tmp_path / "graded")}
    step.preprocess(nbformat.v4.new_notebook(), {"nbgrader": names})
    assert {entry[:3] for item, entry in recorded(tmp_path / "graded", "ada").items()} == {(None, None, True)}
    assert not {*multiprocessing.active_children()} - {*others}
    assert not nbgrader.open_service.cache_info().currsize
