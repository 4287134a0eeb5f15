"""Grades a class: every submission in a folder, several at a time, resumable, with the books written at the end."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import books, feedback, gradebook, ledger, lock, report, scratch
from .assignment import ROOT, Assignment
from .classroom import Classroom
from .errors import AutograderError, PartlyWritten
from .folder import contents, misnamed, students
from .grading import Options
from .kernel import Start, Walls, kernels
from .limits import Limits
from .pool import Lost, Pool
from .release import course_configuration, helpers
from .submission import load_release
from .task import Done, Task, grade_task, leave_to_a_person
from .verdict import Verdict

if TYPE_CHECKING:
    from .cluster import Cluster

WATCHED = ("*.py", "*.ini", "*.html", "*.css")

MOST_RUNS = 6
"""How many whole runs a submission may take before it is given up; the runner ends each of them by itself."""

SLACK = 60.0
"""Seconds that a submission may take beside its runs."""

DIED = "The grading process died twice on it."
OVERDUE = "The grading process did not come back in time and was ended."

Report = Callable[[Done, int, int], None]


def autograde(
    assignment: Assignment,
    submitted: Path,
    out: Path,
    options: Options,
    *,
    jobs: int,
    kernel: Start,
    walls: Walls,
    scheduler: str = "",
    tell: Report,
    say: Callable[[str], None] = print,
) -> list[Verdict]:
    """Grades what is new or changed and writes all books.

    `tell` hears of each submission as it is done, `say` gets sentences about the run as a whole.
    """
    found = students(submitted, assignment)
    for name in misnamed(submitted):
        say(f"The folder {name} is left out because its name is not text: rename it.")
    with _alone_in(out):
        gradebook.check(gradebook_url(out))
        common = basis(assignment, options)
        known = {verdict.student: verdict for verdict in books.read_verdicts(out, assignment)}
        fresh = [s for s in found if s in known and _is_fresh(known[s], found[s], common)]
        for number, student in enumerate(fresh, 1):
            tell(Done(student, known[student], skipped=True), number, len(found))
        todo = [student for student in found if student not in set(fresh)]
        if not todo and ledger.holds(out, assignment):
            return list(known.values())
        with ExitStack() as stack:
            tasks = [Task(assignment, s, found[s], out, None, options, common) for s in todo]
            outcomes = _run(tasks, stack, scheduler, jobs, kernel, walls, say)
            for number, done in enumerate(outcomes, len(fresh) + 1):
                tell(done, number, len(found))
        return _write_books(assignment, found, out)


@contextmanager
def _alone_in(out: Path) -> Iterator[None]:
    """Nobody else writes there meanwhile, and nothing temporary is left behind."""
    with ExitStack() as stack:
        stack.enter_context(lock.held(out))
        stack.enter_context(scratch.folder())
        books.remove_leftovers(out)
        stack.callback(books.remove_leftovers, out)
        yield


def _run(
    tasks: list[Task],
    stack: ExitStack,
    scheduler: str,
    jobs: int,
    start: Start,
    walls: Walls,
    say: Callable[[str], None],
) -> Iterator[Done]:
    """Runs the tasks elsewhere; one that is lost costs its own submission a verdict, no more."""
    if not tasks:
        return
    seconds = longest(tasks[0].options.limits)
    workers: Pool[Task, Done] | Cluster
    if scheduler:
        from .cluster import Cluster

        workers = stack.enter_context(Cluster(scheduler, seconds, start, walls))
    else:
        pool = Pool(grade_task, min(jobs, len(tasks)), seconds)
        stack.callback(pool.end)
        pool.start()  # they import what they need while the parent of the kernels does
        source = stack.enter_context(kernels(start, walls))
        if source.note:
            say(source.note)
        tasks = [replace(task, kernels=source) for task in tasks]
        workers = stack.enter_context(pool)
    for task, outcome in workers.run(tasks):
        if not isinstance(outcome, Lost):
            yield outcome
        elif outcome.how == "died":
            yield leave_to_a_person(task, DIED)
        else:
            yield leave_to_a_person(task, OVERDUE, contents(task.folder, task.basis).digest)


def longest(limits: Limits) -> float:
    """Seconds after which a submission is given up."""
    return MOST_RUNS * (limits.start + limits.run) + SLACK


def write_books(assignment: Assignment, submitted: Path | None, out: Path) -> list[Verdict]:
    """Brings gradebook, table, feedback pages and report up to date with the verdicts on disk.

    What fails for one student is written for all others; PartlyWritten then says whose is missing.
    """
    with _alone_in(out):
        return _write_books(assignment, students(submitted, assignment) if submitted is not None else {}, out)


def _write_books(assignment: Assignment, folders: Mapping[str, Path], out: Path) -> list[Verdict]:
    ledger.forget(out, assignment)
    verdicts = books.read_verdicts(out, assignment)
    database = gradebook_url(out)
    missing: list[str] = []
    results = _results(assignment, folders, out, verdicts, missing)
    release = load_release(assignment)
    known = Classroom.of(out, assignment, release, {verdict.student: run for verdict, run, _ in results})
    with _noting(missing):
        gradebook.record(database, assignment, release, results, out / "autograded", beside=known.beside(assignment))
    gradebook.assign_late_penalties(database, assignment, course_configuration())
    recorded = ledger.gradebook_state(out)
    manual = gradebook.manual_scores(database, assignment)
    books.write_grades(out, assignment, verdicts, manual)
    with _noting(missing):
        feedback.write_feedback(out, assignment, [(verdict, run) for verdict, run, _ in results], manual, release)
    known = replace(known, members=gradebook.members(database, assignment))
    report.write_report(out, assignment, verdicts, manual, known)
    if missing:
        raise PartlyWritten(" ".join(missing))
    ledger.keep(out, assignment, recorded)
    return verdicts


def _results(
    assignment: Assignment, folders: Mapping[str, Path], out: Path, verdicts: list[Verdict], missing: list[str]
) -> list[gradebook.Result]:
    """What the gradebook is to know of each student."""
    results = []
    for verdict in verdicts:
        folder = folders.get(verdict.student)
        handed_in = gradebook.handed_in(folder) if folder is not None else None
        try:
            results.append((verdict, books.read_executed(out, assignment, verdict.student), handed_in))
        except AutograderError as error:
            missing.append(str(error))
    return results


@contextmanager
def _noting(missing: list[str]) -> Iterator[None]:
    try:
        yield
    except PartlyWritten as error:
        missing.append(str(error))


def gradebook_url(out: Path) -> str:
    return f"sqlite:///{(out / 'gradebook.db').resolve()}"


def basis(assignment: Assignment, options: Options) -> str:
    """A hash of everything but the submission that a verdict depends on."""
    digest = hashlib.sha256(assignment.model_dump_json().encode())
    digest.update(repr(options).encode())
    digest.update((ROOT / "release" / assignment.name / assignment.notebook_name).read_bytes())
    digest.update(repr(sorted(helpers(assignment).items())).encode())
    for pattern in WATCHED:
        for path in sorted((ROOT / "autograder").rglob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_fresh(verdict: Verdict, folder: Path, common: str) -> bool:
    """Whether the verdict is on what lies in the folder now."""
    found = contents(folder, common)
    return not found.trouble and verdict.grader.get("fingerprint") == found.digest


def default_jobs() -> int:
    """One for each core that this process may use, and one more: a submission waits now and then."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return usable + 1
