"""Errors: those that are meant for the student, that of a question that took too long, and their texts."""

from __future__ import annotations


def meant(error: Exception) -> Exception:
    """Mark an error as one that is meant for the student, and no fault of the runtime's."""
    error.is_meant = True  # type: ignore[attr-defined]
    return error


class TooLate(BaseException):
    """The student's code took longer than a question may."""


def short_text(error: BaseException) -> str:
    """The text of an error, at most 500 characters; an error may fail to tell it."""
    try:
        return str(error)[:500]
    except Exception:
        return ""
