"""The package for Gradescope: what is in it, and what comes out of it in folders laid out as Gradescope lays them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from autograder.assignment import source
from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment
from autograder.assignment.source import solution_lines
from autograder.errors import AutograderError, KernelFailed, ReleaseError
from autograder.grading.grade import leave_ungraded, not_run
from autograder.integrations import gradescope
from autograder.submission.prepare import load_release
from samples.filling import fill, read_description, write_submission
from tests.places import COURSE, ROOT

METADATA = {
    "id": 4711,
    "created_at": "2026-11-02T00:30:00.000000-07:00",
    "assignment": {"due_date": "2026-11-01T23:00:00.000000-07:00", "late_due_date": None, "group_size": None},
    "users": [{"email": "ada@uni.edu", "id": 1, "name": "Ada Lovelace"}],
    "previous_submissions": [],
}


@pytest.fixture(scope="module")
def features() -> Assignment:
    """An assignment that trains nothing, whose checks have tests of their own beside them."""
    return Assignment.load("features")


@pytest.fixture(scope="module")
def package(assignment: Assignment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of a copy of what it is made from."""
    root = tmp_path_factory.mktemp("kit") / "kit"
    ignored = shutil.ignore_patterns("__pycache__", "*.zip")
    for folder in (ROOT / "autograder", COURSE / "release", COURSE / "source"):
        shutil.copytree(folder, root / folder.name, ignore=ignored)
    for file in ("Makefile", "LICENSE", "requirements.lock"):
        shutil.copy(ROOT / file, root)
    (root / "autograder" / "__pycache__").mkdir()
    (root / "autograder" / "__pycache__" / "cli.pyc").write_text("old")
    (root / "release" / assignment.name / ".ipynb_checkpoints").mkdir()
    (root / "release" / assignment.name / ".ipynb_checkpoints" / "x.ipynb").write_text("{}")
    return gradescope.pack(assignment.at(Course(root)))


