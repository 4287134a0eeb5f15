"""Call a check once for each input that it draws, and find the smallest one that fails.

Hypothesis draws the inputs, from a seed that all submissions of a class share: the same mistake costs the same points,
and inputs that were drawn for one submission are used again for the next. Questions about all inputs are collected and
asked together, because one exchange with a kernel takes as long as many answers. The inputs are recorded: judging again
uses the same ones, even if Hypothesis would draw others then.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from autograder.execution.runtime.values import decode, encode

from .case import NOT_ASKED, Ask, Case, Draw, NotAsked, Undecided, Wrong, note_answer, write_question

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

N_SAMPLES = 20
"""Number of inputs with which a check is called."""

SECONDS = 30.0
"""Maximum time in seconds for the notebook to answer all questions of a check, without its waiting for a processor."""

ROUNDS = 4
"""How often questions about all inputs are collected; later questions of a check are asked one by one."""

MAX_TRIES = 200
SHRINK_SECONDS = 4.0
"""How many inputs are tried, and for how many seconds, to find a smaller one that fails."""

MAX_REMEMBERED = 64
"""Number of checks whose inputs are kept in memory."""

NO_INPUT = "No input for this check could be generated. This item needs review."

Sample = list[dict[str, Any]]
"""What one call of a check drew: the strategy of each value, as text, and the value as plain data."""


class Pending(BaseException):
    """The check asks a question that will be asked together with others."""


class Diverged(BaseException):
    """The check draws more values than before, or draws from other strategies."""


class Enough(BaseException):
    """The search for smaller inputs that fail has reached its limit."""


@dataclass
class _Input:
    """What one call of a check drew: strategies and values, which the check cannot change."""

    strategies: list[SearchStrategy[Any]] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def draw_from(self, data: Any, strategy: SearchStrategy[Any]) -> Any:
        """Let Hypothesis draw a value, and keep it."""
        value = data.draw(strategy)
        self.strategies.append(strategy)
        self.values.append(_copy(value))
        return value

    @functools.cached_property
    def record(self) -> Sample:
        """The strategies and values as plain data; all of them must have been drawn."""
        return [
            {"strategy": repr(strategy), "value": encode(value)}
            for strategy, value in zip(self.strategies, self.values, strict=True)
        ]


@dataclass
class Sampler:
    """The calls of one check; `samples` are the inputs to record."""

    case: Case
    call: Callable[[Case], None]
    samples: list[Sample] = field(default_factory=list)
    pending: list[dict[str, Any]] = field(default_factory=list)
    _deadline: float = 0.0

    def judge_again(self, samples: list[Sample] | None) -> None:
        """Call the check with the recorded inputs. Raises what the check raises, and NotAsked if it draws others."""
        if samples is None:
            raise NotAsked(NOT_ASKED)
        if not samples:
            raise Undecided(NO_INPUT)
        for sample in samples:
            self.call(replace(self.case, draw=functools.partial(_take, iter(sample))))

    def judge(self) -> None:
        """Draw inputs and call the check with each. Raises Wrong for the smallest that fails, or any other error."""
        seed = random.Random(f"inputs {self.case.scenario.inputs_seed} {self.case.check}").getrandbits(48)
        self._deadline = self._now() + SECONDS
        attempt = self._call_with_inputs(seed)
        if not attempt.inputs:
            raise Undecided(NO_INPUT)
        if attempt.error is not None and attempt.smallest is None:  # an input that fails decides, whatever others raise
            raise attempt.error
        if attempt.smallest is not None:
            smaller = _Reduction(self, *attempt.smallest)
            smaller.run(seed)
            sample, error = smaller.smallest
            self.samples.insert(0, sample)
            raise error

    def _call_with_inputs(self, seed: int) -> _Exploration:
        """Call the check with all inputs, again and again until all its questions are answered."""
        key = (str(self.case.assignment.checks_folder), seed)
        attempt = _Exploration(self, self.postpone)
        inputs = _first_inputs.get(key, [])
        try:
            for number in range(ROUNDS + 1):
                self.pending = []
                attempt = self._explore(seed, inputs, self.ask if number == ROUNDS else self.postpone)
                inputs = attempt.inputs
                if not number:
                    _remember(key, inputs)
                if not self.pending:
                    break
                self._ask_pending()
        finally:
            self.samples += attempt.records()  # also if a question could not be answered
        return attempt

    def _explore(self, seed: int, inputs: Sequence[_Input], ask: Ask) -> _Exploration:
        """Call the check with the inputs of the last attempt; draw inputs again if the check draws other values."""
        from hypothesis.errors import HypothesisException

        attempt = _Exploration(self, ask)
        with contextlib.suppress(Diverged, HypothesisException):  # Hypothesis is needed for `assume` and the like
            if inputs:
                attempt.repeat(inputs)
                return attempt
        attempt = _Exploration(self, ask)
        self.pending.clear()
        attempt.run(seed)
        return attempt

    def postpone(self, question: dict[str, Any]) -> dict[str, Any]:
        """Keep a question until all inputs have been drawn."""
        self.pending.append(question)
        raise Pending

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Ask a question immediately."""
        if self._now() > self._deadline:
            raise Undecided(f"The notebook took longer than {SECONDS:g} s to return the values that this check needs.")
        assert self.case.ask is not None
        return self.case.ask(question)

    def _now(self) -> float:
        return time.monotonic() - self.case.seconds_waited()

    def _ask_pending(self) -> None:
        questions = list({write_question(each): each for each in self.pending}.values())
        longest = max(float(each["seconds"]) for each in questions)
        many = {"ask": "many", "questions": questions, "seconds": 2 * longest}
        note_answer(self.case.answers, many, self.ask(many))


