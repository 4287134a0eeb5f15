"""What a check works with: the case it decides, and the ways to decide it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import pytest

from autograder.assignment.scenario import Scenario
from autograder.assignment.settings import Assignment, Item
from autograder.execution.evidence import Evidence, Value

from .verdict import Stop, Strip


class Wrong(AssertionError):
    """The evidence speaks against the property; the text is for the student, and so is the strip, its picture.

    `share` is the share of the property's points that what is right is worth all the same.
    """

    def __init__(self, text: str, strip: Strip | None = None, share: float = 0.0) -> None:
        super().__init__(text)
        self.strip, self.share = strip, share


class NotChecked(Wrong):
    """There is nothing that the property could be held against; the text says why."""


class Undecided(Exception):
    """The evidence does not decide the property; a person has to. The text says why."""


def items(*ids: str) -> pytest.MarkDecorator:
    """For a module: the items that its tests judge."""
    return pytest.mark.items(*ids)


def points(weight: float) -> pytest.MarkDecorator:
    """For a test: its points, as long as the item's points are the sum of its tests; else its share of them."""
    return pytest.mark.points(weight)


MAX_ERROR_TEXT = 160
"""Characters of an error's text that a message repeats."""

PASSED_OVER = "'ModuleNotFoundError' object"
"""What an error says of a name that an import of a missing module left behind, see `instruments.imports`."""

Ask = Callable[[dict[str, Any]], dict[str, Any]]
"""Has a kernel answer a question, both as plain data; see `runtime.questions`."""


NOT_ASKED = "The check asks something that was not asked when the notebook ran: grade it again."


class NotAsked(Undecided):
    """A check asks something that was not asked when the submission ran: it has to run again."""


@dataclass(frozen=True)
class Reply:
    """What a function or an expression of the student's came to.

    `value` is plain data or an array where it could be sent as such, else None; `described` is what can be told of any
    value; `printed` is what was written meanwhile. `error` is the name of the exception that came instead, `message`
    its text.
    """

    value: Any = None
    described: Value | None = None
    printed: str = ""
    error: str = ""
    message: str = ""


@dataclass(frozen=True)
class Case:
    """One item of one submission: what was asked and what came out."""

    assignment: Assignment
    item: Item
    scenario: Scenario
    evidence: Evidence
    memo: dict[str, Any] = field(default_factory=dict, compare=False)
    """What checks of the same run worked out before and may use again."""

    ask: Ask | None = field(default=None, compare=False)
    """Asks the kernel a question while it lives; None where only answers on record can be used."""

    @property
    def parameters(self) -> Any:
        """Of the class that the exercise has for them."""
        return self.assignment.parameters

    @property
    def cells(self) -> set[int]:
        """The cells of the item's task, as numbers of the run."""
        return self.evidence.cells_of(self.item.cell)

    def question(self, ask: str, **details: Any) -> dict[str, Any]:
        """Ask the kernel a question.

        Returns:
            What it answered.

        Raises:
            Undecided: the kernel could not answer.
            NotAsked: there is no kernel, and the question is not on record.
        """
        question = {"ask": ask, **details}
        answer = self.evidence.answer(question)
        if answer is None:
            if self.ask is None:
                raise NotAsked(NOT_ASKED)
            answer = self.ask(question)
        if "error" in answer:
            raise Undecided(f"The notebook could not be asked ({answer['error']}: {answer.get('message', '')}).")
        value = answer.get("value")
        return value if isinstance(value, dict) else {}

    def call(self, name: str, *args: Any, seconds: float = 5.0, **kwargs: Any) -> Reply:
        """Call a function of the notebook's, with plain data or arrays, after its last cell.

        Raises Wrong where there is none of that name.
        """
        arguments = {"args": [encode(each) for each in args], "kwargs": {k: encode(v) for k, v in kwargs.items()}}
        return _reply(self.question("call", name=name, **arguments, seconds=seconds))

    def look(self, expression: str, seconds: float = 5.0) -> Reply:
        """Evaluate an expression in the notebook's namespace, after its last cell."""
        return _reply(self.question("look", expression=expression, seconds=seconds))

    def judge_by(self, figure: int) -> None:
        """Say by which figure of the run the item is judged: it is shown where points are lost."""
        self.memo.setdefault("figures", {})[self.item.id] = figure

    def drawing_error(self, figure: int) -> str:
        """What Matplotlib raises when a figure is drawn; empty if it can be drawn."""
        answer = self.question("draw", figure=figure, render=False)
        return f"{answer['error']}: {answer.get('message', '')}" if "error" in answer else ""

    def missing(self, what: str) -> NoReturn:
        """Raises NotChecked for something that is not there, with the reason as far as the run shows it."""
        raise NotChecked(f"{describe_stop(self.evidence, self.item.cell)} {what}.".lstrip())


