"""An assignment that trains nothing: a class, the same with nbgrader, and the commands of its author."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from autograder.assignment.settings import Assignment
from autograder.commands.grade import grade_class
from autograder.commands.rejudge import rejudge_class
from autograder.commands.try_notebook import POLL_SECONDS, watch
from autograder.errors import AutograderError
from autograder.execution.options import Options
from autograder.results.store import ResultStore

from .classes import hand_in
from .rivals import in_a_class, nbgrader_for_real

CLASS = 100


def measure(assignment: Assignment, times: int) -> dict[str, Any]:
    """Measure a class and one submission with nbgrader alternately, then `rejudge` and `try --watch`."""
    rounds = list(zip(in_a_class(assignment, times), nbgrader_for_real(assignment, times), strict=True))
    return {
        "class": [ours for ours, _ in rounds],
        "nbgrader": [theirs for _, theirs in rounds],
        "rejudge": _rejudge(assignment, times),
        "try": _try_again(assignment, times),
    }


def _rejudge(assignment: Assignment, times: int) -> list[float]:
    """Return the seconds per submission of `rejudge` in a class, with the pages that it writes."""
    with tempfile.TemporaryDirectory() as place:
        submitted, out = Path(place, "submitted"), Path(place, "graded")
        hand_in(assignment, submitted, CLASS)
        grade_class(assignment, submitted, out, log=lambda line: None)
        seconds = []
        for _ in range(times):
            started = time.monotonic()
            if rejudge_class(ResultStore(out, assignment)).unchanged != CLASS:
                raise AutograderError("Not all submissions could be judged again, so the time is meaningless.")
            seconds.append((time.monotonic() - started) / CLASS)
        return seconds


def _try_again(assignment: Assignment, times: int) -> list[float]:
    """Return the seconds between an edit of a check and the verdict in `try --watch`, if it notices the edit as late as
    it can."""
    check = next(iter(sorted(assignment.checks_folder.glob("test_*.py"))))
    edited: list[float] = []
    shown: list[float] = []

    def hear(line: str) -> None:
        if "points" in line and line[0].isdigit():
            shown.append(time.monotonic())

    def edit() -> None:
        if len(edited) == times:
            raise KeyboardInterrupt
        edited.append(time.monotonic())
        os.utime(check)

    with contextlib.suppress(KeyboardInterrupt):
        watch(assignment, None, Options(), shows_evidence=False, log=hear, wait=edit)
    return [POLL_SECONDS + after - before for before, after in zip(edited, shown[1:], strict=True)]
