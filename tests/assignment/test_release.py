"""The student version: what the source makes, without the solution, and failing loudly where work is missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import types
import zipfile
from pathlib import Path

import pytest

from autograder.assignment.course import Course
from autograder.assignment.release import check, given_files, release
from autograder.assignment.settings import Assignment
from autograder.assignment.source import dumps, read, solution_lines, source_path
from autograder.checks.instrument_notes import DATA_FILES
from autograder.common.cells import cells_by_id, grader_metadata
from autograder.errors import AssignmentError, ReleaseError
from tests.places import COURSE, ROOT

ASSIGNMENT = Assignment.load("tta-eta")
RELEASED = COURSE / "release" / "tta-eta" / "tta-eta.ipynb"
CODE_TASKS = [cell for cell in ASSIGNMENT.cells if not cell.endswith("-comment")]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A copy of what a release is made from and of the release."""
    shutil.copytree(COURSE / "source", tmp_path / "source")
    shutil.copytree(COURSE / "release" / "tta-eta", tmp_path / "release" / "tta-eta")
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    return Course(tmp_path)


@pytest.mark.parametrize("course", [Course(ROOT), Course(COURSE)], ids=["the kit's", "the tests'"])
def test_the_committed_releases_are_what_their_sources_make(course: Course) -> None:
    for name in course.assignments():
        check(Assignment.load(name, course))


def test_a_release_is_the_same_byte_for_byte_and_leaves_nothing_else(course: Course) -> None:
    shutil.rmtree(course.release)
    folder = release(ASSIGNMENT.at(course))
    assert folder == course.release / "tta-eta"
    assert {path.name for path in folder.iterdir()} == {"tta-eta.ipynb", "requirements.txt", "lab_helpers.py"}
    assert (folder / "tta-eta.ipynb").read_bytes() == RELEASED.read_bytes()
    assert {path.name for path in course.root.iterdir()} == {"source", "release", "nbgrader_config.py"}
    assert source_path(ASSIGNMENT.at(course)).read_bytes() == source_path(ASSIGNMENT).read_bytes()


def test_no_line_of_the_solution_is_released() -> None:
    secret: set[str] = set()
    given: set[str] = set()
    for cell in read(source_path(ASSIGNMENT)).cells:
        inside, outside, _ = solution_lines(cell)
        secret.update(inside)
        given.update(outside)
    released = {line.strip() for cell in read(RELEASED).cells for line in cell.source.splitlines()}
    assert "n_ts = Xts_scale.shape[0]" in secret
    assert released & (secret - given) == set()


