"""A grading run that is stopped or hindered, or robbed of what it reads: nothing is lost or left, and it is told."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from filelock import FileLock
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograder import cli
from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment, TimeLimits
from autograder.commands.grade import grade_class
from autograder.common.units import MB
from autograder.errors import AutograderError, PartlyWritten
from autograder.execution.kernels import Kernels
from autograder.execution.limits import Limits
from autograder.execution.options import Options
from autograder.grading.saved_runs import EDITION, SavedRuns
from autograder.grading.verdict import Done, GradedSubmission, ItemVerdict, Verdict
from autograder.reporting import database, feedback, gradebook, publish
from autograder.reporting.database import check_gradebook, open_gradebook
from autograder.results import cache, lock, scratch
from autograder.results.files import remove_leftovers, write_text
from autograder.results.store import ResultStore, gradebook_url
from autograder.scheduling import class_run as autograde
from autograder.scheduling import memory, task, workers
from autograder.scheduling.executor import Failed
from autograder.scheduling.local import LocalExecutor
from autograder.scheduling.memory import ROOM
from autograder.scheduling.signals import Stopped, stoppable
from autograder.scheduling.task import Task, grade_task
from autograder.submission.folders import contents, students
from tests.places import ROOT

NAME = "tta-eta"
NOTHING = Kernels(Path("/nowhere"), "none")


def hand_in(submitted: Path, *names: str) -> None:
    """A notebook for each student; `@` and a number after the name ask for so many kilobytes of output."""
    for name in names:
        path = submitted / name / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), path)


def quick_verdict(assignment: Assignment, folder: Path, student: str, *_: object) -> GradedSubmission:
    """Stands for a grading with kernels: full points, and a notebook that is as large as the student's name says."""
    items = tuple(
        ItemVerdict(id=i.id, title=i.title, max_points=i.points, points=i.points, status="graded", message="Right.")
        for i in assignment.judged_items
    )
    verdict = Verdict(assignment=assignment.name, student=student, state="graded", items=items)
    text = "x" * (1000 * int(student.partition("@")[2] or 0))
    executed = nbformat.v4.new_notebook(cells=[nbformat.v4.new_raw_cell(text)])
    return GradedSubmission(verdict, SavedRuns(edition=EDITION), executed)


def quick_task(job: Task) -> Done:
    """Runs in a worker, where nothing of the tests is patched. The student's name says what is to happen."""
    mark = job.store.out.parent / job.student
    if job.student.startswith("hangs"):
        time.sleep(600)
    if job.student.startswith("crashes"):
        os.abort()
    if job.student.startswith("fills-memory"):
        hoard.append(bytearray(ROOM))
    if job.student.startswith("dies") and not mark.exists():
        if job.student.startswith("dies-once"):
            mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    task.grade_folder = quick_verdict
    return grade_task(job)


hoard: list[bytearray] = []
"""In a worker: what it keeps."""


def keep_bytes(size: int) -> int:
    """Keep so many bytes more; answers in which process."""
    hoard.append(bytearray(size))
    return os.getpid()


def fail_beside(size: int) -> str:
    """Come upon an error of any kind while so many bytes are held."""
    kept = bytearray(size)
    try:
        raise RuntimeError("cannot go on")
    except RuntimeError as error:
        return task.describe_failure(error) if kept else ""


def fill_in_thread(size: int) -> int:
    """Take so many bytes in another thread, whose error is lost."""
    with contextlib.suppress(MemoryError), ThreadPoolExecutor(1) as pool:
        return len(pool.submit(bytearray, size).result())
    return -1


@contextlib.contextmanager
def no_kernels(*_: object) -> Iterator[Kernels]:
    yield NOTHING


class Here(LocalExecutor[Task, Done]):
    """Does the work in the process of the test, where it need not be started first."""

    def start(self) -> None:
        pass

    def run(
        self, tasks: Iterable[Task], on_start: Callable[[Task], None] = lambda _: None
    ) -> Iterator[tuple[Task, Done | Failed]]:
        return ((job, self.work(job)) for job in tasks)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autograde, "kernels", no_kernels)
    monkeypatch.setattr(workers, "grade_task", quick_task)
    monkeypatch.setattr(workers, "LocalExecutor", Here)
    monkeypatch.setattr(task, "grade_folder", quick_verdict)


@pytest.fixture
def grade(quick: None, tmp_path: Path, assignment: Assignment) -> Callable[..., list[str]]:
    """Grades `tmp_path/submitted` into OUT with quick verdicts; answers which students were graded, not skipped."""

    def run(out: Path = tmp_path / "graded", limits: Limits | None = None) -> list[str]:
        graded: list[str] = []

        def tell(done: Done, number: int, total: int) -> None:
            assert number <= total
            graded.extend([done.student] * (not done.skipped))

        options = Options(limits=limits or Limits())
        grade_class(assignment, tmp_path / "submitted", out, options, jobs=2, sandbox="none", on_done=tell)
        return sorted(graded)

    return run


