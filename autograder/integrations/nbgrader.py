"""The nbgrader integration: nbgrader's own `autograde` and the formgrader's button give the points of `make autograde`.

`nbgrader_config.py` replaces the preprocessors with which nbgrader repairs a notebook, runs it and adds up its points
by `GradeSubmission`.
"""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, cast

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Enum, Integer, Unicode

from autograder.assignment.settings import Assignment
from autograder.common.encoders import encode_path
from autograder.errors import AutograderError
from autograder.execution.kernels import SandboxChoice, Start, kernels
from autograder.execution.options import Options, Training
from autograder.grading.verdict import GradedSubmission, Verdict
from autograder.reporting import formgrader, gradebook
from autograder.reporting.class_data import ClassData
from autograder.results.earlier_layout import adopt_earlier_results
from autograder.results.lock import hold_lock
from autograder.results.store import ResultStore
from autograder.scheduling.executor import Failed
from autograder.scheduling.local import LocalExecutor
from autograder.scheduling.task import Task, grade_task
from autograder.scheduling.workers import finish_failed, max_seconds
from autograder.submission.prepare import load_release


class GradingService:
    """Warm kernels and a grading process, which are reused for all submissions.

    Grading has its own process, because the formgrader's button is handled in the event loop of a Jupyter server, where
    neither nbclient nor pytest can run.
    """

    def __init__(self, kernel: Start, isolation: SandboxChoice) -> None:
        self._open = ExitStack()
        self.kernels = self._open.enter_context(kernels(kernel, isolation))
        self._executor = self._open.enter_context(LocalExecutor(grade_task, 1, 0.0))
        atexit.register(self.close)

    def grade(self, task: Task) -> Verdict:
        """Grade one submission, write its files and return the verdict, even if the process died."""
        self._executor.seconds = max_seconds(task)
        ((_, outcome),) = self._executor.run([task])
        return (finish_failed(task, outcome) if isinstance(outcome, Failed) else outcome).verdict

    def close(self) -> None:
        """End the process and the kernels."""
        atexit.unregister(self.close)
        self._open.close()


@cache
def open_service(kernel: Start, isolation: SandboxChoice) -> GradingService:
    """Return the service of this process, which is started when it is first needed."""
    return GradingService(kernel, isolation)


class GradeSubmission(NbGraderPreprocessor):
    """Grades a submission and returns the notebook that the formgrader shows.

    It reads the submitted folder itself, because nbgrader's repairs would hide changes by the student.
    """

    out = Unicode("graded", help="The folder of the results, like OUT in `make autograde`.").tag(config=True)
    seed = Integer(
        None, allow_none=True, help="The same seed gives the same data and training curves; None samples new ones."
    ).tag(config=True)
    training = Enum(("scripted", "real"), "scripted", help="Whether training is simulated or real.").tag(config=True)
    sandbox = Enum(("any", "bwrap", "podman", "none"), "any", help="The sandbox in which submissions are run.").tag(
        config=True
    )
    kernel = Enum(
        ("auto", "warm", "plain"),
        "auto",
        help="Fork kernels from a preloaded process (warm), or start a new process for each (plain).",
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        names = resources["nbgrader"]
        store = ResultStore(Path(self.out).resolve(), Assignment.load(names["assignment"]))
        if encode_path(names["student"]) != names["student"]:
            raise AutograderError(
                f"nbgrader cannot handle the folder name {names['student']!r}: rename the folder, or grade it with "
                "make autograde."
            )
        with hold_lock(store.out):
            adopt_earlier_results(store)
            return self._graded(resources["nbgrader"], store), resources

    def _graded(self, names: dict[str, Any], store: ResultStore) -> NotebookNode:
        assignment, student = store.assignment, names["student"]
        release = load_release(assignment)
        before = store.read_executed(student)
        verdict = self._verdict(store, student)
        executed = store.read_executed(student)
        graded = GradedSubmission(verdict, executed=executed)
        earlier = {student: before} if before is not None else {}
        gradebook.record(names["db_url"], assignment, release, [graded], before=earlier)
        self.log.info("%s: %g points, %s. %s", student, verdict.points, verdict.state, verdict.reason)
        known = ClassData.of(store, release, [graded], gradebook.manual_scores(names["db_url"], assignment, [student]))
        return formgrader.build_notebook(executed, release, known.beside(assignment)[student])

    def _verdict(self, store: ResultStore, student: str) -> Verdict:
        service = open_service(cast(Start, self.kernel), cast(SandboxChoice, self.sandbox))
        options = Options(seed=self.seed, training=cast(Training, self.training))
        # Without a fingerprint, `make autograde` grades the submission again, perhaps with another SEED.
        folder = self._folder(store.assignment, student)
        task = Task(store, student, folder, service.kernels, options, "")
        verdict = service.grade(task)
        if verdict.state == "needs review" and store.read_executed(student) is None:
            # The machine failed, not the student: the next submission gets new kernels and a new process.
            open_service.cache_clear()
            service.close()
        return verdict

    def _folder(self, assignment: Assignment, student: str) -> Path:
        converter = getattr(self.parent, "parent", None)
        course = getattr(converter, "coursedir", None)
        if course is None:
            raise AutograderError("This preprocessor works only in `nbgrader autograde`: run that, or make autograde.")
        return Path(course.format_path(course.submitted_directory, student, assignment.name))


def announce(db_url: str, assignment: str) -> None:
    """Add an assignment to the gradebook, which nbgrader requires before it grades a submission."""
    loaded = Assignment.load(assignment)
    gradebook.record(db_url, loaded, load_release(loaded), [])
