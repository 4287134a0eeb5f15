"""Values that are given as code: functions, classes and objects for a question or a stand-in."""

from __future__ import annotations

from typing import Any

from autograder.execution.runtime.values import CodeValue


class Code:
    """Code that is executed in the notebook's process, in its own namespace; its values are passed as expressions::

        script = Code("calls = []\\ndef train(model): calls.append(model)")
        reply = case.call("train_twice", "model", script["train"], record=script["calls"])
        case.expect(reply.record, ["model", "model"])

    The code is executed once for each question, even if several arguments come from it.
    """

    def __init__(self, source: str, **given: Any) -> None:
        """Check the code, which is not executed here.

        Args:
            source: the code.
            given: values that the code can use under these names, such as those that a check has drawn.

        Raises:
            SyntaxError: the code is not valid Python.
        """
        compile(source, "<check>", "exec", dont_inherit=True)
        self.source, self.given = source, given

    def __getitem__(self, expression: str) -> CodeValue:
        """Return an argument that stands for the value of an expression, such as a name, in the code."""
        compile(expression, "<check>", "eval", dont_inherit=True)
        return CodeValue(source=self.source, given=self.given, expression=expression)