def verdict_of(out: Path, student: str) -> Verdict:
    return Verdict.model_validate_json((out / NAME / "students" / student / "verdict.json").read_bytes())


def recorded(out: Path) -> dict[str, float]:
    with Gradebook(gradebook_url(out)) as book:
        return {entry.student.id: entry.score for entry in book.assignment_submissions(NAME)}


def refuse(number: int) -> None:
    raise AutograderError(f"No room for {number}.")


def sleepers(pid: int) -> list[int]:
    """The workers of a process."""
    family = psutil.Process(pid).children(recursive=True)
    return [process.pid for process in family if "spawn_main" in " ".join(process.cmdline())]


SHORT_OF_MEMORY = {
    "fills-memory": memory.MESSAGE,
    "crashes": workers.CRASHED,
}


class TestWorkers:
    def test_one_that_dies_costs_its_own_submission_alone(
        self, grade: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workers, "LocalExecutor", LocalExecutor)
        hand_in(tmp_path / "submitted", "ada", "bob", "dies", "dies-once")
        assert len(grade()) == 4
        verdicts = {name: verdict_of(tmp_path / "graded", name) for name in ("ada", "bob", "dies", "dies-once")}
        assert {verdict.state for name, verdict in verdicts.items() if name != "dies"} == {"graded"}
        assert (verdicts["dies"].state, verdicts["dies"].reason) == ("needs review", workers.DIED)
        assert grade() == ["dies"]
        assert not sleepers(os.getpid())

    def test_too_much_memory_costs_its_own_submission_alone_and_once(
        self, grade: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workers, "LocalExecutor", LocalExecutor)
        hand_in(tmp_path / "submitted", "ada", *SHORT_OF_MEMORY, "zoe")
        assert len(grade()) == 4
        assert [verdict_of(tmp_path / "graded", name).state for name in ("ada", "zoe")] == ["graded", "graded"]
        for student, reason in SHORT_OF_MEMORY.items():
            verdict = verdict_of(tmp_path / "graded", student)
            assert (verdict.state, verdict.reason) == ("needs review", reason)
        assert grade() == [], "it would take as much again"
        assert not sleepers(os.getpid())

    def test_memory_is_limited_for_each_task(self) -> None:
        with LocalExecutor(keep_bytes, 1, 60, room=100 * MB) as pool:
            outcomes = dict(pool.run([101 * MB, 99 * MB, 98 * MB, 10 * MB, 11 * MB]))
        assert outcomes.pop(101 * MB) == Failed("memory")
        assert len({outcomes.pop(10 * MB), outcomes.pop(11 * MB)}) == 1, "a process that kept little does the next task"
        assert len(set(outcomes.values())) == 2, "one that kept much does not"

    def test_any_error_counts_as_one_of_memory_where_that_is_short(self) -> None:
        with LocalExecutor(fail_beside, 1, 60, room=100 * MB) as pool:
            outcomes = dict(pool.run([90 * MB, 10 * MB]))
        assert outcomes[90 * MB] == Failed("memory")
        assert "cannot go on" in outcomes[10 * MB]

    def test_memory_is_limited_for_all_threads(self) -> None:
        with LocalExecutor(fill_in_thread, 1, 60, room=100 * MB) as pool:
            assert dict(pool.run([150 * MB, 50 * MB])) == {150 * MB: -1, 50 * MB: 50 * MB}

    def test_one_that_does_not_come_back_is_ended_and_the_others_go_on(self) -> None:
        began = time.monotonic()
        with LocalExecutor(time.sleep, 2, 15) as pool:
            outcomes = dict(pool.run([600.0, 0.0, 0.1, 0.2]))
            assert not [worker for worker in pool._workers if worker.task is not None]
        assert outcomes == {600.0: Failed("overdue"), 0.0: None, 0.1: None, 0.2: None}
        assert time.monotonic() - began < 60
        assert not sleepers(os.getpid())

    def test_what_did_not_come_back_is_for_a_person(
        self, grade: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hand_in(tmp_path / "submitted", "ada")
        monkeypatch.setattr(Here, "run", lambda _, tasks, on_start: iter([(job, Failed("overdue")) for job in tasks]))
        assert grade() == ["ada"]
        verdict = verdict_of(tmp_path / "graded", "ada")
        assert (verdict.state, verdict.reason) == ("needs review", workers.OVERDUE)
        assert grade() == [], "it would take as long again"

    def test_what_cannot_be_written_ends_the_work(self) -> None:
        with LocalExecutor(refuse, 1, 60) as pool, pytest.raises(AutograderError, match="No room for 7"):
            list(pool.run([7]))

    def test_the_limit_lies_above_what_the_runner_allows(self, assignment: Assignment, tmp_path: Path) -> None:
        slow = assignment.model_copy(update={"limits": TimeLimits(run_seconds=900)})
        for each, limits in ((assignment, Limits()), (slow, Limits(run=900))):
            task = Task(ResultStore(tmp_path, each), "ada", tmp_path, None, Options(), "")
            assert workers.max_seconds(task) > 3 * (limits.start + limits.run)

    def test_outcomes_do_not_depend_on_the_wall_clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        jumps = iter(range(1_000_000))
        monkeypatch.setattr(time, "time", lambda: (-1) ** next(jumps) * 1e9)
        with LocalExecutor(abs, 2, 60) as pool:
            begun: list[int] = []
            assert sorted(pool.run([-1, -2, -3], begun.append)) == [(-3, 3), (-2, 2), (-1, 1)]
            assert begun == [-1, -2, -3]

    def test_none_outlives_its_parent(self) -> None:
        main = start(
            "import time; from autograder.scheduling.local import LocalExecutor\n"
            "with LocalExecutor(time.sleep, 2, 600) as p: list(p.run([600, 601]))"
        )
        wait_for(lambda: len(sleepers(main.pid)) == 2)
        workers = [psutil.Process(pid) for pid in sleepers(main.pid)]
        time.sleep(1)
        main.kill()
        main.communicate()
        assert not psutil.wait_procs(workers, 20)[1]


def start(program: str) -> subprocess.Popen[str]:
    """A Python program that knows this module, in a process group of its own."""
    variables = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=variables,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> object:
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)
    return found


