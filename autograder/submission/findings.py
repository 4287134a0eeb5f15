"""A finding: something that a person should know about a submission and that costs no points by itself."""

from __future__ import annotations

from typing import Literal

from autograder.common.models import Frozen


class Finding(Frozen):
    """A sentence about a submission; `audience` says whether the student sees it too."""

    kind: str
    text: str
    cell: str | None = None
    audience: Literal["grader", "both"] = "grader"
