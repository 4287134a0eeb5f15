"""What a check works with: the case, with methods to ask the notebook questions and to check the answers."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from autograder.assignment.scenario import Scenario, collect_files
from autograder.assignment.settings import Assignment, Item
from autograder.execution.evidence import KERNEL_DIED, Answer, Evidence, Figures, FigureSeen, Value
from autograder.execution.runtime.values import TIME_LIMIT, CodeValue, decode, encode
from autograder.execution.stand_ins import keep_code

from .rules import NOTHING, Rule, equal_to, show
from .verdict import CurveChart, Stop

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


class Wrong(AssertionError):
    """The evidence contradicts the property; the text, and the chart that illustrates it, are for the student.

    `share` is the share of the property's points that is awarded all the same.
    """

    def __init__(self, text: str, chart: CurveChart | None = None, share: float = 0.0) -> None:
        super().__init__(text)
        self.chart, self.share = chart, share


class NotChecked(Wrong):
    """There is nothing on which the property could be checked; the text says why."""


class Undecided(Exception):
    """The evidence does not decide the property, which needs review; the text says why."""


def items(*ids: str) -> pytest.MarkDecorator:
    """Mark a module with the items that its tests judge."""
    return pytest.mark.items(*ids)


def points(weight: float) -> pytest.MarkDecorator:
    """Mark a test with its points; they are scaled if the points of an item's tests do not add up to the item's."""
    return pytest.mark.points(weight)


def item(name: str, points: float = 1) -> Callable[[Any], Any]:
    """Mark a test with the item that it judges and its points; see `points`."""

    def mark(test: Any) -> Any:
        return pytest.mark.items(name)(pytest.mark.points(points)(test))

    return mark


MAX_ERROR_TEXT = 160
"""Maximum number of characters that a message quotes of an error's text."""

MAX_CALL = 160
"""Maximum number of characters of a call at the beginning of a message; a longer one follows at the end."""

PASSED_OVER = "'ModuleNotFoundError' object"
"""Part of an error about a name that was imported from a missing module; see `instruments.imports`."""

Ask = Callable[[dict[str, Any]], dict[str, Any]]
"""Sends a question to a kernel and returns its answer, both as plain data; see `runtime.questions`."""

Draw = Callable[["SearchStrategy[Any]"], Any]
"""Draws a value from a strategy."""


class NeedsSamples(BaseException):
    """A check asks for samples and must be called once for each; see `sampling`."""


NOT_ASKED = "The check needs a value that was not recorded when the notebook was run: grade the submission again."


class NotAsked(Undecided):
    """A check asks a question that was not asked when the submission ran, which therefore must run again."""


