"""The errors that a grader may see; each carries one sentence saying what, where and what to do."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path

from .common.encoders import one_line


class AutograderError(Exception):
    """Base of the family; the command line prints its sentence and ends with `status`."""

    status = 1


class UsageError(AutograderError):
    """A command was given something that is not there or that it cannot use: no work was begun."""

    status = 2


class AssignmentError(AutograderError):
    """The assignment's settings are missing or do not fit together."""


class UnknownAssignment(AssignmentError, UsageError):
    """No assignment of the course has that name."""


class SubmissionError(AutograderError):
    """A submission cannot be read as a notebook of this assignment."""


class Unreadable(AutograderError):
    """A submission's file is there, and this machine does not let it be opened: no fault of the student's."""


class KernelFailed(AutograderError):
    """No kernel could be started, or it broke before the first cell of the student."""


class ServerGone(KernelFailed):
    """The process from which kernels are forked ended while one of them ran."""


class EvidenceError(AutograderError):
    """What a run left behind is not evidence of the declared form."""


class ReleaseError(AutograderError):
    """The student version cannot be made, or is not what the source makes."""


class DataError(AutograderError):
    """The data files are missing, truncated or not of the form that the lab needs."""


class PartlyWritten(AutograderError):
    """Results of some students could not be written; those of all others were."""

    MAX_NAMED = 5
    """Students who are named with their reason."""

    @classmethod
    def of(cls, what: str, failed: Mapping[str, Exception]) -> PartlyWritten:
        """The error that says by name whose `what` is missing, and why."""
        named = [f"{student} ({_reason(error)})" for student, error in list(failed.items())[: cls.MAX_NAMED]]
        more = [f"{len(failed) - cls.MAX_NAMED} more"] if len(failed) > cls.MAX_NAMED else []
        return cls(f"The {what} could not be written for {', '.join([*named, *more])}; all others are up to date.")


def _reason(error: Exception) -> str:
    text = one_line(str(error), 200).rstrip(".")
    return text if isinstance(error, AutograderError) else f"{type(error).__name__}: {text}"


def shorten_path(path: Path) -> str:
    """Return a path as an author of an assignment calls it: from the working directory, if it lies there."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def describe_place(error: BaseException, path: Path) -> str:
    """Name the file of an author's and the line of it in which an error arose."""
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
