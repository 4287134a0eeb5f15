"""The unit of work: grade one submission and write its results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from autograder.assignment.settings import Assignment
from autograder.common.encoders import one_line
from autograder.errors import AutograderError
from autograder.execution.kernels import Kernels
from autograder.execution.options import Options
from autograder.grading.grade import grade_folder, leave_ungraded
from autograder.grading.verdict import Done, GradedSubmission
from autograder.results.store import ResultStore
from autograder.submission.findings import Finding
from autograder.submission.folders import Contents, contents
from autograder.submission.limited import read_saved_outputs

from .memory import is_memory_error

CHANGED = "The submission changed while it was being graded: run the same command again."


@dataclass(frozen=True)
class Task:
    """One student's folder, to be graded into one folder of results.

    `kernels` is None if the workers have their own. `basis` is a hash of everything else that the verdict depends on;
    empty if the next run should grade the submission again.
    """

    store: ResultStore
    student: str
    folder: Path
    kernels: Kernels | None
    options: Options
    basis: str

    @property
    def assignment(self) -> Assignment:
        """The assignment of the submission."""
        return self.store.assignment


def grade_task(task: Task) -> Done:
    """Grade one submission and write its results, in a worker.

    Raises:
        AutograderError: the results cannot be written.
        MemoryError: grading exceeds the memory limit of the worker.
    """
    assert task.kernels is not None
    before = contents(task.folder, task.basis)
    if before.trouble:
        return mark_for_review(task, before.trouble)
    try:
        graded = grade_folder(task.assignment, task.folder, task.student, task.kernels, task.options)
    except Exception as error:
        return mark_for_review(task, describe_failure(error))
    return finish(task, graded, before)


def finish(task: Task, graded: GradedSubmission, before: Contents) -> Done:
    """Write the results of a submission whose folder had the contents `before`; raise errors as `grade_task`."""
    after = contents(task.folder, task.basis)
    if after != before:
        if graded.executed is None:
            return mark_for_review(task, after.trouble or CHANGED)
        graded = _with_finding(graded, Finding(kind="changed while graded", text=after.trouble or CHANGED))
    try:
        # A submission that could not be run because of the machine is tried again next time.
        is_settled = graded.record is not None or graded.verdict.state == "failed to run"
        return _write_results(task, graded, before.digest if is_settled and after == before else "")
    except AutograderError:
        raise
    except Exception as error:
        return mark_for_review(task, describe_failure(error))


def mark_for_review(task: Task, reason: str, fingerprint: str = "") -> Done:
    """Write the verdict on a submission that could not be graded; without a fingerprint the next run tries again."""
    return _write_results(task, GradedSubmission(leave_ungraded(task.assignment, task.student, reason)), fingerprint)


def describe_failure(error: Exception) -> str:
    """Describe an error of the autograder in a sentence; raise MemoryError if it was caused by too little memory."""
    if is_memory_error(error):
        raise MemoryError from error
    return f"The autograder itself failed on this submission ({type(error).__name__}: {one_line(str(error), 200)})."


def _with_finding(graded: GradedSubmission, finding: Finding) -> GradedSubmission:
    verdict = graded.verdict
    return replace(graded, verdict=verdict.model_copy(update={"findings": (*verdict.findings, finding)}))


def _write_results(task: Task, graded: GradedSubmission, fingerprint: str) -> Done:
    grader = graded.verdict.grader | {"fingerprint": fingerprint if task.basis else ""}
    verdict = graded.verdict.model_copy(update={"grader": grader})
    saved = (
        graded.saved_outputs if graded.saved_outputs is not None else read_saved_outputs(task.folder, task.assignment)
    )
    task.store.write(replace(graded, verdict=verdict, saved_outputs=saved))
    return Done(task.student, verdict)
