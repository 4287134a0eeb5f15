"""Answer the questions that checks ask while the kernel lives: call a function, evaluate an expression.

The encoding of arguments and values is described in `values`.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
from collections.abc import Iterator
from typing import Any

from .code_values import make_runner
from .describe import describe
from .errors import TooLate, short_text
from .processes import time_spent
from .seal import seal
from .values import TIME_LIMIT, decode, encode
from .virtual_clock import real_cpu

MAX_ANSWERS = 3_000_000
"""Maximum number of characters in the answers to several questions, which are sent in one message."""


def install(session: Any) -> None:
    def call(question: dict[str, Any]) -> dict[str, Any]:
        """Call a function of the notebook."""
        name, namespace = question["name"], session.shell.user_ns
        if name not in namespace:
            return {"missing": name}
        run = make_runner()
        args = [decode(value, run) for value in question["args"]]
        kwargs = {key: decode(value, run) for key, value in question["kwargs"].items()}
        then = question.get("then")

        def run_function() -> Any:
            value = namespace[name](*args, **kwargs)
            return getattr(value, then["name"])(*(decode(each, run) for each in then["args"])) if then else value

        answer = _ask_student(run_function, question)
        return answer | ({"record": encode(decode(question["record"], run))} if "record" in question else {})

    def look(question: dict[str, Any]) -> dict[str, Any]:
        """Evaluate an expression in the notebook's namespace."""
        code = compile(question["expression"], "<question>", "eval")
        return _ask_student(lambda: eval(code, session.shell.user_ns), question)

    def many(question: dict[str, Any]) -> list[dict[str, Any]]:
        """Answer several questions, until one takes too long, the time is used up or the message is full."""
        answers: list[dict[str, Any]] = []
        left, started = MAX_ANSWERS, real_cpu()
        for each in question["questions"]:
            answer = {"call": call, "look": look}[each["ask"]](each)
            left -= len(repr(answer))
            if left < 0 and answers:
                break
            answers.append(answer)
            if answer.get("error") == TIME_LIMIT or real_cpu() - started > question["seconds"] / 2:
                break
        return answers

    session.answers |= {"call": call, "look": look, "many": many}


def _ask_student(function: Any, question: dict[str, Any]) -> dict[str, Any]:
    """Run the student's code; return a description of its result, the value and what it printed, or its error."""
    printed, seconds = io.StringIO(), question["seconds"]
    attributes = tuple(question.get("attributes", ()))
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), _time_limit(seconds):
            value = function()
            data = encode(value, attributes)
            return {"returned": describe(value), "data": data, "printed": printed.getvalue()[:2000]}
    except TooLate:
        return {"error": TIME_LIMIT, "message": f"it ran longer than the {seconds:g} s limit"}
    except BaseException as error:
        return {"error": type(error).__name__[:100], "message": short_text(error)}


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise TooLate in code that runs longer, not counting the time for which it waited for a processor."""
    start = time_spent(os.getpid())[1]
    granted = [0.0]

    def end(number: int, frame: Any) -> None:
        waited = time_spent(os.getpid())[1] - start - granted[0]
        if waited < 0.01:
            raise TooLate
        granted[0] += waited
        signal.setitimer(signal.ITIMER_REAL, waited)

    before = signal.signal(signal.SIGALRM, seal(end))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