@dataclass(frozen=True)
class Reply:
    """The result of a call of a student's function, or of an expression.

    `returned` is the returned value if it can be sent: numbers, texts, lists, dictionaries, arrays, tables of pandas,
    and objects with the attributes that were requested; None after an error. `described` describes any value; `printed`
    is what was printed meanwhile. `record` is the value that was requested from the code in the arguments. `error` is
    the name of the exception that was raised instead, `message` its text; `write_code` returns the question as code.
    `attributes` are the attributes that were requested.
    """

    returned: Any = None
    described: Value | None = None
    printed: str = ""
    error: str = ""
    message: str = ""
    write_code: Callable[[], str] = field(default=str, compare=False, repr=False)
    record: Any = None
    attributes: tuple[str, ...] = ()

    @property
    def asked(self) -> str:
        """The question as code, such as `rms(array([0., 1.]))`; empty if nothing was asked."""
        return self.write_code()

    @property
    def value(self) -> Any:
        """The returned value. Accessing a requested attribute that the object does not have raises Wrong.

        Raises:
            Wrong: there is none, because the call raised an error; or it is not an object with attributes.
            NotChecked: the function is not complete.
        """
        self.require()
        value = self.returned
        if not self.attributes or isinstance(value, (list, tuple, dict, set)):
            return value
        if isinstance(value, types.SimpleNamespace):
            kind = self.described.type if self.described is not None else type(value).__name__
            return _name_missing(value, f"`{self.asked}` returned an object of type {kind}, which")
        first = self.attributes[0]
        if not any(hasattr(value, name.partition(".")[0]) for name in self.attributes):
            raise MissingAttribute(f"`{self.asked}` returned {show(value)}, which has no attribute `{first}`.")
        return value

    def describe_subject(self, given: Any = NOTHING, named: str = "the value") -> str:
        """Return the beginning of a sentence about the value: the question, or the input and the function's name.

        A value without a question is called `named`.
        """
        if given is NOTHING:
            return f"`{self.asked}`" if self.asked else named[0].upper() + named[1:]
        name = self.asked.partition("(")[0]
        is_assignment = isinstance(given, str) and re.match(r"[A-Za-z_]\w* ?= ?\S", given)
        return f"For {given if is_assignment else show(given)}, {f'`{name}`' if name else named}"

    def require(self, given: Any = NOTHING, expected: str = "") -> None:
        """Raise Wrong or NotChecked if there is an error.

        Args:
            given: the input, for the message; without it, the message contains the call.
            expected: a sentence about the expected result.
        """
        if not self.error:
            return
        call, name = self.asked, self.asked.partition("(")[0]
        if self.error == "NotImplementedError":
            raise NotChecked(f"`{name}` is not complete.")
        if self.error == "NameError" and self.message == f"name '{call}' is not defined":
            raise NotChecked(f"`{call}` is not defined.")
        subject, end = self.describe_subject(given), ""
        shown = call if given is NOTHING else show(given)
        if name and len(shown) > MAX_CALL:
            subject = f"`{name}`"
            end = f"The call was `{call}`." if given is NOTHING else f"It was called with {shown}."
        if self.error == TIME_LIMIT:
            raise Wrong(f"{subject} did not return: {self.message}. {end}".rstrip())
        text = quote_error(self.message)
        sentence = f"{subject} stopped with {self.error}{f': {text}' if text else ''}."
        raise Wrong(" ".join(filter(None, (sentence, expected, end))))


