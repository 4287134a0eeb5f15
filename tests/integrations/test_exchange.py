"""nbgrader's exchange between two users of one machine: what an instructor releases is fetched, submitted, collected
and graded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from autograder.assignment.settings import Assignment
from autograder.commands.grade import grade_class
from autograder.common.cells import cells_by_id
from tests.places import ROOT

NAME = "features"
STUDENT = "nobody"

# nbgrader's program, as another user. It is imported before the user changes: Python may lie where only root can read.
COMMAND = """
import os, pwd, sys
import nbgrader.exchange.default
from nbgrader.apps.nbgraderapp import NbGraderApp
user, folder, *arguments = sys.argv[1:]
if user:
    who = pwd.getpwnam(user)
    os.setgroups([]), os.setgid(who.pw_gid), os.setuid(who.pw_uid)
os.chdir(folder)
NbGraderApp.launch_instance(argv=arguments)
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can submit as another user")


@dataclass(frozen=True)
class Hub:
    """A machine with an exchange, a course of an instructor, and the home of a student."""

    exchange: Path
    course: Path
    home: Path

    def nbgrader(self, *arguments: str, user: str = "") -> str:
        """Run a command of nbgrader as the instructor in the kit's folder, or as a student at home."""
        options = [f"--Exchange.root={self.exchange}", "--course=lab101"]
        home = self.home if user else self.course
        environment = os.environ | {"HOME": str(home), "USER": user or "root", "LOGNAME": user or "root"}
        environment |= {"JUPYTER_DATA_DIR": str(home / "data"), "JUPYTER_RUNTIME_DIR": str(home / "run")}
        environment |= {"OUT": str(self.course / "graded"), "SUBMITTED": str(self.course / "submitted")}
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"  # of an activated environment
        command = [sys.executable, "-B", "-c", COMMAND, user, str(home if user else ROOT), *arguments, *options]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr


@pytest.fixture
def hub() -> Iterator[Hub]:
    """Folders as the page on JupyterHub describes them."""
    place = Path(tempfile.mkdtemp(prefix="hub-"))
    place.chmod(0o755)
    made = Hub(place / "exchange", place / "course", place / "home")
    for folder, mode in ((made.exchange, 0o777), (made.course, 0o700), (made.home, 0o700)):
        folder.mkdir()
        folder.chmod(mode)
    (made.course / "graded").mkdir()
    shutil.chown(made.home, STUDENT)
    yield made
    shutil.rmtree(place)


def test_a_submission_comes_from_a_student_to_the_gradebook(hub: Hub) -> None:
    assignment = Assignment.load(NAME)
    hub.nbgrader("release_assignment", NAME)
    hub.nbgrader("fetch_assignment", NAME, user=STUDENT)
    path = hub.home / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    solution = cells_by_id(nbformat.read(assignment.source_folder / path.name, as_version=4))
    for task, cell in cells_by_id(notebook).items():
        if task in assignment.cells:
            cell.source = solution[task].source
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    assert not {file.suffix for file in (hub.home / NAME).rglob("*")} & {".toml"}, (
        "the settings stay with the instructor"
    )

    hub.nbgrader("submit", NAME, user=STUDENT)
    said = hub.nbgrader("collect", NAME)
    assert "cheating attempt" not in said
    collected = hub.course / "submitted" / STUDENT / NAME
    assert (collected / "timestamp.txt").is_file()

    (verdict,) = grade_class(assignment, hub.course / "submitted", hub.course / "graded", sandbox="auto")
    assert (verdict.student, verdict.points) == (STUDENT, verdict.max_points)


def test_a_student_sees_no_submission_of_others(hub: Hub) -> None:
    hub.nbgrader("release_assignment", NAME)
    inbound = hub.exchange / "lab101" / "inbound"
    assert inbound.stat().st_mode & 0o777 == 0o733
    look = subprocess.run(
        ["/bin/ls", str(inbound)], cwd="/", user=STUDENT, extra_groups=[], capture_output=True, timeout=60, check=False
    )
    assert b"Permission denied" in look.stderr
