"""Call a check once for each input that it draws, and find the smallest one that fails.

Hypothesis draws the inputs from the seed of the scenario. Questions about all of them are collected and asked together,
because one exchange with a kernel takes as long as many answers. The inputs are recorded: judging again uses the same
ones, even if Hypothesis would draw others then.
"""

from __future__ import annotations

import contextlib
import functools
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from autograder.execution.runtime.values import decode, encode

from .case import NOT_ASKED, Ask, Case, NotAsked, Undecided, Wrong, note_answer, write_question

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

Sample = list[dict[str, Any]]
"""What one call of a check drew: the strategy of each value, as text, and the value as plain data."""


class Pending(BaseException):
    """The check asks a question that will be asked together with others."""


class Enough(BaseException):
    """The search for smaller inputs that fail has reached its limit."""


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
        for sample in samples:
            self.call(replace(self.case, draw=functools.partial(_take, iter(sample))))

    def judge(self) -> None:
        """Draw inputs and call the check with each. Raises Wrong for the smallest that fails, or any other error."""
        seed = random.Random(f"{self.case.scenario.seed} {self.case.check}").getrandbits(48)
        self._deadline = self._now() + SECONDS
        for is_last in (*[False] * ROUNDS, True):
            self.pending = []
            attempt = _Exploration(self, is_last)
            attempt.run(seed)
            if not self.pending:
                break
            self._ask_pending()
        if attempt.error is not None and attempt.smallest is None:  # an input that fails decides, whatever others raise
            raise attempt.error
        if attempt.smallest is not None:
            smaller = _Reduction(self, *attempt.smallest)
            smaller.run(seed)
            sample, error = smaller.smallest
            self.samples.insert(0, sample)
            raise error

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

    def try_sample(self, data: Any, ask: Ask) -> tuple[Sample, Exception | None]:
        """Call the check once; return what it drew, and what it raised."""
        from hypothesis.errors import HypothesisException

        sample: Sample = []

        def draw(strategy: SearchStrategy[Any]) -> Any:
            value = data.draw(strategy)
            sample.append({"strategy": repr(strategy), "value": encode(value)})
            return value

        try:
            self.sampler.call(replace(self.sampler.case, draw=draw, ask=ask))
        except Pending:
            pass
        except HypothesisException:
            raise  # Hypothesis ends an input in this way if it cannot complete it
        except Exception as error:
            return sample, error
        return sample, None


class _Exploration(_Attempt):
    """Finds the smallest of the inputs that fail."""

    def __init__(self, sampler: Sampler, is_last: bool) -> None:
        super().__init__(sampler)
        self._ask = sampler.ask if is_last else sampler.postpone
        self.smallest: tuple[Sample, Wrong] | None = None
        self.error: Exception | None = None

    def call(self, data: Any) -> None:
        sample, error = self.try_sample(data, self._ask)
        if sample not in self.sampler.samples:
            self.sampler.samples.append(sample)
        if not isinstance(error, Wrong):
            self.error = self.error or error
        elif self.smallest is None or _measure(sample) < _measure(self.smallest[0]):
            self.smallest = sample, error


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
        sample, error = self.try_sample(data, self.sampler.ask)
        if isinstance(error, Wrong) and _measure(sample) <= _measure(self.smallest[0]):
            self.smallest = sample, error
            raise error


def _measure(sample: Sample) -> tuple[int, str]:
    """Return a measure of an input's size: shorter ones are simpler."""
    text = json.dumps(sample)
    return len(text), text


def _take(drawn: Iterator[dict[str, Any]], strategy: SearchStrategy[Any]) -> Any:
    """Return the next recorded value; raise NotAsked if it was drawn from another strategy."""
    found = next(drawn, None)
    if found is None or found["strategy"] != repr(strategy):
        raise NotAsked(NOT_ASKED)
    return decode(found["value"])
