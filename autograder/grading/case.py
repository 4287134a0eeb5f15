"""What a check works with: the case it decides, and the ways to decide it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from autograder.assignment.scenario import Scenario, collect_files
from autograder.assignment.settings import Assignment, Item
from autograder.execution.evidence import KERNEL_DIED, Answer, Evidence, Value
from autograder.execution.runtime.values import TIME_LIMIT, CodeValue, decode, encode

from .rules import NOTHING, Rule, equal_to, show
from .verdict import Stop, Strip

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


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


def item(name: str, points: float = 1) -> Callable[[Any], Any]:
    """For a test: the item that it judges, and its points; see `points`."""

    def mark(test: Any) -> Any:
        return pytest.mark.items(name)(pytest.mark.points(points)(test))

    return mark


MAX_ERROR_TEXT = 160
"""Characters of an error's text that a message repeats."""

PASSED_OVER = "'ModuleNotFoundError' object"
"""What an error says of a name that an import of a missing module left behind, see `instruments.imports`."""

Ask = Callable[[dict[str, Any]], dict[str, Any]]
"""Has a kernel answer a question, both as plain data; see `runtime.questions`."""

Draw = Callable[["SearchStrategy[Any]"], Any]
"""Draws a value of a strategy."""


class NeedsSamples(BaseException):
    """A check asks for samples and has to be called once for each; see `sampling`."""


NOT_ASKED = "The check asks something that was not asked when the notebook ran: grade it again."


class NotAsked(Undecided):
    """A check asks something that was not asked when the submission ran: it has to run again."""


@dataclass(frozen=True)
class Reply:
    """What a function or an expression of the student's came to.

    `value` is what came back, as far as it can be sent: numbers, texts, lists, dictionaries, arrays, tables of pandas,
    and objects with the attributes that were asked for. `described` is what can be told of any value; `printed` is
    what was written meanwhile. `record` is the value that was asked for of the code in the arguments. `error` is the
    name of the exception that came instead, `message` its text; `asked` is the question as code.
    """

    value: Any = None
    described: Value | None = None
    printed: str = ""
    error: str = ""
    message: str = ""
    asked: str = ""
    record: Any = None


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

    check: str = ""
    """The check that it is made for; empty where none is called."""

    draw: Draw | None = field(default=None, compare=False)
    """Draws a sample; None as long as the check has not asked for one."""

    seconds_waited: Callable[[], float] = field(default=float, compare=False)
    """Returns for how long the kernel has waited for a processor."""

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
        answers = self.answers
        key = write_question(question)
        if key not in answers:
            if self.ask is None:
                raise NotAsked(NOT_ASKED)
            answers[key] = self.ask(question)
        answer = answers[key]
        if "error" in answer:
            raise Undecided(f"The notebook could not be asked ({answer['error']}: {answer.get('message', '')}).")
        value = answer.get("value")
        return value if isinstance(value, dict) else {}

    @property
    def answers(self) -> dict[str, dict[str, Any]]:
        """The answers on record, by question."""
        if "answers" not in self.memo:
            self.memo["answers"] = {}
            for event in self.evidence.of(Answer):
                note_answer(self.memo["answers"], event.question, event.answer)
        answers: dict[str, dict[str, Any]] = self.memo["answers"]
        return answers

    def call(
        self,
        name: str,
        *args: Any,
        seconds: float = 5.0,
        attributes: tuple[str, ...] = (),
        record: CodeValue | None = None,
        **kwargs: Any,
    ) -> Reply:
        """Call a function of the notebook's after its last cell.

        Args:
            name: of the function.
            args: plain data, arrays or tables of pandas; functions and other values are given as code, see `Code`.
            seconds: how long it may take.
            attributes: those that are wanted of an object that comes back.
            record: a value of the code, such as the list in which its functions noted their calls. It is read after
                the call, also where that failed, and comes back as the `record` of the reply.
            kwargs: further arguments, by name.

        Raises:
            NotChecked: there is nothing of that name.
        """
        arguments: dict[str, Any] = {
            "args": [encode(each) for each in args],
            "kwargs": {key: encode(value) for key, value in kwargs.items()},
        }
        if attributes:
            arguments["attributes"] = list(attributes)
        if record is not None:
            arguments["record"] = encode(record)
        shown = ", ".join([*map(show, args), *(f"{key}={show(value)}" for key, value in kwargs.items())])
        answer = self.question("call", name=name, **arguments, seconds=seconds)
        if "missing" in answer:
            self.missing(f"`{name}` is not defined")
        return _reply(answer, f"{name}({shown})")

    def look(self, expression: str, seconds: float = 5.0, attributes: tuple[str, ...] = ()) -> Reply:
        """Evaluate an expression in the notebook's namespace, after its last cell; for the arguments see `call`."""
        wanted: dict[str, Any] = {"attributes": list(attributes)} if attributes else {}
        return _reply(self.question("look", expression=expression, **wanted, seconds=seconds), expression)

    def samples(self, strategy: SearchStrategy[Any]) -> Iterator[Any]:
        """Draw inputs for a loop, other ones in every run.

        The check is called once for each input. Where one fails it is called with ever smaller ones, and the smallest
        that fails is what the student is told of.

        Args:
            strategy: of Hypothesis, for values that can be sent to the notebook; see `samples.arrays`.
        """
        if self.draw is None:
            raise NeedsSamples
        yield self.draw(strategy)

    def samples_of(self, *strategies: SearchStrategy[Any]) -> Iterator[tuple[Any, ...]]:
        """Draw several inputs for a loop, as a tuple; see `samples`."""
        if self.draw is None:
            raise NeedsSamples
        yield tuple(map(self.draw, strategies))

    def expect(self, value: Any, rule: Rule | Any, *, given: Any = NOTHING) -> None:
        """Hold a value against a rule.

        Args:
            value: a reply of the notebook's, or any value.
            rule: such as `close_to(2.5)`; a plain value stands for `equal_to(value)`.
            given: the input that the value belongs to, for the message.

        Raises:
            Wrong: says for which input, what came back, and what the rule asks.
        """
        rule = rule if isinstance(rule, Rule) else equal_to(rule)
        reply = value if isinstance(value, Reply) else Reply(value)
        subject = f"`{reply.asked}`" if reply.asked else "The value"
        if given is not NOTHING:
            name = reply.asked.partition("(")[0]
            subject = f"For {show(given)}, {f'`{name}`' if name else 'the value'}"
        if reply.error == "NotImplementedError":
            raise NotChecked(f"`{reply.asked.partition('(')[0]}` is not complete.")
        if reply.error:
            if reply.error == TIME_LIMIT:
                raise Wrong(f"{subject} did not return: {reply.message}.")
            told = f": {reply.message}" if reply.message else ""
            raise Wrong(f"{subject} stopped with {reply.error}{told}. It should be {rule.text}.")
        if complaint := rule.complain(reply.value):
            verb = "is" if not reply.asked or "(" not in reply.asked else "returned"
            raise Wrong(f"{subject} {verb} {show(reply.value)}; it should be {rule.text}. {complaint}".rstrip())

    @property
    def files(self) -> dict[str, bytes]:
        """The files of the assignment that lay beside the notebook, those that were drawn for this run among them."""
        if "files" not in self.memo:
            self.memo["files"] = collect_files(self.assignment, self.scenario)
        files: dict[str, bytes] = self.memo["files"]
        return files

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
    if cell.error == KERNEL_DIED:
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