def test_no_check_and_no_folder_of_this_machine_is_released() -> None:
    files = [path for path in (ROOT / "release").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    here = [folder for folder in (str(ROOT), str(Path.home()), sys.prefix) if len(folder) > 5]
    for path in files:
        content = path.read_bytes()
        if path.suffix != ".zip":
            assert not [text for text in (*here, "autograder.checks", "grading.case") if text.encode() in content], path


@pytest.mark.parametrize("grade_id", CODE_TASKS)
def test_every_stub_fails_loudly(grade_id: str) -> None:
    names: dict[str, object] = {"callbacks": types.SimpleNamespace(Callback=object)}
    stub = cells_by_id(read(RELEASED))[grade_id].source
    with pytest.raises(NotImplementedError):
        exec(stub + "\nTrainToAccuracy()" * (grade_id == "callback"), names)


def test_unanswered_comments_say_so() -> None:
    cells = cells_by_id(read(RELEASED))
    assert {cells[name].source for name in ("lr-comment", "bs-comment")} == {"YOUR ANSWER HERE"}


def test_given_cells_cannot_be_edited_or_deleted_by_accident() -> None:
    for cell in read(RELEASED).cells:
        noted = grader_metadata(cell)
        if noted.get("locked"):
            assert cell.metadata["editable"] is False
        if noted:
            assert cell.metadata["deletable"] is False


def test_a_release_of_another_source_is_found_out(course: Course) -> None:
    path = source_path(ASSIGNMENT.at(course))
    path.write_text(path.read_text().replace("one hidden layer", "a hidden layer"), encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"does not match the source \(tta-eta.ipynb\); run `make release`"):
        check(ASSIGNMENT.at(course))


@pytest.mark.parametrize("stray", ["notes.txt", None])
def test_a_stray_or_missing_file_is_found_out(course: Course, stray: str | None) -> None:
    folder = course.release / "tta-eta"
    if stray:
        (folder / stray).write_text("?")
    else:
        (folder / "requirements.txt").unlink()
    with pytest.raises(ReleaseError, match=stray or "requirements.txt"):
        check(ASSIGNMENT.at(course))


def test_what_a_run_in_the_release_leaves_in_folders_is_no_difference(course: Course) -> None:
    for name in ("__pycache__", ".ipynb_checkpoints"):
        (course.release / "tta-eta" / name).mkdir()
    check(ASSIGNMENT.at(course))


def test_a_released_solution_is_found_out(course: Course) -> None:
    path = course.release / "tta-eta" / "tta-eta.ipynb"
    notebook = read(path)
    cells_by_id(notebook)["data-details"].source = "n_tr, n_feat = Xtr_scale.shape"
    path.write_text(dumps(notebook), encoding="utf-8")
    with pytest.raises(ReleaseError, match="shows a line of the solution: 'n_tr, n_feat = Xtr_scale.shape'"):
        check(ASSIGNMENT.at(course))


def test_a_missing_release_is_found_out(course: Course) -> None:
    shutil.rmtree(course.release)
    with pytest.raises(ReleaseError, match="no release of tta-eta yet"):
        check(ASSIGNMENT.at(course))


def test_nbgrader_says_why_in_one_sentence(course: Course) -> None:
    path = source_path(ASSIGNMENT.at(course))
    notebook = read(path)
    notebook.metadata["kernelspec"]["language"] = "cobol"
    path.write_text(dumps(notebook), encoding="utf-8")
    with pytest.raises(ReleaseError) as caught:
        release(ASSIGNMENT.at(course))
    assert str(caught.value).startswith("nbgrader cannot generate the release of tta-eta: language 'cobol'")
    assert "\n" not in str(caught.value)


def test_one_edit_of_the_settings_reaches_source_and_release(course: Course) -> None:
    path = course.source / "tta-eta" / "assignment.toml"
    edited = path.read_text().replace("threshold = 0.95", "threshold = 0.98").replace("points = 15", "points = 20")
    path.write_text(edited, encoding="utf-8")
    assert tomllib.loads(edited)["parameters"]["threshold"] == 0.98
    other = Assignment.load("tta-eta", course)
    with pytest.raises(ReleaseError, match="Cell callback is worth 15 points, but 20 in assignment.toml"):
        check(other)
    release(other)
    check(other)
    for notebook in (read(source_path(other)), read(course.release / "tta-eta" / "tta-eta.ipynb")):
        cells = cells_by_id(notebook)
        assert "THRESHOLD = 0.98" in cells["settings"].source
        assert ">20<!--/--> points" in cells["callback-text"].source
        assert cells["callback"].metadata["nbgrader"]["points"] == 20


def test_links_reach_the_badge_and_the_cell_that_fetches_files(course: Course) -> None:
    path = course.source / "tta-eta" / "assignment.toml"
    text = path.read_text(encoding="utf-8")
    for name, address in (("notebook", "https://colab.example.org/a/b.ipynb"), ("files", "https://example.org/lab/")):
        assert f'\n{name} = ""' in text
        text = text.replace(f'\n{name} = ""', f'\n{name} = "{address}"')
    path.write_text(text, encoding="utf-8")
    other = Assignment.load("tta-eta", course)
    release(other)
    cells = cells_by_id(read(course.release / "tta-eta" / "tta-eta.ipynb"))
    assert "](https://colab.example.org/a/b.ipynb)<!--/-->" in cells["title"].source
    assert 'os.environ.get("COURSE_URL", "https://example.org/lab")' in cells["setup"].source
    path.write_text(text.replace("https://example.org/lab/", "lab'); import os"), encoding="utf-8")
    with pytest.raises(AssignmentError, match="links.files: an address must begin with https://"):
        Assignment.load("tta-eta", course)


def test_the_package_for_students_holds_the_data(course: Course) -> None:
    course.data.mkdir()
    for name in DATA_FILES:
        (course.data / name).write_bytes(name.encode())
    (course.data / "README.md").write_text("about the data")
    package = release(ASSIGNMENT.at(course)).with_suffix(".zip")
    first = package.read_bytes()
    with zipfile.ZipFile(package) as archive:
        assert archive.namelist() == [
            *sorted(f"tta-eta/data/{name}" for name in DATA_FILES),
            "tta-eta/lab_helpers.py",
            "tta-eta/requirements.txt",
            "tta-eta/tta-eta.ipynb",
        ]
    release(ASSIGNMENT.at(course))
    assert package.read_bytes() == first
    (course.data / DATA_FILES[0]).unlink()
    release(ASSIGNMENT.at(course))
    assert not package.exists()


def test_what_is_compiled_counts_only_beside_its_source(tmp_path: Path) -> None:
    given, beside = tmp_path / "release" / ASSIGNMENT.name, tmp_path / "kernel"
    given.mkdir(parents=True)
    (given / "tiny.py").write_text("x = 1\n", encoding="utf-8")
    (given / "broken.py").write_text("x = (\n", encoding="utf-8")
    files = given_files(ASSIGNMENT.at(Course(tmp_path)))
    code = next(name for name in files if name.endswith(".pyc"))
    assert set(files) == {"tiny.py", "broken.py", code}
    for name, content in files.items():
        (beside / name).parent.mkdir(parents=True, exist_ok=True)
        (beside / name).write_bytes(content)

    def imported() -> tuple[str, bool]:
        """The module's value, and whether it came from what was compiled."""
        command = [sys.executable, "-Bvc", "import tiny; print(tiny.x)"]
        done = subprocess.run(command, cwd=beside, capture_output=True, text=True, check=True)
        told = [line for line in done.stderr.splitlines() if code in line]
        return done.stdout.strip(), any("matches" in line for line in told)

    assert imported() == ("1", True)
    (beside / "tiny.py").write_text("x = 2\n", encoding="utf-8")
    assert imported() == ("2", False)