@dataclass(frozen=True)
class Case:
    """One item of one submission, with the scenario and the evidence of a run."""

    assignment: Assignment
    item: Item
    scenario: Scenario
    evidence: Evidence
    memo: dict[str, Any] = field(default_factory=dict, compare=False)
    """Values that checks of the same run have computed and may use again."""

    ask: Ask | None = field(default=None, compare=False)
    """Asks the kernel a question while it is alive; None if only recorded answers can be used."""

    check: str = ""
    """The check for which this case was created; empty if none is called."""

    draw: Draw | None = field(default=None, compare=False)
    """Draws a sample; None until the check has asked for one."""

    seconds_waited: Callable[[], float] = field(default=float, compare=False)
    """Returns for how long the kernel has waited for a processor."""

    @property
    def parameters(self) -> Any:
        """The assignment's parameters, of the class that the exercise defines."""
        return self.assignment.parameters

    @property
    def cells(self) -> set[int]:
        """The cells of the item's task, by their numbers in the run."""
        return self.evidence.cells_of(self.item.cell)

    def question(self, ask: str, **details: Any) -> dict[str, Any]:
        """Ask the kernel a question.

        Returns:
            The kernel's answer.

        Raises:
            Undecided: the kernel could not answer.
            NotAsked: there is no kernel, and no answer was recorded.
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
            what = f"{answer['error']}: {answer.get('message', '')}"
            raise Undecided(f"The autograder could not get a value from the notebook ({what}).")
        value = answer.get("value")
        return value if isinstance(value, dict) else {}

    @property
    def answers(self) -> dict[str, dict[str, Any]]:
        """The recorded answers, by question."""
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
        then: tuple[Any, ...] = (),
        **kwargs: Any,
    ) -> Reply:
        """Call a function of the notebook after its last cell.

        Args:
            name: the name of the function.
            args: plain data, arrays or tables of pandas; functions and other values are given as code, see `Code`.
            seconds: how long it may take.
            attributes: the attributes to return if the result is an object; `a.b` is an attribute of the attribute `a`.
            record: a value of the code, such as the list in which its functions noted their calls. It is read after
                the call, also if that failed, and returned as the `record` of the reply.
            then: a method of the result to call, and its arguments: `("predict", x)`. The reply is that of the method.
            kwargs: further arguments, by name.

        Raises:
            NotChecked: the notebook does not define that name.
        """
        arguments: dict[str, Any] = {
            "args": [encode(each) for each in args],
            "kwargs": {key: encode(value) for key, value in kwargs.items()},
        }
        if attributes:
            arguments["attributes"] = list(attributes)
        if record is not None:
            arguments["record"] = encode(record)
        if then:
            arguments["then"] = {"name": then[0], "args": [encode(each) for each in then[1:]]}

        def write_code() -> str:
            # From the encoded arguments: the check may have changed the values since.
            named = [f"{key}={_show_data(data)}" for key, data in arguments["kwargs"].items()]
            code = f"{name}({', '.join([*map(_show_data, arguments['args']), *named])})"
            return code + (f".{then[0]}({', '.join(map(_show_data, arguments['then']['args']))})" if then else "")

        answer = self.question("call", name=name, **arguments, seconds=seconds)
        if "missing" in answer:
            self.missing(f"`{name}` is not defined")
        return _reply(answer, write_code, attributes)

    def look(self, expression: str, seconds: float = 5.0, attributes: tuple[str, ...] = ()) -> Reply:
        """Evaluate an expression in the notebook's namespace, after its last cell; for the arguments see `call`."""
        wanted: dict[str, Any] = {"attributes": list(attributes)} if attributes else {}
        answer = self.question("look", expression=expression, **wanted, seconds=seconds)
        return _reply(answer, lambda: expression, attributes)

    def samples(self, strategy: SearchStrategy[Any]) -> Iterator[Any]:
        """Draw inputs for a loop, the same ones for all submissions that are graded with the same options.

        The check is called once for each input. If one fails, the check is called with smaller and smaller ones, and
        the message to the student is about the smallest that fails.

        Args:
            strategy: a strategy of Hypothesis for values that can be sent to the notebook; see `samples.arrays`.
        """
        if self.draw is None:
            raise NeedsSamples
        yield self.draw(strategy)

    def samples_of(self, *strategies: SearchStrategy[Any]) -> Iterator[tuple[Any, ...]]:
        """Draw several inputs for a loop, as a tuple; see `samples`."""
        if self.draw is None:
            raise NeedsSamples
        yield tuple(map(self.draw, strategies))

    def expect(self, value: Any, rule: Rule | Any, *, given: Any = NOTHING, name: str = "the value") -> None:
        """Check a value against a rule.

        Args:
            value: a reply of the notebook, or any value.
            rule: a rule such as `close_to(2.5)`; a plain value stands for `equal_to(value)`.
            given: the input that the value belongs to, for the message; or a text such as "k=3".
            name: what the message calls a value that is not a reply.

        Raises:
            Wrong: the value breaks the rule; the text contains the input, the value and what it should be.
        """
        rule = rule if isinstance(rule, Rule) else equal_to(rule)
        reply = value if isinstance(value, Reply) else Reply(value)
        complaint = "" if reply.error else rule.complain(reply.returned)
        if not complaint and not reply.error:
            return
        text = rule.describe()
        reply.require(given, f"The result should be {text}.")
        verb = "is" if "(" not in reply.asked else "returned"
        subject = reply.describe_subject(given, name)
        raise Wrong(f"{subject} {verb} {show(reply.returned)}; it should be {text}. {complaint}".rstrip())

    @property
    def files(self) -> dict[str, bytes]:
        """The files of the assignment that were next to the notebook, including those sampled for this run."""
        if "files" not in self.memo:
            self.memo["files"] = collect_files(self.assignment, self.scenario)
        files: dict[str, bytes] = self.memo["files"]
        return files

    @property
    def figures(self) -> list[FigureSeen]:
        """The figures that exist after the cells of the item's task, in the order in which they were created."""
        drawn = [figure for event in self.evidence.of(Figures) if event.cell in self.cells for figure in event.value]
        return list({figure.number: figure for figure in drawn}.values())

    def judge_by(self, figure: int) -> None:
        """Record by which figure of the run the item is judged: it is shown if points are lost."""
        self.memo.setdefault("figures", {})[self.item.id] = figure

    def drawing_error(self, figure: int) -> str:
        """Return the error that Matplotlib raises when a figure is drawn; empty if it can be drawn."""
        answer = self.question("draw", figure=figure, render=False)
        return f"{answer['error']}: {answer.get('message', '')}" if "error" in answer else ""

    def missing(self, what: str) -> NoReturn:
        """Raise NotChecked for something that is missing, with the reason if the run shows it."""
        raise NotChecked(f"{describe_stop(self.evidence, self.item.cell)} {what}.".lstrip())