def write_question(question: dict[str, Any]) -> str:
    """Write a question as a text that is the same for the same question."""
    return json.dumps(question, sort_keys=True)


def note_answer(answers: dict[str, dict[str, Any]], question: dict[str, Any], answer: dict[str, Any]) -> None:
    """Note an answer, or those to several questions that were asked at once; the first answer to each counts."""
    if question.get("ask") != "many":
        answers.setdefault(write_question(question), answer)
        return
    values = answer.get("value")
    for each, value in zip(question["questions"], values if isinstance(values, list) else [], strict=False):
        answers.setdefault(write_question(each), {"value": value})


def _reply(answer: dict[str, Any], asked: str) -> Reply:
    """A reply from what the kernel sent, in which nothing can be taken for granted."""
    try:
        reply = Reply(asked=asked, record=decode(answer.get("record")))
        if "error" in answer:
            return replace(reply, error=str(answer["error"])[:100], message=str(answer.get("message", ""))[:500])
        described = Value.model_validate(answer.get("returned"))
        printed = str(answer.get("printed", ""))[:2000]
        return replace(reply, value=decode(answer.get("data")), described=described, printed=printed)
    except Exception as error:
        raise Undecided(f"The notebook's answer is not of the declared form ({type(error).__name__}).") from None


def forall(things: Any, rule: Callable[[Any], str | None]) -> None:
    """Raises Wrong with the first few sentences that the rule returns for the things; None is no complaint."""
    complaints = [sentence for thing in things if (sentence := rule(thing))]
    if complaints:
        others = len(complaints) - 1
        more = " One other has the same problem." if others == 1 else f" {others} others have the same problem."
        raise Wrong(complaints[0] + (more if others else ""))
