"""The errors that a grader may see; the message of each says what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path

from .common.encoders import one_line


class AutograderError(Exception):
    """The base class; the command line prints the message and exits with `status`."""

    status = 1


class UsageError(AutograderError):
    """A command was given something that does not exist or that it cannot use; nothing was done."""

    status = 2


class AssignmentError(AutograderError):
    """The assignment's settings are missing or inconsistent."""


class UnknownAssignment(AssignmentError, UsageError):
    """No assignment of the course has that name."""


class SubmissionError(AutograderError):
    """A submission cannot be read as a notebook of this assignment."""


class Unreadable(AutograderError):
    """A submitted file exists but cannot be opened on this machine, which is not the student's fault."""


class KernelFailed(AutograderError):
    """No kernel could be started, or it failed before the student's first cell."""


class ServerGone(KernelFailed):
    """The process from which kernels are forked ended while one of them was running."""


class EvidenceError(AutograderError):
    """The evidence of a run does not have the declared form."""


class ReleaseError(AutograderError):
    """The students' version cannot be created, or is not the one that the source gives."""


class DataError(AutograderError):
    """The data files are missing, truncated or not in the form that the lab needs."""


class PartlyWritten(AutograderError):
    """Results of some students could not be written; those of all others were."""

    MAX_NAMED = 5
    """Maximum number of students who are named with their reason."""

    @classmethod
    def of(cls, what: str, failed: Mapping[str, Exception]) -> PartlyWritten:
        """Return the error that names the students whose `what` could not be written, and says why."""
        named = [f"{student} ({_reason(error)})" for student, error in list(failed.items())[: cls.MAX_NAMED]]
        more = [f"{len(failed) - cls.MAX_NAMED} more"] if len(failed) > cls.MAX_NAMED else []
        students = ", ".join([*named, *more])
        return cls(f"The {what} could not be written for {students}; those of all other students are up to date.")


def _reason(error: Exception) -> str:
    text = one_line(str(error), 200).rstrip(".")
    return text if isinstance(error, AutograderError) else f"{type(error).__name__}: {text}"


def shorten_path(path: Path) -> str:
    """Return a path as the author of an assignment knows it: relative to the working directory, if it is inside."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def describe_place(error: BaseException, path: Path) -> str:
    """Return the name of an author's file and the line in which an error occurred."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shorten_path(Path(error.filename))}, line {error.lineno},"
    frames = traceback.extract_tb(error.__traceback__)
    line = next((frame.lineno for frame in reversed(frames) if Path(frame.filename) == path), None)
    return f"{shorten_path(path)}{f', line {line},' if line else ''}"


def describe_error(error: BaseException) -> str:
    """Describe an exception in one line that ends with a full stop."""
    text = one_line(error.msg if isinstance(error, SyntaxError) else str(error), 200).rstrip(".")
    return f"{type(error).__name__}{f': {text}' if text else ''}."


def suggest(name: str, known: Iterable[str]) -> str:
    """Return " (did you mean …?)" for a name that is probably a typo; empty if none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