def describe_stop(evidence: Evidence, task: str) -> str:
    """Return a sentence on the first cell of a task that did not finish: where it stopped, and why; "" for none."""
    return str(find_stop(evidence, task) or "")


def find_stop(evidence: Evidence, task: str) -> Stop | None:
    """Return where and why the first unfinished cell of a task stopped; None if all cells finished."""
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
    if cell.is_stub:
        return Stop(cell=task, number=place, why="not filled in")
    line, _, code = cell.line.partition(": ")
    message = f"`{cell.incomplete}` is not complete" if cell.incomplete else cell.message
    text = quote_error(message)
    later = None if cell.defined_in is None else cell.defined_in + 1
    error = str(cell.error)
    stop = Stop(cell=task, number=place, why="error", error=error, text=text, line=line, code=code, defined_in=later)
    return stop.model_copy(update={"missing_module": PASSED_OVER in text})


def write_question(question: dict[str, Any]) -> str:
    """Write a question as text, the same for equal questions."""
    return json.dumps(question, sort_keys=True)


def note_answer(answers: dict[str, dict[str, Any]], question: dict[str, Any], answer: dict[str, Any]) -> None:
    """Note an answer, or those to several questions that were asked together; the first answer to each is kept."""
    if question.get("ask") != "many":
        answers.setdefault(write_question(question), answer)
        return
    values = answer.get("value")
    for each, value in zip(question["questions"], values if isinstance(values, list) else [], strict=False):
        answers.setdefault(write_question(each), {"value": value})


def quote_error(message: str) -> str:
    """Return the first line of an error's text for a sentence: shortened, and without a full stop at its end.

    TensorFlow's errors begin with the name of a graph node in double braces, which is omitted.
    """
    text = re.sub(r"^\s*\{\{\w+ [^{}]*\}\}\s*", "", message).strip().split("\n")[0].strip()
    text = text if len(text) <= MAX_ERROR_TEXT else f"{text[: MAX_ERROR_TEXT - 1].rstrip()}…"
    return text.rstrip(". ")


class MissingAttribute(Wrong, AttributeError):
    """A student's object does not have an attribute; a check that asks with `hasattr` gets False."""


def _name_missing(value: types.SimpleNamespace, subject: str, path: str = "") -> types.SimpleNamespace:
    """Return a copy of an object that raises MissingAttribute, beginning with the subject, for missing attributes."""

    class Object(types.SimpleNamespace):
        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):  # a protocol of Python or NumPy
                raise AttributeError(name)
            raise MissingAttribute(f"{subject} has no attribute `{path}{name}`.")

    return Object(**{
        name: _name_missing(each, subject, f"{path}{name}.") if isinstance(each, types.SimpleNamespace) else each
        for name, each in vars(value).items()
    })  # fmt: skip


def _reply(answer: dict[str, Any], write_code: Callable[[], str], attributes: tuple[str, ...] = ()) -> Reply:
    """Convert an answer of the kernel, which is not trusted, to a reply."""
    try:
        reply = Reply(write_code=write_code, record=decode(answer.get("record")), attributes=attributes)
        if "error" in answer:
            return replace(reply, error=str(answer["error"])[:100], message=str(answer.get("message", ""))[:500])
        described = Value.model_validate(answer.get("returned"))
        printed = str(answer.get("printed", ""))[:2000]
        return replace(reply, returned=decode(answer.get("data")), described=described, printed=printed)
    except Exception as error:
        raise Undecided(f"The value returned by the notebook could not be read ({type(error).__name__}).") from None


def _show_data(data: Any) -> str:
    """Write a value for a message, from its plain data."""
    return show(decode(data, keep_code))


def forall(things: Any, rule: Callable[[Any], str | None]) -> None:
    """Raise Wrong if the rule returns a sentence, not None, for any thing: with the first, and the number of others."""
    complaints = [sentence for thing in things if (sentence := rule(thing))]
    if complaints:
        others = len(complaints) - 1
        more = f" The same problem occurs in {others} other case{'s' if others > 1 else ''}."
        raise Wrong(complaints[0] + (more if others else ""))
