"""Run one notebook and show the verdict check by check, for the author of an assignment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from autograder.assignment import release as releases
from autograder.assignment.settings import Assignment
from autograder.assignment.source import source_path
from autograder.common.encoders import one_line
from autograder.errors import AutograderError, UsageError, shorten_path
from autograder.execution.evidence import Answer, Evidence, Figures, Fit, NameSeen
from autograder.execution.kernels import Kernels, kernels
from autograder.execution.options import Options
from autograder.grading.checker import describe_unchecked, find_unchecked, forget
from autograder.grading.grade import grade
from autograder.grading.verdict import GradedSubmission, Verdict
from autograder.submission.parsing import read_notebook
from autograder.submission.prepare import load_release, prepare

SIGNS = {"passed": "✓", "failed": "✗", "not checked": "✗", "ungraded": "?"}

POLL_SECONDS = 0.3
"""Seconds between two searches for changes in `watch`."""

PURPOSES = {"without stuck cells": "without the cells that did not finish"}
"""What to call runs whose purpose has another name in the record."""

MAX_LINE = 200
"""Maximum number of characters in a line of evidence."""


def try_notebook(
    assignment: Assignment, path: Path | None, options: Options, *, shows_evidence: bool, log: Callable[[str], None]
) -> None:
    """Run a notebook and show the verdict.

    Args:
        assignment: the assignment whose checks are used.
        path: the notebook; None for the instructor's notebook with the solution.
        options: how the notebook is run.
        shows_evidence: whether to show the evidence, too.
        log: called with each line.

    Raises:
        AutograderError: the notebook or the checks cannot be read.
    """
    _renew_release(assignment, log)
    with kernels(instruments=assignment.exercise.instruments) as source:
        _try_once(assignment, path, source, options, shows_evidence, log)


def watch(
    assignment: Assignment,
    path: Path | None,
    options: Options,
    *,
    shows_evidence: bool,
    log: Callable[[str], None],
    wait: Callable[[], None] = lambda: time.sleep(POLL_SECONDS),
) -> None:
    """Do the same again whenever the notebook, the settings or the checks change, until KeyboardInterrupt."""
    with kernels(instruments=assignment.exercise.instruments) as source:
        while True:
            before = _find_times(assignment, path)
            try:
                current = Assignment.load(assignment.name, assignment.course)
                if _renew_release(current, log):
                    before = _find_times(assignment, path)
                _try_once(current, path, source, options, shows_evidence, log)
            except AutograderError as error:
                log(f"Error: {error}")
            log("Waiting for a change; press Ctrl-C to stop.")
            while _find_times(assignment, path) == before:
                wait()
            forget(assignment.checks_folder)


def _try_once(
    assignment: Assignment,
    path: Path | None,
    source: Kernels,
    options: Options,
    shows_evidence: bool,
    log: Callable[[str], None],
) -> None:
    started = time.monotonic()
    path = path or source_path(assignment)
    if not path.is_file():
        raise UsageError(f"There is no notebook {path}.")
    submission = prepare(path.stem, read_notebook(path), load_release(assignment), assignment)
    unchecked = find_unchecked(assignment)
    graded = grade(assignment.without(unchecked), submission, source, options)
    for line in describe_verdict(graded.verdict):
        log(line)
    for item_id in unchecked:
        log(describe_unchecked(item_id))
    if shows_evidence:
        for line in describe_evidence(graded):
            log(line)
    log(f"{time.monotonic() - started:.1f} s, seed {graded.verdict.grader.get('seed', '')}")


def _renew_release(assignment: Assignment, log: Callable[[str], None]) -> bool:
    """Generate the release again if it is older than the source: provided cells are taken from it."""
    released = assignment.release_folder / assignment.notebook_name
    made = released.stat().st_mtime_ns if released.is_file() else 0
    files = [file for file in assignment.source_folder.rglob("*") if ".ipynb_checkpoints" not in file.parts]
    if all(file.stat().st_mtime_ns <= made for file in files if file.is_file()):
        return False
    releases.release(assignment)
    log(f"The release was older than the source, so {shorten_path(assignment.release_folder)} was generated again.")
    return True


def _find_times(assignment: Assignment, path: Path | None) -> dict[Path, int]:
    """Return the modification times of the files that a verdict depends on."""
    folders = (assignment.checks_folder, assignment.source_folder, assignment.release_folder)
    files = [path] if path else []
    files += [file for folder in folders for file in folder.rglob("*") if file.suffix in (".py", ".toml", ".ipynb")]
    return {file: file.stat().st_mtime_ns for file in files if file.exists()}


def describe_verdict(verdict: Verdict) -> Iterator[str]:
    """Describe the points of each item and the result of each of its checks, line by line."""
    for item in verdict.items:
        points = "?" if item.points is None else f"{item.points:g}"
        yield f"{item.id}: {points} of {item.max_points:g}"
        for rule in item.properties:
            yield f"  {SIGNS[rule.status]} {rule.points:g}/{rule.max_points:g}  {rule.rubric}"
            if rule.message:
                yield f"      {rule.message}"
            if rule.fault:
                yield f"      {rule.fault}"
        if not item.properties:
            yield f"  {item.message}"
    for finding in verdict.findings:
        yield f"! {finding.text}"
    yield f"{verdict.points:g} of {verdict.max_points:g} points"


def describe_evidence(graded: GradedSubmission) -> Iterator[str]:
    """Describe the evidence of all runs that grading needed, line by line."""
    for number, saved in enumerate(graded.record.runs if graded.record is not None else (), 1):
        yield f"Run {number} ({PURPOSES.get(saved.purpose, saved.purpose)}):"
        for line in _describe_run(saved.evidence):
            yield "  " + one_line(line, MAX_LINE)


def _describe_run(evidence: Evidence) -> Iterator[str]:
    for number, cell in enumerate(evidence.cells):
        error = f" with {cell.error}: {cell.message} {cell.line}" if cell.error else ""
        yield f"cell {number} ({cell.role}): {cell.status}{error}"
    for event in evidence.events:
        if isinstance(event, Fit):
            yield f"fit in cell {event.cell}: {event.epochs_run} epochs, batch size {event.batch_size}"
        elif isinstance(event, NameSeen):
            value = event.value
            yield f"{event.name} after cell {event.cell}: {value.model_dump(exclude_none=True)}"
        elif isinstance(event, Figures):
            yield f"figures after cell {event.cell}: {len(event.value)}"
        elif isinstance(event, Answer):
            many = event.question.get("questions", [event.question])
            answers = event.answer.get("value", event.answer)
            for question, answer in zip(many, answers if isinstance(answers, list) else [answers], strict=False):
                asked = question.get("name") or question.get("expression") or question.get("ask")
                shown = answer.get("data", answer) if answer else answer
                yield f"requested {asked} {question.get('args', '')}: {shown}"
