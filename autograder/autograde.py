"""Grades a class: every submission in a folder, several at a time, resumable, with the books written at the end."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from . import books, feedback, gradebook, report
from .assignment import ROOT, Assignment
from .errors import AutograderError
from .grading import Graded, Options, for_a_person, grade_folder
from .kernel import Kernels, Start, Walls, kernels
from .submission import load_release
from .verdict import Verdict

WATCHED = ("*.py", "*.ini", "*.html", "*.css")


@dataclass(frozen=True)
class Task:
    """The unit of work: one student's folder, graded into one folder of results."""

    assignment: Assignment
    student: str
    folder: Path
    out: Path
    kernels: Kernels
    options: Options
    fingerprint: str


@dataclass(frozen=True)
class Done:
    """What happened to one student's submission."""

    student: str
    verdict: Verdict
    skipped: bool = False


Report = Callable[[Done, int, int], None]


def students(submitted: Path, assignment: Assignment) -> dict[str, Path]:
    """The folder of each student: `submitted/<student>/<assignment>`, or the student's own if it holds the files."""
    if not submitted.is_dir():
        raise AutograderError(
            f"There is no folder {submitted}: put submissions into {submitted}/<student>/{assignment.name}/."
        )
    found = {}
    for folder in sorted(path for path in submitted.iterdir() if path.is_dir() and not path.name.startswith(".")):
        inner = [path for path in folder.iterdir() if path.is_dir() and path.name.lower() == assignment.name.lower()]
        found[folder.name] = inner[0] if inner else folder
    if not found:
        raise AutograderError(
            f"There are no submissions in {submitted}: each belongs into {submitted}/<student>/{assignment.name}/."
        )
    return found


def autograde(
    assignment: Assignment,
    submitted: Path,
    out: Path,
    options: Options,
    *,
    jobs: int,
    kernel: Start,
    walls: Walls,
    tell: Report,
    say: Callable[[str], None] = print,
) -> list[Verdict]:
    """Grades what is new or changed and writes all books.

    `tell` hears of each submission as it is done, `say` gets sentences about the run as a whole.
    """
    found = students(submitted, assignment)
    common = _common_fingerprint(assignment, options)
    prints = {student: _fingerprint(folder, common) for student, folder in found.items()}
    known = {verdict.student: verdict for verdict in books.read_verdicts(out, assignment)}
    fresh = {s for s in found if s in known and known[s].grader.get("fingerprint") == prints[s]}
    for number, student in enumerate(sorted(fresh), 1):
        tell(Done(student, known[student], skipped=True), number, len(found))
    todo = [student for student in found if student not in fresh]
    if todo:
        with kernels(kernel, walls) as source:
            if source.note:
                say(source.note)
            tasks = [Task(assignment, s, found[s], out, source, options, prints[s]) for s in todo]
            for number, done in enumerate(_run(tasks, jobs), len(fresh) + 1):
                tell(done, number, len(found))
    return write_books(assignment, submitted, out)


def _run(tasks: list[Task], jobs: int) -> Iterator[Done]:
    """Runs the tasks in worker processes; a worker that dies costs its own submission a verdict, no more."""
    waiting = list(tasks)
    retried: set[str] = set()
    while waiting:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(jobs, len(waiting)), mp_context=context) as pool:
            futures: dict[Future[Done], Task] = {pool.submit(grade_task, task): task for task in waiting}
            waiting = []
            for future in _as_completed(futures):
                task = futures[future]
                try:
                    yield future.result()
                except BrokenProcessPool:
                    if task.student in retried:
                        yield _keep(
                            task,
                            Graded(
                                for_a_person(task.assignment, task.student, "The grading process died twice on it.")
                            ),
                        )
                    else:
                        retried.add(task.student)
                        waiting.append(task)
        if len(waiting) > 1:
            jobs = 1


def _as_completed(futures: dict[Future[Done], Task]) -> Iterator[Future[Done]]:
    left = set(futures)
    while left:
        ready, left = wait(left, return_when=FIRST_COMPLETED)
        yield from ready


def grade_task(task: Task) -> Done:
    """Grades one submission and writes its results; runs in a worker."""
    try:
        graded = grade_folder(task.assignment, task.folder, task.student, task.kernels, task.options)
    except Exception as error:
        reason = f"The autograder itself failed on it ({type(error).__name__}: {' '.join(str(error).split())[:200]})."
        graded = Graded(for_a_person(task.assignment, task.student, reason))
    return _keep(task, graded)


def _keep(task: Task, graded: Graded) -> Done:
    marked = graded.verdict.model_copy(update={"grader": graded.verdict.grader | {"fingerprint": task.fingerprint}})
    evidence = graded.evidence.model_dump_json() if graded.evidence else "{}"
    books.write_submission(task.out, task.assignment, marked, evidence, graded.executed)
    return Done(task.student, marked)


def write_books(assignment: Assignment, submitted: Path | None, out: Path) -> list[Verdict]:
    """Brings gradebook, table, feedback pages and report up to date with the verdicts on disk."""
    verdicts = books.read_verdicts(out, assignment)
    database = gradebook_url(out)
    folders = students(submitted, assignment) if submitted is not None else {}
    results = []
    for verdict in verdicts:
        folder = folders.get(verdict.student)
        handed_in = gradebook.handed_in(folder) if folder is not None else None
        results.append((verdict, books.read_executed(out, assignment, verdict.student), handed_in))
    gradebook.record(database, assignment, load_release(assignment), results, out / "autograded")
    gradebook.assign_late_penalties(database, assignment, gradebook.course_configuration())
    manual = gradebook.manual_scores(database, assignment)
    books.write_grades(out, assignment, verdicts, manual)
    feedback.write_feedback(out, assignment, manual)
    report.write_report(out, assignment, manual)
    return verdicts


def gradebook_url(out: Path) -> str:
    return f"sqlite:///{(out / 'gradebook.db').resolve()}"


def _common_fingerprint(assignment: Assignment, options: Options) -> bytes:
    """A hash of everything but the submission that a verdict depends on."""
    digest = hashlib.sha256(assignment.model_dump_json().encode())
    digest.update(repr(options).encode())
    digest.update((ROOT / "release" / assignment.name / assignment.notebook_name).read_bytes())
    for pattern in WATCHED:
        for path in sorted((ROOT / "autograder").rglob(pattern)):
            digest.update(path.read_bytes())
    return digest.digest()


def _fingerprint(folder: Path, common: bytes) -> str:
    digest = hashlib.sha256(common)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:32]


def default_jobs() -> int:
    return max(1, os.cpu_count() or 1)