def no_preflight(*_: object) -> None:
    """What is tried here is no grading, so that there is no solution that could get full points."""


@pytest.fixture(autouse=True)
def without_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "run_preflight", no_preflight)


def run_command(*arguments: str) -> None:
    """The command line with quick verdicts, in a process of its own."""
    autograde.kernels, workers.grade_task, workers.run_preflight = no_kernels, quick_task, no_preflight
    cli.app(["autograde", "--sandbox", "none", "--jobs", "2", *arguments])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_is_asked_to_stop_does_so_in_order(tmp_path: Path, number: int, status: int) -> None:
    hand_in(tmp_path / "submitted", "ada", "hangs-1", "hangs-2")
    out, scratched = tmp_path / "graded", tmp_path / "t"
    scratched.mkdir()
    arguments = ["--submitted", str(tmp_path / "submitted"), "--out", str(out)]
    program = (
        f"import os, signal\nos.environ['TMPDIR'] = {str(scratched)!r}\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored where tests run in the background\n"
        "from tests.scheduling import test_interruption as t"
    )
    main = start(f"{program}\nif __name__ == '__main__': t.run_command(*{arguments!r})")
    wait_for(lambda: (out / NAME / "students" / "ada" / "verdict.json").exists())
    workers = psutil.Process(main.pid).children(recursive=True)
    began = time.monotonic()
    os.killpg(main.pid, number)
    told = main.communicate(timeout=20)[0]
    assert time.monotonic() - began < 5
    assert main.returncode == status, told
    assert "Stopped. Finished results are kept; run the same command again to continue." in told
    assert "Traceback" not in told
    assert not psutil.wait_procs(workers, 5)[1]
    assert verdict_of(out, "ada").state == "graded"
    assert not list(scratched.iterdir())
    assert not list(out.rglob("*.tmp*"))


def test_a_second_signal_does_not_stop_the_tidying_up() -> None:
    tidied = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                os.kill(os.getpid(), number)
                tidied.append(number)

    with pytest.raises(Stopped) as stopped, stoppable():
        work()
    assert len(tidied) == 2
    assert stopped.value.status == 143


