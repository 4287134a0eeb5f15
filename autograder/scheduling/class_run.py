"""Grades a class: every submission in a folder, several at a time, resumable, with the books written at the end.

What grades and what writes the books is imported where there is something to grade or to write: to see that a class is
unchanged takes less time than those imports.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from autograder.assignment.settings import ROOT, Assignment
from autograder.execution.kernels import Kernels, Start, Walls, kernels
from autograder.execution.options import Options
from autograder.grading.verdict import Done, Verdict
from autograder.results import cache as ledger
from autograder.results import store as books
from autograder.results.layout import adopt_earlier_results
from autograder.results.lock import hold_lock
from autograder.results.scratch import temporary_folder
from autograder.submission.folders import contents, loose_notebooks, misnamed, students

from .parallel import count_cores

WATCHED = ("*.py", "*.ini", "*.html", "*.css")

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
    begin: Callable[[str], None] = lambda _: None,
    say: Callable[[str], None] = print,
) -> list[Verdict]:
    """Grades what is new or changed and writes all books.

    `begin` hears of each student whose submission is begun, `tell` of each that is done, `say` gets sentences about the
    run as a whole.
    """
    found = students(submitted, assignment)
    for name in misnamed(submitted):
        say(f"The folder {name} is left out because its name is not text: rename it.")
    if loose := loose_notebooks(submitted, assignment):
        say(loose)
    with alone_in(out, assignment):
        common = basis(assignment, options)
        known = {verdict.student: verdict for verdict in books.read_verdicts(out, assignment)}
        fresh = [s for s in found if s in known and _is_fresh(known[s], found[s], common)]
        todo = [student for student in found if student not in set(fresh)]
        for number, student in enumerate(fresh, 1):
            tell(Done(student, known[student], skipped=True), number, len(found))
        if todo:
            with ThreadPoolExecutor(1) as thread:  # it ends the kernels while the books are written
                with ExitStack() as stack:
                    # Before all else that grading needs is imported: TensorFlow takes longest, in a process of its own.
                    needed = assignment.exercise.instruments
                    source = kernels(kernel, walls, needed)
                    ready = stack.enter_context(_soon(thread, source)) if not scheduler else None
                    from .task import Task
                    from .workers import Crew, graded

                    tasks = [Task(assignment, s, found[s], out, None, options, common) for s in todo]
                    crew = Crew(scheduler, jobs, kernel, walls, ready)
                    outcomes = graded(tasks, stack, crew, begin, say, lambda: _prepare_books(out))
                    for number, done in enumerate(outcomes, len(fresh) + 1):
                        tell(done, number, len(found))
                return _write_books(assignment, found, out)
        if ledger.holds(out, assignment):
            return list(known.values())
        return _write_books(assignment, found, out)


@contextmanager
def _soon(thread: ThreadPoolExecutor, manager: AbstractContextManager[Kernels]) -> Iterator[Callable[[], Kernels]]:
    """Enters a context in a thread, where it is left too; what is yielded waits for what it gives. The thread stays as
    long as the context, because a process that shall end with its parent ends with the thread that started it."""
    entered = thread.submit(manager.__enter__)
    try:
        yield entered.result
    finally:
        if entered.exception() is None:
            thread.submit(manager.__exit__, None, None, None)


def _prepare_books(out: Path) -> None:
    from autograder.reporting import publish as classbooks

    classbooks.prepare(out)


def _write_books(assignment: Assignment, found: Mapping[str, Path], out: Path) -> list[Verdict]:
    from autograder.reporting import publish as classbooks

    return classbooks.write(assignment, found, out)


@contextmanager
def alone_in(out: Path, assignment: Assignment) -> Iterator[None]:
    """Nobody else writes there meanwhile, nothing temporary is left behind, older results lie where newer ones do."""
    with ExitStack() as stack:
        stack.enter_context(hold_lock(out))
        stack.enter_context(temporary_folder())
        books.remove_leftovers(out)
        stack.callback(books.remove_leftovers, out)
        adopt_earlier_results(out, assignment)
        yield


def write_books(assignment: Assignment, submitted: Path | None, out: Path) -> list[Verdict]:
    """Brings gradebook, table, feedback pages and report up to date with the verdicts on disk; see `publish`."""
    with alone_in(out, assignment):
        return _write_books(assignment, students(submitted, assignment) if submitted is not None else {}, out)


def basis(assignment: Assignment, options: Options) -> str:
    """A hash of everything but the submission that a verdict depends on."""
    digest = hashlib.sha256(assignment.model_dump_json().encode())
    digest.update(repr(options).encode())
    release = ROOT / "release" / assignment.name
    for path in (release / assignment.notebook_name, *sorted(release.glob("*.py"))):
        if path.is_file():  # a release that is missing is told of where it is needed
            digest.update(path.name.encode() + path.read_bytes())
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
    return count_cores() + 1
