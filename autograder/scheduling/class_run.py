"""Grade a class: all submissions in a folder, several at a time, resumable; publish the results at the end.

The modules for grading are imported only if there is something to grade, so that an unchanged class takes less time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from autograder.errors import UsageError, suggest
from autograder.execution.kernels import Kernels, SandboxChoice, Start, kernels
from autograder.execution.options import Options
from autograder.grading.verdict import Done, Verdict
from autograder.results import cache
from autograder.results.exclusive import exclusive
from autograder.results.store import ResultStore
from autograder.submission.folders import contents, loose_notebooks, misnamed, students

from .parallel import count_cores


class Publisher(Protocol):
    """Writes the gradebook, tables and pages of a class; see `reporting.publish`."""

    def prepare(self, store: ResultStore) -> None:
        """Raise AutograderError if writing will not be possible."""

    def write(self, store: ResultStore, folders: Mapping[str, Path]) -> list[Verdict]:
        """Write everything and return the verdicts; `folders` are the folders of the submissions, by student."""


def autograde(
    store: ResultStore,
    submitted: Path,
    options: Options,
    publisher: Publisher,
    *,
    jobs: int,
    kernel: Start,
    isolation: SandboxChoice,
    scheduler: str = "",
    only: Collection[str] = (),
    on_done: Callable[[Done, int, int], None],
    on_start: Callable[[str], None] = lambda _: None,
    log: Callable[[str], None] = print,
) -> list[Verdict]:
    """Grade new and changed submissions and publish all results.

    Args:
        store: the store for the results of the assignment.
        submitted: the folder with one subfolder per student.
        options: how submissions are run.
        publisher: writes the gradebook, tables and pages.
        jobs: the number of grading processes on this machine.
        kernel: how kernels are started.
        isolation: the sandbox of the kernels.
        scheduler: the address of a Dask scheduler whose workers grade instead.
        only: the students whose submissions are graded; empty for all.
        on_done: called with each result, its number and the total number.
        on_start: called with each student when grading of the submission starts.
        log: called with messages about the run as a whole.

    Returns:
        The verdicts of the whole class, by student.

    Raises:
        AutograderError: the run had to end; the results so far are kept.
    """
    assignment = store.assignment
    folders = students(submitted, assignment)
    left_out = [
        f"The folder {name} is ignored, because its name is not valid text: rename it." for name in misnamed(submitted)
    ]
    left_out += filter(None, [loose_notebooks(submitted, assignment)])
    for sentence in left_out:
        log(sentence)
    if unknown := next((student for student in only if student not in folders), None):
        raise UsageError(f"There is no submission from {unknown!r} in {submitted}{suggest(unknown, folders)}.")
    chosen = {student: folder for student, folder in folders.items() if not only or student in only}
    with exclusive(store):
        store.write_left_out(left_out)
        basis = cache.hash_basis(assignment, options)
        verdicts = {verdict.student: verdict for verdict in store.read_verdicts()}
        fresh = [s for s in chosen if s in verdicts and _is_fresh(verdicts[s], folders[s], basis)]
        todo = [student for student in chosen if student not in set(fresh)]
        for number, student in enumerate(fresh, 1):
            on_done(Done(student, verdicts[student], skipped=True), number, len(chosen))
        if todo:
            with ThreadPoolExecutor(1) as thread:  # ends the kernels while the results are published
                with _remove_unused_gradebook(store.gradebook), ExitStack() as stack:
                    # Start the kernels before importing the modules for grading: importing TensorFlow takes longest.
                    source = kernels(kernel, isolation, assignment.exercise.instruments)
                    ready = stack.enter_context(_enter_soon(thread, source)) if not scheduler else None
                    from .task import Task
                    from .workers import WorkerConfig, grade_tasks

                    tasks = [Task(store, s, folders[s], None, options, basis) for s in todo]
                    config = WorkerConfig(kernel, isolation, jobs, scheduler, ready)
                    prepare = functools.partial(publisher.prepare, store)
                    outcomes = grade_tasks(tasks, stack, config, on_start=on_start, log=log, meanwhile=prepare)
                    for number, done in enumerate(outcomes, len(fresh) + 1):
                        on_done(done, number, len(chosen))
                return publisher.write(store, folders)
        if cache.is_current(store):
            return list(verdicts.values())
        return publisher.write(store, folders)


@contextmanager
def _enter_soon(
    thread: ThreadPoolExecutor, manager: AbstractContextManager[Kernels]
) -> Iterator[Callable[[], Kernels]]:
    """Enter a context in a thread, and yield a function that waits for it. The context is left in the same thread,
    which must live until then: a process that ends with its parent ends with the thread that started it."""
    entered = thread.submit(manager.__enter__)
    try:
        yield entered.result
    finally:
        if entered.exception() is None:
            thread.submit(manager.__exit__, None, None, None)


@contextmanager
def _remove_unused_gradebook(path: Path) -> Iterator[None]:
    """Remove a gradebook that was created in this context, and is still empty, if an error ends the run."""
    is_new = not path.exists()
    try:
        yield
    except BaseException:
        if is_new:
            path.unlink(missing_ok=True)
        raise


def _is_fresh(verdict: Verdict, folder: Path, basis: str) -> bool:
    """Whether the verdict is about the current contents of the folder."""
    found = contents(folder, basis)
    return not found.trouble and verdict.grader.get("fingerprint") == found.digest


def default_jobs() -> int:
    """Return one more than the number of cores that this process may use, because submissions sometimes wait."""
    return count_cores() + 1