def describe_stop(evidence: Evidence, task: str) -> str:
    """A sentence on the first cell of a task that did not run to its end: where it stopped, and why; "" for none."""
    return str(find_stop(evidence, task) or "")


def find_stop(evidence: Evidence, task: str) -> Stop | None:
    """The first cell of a task that did not run to its end; None if all did."""
    numbers = sorted(evidence.cells_of(task))
    number = next((number for number in numbers if evidence.cells[number].status != "ran"), None)
    if number is None:
        return None
    cell = evidence.cells[number]
    place = None if cell.index is None else cell.index + 1
    if cell.status == "timeout":
        return Stop(cell=task, number=place, why="time limit")
    if cell.status == "not run":
        return Stop(cell=task, number=place, why="not run")
    if cell.error == "KernelDied":
        return Stop(cell=task, number=place, why="kernel ended")
    if cell.error == "NotImplementedError":
        return Stop(cell=task, number=place, why="not filled in")
    line, _, code = cell.line.partition(": ")
    text = cell.message.strip().split("\n")[0].rstrip(". ")
    text = text if len(text) <= MAX_ERROR_TEXT else f"{text[: MAX_ERROR_TEXT - 1].rstrip()}…"
    later = None if cell.defined_in is None else cell.defined_in + 1
    error = str(cell.error)
    stop = Stop(cell=task, number=place, why="error", error=error, text=text, line=line, code=code, defined_in=later)
    return stop.model_copy(update={"missing_module": PASSED_OVER in text})


def encode(value: Any) -> Any:
    """An argument of a question as plain data."""
    if isinstance(value, np.ndarray):
        return {"array": value.reshape(-1).tolist(), "dtype": value.dtype.name, "shape": list(value.shape)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {str(name): encode(each) for name, each in value.items()}
    return [encode(each) for each in value] if isinstance(value, (list, tuple)) else value


def decode(value: Any) -> Any:
    """A value of an answer as Python has it; ValueError or TypeError where it is none of the declared form."""
    if isinstance(value, dict) and set(value) == {"array", "dtype", "shape"}:
        return np.array(value["array"], dtype=str(value["dtype"])).reshape([int(size) for size in value["shape"]])
    if isinstance(value, dict):
        return {str(name): decode(each) for name, each in value.items()}
    return [decode(each) for each in value] if isinstance(value, list) else value


def _reply(answer: dict[str, Any]) -> Reply:
    """A reply from what the kernel sent, in which nothing can be taken for granted."""
    try:
        if "error" in answer:
            return Reply(error=str(answer["error"])[:100], message=str(answer.get("message", ""))[:500])
        described = Value.model_validate(answer.get("returned"))
        return Reply(decode(answer.get("data")), described, str(answer.get("printed", ""))[:2000])
    except (ValueError, TypeError) as error:
        raise Undecided(f"The notebook's answer is not of the declared form ({type(error).__name__}).") from None


def forall(things: Any, rule: Callable[[Any], str | None]) -> None:
    """Raises Wrong with the first few sentences that the rule returns for the things; None is no complaint."""
    complaints = [sentence for thing in things if (sentence := rule(thing))]
    if complaints:
        others = len(complaints) - 1
        more = " The other one has the same problem." if others == 1 else f" The other {others} have the same problem."
        raise Wrong(complaints[0] + (more if others else ""))
