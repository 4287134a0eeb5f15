"""Errors that are meant for the student, the error of a question that took too long, and the texts of errors."""

from __future__ import annotations


def meant(error: Exception) -> Exception:
    """Mark an error as meant for the student, not as a fault of the runtime."""
    error.is_meant = True  # type: ignore[attr-defined]
    return error


class TooLate(BaseException):
    """The student's code took longer than the time limit of a question."""


def short_text(error: BaseException) -> str:
    """Return the text of an error, at most 500 characters, even if its `__str__` fails."""
    try:
        return str(error)[:500]
    except Exception:
        return ""