def made(path: Path) -> Path:
    """The path, after the folder that it lies in was made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def scored(found: dict[str, Any]) -> dict[str, float]:
    return {test["name"]: test["score"] for test in found["tests"] if "score" in test}


def well_formed(found: dict[str, Any], assignment: Assignment) -> None:
    """Of the form that Gradescope documents."""
    assert set(found) <= {
        "tests", "output", "output_format", "visibility", "stdout_visibility", "execution_time", "extra_data",
    }  # fmt: skip
    assert [test["name"] for test in found["tests"]] == [item.id for item in assignment.judged_items]
    for test in found["tests"]:
        assert test["status"] in ("passed", "failed")
        assert test["visibility"] == found["visibility"] == "visible"
        assert test["output"]
        assert ("score" in test) == ("max_score" in test)
    assert found["stdout_visibility"] == "hidden"


def solution_of(assignment: Assignment) -> set[str]:
    """The lines of the solution that are not given elsewhere."""
    parts = [solution_lines(cell) for cell in source.read(source.source_path(assignment)).cells]
    given = {line for _, outside, _ in parts for line in outside}
    return {line for inside, _, _ in parts for line in inside} - given


def read_text(archive: zipfile.ZipFile, name: str) -> str:
    return archive.read(name).decode("utf-8", "replace")


def folders_in(text: str) -> list[str]:
    """Folders of this machine that a text names."""
    here = {str(ROOT), str(Path.home()), sys.prefix, tempfile.gettempdir() + "/pytest"}
    return [folder for folder in here if len(folder) > 5 and folder in text]


class TestThePackage:
    def test_it_has_what_grading_needs_and_no_solution(self, package: Path, assignment: Assignment) -> None:
        with zipfile.ZipFile(package) as archive:
            names = set(archive.namelist())
            modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
            assert archive.read("requirements.lock") == (ROOT / "requirements.lock").read_bytes()
        assert {
            "setup.sh",
            "run_autograder",
            "ungraded.json",
            "autograder/cli.py",
            "autograder/checks/pytest.ini",
        } <= names
        assert {f"source/{assignment.name}/assignment.toml", f"release/{assignment.name}/tta-eta.ipynb"} <= names
        assert not [name for name in names if name.startswith("source/") and name.endswith(".ipynb")]
        assert not [name for name in names if "/." in name or "__pycache__" in name]
        assert modes["setup.sh"] == modes["run_autograder"] == 0o100755

    def test_it_holds_no_line_of_the_solution_and_no_checks_of_others(
        self, package: Path, assignment: Assignment
    ) -> None:
        secret = solution_of(assignment)
        with zipfile.ZipFile(package) as archive:
            notebooks = {name: read_text(archive, name) for name in archive.namelist() if name.endswith(".ipynb")}
            checks = [name.split("/")[2] for name in archive.namelist() if name.startswith("autograder/checks/")]
        for name, text in notebooks.items():
            released = {
                line.strip() for cell in json.loads(text)["cells"] for line in "".join(cell["source"]).splitlines()
            }
            assert not released & secret, name
        assert {name for name in checks if "." not in name} == {assignment.checks}

    def test_it_holds_no_path_of_this_machine(self, package: Path) -> None:
        with zipfile.ZipFile(package) as archive:
            assert not [name for name in archive.namelist() if folders_in(read_text(archive, name))]

    def test_checks_of_a_course_are_packed_without_the_submissions_that_they_are_tested_on(
        self, tmp_path: Path, features: Assignment
    ) -> None:
        for place in ("source/features", "release/features"):
            shutil.copytree(COURSE / place, made(tmp_path / place))
        for file in ("Makefile", "LICENSE", "requirements.lock"):
            shutil.copy(ROOT / file, tmp_path)
        shutil.copytree(features.checks_folder, tmp_path / "checks" / "features")
        with zipfile.ZipFile(gradescope.pack(features.at(Course(tmp_path)))) as archive:
            names = [name for name in archive.namelist() if "checks/features" in name]
            text = "".join(read_text(archive, name) for name in archive.namelist() if name.endswith(".py"))
        modules = {path.name for path in features.checks_folder.glob("*.py")}
        assert set(names) == {f"autograder/checks/features/{name}" for name in modules}
        assert "def rms(x):\\n    return (sum(" not in text, "a right submission among the tests of the checks"

    def test_the_same_kit_gives_the_same_bytes(self, package: Path, assignment: Assignment) -> None:
        before = package.read_bytes()
        root = package.parents[1]
        for path in root.rglob("*"):
            os.utime(path, (1, 1))
        assert gradescope.pack(assignment.at(Course(root))) == package
        assert package.read_bytes() == before

    def test_the_scripts_are_of_this_kit_and_are_scripts(self, package: Path) -> None:
        with zipfile.ZipFile(package) as archive:
            setup, run = (archive.read(name).decode() for name in gradescope.SCRIPTS)
        pinned = gradescope.UV.search((ROOT / "Makefile").read_text(encoding="utf-8"))
        assert pinned is not None
        assert f'install --quiet "{pinned[1]}"' in setup
        assert '--assignment "tta-eta"' in run
        for script in (setup, run):
            assert script.startswith("#!/usr/bin/env bash\n")
            assert not subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode
            if shutil.which("shellcheck"):
                assert not subprocess.run(["shellcheck", "-"], input=script, text=True, check=False).returncode

    def test_without_a_release_there_is_none(self, tmp_path: Path, assignment: Assignment) -> None:
        with pytest.raises(ReleaseError, match="make release"):
            gradescope.pack(assignment.at(Course(tmp_path)))


class TestResults:
    def test_what_is_not_judged_has_no_score(self, assignment: Assignment) -> None:
        verdict = leave_ungraded(assignment, "ada", "The kernel /srv/kit/python did not start.")
        found = gradescope.results(assignment, verdict)
        well_formed(found, assignment)
        assert scored(found) == {}
        assert found["output"].startswith(gradescope.LOOK)
        assert "/srv" not in json.dumps(found)

    def test_what_was_judged_keeps_its_score_beside_what_was_not(self, assignment: Assignment) -> None:
        verdict = not_run(assignment, "ada", "There is no notebook.")
        open_one = verdict.items[1].model_copy(update={"points": None, "status": "ungraded"})
        mixed = verdict.model_copy(update={"items": (verdict.items[0], open_one, *verdict.items[2:])})
        found = gradescope.results(assignment, mixed)
        well_formed(found, assignment)
        assert "callback" not in scored(found)
        assert len(scored(found)) == len(assignment.judged_items) - 1
        assert gradescope.LOOK not in found["output"]
        assert 'Graded manually: "Learning rates' in found["output"]

    @pytest.mark.parametrize(
        ("text", "number", "late"),
        [
            (json.dumps(METADATA), 4711, timedelta(minutes=90)),
            (json.dumps(METADATA | {"assignment": {"due_date": None}}), 4711, timedelta()),
            (json.dumps(METADATA | {"created_at": "2026-11-01T00:00:00Z"}), 4711, timedelta()),
            ('{"id": "x", "created_at": 7}', None, timedelta()),
            ("", None, timedelta()),
            (None, None, timedelta()),
        ],
    )
    def test_number_and_lateness_come_from_gradescope(
        self, tmp_path: Path, assignment: Assignment, text: str | None, number: int | None, late: timedelta
    ) -> None:
        path = tmp_path / "submission_metadata.json"
        if text is not None:
            path.write_text(text)
        known = gradescope._metadata(path)
        found = gradescope.results(assignment, not_run(assignment, "ada", "Nothing."), known)
        assert found["extra_data"]["submission"] == number
        assert found["extra_data"]["seconds_late"] == late.total_seconds()

    def test_where_no_kernel_starts_a_person_is_asked_for(
        self, tmp_path: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none(*_: object) -> None:
            raise KernelFailed("No kernel could be started.")

        monkeypatch.setattr(gradescope, "kernels", none)
        gradescope.run(assignment, tmp_path)
        found = json.loads((tmp_path / "results" / "results.json").read_text())
        well_formed(found, assignment)
        assert scored(found) == {}
        assert "No kernel could be started." in found["output"]

    def test_a_kit_without_its_uv_is_named(self, tmp_path: Path, assignment: Assignment) -> None:
        (tmp_path / "Makefile").write_text("all:\n")
        with pytest.raises(AutograderError, match="UV := uv==..."):
            gradescope._scripts(assignment.at(Course(tmp_path)))


class TestTheRun:
    """`run_autograder` itself, in Gradescope's folders, with this checkout's Python in place of setup.sh's."""

    @pytest.fixture
    def place(self, tmp_path: Path, package: Path) -> Path:
        for folder in ("source", "submission", "results"):
            (tmp_path / folder).mkdir()
        with zipfile.ZipFile(package) as archive:
            archive.extractall(tmp_path / "source")
        shutil.copy(tmp_path / "source" / "run_autograder", tmp_path)
        (tmp_path / "run_autograder").chmod(0o755)
        (tmp_path / "submission_metadata.json").write_text(json.dumps(METADATA))
        return tmp_path

    def test_an_assignment_that_trains_nothing_gets_its_points(self, tmp_path: Path, features: Assignment) -> None:
        package = gradescope._files(features)
        for folder in ("submission", "results"):
            (tmp_path / folder).mkdir()
        for name, path in package.items():
            shutil.copy(path, made(tmp_path / "source" / name))
        for name, text in gradescope._scripts(features.at(Course(ROOT))).items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        shutil.copy(source.source_path(features), tmp_path / "submission")
        (tmp_path / "source" / "ungraded.json").write_text("{}")
        found = self.run(tmp_path)
        well_formed(found, features)
        scores = scored(found)  # an item whose question takes too long on a busy machine has none
        assert "rms" in scores
        assert scores.items() <= {item.id: item.points for item in features.judged_items}.items()

    def run(self, place: Path, python: str = sys.executable) -> dict[str, Any]:
        variables = os.environ | {"AUTOGRADER_ROOT": str(place), "AUTOGRADER_PYTHON": python}
        done = subprocess.run(
            ["./run_autograder"], cwd=place, env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads((place / "results" / "results.json").read_text())
        return found

    @pytest.mark.parametrize("student", ["amber", pytest.param("hazel", marks=pytest.mark.slow)])
    def test_a_sample_gets_its_points(self, place: Path, assignment: Assignment, student: str) -> None:
        described = read_description(ROOT / "samples" / "students" / assignment.name / f"{student}.py")
        write_submission(fill(load_release(assignment), described), described, place / "submission", assignment.name)
        found = self.run(place)
        well_formed(found, assignment)
        assert found["extra_data"]["seconds_late"] == 5400
        assert list(scored(found)) == [item.id for item in assignment.judged_items]
        lost = [test for test in found["tests"] if test["score"] < test["max_score"]]
        assert bool(lost) == (student == "hazel"), "who validates on the test set"
        assert all(test["output"].startswith("- ") and test["status"] == "failed" for test in lost)
        assert (place / "submission").exists()
        assert [path.name for path in (place / "results").iterdir()] == ["results.json"]

    @pytest.mark.slow
    def test_a_broken_file_gets_a_reason(self, place: Path, assignment: Assignment) -> None:
        (place / "submission" / "tta-eta.ipynb").write_text('{"cells": [')
        found = self.run(place)
        well_formed(found, assignment)
        assert set(scored(found).values()) == {0}
        assert "is incomplete" in found["output"]

    @pytest.mark.parametrize("python", ["/nowhere/python", shutil.which("false") or "false"])
    def test_where_nothing_runs_at_all_valid_results_are_there(
        self, place: Path, assignment: Assignment, python: str
    ) -> None:
        found = self.run(place, python)
        well_formed(found, assignment)
        assert scored(found) == {}
        assert found["output"].startswith(gradescope.LOOK)
