"""Provisional verdicts on request: who asks, how often, and that an answer holds points and nothing of a check."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest

from autograder.assignment.settings import Assignment
from autograder.errors import UsageError
from autograder.grading.verdict import ItemVerdict, PropertyVerdict, Stop, Verdict
from autograder.integrations import lab_verdict
from autograder.integrations.verdict_server import RateLimit, VerdictServer, describe_provisional, open_socket
from autograder.submission.findings import Finding
from autograder.testing import build_submission
from tests.places import ROOT

SECRET = "The rows should hold 0.7071."
CLIENT = Path(lab_verdict.__file__)


def verdict_with_secrets(assignment: Assignment) -> Verdict:
    """A verdict that says the secret wherever a verdict can say something."""
    rule = PropertyVerdict(id="x", rubric=SECRET, max_points=5, points=0, status="failed", message=SECRET)
    stop = Stop(cell="lr-loop", why="error", error="Sneaky0_7071", text=SECRET, code=SECRET, line=SECRET)
    items = tuple(
        ItemVerdict(
            id=item.id,
            title=item.title,
            max_points=item.points,
            points=None if item.id == "bs-plots" else 4,
            status="ungraded" if item.id == "bs-plots" else "graded",
            message=SECRET,
            properties=(rule,),
            stop=stop if item.id == "lr-loop" else None,
            first_stop=stop.model_copy(update={"error": "KeyError"}) if item.id == "bs-loop" else None,
        )
        for item in assignment.judged_items
    )
    finding = Finding(kind="x", text=SECRET)
    return Verdict(
        assignment=assignment.name, student="x", state="graded", reason=SECRET, items=items, findings=(finding,)
    )


def test_an_answer_holds_points_and_nothing_that_a_check_says(assignment: Assignment) -> None:
    verdict = verdict_with_secrets(assignment)
    text = "\n".join(describe_provisional(assignment, verdict))
    assert "28 of 88 points (provisional; another 12 points are graded by hand)." in text
    assert "- The callback TrainToAccuracy: 4 of 15\n" in text
    assert "- Batch sizes: plots: not decided yet" in text
    assert "(the cell lr-loop stopped with an error)" in text
    assert "stopped with KeyError)" in text
    failed = describe_provisional(assignment, verdict.model_copy(update={"state": "failed to run"}))
    for part in (SECRET, "0.7071", "7071", "Sneaky"):
        assert part not in text + "\n".join(failed)


@dataclass
class Served:
    """A server in a thread, with a clock that the test moves and a `grade` that answers at once."""

    folder: Path
    assignment: Assignment
    now: float = 1_000_000.0
    graded: list[bytes] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def address(self) -> Path:
        return self.folder / "verdict.sock"

    def grade(self, notebook: bytes) -> Verdict:
        self.graded.append(notebook)
        return verdict_with_secrets(self.assignment)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        limit = RateLimit(self.folder / "requests.json", 600, lambda: self.now)
        server = VerdictServer(self.assignment, self.grade, limit, self.lines.append)
        with open_socket(self.address) as listener:
            for work in (lambda: server.accept(listener), lambda: forever(server.answer_next)):
                threading.Thread(target=work, daemon=True).start()
            yield

    def ask(self, notebook: Path, user: str | None = None) -> subprocess.CompletedProcess[str]:
        return ask(notebook, self.address, user)


def forever(work: object) -> None:
    while True:
        work()  # type: ignore[operator]


def ask(notebook: Path, address: Path, user: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the students' command, as another user where one is named."""
    command = ["/usr/bin/env", "python3", str(notebook.parent / CLIENT.name), str(notebook), str(address)]
    who = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd="/", **who)  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that all users can look into, with the students' command."""
    folder = Path(tempfile.mkdtemp(prefix="verdict-"))
    folder.chmod(0o755)
    shutil.copyfile(CLIENT, folder / CLIENT.name)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def served(folder: Path, assignment: Assignment) -> Served:
    (folder / "my.ipynb").write_text("a notebook")
    return Served(folder, assignment)


def test_a_student_asks_once_in_a_while(served: Served) -> None:
    notebook = served.folder / "my.ipynb"
    with served.running():
        done = served.ask(notebook)
        assert (done.returncode, served.graded) == (0, [b"a notebook"]), done.stderr
        assert "28 of 88 points" in done.stdout
        assert SECRET not in done.stdout + done.stderr
        served.now += 60
        refused = served.ask(notebook)
        assert (refused.returncode, refused.stdout) == (1, "You can ask again in 9 min.\n")
    assert served.ask(notebook).returncode == 2, "nobody serves"
    with served.running():
        assert served.ask(notebook).returncode == 1, "a restart is no way around it"
        served.now += 600
        assert served.ask(notebook).returncode == 0
    assert served.graded == [b"a notebook"] * 2
    assert served.lines == [f"User {os.getuid()}: 28 points, graded."] * 2


def test_a_notebook_that_is_too_large_is_refused(served: Served) -> None:
    large = served.folder / "large.ipynb"
    large.write_bytes(b" " * 21_000_000)
    with served.running():
        done = served.ask(large)
        assert (done.returncode, done.stdout) == (1, "The notebook is larger than 20 MB.\n")
        assert not served.graded
        assert served.ask(served.folder / "my.ipynb").returncode == 0, "it did not count as a request"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as another user")
def test_users_are_told_apart_by_the_system(served: Served) -> None:
    notebook = served.folder / "my.ipynb"
    with served.running():
        assert served.ask(notebook).returncode == 0
        assert served.ask(notebook).returncode == 1
        other = served.ask(notebook, user="nobody")
        assert other.returncode == 0, other.stderr
        assert served.ask(notebook, user="nobody").returncode == 1
    assert served.lines[1].startswith(f"User {pwd.getpwnam('nobody').pw_uid}:")
    assert served.address.parent.stat().st_mode & 0o022 == 0


def test_a_socket_that_others_could_replace_is_refused(folder: Path) -> None:
    folder.chmod(0o777)
    with pytest.raises(UsageError, match="could replace the socket"), open_socket(folder / "verdict.sock"):
        pass
    folder.chmod(0o755)
    with (
        open_socket(folder / "verdict.sock"),
        pytest.raises(UsageError, match="Another process"),
        open_socket(folder / "verdict.sock"),
    ):
        pass


def test_the_command_serves_until_it_is_stopped(folder: Path) -> None:
    assignment = Assignment.load("features")
    notebook = build_submission(assignment, others="release")
    nbformat.write(notebook, folder / "features.ipynb")
    address = folder / "verdict.sock"
    command = [sys.executable, "-m", "autograder", "serve", "--assignment", "features"]
    options = ["--socket", str(address), "--out", str(folder / "out")]
    with subprocess.Popen([*command, *options], cwd=ROOT, text=True, stdout=subprocess.PIPE) as server:
        try:
            while not address.exists() and server.poll() is None:
                time.sleep(0.1)
            done = ask(folder / "features.ipynb", address)
            assert done.returncode == 0, done.stderr
            assert f"{assignment.title}: 0 of" in done.stdout
            assert "(the cell histogram is not complete)" in done.stdout
            assert ask(folder / "features.ipynb", address).stdout.startswith("You can ask again in")
            assert [path.name for path in (folder / "out").iterdir()] == ["requests.json"]
        finally:
            server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    assert server.returncode == 143
    assert not address.exists()