class _Attempt:
    """One run of Hypothesis over inputs for a check."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler

    def run(self, seed: int) -> None:
        """Let Hypothesis draw the inputs for a seed."""
        from hypothesis import HealthCheck, Phase, Verbosity, given, settings, strategies
        from hypothesis import seed as seeded
        from hypothesis.errors import HypothesisException

        how = settings(
            max_examples=N_SAMPLES,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            print_blob=False,
        )
        with contextlib.suppress(Wrong, Enough, HypothesisException):
            how(seeded(seed)(given(strategies.data())(self.call)))()

    def call(self, data: Any) -> None:
        """Call the check with the values that `data` draws."""
        raise NotImplementedError

    def try_input(self, draw: Draw, ask: Ask) -> Exception | None:
        """Call the check once, and return what it raised."""
        from hypothesis.errors import HypothesisException

        try:
            self.sampler.call(replace(self.sampler.case, draw=draw, ask=ask))
        except Pending:
            pass
        except HypothesisException:
            raise  # Hypothesis ends an input in this way if it cannot complete it
        except Exception as error:
            return error
        return None


class _Exploration(_Attempt):
    """Finds the smallest of the inputs that fail."""

    def __init__(self, sampler: Sampler, ask: Ask) -> None:
        super().__init__(sampler)
        self._ask = ask
        self.inputs: list[_Input] = []
        self.smallest: tuple[Sample, Wrong] | None = None
        self.error: Exception | None = None

    def call(self, data: Any) -> None:
        drawn = _Input()
        self._keep(drawn, self.try_input(functools.partial(drawn.draw_from, data), self._ask))

    def repeat(self, inputs: Sequence[_Input]) -> None:
        """Call the check with these inputs, which is faster than drawing them; raise Diverged if it draws others."""
        for drawn in inputs:
            values = iter(zip(drawn.strategies, drawn.values, strict=True))
            self._keep(drawn, self.try_input(functools.partial(_take_next, values), self._ask))

    def records(self) -> list[Sample]:
        """Return each input once, as plain data."""
        return list({json.dumps(drawn.record): drawn.record for drawn in self.inputs}.values())

    def _keep(self, drawn: _Input, error: Exception | None) -> None:
        self.inputs.append(drawn)
        if not isinstance(error, Wrong):
            self.error = self.error or error
        elif self.smallest is None or _measure(drawn.record) < _measure(self.smallest[0]):
            self.smallest = drawn.record, error


class _Reduction(_Attempt):
    """Finds inputs that fail and are smaller than a given one."""

    def __init__(self, sampler: Sampler, sample: Sample, error: Wrong) -> None:
        super().__init__(sampler)
        self.smallest = sample, error
        self._tries = 0
        self._deadline = time.monotonic() + SHRINK_SECONDS

    def call(self, data: Any) -> None:
        self._tries += 1
        if self._tries > MAX_TRIES or time.monotonic() > self._deadline:
            raise Enough
        drawn = _Input()
        error = self.try_input(functools.partial(drawn.draw_from, data), self.sampler.ask)
        sample = drawn.record
        if isinstance(error, Wrong) and _measure(sample) <= _measure(self.smallest[0]):
            self.smallest = sample, error
            raise error


def _measure(sample: Sample) -> tuple[int, str]:
    """Return a measure of an input's size: shorter ones are simpler."""
    text = json.dumps(sample)
    return len(text), text


def _copy(value: Any) -> Any:
    """Copy a value that a check might change; values that cannot be copied are used as they are."""
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


_first_inputs: dict[tuple[str, int], list[_Input]] = {}
"""The inputs that were drawn before any question was answered, by folder of checks and seed."""


def _remember(key: tuple[str, int], inputs: list[_Input]) -> None:
    if len(_first_inputs) >= MAX_REMEMBERED:
        _first_inputs.clear()
    _first_inputs[key] = inputs


def _take_next(drawn: Iterator[tuple[SearchStrategy[Any], Any]], strategy: SearchStrategy[Any]) -> Any:
    """Return a copy of the next value that was drawn before, if it was drawn from the same strategy."""
    for earlier, value in drawn:
        if earlier is strategy or repr(earlier) == repr(strategy):
            return _copy(value)
        break
    raise Diverged


def _take(drawn: Iterator[dict[str, Any]], strategy: SearchStrategy[Any]) -> Any:
    """Return the next recorded value; raise NotAsked if it was drawn from another strategy."""
    found = next(drawn, None)
    if found is None or found["strategy"] != repr(strategy):
        raise NotAsked(NOT_ASKED)
    return decode(found["value"])
