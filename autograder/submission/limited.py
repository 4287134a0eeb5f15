"""Reads submissions in another process, which may take so much memory and processor time and no more.

A file of a few kilobytes can unpack to gigabytes, and what a library takes to read it cannot be bounded from within.
Each process that grades therefore keeps one process that reads; see `reader` for that one. It is started with the first
question and again after it died or grew. Question and answer are lines of JSON: nothing that comes back is executed.
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
from autograder.common.units import MB
from autograder.errors import SubmissionError, Unreadable

from .findings import Finding
from .prepare import Submission
from .saved_outputs import SavedOutputs

ADDRESS_SPACE = 800 * MB
"""Bytes of addresses that the process may have, some 100 MB more than it then holds. The largest notebook that is
accepted fits, unless an emoji makes each of its letters take four bytes."""

PROCESSOR_SECONDS = 20
"""What reading one submission may take; one of the largest size that is accepted takes two."""

WALL_SECONDS = 120.0
"""When reading is given up that takes no processor time, as from a disk that does not answer."""

log = logging.getLogger(__name__)


class ReadingFailed(Exception):
    """The process that reads came upon an error that is not the submission's."""


def read_submission(folder: Path, assignment: Assignment, student: str) -> Submission:
    """Finds, reads and repairs what a student submitted.

    Raises SubmissionError if it cannot be read, which includes that it is too large, and Unreadable if that is the
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
    """Read what the student's own run left, of a submission that could not be graded; nothing where that fails."""
    try:
        return read_submission(folder, assignment, "").saved_outputs
    except Exception as error:
        # A verdict must not depend on this.
        log.warning("The saved outputs in %s could not be read (%s).", folder.name, type(error).__name__)
        return SavedOutputs()


def ask(folder: Path, assignment: Assignment) -> dict[str, Any]:
    """Have a student's folder read; return the answer as data. Raises the errors of `read_submission`."""
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
    """Starts the process that reads, so that the first submission does not wait for it."""
    with contextlib.suppress(OSError):  # then the first question says so
        _reader().start()


class _Watch:
    """Ends a process that does not answer in time."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self.is_overdue = process, False
        self.timer = threading.Timer(WALL_SECONDS, self._end)
        self.timer.daemon = True
        self.timer.start()

    def _end(self) -> None:
        self.is_overdue = True
        self.process.kill()


class _Reader:
    """The process that reads for this one; its threads take turns."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._turn:
            self._started()

    def exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request."""
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
        """Ends the process, which waits for requests."""
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
                start_new_session=True,  # Ctrl-C is for the process that gives out the work
            )
        return self._process

    def _ended(self, is_overdue: bool) -> Exception:
        """Why the process ended instead of answering."""
        assert self._process is not None
        status = self._process.wait()
        self.stop()
        if status == -signal.SIGXCPU:
            return SubmissionError(
                f"The submission is too large to be read within {PROCESSOR_SECONDS} s of processor time: clear the "
                "outputs of the notebook, save it and submit that file alone."
            )
        if is_overdue:
            return Unreadable(f"Its folder could not be read within {WALL_SECONDS:.0f} s: see what the disk is doing.")
        return Unreadable(f"The process that read it ended with status {status}: grade it again.")


@cache
def _reader() -> _Reader:
    """The reader of this process."""
    reader = _Reader()
    atexit.register(reader.stop)
    return reader
