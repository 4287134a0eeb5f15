"""The process that reads submissions within limits. It answers the requests of `limited`, one per line."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, TextIO

import psutil  # type: ignore[import-untyped]

from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment
from autograder.common.units import MB
from autograder.errors import SubmissionError, Unreadable

from .prepare import prepare_folder

LARGEST_ANSWER = 200 * MB

GROWN = 300 * MB
"""Memory in bytes above which the process is not used again, because too little would be left for the next submission.
The peak memory cannot be used instead: on Linux it starts at that of the parent process."""


def main() -> None:
    """Answer requests until there are no more."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    process = psutil.Process()
    with _answers() as answers:
        for line in sys.stdin:
            answer = _answer(json.loads(line))
            has_grown = process.memory_info().rss > GROWN
            answers.write(f'{{"has_grown": {json.dumps(has_grown)}, "answer": ')
            answers.write(answer)
            answers.write("}\n")
            answers.flush()


def _answers() -> TextIO:
    """Return a stream to the original standard output, for answers; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _answer(request: dict[str, Any]) -> str:
    """Return the answer to a request as JSON, also if there is an error."""
    _limit(request["address_space"], request["processor_seconds"])
    try:
        course = Course(Path(request["course"]))
        assignment = Assignment.model_validate_json(request["assignment"], context=course).at(course)
        answer = json.dumps({"outcome": "read"} | _read_submission(Path(request["folder"]), assignment))
        if len(answer) > LARGEST_ANSWER:
            raise MemoryError
        return answer
    except SubmissionError as error:
        return _refusal("refused", str(error))
    except Unreadable as error:
        return _refusal("unreadable", str(error))
    except MemoryError:
        advice = "clear the outputs of the notebook, save it and submit that file alone"
        too_large = f"The submission is too large to be read: {advice}."
        return _refusal("refused", too_large)
    except Exception as error:
        return _refusal("failed", f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")


def _refusal(outcome: str, reason: str) -> str:
    return json.dumps({"outcome": outcome, "reason": reason})


def _limit(address_space: int, processor_seconds: int) -> None:
    """Limit this process's address space, in bytes, and the processor time that it may use from now on, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    until_now = int(usage.ru_utime + usage.ru_stime) + 1
    for kind, limit in (
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_CPU, until_now + processor_seconds),
    ):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _read_submission(folder: Path, assignment: Assignment) -> dict[str, Any]:
    submission = prepare_folder(folder, assignment, "")
    return {
        "notebook": submission.notebook,
        "roles": submission.roles,
        "findings": [finding.model_dump() for finding in submission.findings],
        "saved_outputs": submission.saved_outputs.model_dump(),
    }


if __name__ == "__main__":
    main()