class TestLock:
    def test_a_second_run_says_who_runs_and_ends(self, quick: None, tmp_path: Path) -> None:
        hand_in(tmp_path / "submitted", "ada")
        arguments = ["autograde", "--submitted", str(tmp_path / "submitted"), "--out", str(tmp_path / "graded")]
        began = time.monotonic()
        with lock.hold_lock(tmp_path / "graded"):
            done = CliRunner().invoke(cli.app, arguments)
        assert done.exit_code == 1
        assert re.search(rf"Another run \(process {os.getpid()}, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\)", done.output)
        assert time.monotonic() - began < 10
        assert not (tmp_path / "graded" / NAME).exists()

    def test_nobody_waits_for_a_run_that_has_just_ended(self, tmp_path: Path) -> None:
        sentence = lock._describe_holder(tmp_path / lock.LOCK)
        assert sentence == f"Another run was using {tmp_path} until just now: run the same command again."

    @pytest.mark.parametrize("command", ["feedback", "report"])
    def test_the_books_are_not_written_while_a_run_writes_them(self, tmp_path: Path, command: str) -> None:
        verdict = tmp_path / NAME / "students" / "ada" / "verdict.json"
        verdict.parent.mkdir(parents=True)
        verdict.touch()
        with lock.hold_lock(tmp_path):
            done = CliRunner().invoke(cli.app, [command, "--out", str(tmp_path)])
        assert (done.exit_code, "Another run" in done.output) == (1, True)

    def test_the_lock_of_a_dead_process_blocks_nobody(self, tmp_path: Path) -> None:
        holder = start(
            f"import time; from pathlib import Path; from autograder.results import lock\n"
            f"with lock.hold_lock(Path({str(tmp_path)!r})): print('held', flush=True); time.sleep(600)"
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AutograderError, match=f"process {holder.pid}, since"), lock.hold_lock(tmp_path):
            pass
        holder.kill()
        holder.communicate()
        with lock.hold_lock(tmp_path):
            assert f"process {os.getpid()}" in (tmp_path / lock.LOCK).read_text()

    def test_where_files_cannot_be_locked_it_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse_lock(*_: object) -> None:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        monkeypatch.setattr(fcntl, "flock", refuse_lock)
        with (
            pytest.raises(AutograderError, match="No locks available.*another OUT"),
            lock.hold_lock(tmp_path / "graded"),
        ):
            pass

    def test_it_leaves_no_file_and_no_empty_folder(self, tmp_path: Path) -> None:
        with lock.hold_lock(tmp_path / "graded"):
            assert (tmp_path / "graded" / lock.LOCK).exists()
        with lock.hold_lock(tmp_path):
            pass
        assert list(tmp_path.parent.glob(f"{tmp_path.name}/*")) == []
        assert tmp_path.exists(), "it was there before"


