"""Values that are given as code: functions, classes and objects for a question or a stand-in."""

from __future__ import annotations

from typing import Any

from autograder.execution.runtime.values import CodeValue


class Code:
    """Code that is executed in the notebook's process, in a namespace of its own; its values are sent by expression::

        script = Code("calls = []\\ndef train(model): calls.append(model)")
        reply = case.call("train_twice", "model", script["train"], record=script["calls"])
        case.expect(reply.record, ["model", "model"])

    It is executed once for a question, also where several arguments come from it.
    """

    def __init__(self, source: str, **given: Any) -> None:
        """Check the code, which is not executed here.

        Args:
            source: the code.
            given: values that it finds under these names, such as those that a check has drawn.

        Raises:
            SyntaxError: it is no Python.
        """
        compile(source, "<check>", "exec", dont_inherit=True)
        self.source, self.given = source, given

    def __getitem__(self, expression: str) -> CodeValue:
        """Return what can be sent in the place of the value that an expression, such as a name, has in the code."""
        compile(expression, "<check>", "eval", dont_inherit=True)
        return CodeValue(source=self.source, given=self.given, expression=expression)
