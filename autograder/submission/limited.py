"""Read submissions in another process, whose memory and processor time are limited.

A file of a few kilobytes can unpack to gigabytes, and what a library needs to read it cannot be limited from within.
Each process that grades therefore has one process that reads; see `reader`. It is started for the first request, and
again after it died or used too much memory. Requests and answers are lines of JSON: nothing in an answer is executed.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

from autograder.assignment.course import PACKAGE
from autograder.assignment.settings import Assignment
from autograder.common.encoders import make_visible
from autograder.common.units import MB
from autograder.errors import SubmissionError, Unreadable

from .findings import Finding
from .prepare import Submission
from .saved_outputs import SavedOutputs

ADDRESS_SPACE = 800 * MB
"""Maximum address space of the process in bytes, about 100 MB more than the memory it can then use. The largest
notebook that is accepted fits, unless it contains an emoji: Python then stores every character in four bytes."""

PROCESSOR_SECONDS = 20
"""Maximum processor time for reading one submission; one of the largest accepted size takes two seconds."""

WALL_SECONDS = 120.0
"""Maximum elapsed time for reading one submission: waiting for a disk that does not respond takes no processor time."""

log = logging.getLogger(__name__)


class ReadingFailed(Exception):
    """An error in the process that reads, which is not the submission's fault."""


def read_submission(folder: Path, assignment: Assignment, student: str) -> Submission:
    """Find, read and repair what a student submitted.

    Raises SubmissionError if it cannot be read, for example because it is too large, and Unreadable if that is the
    fault of this machine.
    """
    answer = ask(folder, assignment)
    return Submission(
        student,
        nbformat.from_dict(answer["notebook"]),
        tuple(answer["roles"]),
        tuple(Finding.model_validate(finding) for finding in answer["findings"]),
        SavedOutputs.model_validate(answer["saved_outputs"]),
    )


def read_saved_outputs(folder: Path, assignment: Assignment) -> SavedOutputs:
    """Read the saved outputs of a submission that could not be graded; return empty ones if that fails."""
    try:
        return read_submission(folder, assignment, "").saved_outputs
    except Exception as error:
        # A verdict must not depend on this.
        log.warning("The saved outputs in %s could not be read (%s).", make_visible(folder.name), type(error).__name__)
        return SavedOutputs()


def ask(folder: Path, assignment: Assignment) -> dict[str, Any]:
    """Let the other process read a student's folder; return its answer. Raises the errors of `read_submission`."""
    request = {
        "folder": str(folder.absolute()),
        "assignment": assignment.model_dump_json(),
        "course": str(assignment.course.root),
        "address_space": ADDRESS_SPACE,
        "processor_seconds": PROCESSOR_SECONDS,
    }
    answer = _reader().exchange(request)
    match answer.pop("outcome"):
        case "read":
            return answer
        case "refused":
            raise SubmissionError(answer["reason"])
        case "unreadable":
            raise Unreadable(answer["reason"])
        case _:
            raise ReadingFailed(answer["reason"])


def start() -> None:
    """Start the process that reads, so that the first submission does not wait for it."""
    with contextlib.suppress(OSError):  # the first request then reports it
        _reader().start()


class _Watch:
    """Kills a process that does not answer in time."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self.is_overdue = process, False
        self.timer = threading.Timer(WALL_SECONDS, self._end)
        self.timer.daemon = True
        self.timer.start()

    def _end(self) -> None:
        self.is_overdue = True
        self.process.kill()


class _Reader:
    """The process that reads for this process, whose threads take turns."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._turn:
            self._started()

    def exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return the answer."""
        with self._turn:
            process = self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            watch = _Watch(process)
            try:
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except BrokenPipeError:
                line = b""
            finally:
                watch.timer.cancel()
            if not line.endswith(b"\n"):
                raise self._ended(watch.is_overdue)
            reply = json.loads(line)
            if reply["has_grown"]:
                self.stop()
            answer: dict[str, Any] = reply["answer"]
            return answer

    def stop(self) -> None:
        """End the process, which waits for requests."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.stop()
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.reader"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": f"{PACKAGE.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
                start_new_session=True,  # Ctrl-C is handled by the process that distributes the work
            )
        return self._process

    def _ended(self, is_overdue: bool) -> Exception:
        """Return the error that says why the process ended instead of answering."""
        assert self._process is not None
        status = self._process.wait()
        self.stop()
        if status == -signal.SIGXCPU:
            return SubmissionError(
                f"The submission is too large to be read within {PROCESSOR_SECONDS} s of processor time: clear the "
                "outputs of the notebook, save it and submit that file alone."
            )
        if is_overdue:
            return Unreadable(
                f"The submission folder could not be read within {WALL_SECONDS:.0f} s: check whether the disk "
                "responds, and grade the submission again."
            )
        return Unreadable(
            f"The process that read the submission stopped with status {status}: grade the submission again."
        )


@cache
def _reader() -> _Reader:
    """The reader of this process."""
    reader = _Reader()
    atexit.register(reader.stop)
    return reader
