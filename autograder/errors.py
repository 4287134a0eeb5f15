"""The errors that a grader may see; each carries one sentence saying what, where and what to do."""

from __future__ import annotations

from collections.abc import Mapping

from .encoders import one_line


class AutograderError(Exception):
    """Base of the family; the command line prints its sentence and ends with status 1."""


class AssignmentError(AutograderError):
    """The assignment's settings are missing or do not fit together."""


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
    """Something of single students could not be written to the books; that of all others was."""

    MOST = 5
    """Students who are named with their reason."""

    @classmethod
    def of(cls, what: str, failed: Mapping[str, Exception]) -> PartlyWritten:
        """The error that says by name whose `what` is missing, and why."""
        named = [f"{student} ({_reason(error)})" for student, error in list(failed.items())[: cls.MOST]]
        more = [f"{len(failed) - cls.MOST} more"] if len(failed) > cls.MOST else []
        return cls(f"The {what} could not be written for {', '.join([*named, *more])}; all others are up to date.")


def _reason(error: Exception) -> str:
    text = one_line(str(error), 200).rstrip(".")
    return text if isinstance(error, AutograderError) else f"{type(error).__name__}: {text}"