class TestLeftovers:
    def test_the_folder_of_a_dead_run_goes_and_that_of_a_live_one_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        dead, live, strange = (tmp_path / name for name in ("grader-999999999-a", f"grader-{os.getppid()}-b", "k-c"))
        for path in (dead, live, strange):
            (path / "kernels").mkdir(parents=True)
        with scratch.temporary_folder() as own:
            assert (dead.exists(), live.exists(), strange.exists()) == (False, True, True)
            assert Path(tempfile.mkdtemp()).parent == own == Path(os.environ["TMPDIR"])
        assert tempfile.gettempdir() == str(tmp_path)
        assert not own.exists()

    def test_the_folder_of_a_run_in_another_container_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        (tmp_path / "grader-999999999-a").mkdir()
        with FileLock(tmp_path / "grader-999999999-a" / lock.LOCK), scratch.temporary_folder():
            assert (tmp_path / "grader-999999999-a").exists()

    def test_files_that_were_half_written_go(self, tmp_path: Path) -> None:
        dead = (".verdict.json.999999999.tmp", ".gradebook.db.999999999.tmp-journal")
        others = (f".verdict.json.{os.getppid()}.tmp", "verdict.json", ".hidden.tmp", "my.tmp")
        for name in (*dead, *others):
            (tmp_path / name).touch()
        remove_leftovers(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == set(others)

    def test_a_write_that_is_interrupted_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            write_text(tmp_path / "verdict.json", "new")
        assert not list(tmp_path.iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """`small_disk("1m")` mounts so large a disk, or makes it that large."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = False

    def resize(size: str) -> Path:
        nonlocal mounted
        options = f"remount,{size}" if mounted else size
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        mounted = True
        return place

    yield resize
    if mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


class TestDisk:
    @pytest.mark.parametrize("size", ["size=100k", "size=400k", "size=1000k"])
    def test_a_full_disk_keeps_what_is_graded(
        self,
        grade: Callable[..., list[str]],
        tmp_path: Path,
        small_disk: Callable[[str], Path],
        size: str,
    ) -> None:
        """The smallest has no room for a gradebook, the next is full while the submissions are graded, the last while
        the results are published."""
        hand_in(tmp_path / "submitted", *(f"s{number}@100" for number in range(6)))
        out = small_disk(size) / "graded"
        with pytest.raises(AutograderError, match=r"(?i)(no space left|full|disk).*free some disk space") as error:
            grade(out)
        assert "\n" not in str(error.value)
        kept = {path: path.read_bytes() for path in out.glob(f"{NAME}/students/*/verdict.json")}
        assert (0 < len(kept) < 6) == (size == "size=400k")
        assert not list(out.rglob("*.tmp*"))
        small_disk("size=40m")
        assert len(grade(out)) == 6 - len(kept)
        assert all(path.read_bytes() == text for path, text in kept.items())
        assert set(recorded(out).values()) == {88.0}
        assert len(recorded(out)) == 6

    def test_a_disk_that_cannot_be_written_is_told_at_once(
        self, grade: Callable[..., list[str]], tmp_path: Path, small_disk: Callable[[str], Path]
    ) -> None:
        hand_in(tmp_path / "submitted", "ada")
        place = small_disk("size=1m")
        small_disk("ro")
        with pytest.raises(AutograderError, match="graded cannot be written .*Read-only file system.*another OUT"):
            grade(place / "graded")

    @pytest.mark.parametrize(
        "place", ["graded", f"graded/{NAME}", f"graded/{NAME}/students", f"graded/{NAME}/students/ada"]
    )
    def test_a_file_in_the_place_of_a_folder_is_named(
        self, grade: Callable[..., list[str]], tmp_path: Path, place: str
    ) -> None:
        hand_in(tmp_path / "submitted", "ada")
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("precious")
        with pytest.raises(AutograderError, match="graded.* cannot be (written|removed).*"):
            grade()
        assert (tmp_path / place).read_text() == "precious"


class TestGradebook:
    def test_one_that_is_held_is_waited_for(
        self, tmp_path: Path, assignment: Assignment, caplog: pytest.LogCaptureFixture
    ) -> None:
        with open_gradebook(url := gradebook_url(tmp_path)):
            pass
        holder = sqlite3.connect(tmp_path / "gradebook.db", isolation_level=None, check_same_thread=False)
        holder.execute("begin exclusive")
        release = threading.Timer(0.6, lambda: holder.execute("rollback"))
        release.start()
        assert gradebook.manual_scores(url, assignment) == {}
        assert "Another program is using the gradebook" in caplog.text
        release.join()
        holder.close()

    def test_one_that_stays_held_costs_no_verdict(
        self, grade: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "graded"
        hand_in(tmp_path / "submitted", "ada")
        grade()
        hand_in(tmp_path / "submitted", "bob")
        with (
            monkeypatch.context() as patch,
            contextlib.closing(sqlite3.connect(out / "gradebook.db", isolation_level=None)) as holder,
        ):
            patch.setattr(database, "TIMEOUT", 0.3)
            patch.setattr(database, "check_gradebook", lambda _: None)
            patch.setattr(publish, "prepare", lambda _: None)  # it was free then
            holder.execute("begin exclusive")
            with pytest.raises(AutograderError, match="locked.*: close the program that is using it"):
                grade()
        assert verdict_of(out, "bob").state == "graded"
        assert grade() == []
        assert recorded(out) == {"ada": 88.0, "bob": 88.0}

    def test_one_of_an_older_nbgrader_is_left_alone_until_it_is_upgraded(self, tmp_path: Path) -> None:
        path = tmp_path / "gradebook.db"
        url = gradebook_url(tmp_path)
        with open_gradebook(url) as book:
            book.add_student("ada")
        with contextlib.closing(sqlite3.connect(path)) as older:
            older.executescript(
                "alter table student drop column lms_user_id; update alembic_version set version_num = '167914646830';"
            )
        before = path.read_bytes()
        with pytest.raises(AutograderError, match="nbgrader db upgrade") as error:
            check_gradebook(url)
        assert path.read_bytes() == before
        found = re.search(r"`nbgrader (db upgrade \S+)`", str(error.value))
        assert found is not None
        command = [sys.executable, "-m", "nbgrader", *found[1].split()]
        folder = Path(sys.executable).parent
        variables = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=variables, check=False)
        assert done.returncode == 0, done.stderr
        check_gradebook(url)
        with open_gradebook(url) as book:
            assert [student.id for student in book.students] == ["ada"]

    @pytest.mark.parametrize("place", [0, 4096, 60_000])
    def test_one_that_is_damaged_is_left_alone(
        self, grade: Callable[..., list[str]], tmp_path: Path, place: int
    ) -> None:
        hand_in(tmp_path / "submitted", "ada")
        with open_gradebook(gradebook_url(tmp_path / "graded")):
            pass
        path = tmp_path / "graded" / "gradebook.db"
        with path.open("r+b") as file:
            file.seek(place)
            file.write(os.urandom(4096))
        before = path.read_bytes()
        with pytest.raises(AutograderError, match="it is damaged.* not changed") as error:
            grade()
        assert "\n" not in str(error.value)
        assert path.read_bytes() == before

    @pytest.mark.parametrize("step", ["_newest_version", "Gradebook"])
    def test_one_that_was_not_made_to_the_end_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(database, step, interrupt)
            with pytest.raises(KeyboardInterrupt), open_gradebook(gradebook_url(tmp_path)):
                pass
        assert not list(tmp_path.iterdir())

    def test_a_new_one_needs_no_other_program_and_is_as_nbgrader_makes_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = Path(sys.executable).parent
        with monkeypatch.context() as patch:
            patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
            with Gradebook(f"sqlite:///{tmp_path / 'theirs.db'}"):
                pass
        with monkeypatch.context() as patch:
            patch.setenv("PATH", "")
            with open_gradebook(gradebook_url(tmp_path)):
                pass
        schemas, versions = [], []
        for name in ("theirs.db", "gradebook.db"):
            with contextlib.closing(sqlite3.connect(tmp_path / name)) as connection:
                tables = connection.execute("select name, lower(sql) from sqlite_master where sql is not null")
                schemas.append(dict(tables))
                versions.append(connection.execute("select * from alembic_version").fetchall())
        assert schemas[0] == schemas[1]
        assert versions[0] == versions[1]


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        hand_in(tmp_path / "submitted", "ada")
        return tmp_path / "submitted" / "ada" / NAME

    def test_names_and_contents_count_and_dates_do_not(self, folder: Path) -> None:
        first = contents(folder, "x")
        for path in folder.iterdir():
            os.utime(path, (4e9, 4e9))
        assert contents(folder, "x") == first
        assert contents(folder, "y") != first
        (folder / "more.py").write_text("1")
        second = contents(folder, "x")
        (folder / "more.py").write_text("2")
        assert len({first, second, contents(folder, "x")}) == 3

    def test_nothing_endless_is_read(self, folder: Path) -> None:
        os.mkfifo(folder / "pipe.ipynb")
        (folder / "zero.ipynb").symlink_to("/dev/zero")
        (folder / "all").symlink_to("/")
        with (folder / "large.ipynb").open("wb") as file:
            file.truncate(10_000_000_000)
        with contextlib.suppress(PermissionError):
            os.mknod(folder / "device.py", 0o666 | 0o020000, os.makedev(1, 5))
        began = time.monotonic()
        assert contents(folder, "") == contents(folder, "")
        assert time.monotonic() - began < 2

    def test_too_much_is_counted_by_its_size(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("autograder.submission.folders.MAX_BYTES", 50_000)
        for number in range(3):
            (folder / f"data{number}").write_bytes(bytes(30_000))
        before = contents(folder, "")
        (folder / "data2").write_bytes(b"1" * 30_000)
        assert contents(folder, "") == before
        hand_in(folder.parent.parent, "ada")
        (folder / f"{NAME}.ipynb").write_text("{}")
        assert contents(folder, "") != before

    def test_too_many_files_are_for_a_person(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("autograder.submission.folders.MAX_ENTRIES", 2)
        for number in range(3):
            (folder / str(number)).touch()
        assert "more than 2 files" in contents(folder, "").trouble

    def test_the_time_of_handing_in_is_read_from_a_plain_file_only(self, folder: Path) -> None:
        os.mkfifo(folder / "timestamp.txt")
        assert gradebook.handed_in(folder) is None
        (folder / "timestamp.txt").unlink()
        (folder / "timestamp.txt").symlink_to("/dev/zero")
        assert gradebook.handed_in(folder) is None

    def test_a_link_is_no_students_folder(
        self, grade: Callable[..., list[str]], folder: Path, tmp_path: Path, assignment: Assignment
    ) -> None:
        hand_in(tmp_path / "elsewhere", "eve")
        (tmp_path / "submitted" / "eve").symlink_to(tmp_path / "elsewhere" / "eve")
        (tmp_path / "submitted" / "inner").mkdir()
        (tmp_path / "submitted" / "inner" / NAME).symlink_to(tmp_path / "elsewhere" / "eve" / NAME)
        (tmp_path / "submitted" / "dangling").symlink_to("/nowhere")
        assert set(students(tmp_path / "submitted", assignment)) == {"ada", "eve", "inner", "dangling"}
        grade()
        for student in ("eve", "inner", "dangling"):
            verdict = verdict_of(tmp_path / "graded", student)
            assert (verdict.state, "is a link" in verdict.reason) == ("needs review", True)
        assert verdict_of(tmp_path / "graded", "ada").state == "graded"
        assert grade() == ["dangling", "eve", "inner"], "a person may have put the files there since"

    def test_a_name_that_is_no_text_is_left_out_and_told(
        self, grade: Callable[..., list[str]], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "submitted" / os.fsdecode(b"m\xfcller")).mkdir()
        assert grade() == ["ada"]
        assert r"The folder 'm\udcfcller' is ignored" in capsys.readouterr().out

    def test_what_lies_beside_the_folders_is_named_in_the_report_as_long_as_it_does(
        self, grade: Callable[..., list[str]], folder: Path, tmp_path: Path
    ) -> None:
        loose = tmp_path / "submitted" / "doe_11_9_tta-eta.ipynb"
        loose.write_text("{}")
        report = tmp_path / "graded" / NAME / "report.html"
        assert grade() == ["ada"]
        assert "doe_11_9_tta-eta.ipynb to" in report.read_text(encoding="utf-8")
        loose.unlink()
        assert grade() == []
        assert "doe_11_9" not in report.read_text(encoding="utf-8")


class TestShiftingGround:
    """What happens to a submission while it is graded."""

    @pytest.fixture
    def job(self, tmp_path: Path, assignment: Assignment) -> Task:
        hand_in(tmp_path / "submitted", "ada")
        folder = tmp_path / "submitted" / "ada" / NAME
        return Task(ResultStore(tmp_path / "graded", assignment), "ada", folder, NOTHING, Options(), "x")

    def during(self, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], executed: bool = True) -> None:
        def grade_folder(*arguments: object) -> GradedSubmission:
            act()
            graded = quick_verdict(*arguments)  # type: ignore[arg-type]
            return graded if executed else GradedSubmission(graded.verdict)

        monkeypatch.setattr(task, "grade_folder", grade_folder)

    def test_it_stays(self, job: Task, monkeypatch: pytest.MonkeyPatch) -> None:
        self.during(monkeypatch, lambda: None)
        assert grade_task(job).verdict.grader["fingerprint"] == contents(job.folder, "x").digest

    def test_it_changes(self, job: Task, monkeypatch: pytest.MonkeyPatch) -> None:
        self.during(monkeypatch, lambda: (job.folder / f"{NAME}.ipynb").write_text("{}"))
        verdict = grade_task(job).verdict
        assert verdict.grader["fingerprint"] == ""
        assert [finding.text for finding in verdict.findings] == [task.CHANGED]

    @pytest.mark.parametrize("executed", [True, False])
    def test_it_disappears(self, job: Task, monkeypatch: pytest.MonkeyPatch, executed: bool) -> None:
        self.during(monkeypatch, lambda: job.folder.rename(job.folder.with_name("away")), executed)
        verdict = grade_task(job).verdict
        assert verdict.grader["fingerprint"] == ""
        assert "disappeared" in (verdict.findings[0].text if executed else verdict.reason)
        assert verdict.state == ("graded" if executed else "needs review")

    def test_it_is_gone_before_its_turn(self, job: Task) -> None:
        job.folder.rename(job.folder.with_name("away"))
        verdict = grade_task(job).verdict
        assert (verdict.state, "disappeared" in verdict.reason) == ("needs review", True)

    def test_it_cannot_be_read(self, job: Task, monkeypatch: pytest.MonkeyPatch) -> None:
        def denied(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "walk", denied)
        verdict = grade_task(job).verdict
        assert (verdict.state, "Permission denied" in verdict.reason) == ("needs review", True)
        assert verdict.grader["fingerprint"] == ""

    def test_what_the_machine_prevented_is_tried_again(self, job: Task, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            task, "grade_folder", lambda *_: GradedSubmission(task.leave_ungraded(job.assignment, "ada", "Died."))
        )
        assert grade_task(job).verdict.grader["fingerprint"] == ""

    def test_nothing_is_graded_again_for_a_clock_that_jumps(
        self, grade: Callable[..., list[str]], job: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (job.folder / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC")
        jumps = iter(range(10**9))
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + (-1) ** next(jumps) * 10**8)
        assert grade() == ["ada"]
        for path in [*tmp_path.rglob("*")]:
            os.utime(path, (4e9, 4e9))
        assert grade() == []
        with Gradebook(gradebook_url(tmp_path / "graded")) as book:
            assert book.find_submission(NAME, "ada").timestamp == datetime(2026, 3, 1, 12)


class TestBooksOfSome:
    """What fails for one student is written for all others."""

    @pytest.fixture
    def out(self, grade: Callable[..., list[str]], tmp_path: Path) -> Path:
        hand_in(tmp_path / "submitted", "ada", "bob", "cleo")
        grade()
        for page in (tmp_path / "graded").rglob("*.html"):
            page.unlink()
        return tmp_path / "graded"

    def test_a_feedback_page(self, out: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
        page = feedback.feedback_page

        def broken(assignment: Assignment, verdict: Verdict, *rest: object) -> str:
            if verdict.student == "bob":
                raise ValueError("half a picture")
            return page(assignment, verdict, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(feedback, "feedback_page", broken)
        with pytest.raises(PartlyWritten, match=r"feedback page .* for bob \(ValueError: half a picture\)"):
            publish.publish(ResultStore(out, assignment))
        assert {path.parent.name for path in out.rglob("feedback.html")} == {"ada", "cleo"}
        assert (out / NAME / "report.html").exists()

    def test_a_row_of_the_gradebook(self, out: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
        for student in ("ada", "bob", "cleo"):
            path = out / NAME / "students" / student / "verdict.json"
            items = [item.model_copy(update={"points": 1.0}) for item in verdict_of(out, student).items]
            path.write_text(verdict_of(out, student).model_copy(update={"items": tuple(items)}).model_dump_json())
        score = gradebook._auto_score

        def broken(name: str, items: object, unanswered: set[str], verdict: Verdict) -> float | None:
            if verdict.student == "bob" and name == "callback":
                raise ValueError("no such cell")
            return score(name, items, unanswered, verdict)  # type: ignore[arg-type]

        monkeypatch.setattr(gradebook, "_auto_score", broken)
        with pytest.raises(PartlyWritten, match=r"gradebook row .* for bob \(ValueError: no such cell\)"):
            publish.publish(ResultStore(out, assignment))
        assert recorded(out) == {"ada": 8.0, "bob": 88.0, "cleo": 8.0}
        assert {path.parent.name for path in out.rglob("feedback.html")} == {"ada", "bob", "cleo"}

    def test_a_notebook_that_was_damaged(self, out: Path, assignment: Assignment) -> None:
        (out / NAME / "students" / "bob" / f"{NAME}.ipynb").write_text("{")
        with pytest.raises(PartlyWritten, match="bob"):
            publish.publish(ResultStore(out, assignment))
        assert {path.parent.name for path in out.rglob("feedback.html")} == {"ada", "cleo"}
        assert len(recorded(out)) == 3

    def test_many_names_are_cut_off(self) -> None:
        error = PartlyWritten.of("page", {f"s{number}": ValueError("no") for number in range(300)})
        assert "295 more" in str(error)
        assert len(str(error)) < 300


@pytest.mark.slow
def test_five_kills_lose_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The short form of `python -m tests.hostile.interruption`, with kernels."""
    from tests.hostile.interruption import interrupt

    with tempfile.TemporaryDirectory(prefix="i-") as folder:
        trial = interrupt(Path(folder), kills=5, submissions=4, seed=1)
    assert trial.losses == []
    assert trial.kills == 5


class TestCache:
    """Books are written again when something that they depend on has changed, and only then."""

    @pytest.fixture
    def written(self, grade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
        """A class of two that is graded; from now on every writing of the report is noted here."""
        hand_in(tmp_path / "submitted", "ada", "bob")
        grade()
        noted: list[str] = []
        original = publish.report.write_report

        def write(*arguments: Any) -> None:
            noted.append("report")
            original(*arguments)

        monkeypatch.setattr(publish.report, "write_report", write)
        return noted

    def test_an_unchanged_class_is_left_alone(
        self, grade: Callable[..., list[str]], written: list[str], tmp_path: Path
    ) -> None:
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "graded").rglob("*") if path.name != ".lock"}
        assert (grade(), grade(), written) == ([], [], [])
        assert before == {path: path.stat().st_mtime_ns for path in before}

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda out: enter_points(out, "ada", 3.0), id="points by hand"),
            pytest.param(lambda out: (out / NAME / "students" / "ada" / "feedback.html").unlink(), id="page removed"),
            pytest.param(lambda out: (out / NAME / "grades.csv").write_text("", "utf-8"), id="table emptied"),
            pytest.param(lambda out: shutil.rmtree(out / "autograded" / "bob"), id="notebook removed"),
            pytest.param(lambda out: (out / NAME / cache.NAME).unlink(), id="no mark"),
        ],
    )
    def test_what_changes_is_written(
        self,
        grade: Callable[..., list[str]],
        written: list[str],
        tmp_path: Path,
        change: Callable[[Path], object],
    ) -> None:
        change(tmp_path / "graded")
        assert (grade(), written) == ([], ["report"])
        assert (grade(), written) == ([], ["report"]), "and then it is left alone again"

    def test_points_by_hand_reach_the_table(
        self, grade: Callable[..., list[str]], written: list[str], tmp_path: Path
    ) -> None:
        enter_points(tmp_path / "graded", "ada", 3.0)
        grade()
        assert "ada,5,15,14,12,8,3,14," in (tmp_path / "graded" / NAME / "grades.csv").read_text("utf-8")

    def test_books_that_were_not_finished_are_written_next_time(
        self, grade: Callable[..., list[str]], written: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        enter_points(tmp_path / "graded", "ada", 3.0)
        with monkeypatch.context() as patch:
            patch.setattr(publish.gradebook, "members", lambda *_: refuse(1))
            with pytest.raises(AutograderError):
                grade()
        assert written == []
        grade()
        assert written == ["report"]


def enter_points(out: Path, student: str, points: float) -> None:
    with Gradebook(gradebook_url(out)) as book:
        grade = book.find_grade("lr-comment", NAME, NAME, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        book.db.commit()


def test_what_a_verdict_rests_on_is_what_students_got_and_not_what_lies_beside_it(
    assignment: Assignment, tmp_path: Path
) -> None:
    release = tmp_path / "release" / NAME
    release.mkdir(parents=True)
    (release / assignment.notebook_name).write_text("{}")
    (release / "lab_helpers.py").write_text("")
    (tmp_path / "source" / NAME).mkdir(parents=True)
    assignment = assignment.at(Course(tmp_path))
    before = cache.hash_basis(assignment, Options())
    (release / ".ipynb_checkpoints").mkdir()
    (release / "kept-batch_size.json").write_text("[]")
    assert cache.hash_basis(assignment, Options()) == before
    (release / "lab_helpers.py").write_text("changed = True")
    assert cache.hash_basis(assignment, Options()) != before
