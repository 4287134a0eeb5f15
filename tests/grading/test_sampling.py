"""The time that a notebook has for the questions of a check that draws inputs."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume

from autograder.grading import sampling
from autograder.grading.case import Case, Undecided
from autograder.rubric import integers
from tests.places import ROOT


def answer_slowly(question: dict[str, Any]) -> dict[str, Any]:
    time.sleep(0.3)
    return {"value": [{} for _ in question["questions"]]}


def ask_twice(case: Case) -> None:
    for number in case.samples(integers(0, 9)):
        case.question("look", expression=f"{number}", seconds=1)
        case.question("look", expression=f"{number} + 1", seconds=1)


def sampler(**options: Any) -> sampling.Sampler:
    """A check on a notebook that takes longer for its first answers than it may take for all."""
    things: Any = SimpleNamespace(inputs_seed=1, checks_folder="", of=lambda _: [])
    return sampling.Sampler(Case(things, things, things, things, ask=answer_slowly, **options), ask_twice)


def test_the_guide_names_the_number_of_samples() -> None:
    text = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
    assert f"`case.samples(strategy)` generates {sampling.N_SAMPLES} inputs" in text


def test_a_check_that_cannot_draw_does_not_pass() -> None:
    def ask_about_nothing(case: Case) -> None:
        for number in case.samples(integers(0, 9).filter(lambda _: False)):
            case.question("look", expression=f"{number}", seconds=1)

    things: Any = SimpleNamespace(inputs_seed=1, checks_folder="", of=lambda _: [])
    made = sampling.Sampler(Case(things, things, things, things, ask=answer_slowly), ask_about_nothing)
    with pytest.raises(Undecided, match="No input for this check"):
        made.judge()
    with pytest.raises(Undecided):
        made.judge_again(made.samples)


def test_a_check_that_draws_again_after_an_answer_is_judged_again_with_the_same_inputs() -> None:
    seen: list[tuple[int, int]] = []

    def draw_twice(case: Case) -> None:
        for first in case.samples(integers(0, 9)):
            case.question("look", expression=f"{first}", seconds=1)
            for second in case.samples(integers(10, 19)):
                case.question("look", expression=f"{second}", seconds=1)
                seen.append((first, second))

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        return {"value": [{"value": {}} for _ in question["questions"]]}

    things: Any = SimpleNamespace(inputs_seed=1, checks_folder="", of=lambda _: [])
    case = Case(things, things, things, things, ask=answer)
    made = sampling.Sampler(case, draw_twice)
    made.judge()
    live, seen[:] = list(seen), []
    made.judge_again(made.samples)
    assert len(live) >= 15
    assert seen == list(dict.fromkeys(live))


def test_an_input_that_a_check_gives_up_after_an_answer_is_left_out() -> None:
    seen: list[int] = []

    def skip_some(case: Case) -> None:
        for number in case.samples(integers(0, 9)):
            case.question("look", expression=f"{number}", seconds=1)
            assume(number != 3)
            seen.append(number)

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        return {"value": [{"value": {}} for _ in question["questions"]]}

    things: Any = SimpleNamespace(inputs_seed=1, checks_folder="", of=lambda _: [])
    sampling.Sampler(Case(things, things, things, things, ask=answer), skip_some).judge()
    assert 3 not in seen
    assert len(seen) >= 5


def test_the_next_submission_gets_the_same_inputs_unless_the_check_draws_others() -> None:
    seen: list[int] = []
    highest = 9

    def see(case: Case) -> None:
        for number in case.samples(integers(0, highest)):
            case.question("look", expression=f"{number}", seconds=1)
            seen.append(number)

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        return {"value": [{"value": {}} for _ in question["questions"]]}

    def judge(seed: int) -> list[int]:
        seen.clear()
        things: Any = SimpleNamespace(inputs_seed=seed, checks_folder="same", of=lambda _: [])
        sampling.Sampler(Case(things, things, things, things, ask=answer), see).judge()
        return list(seen)

    first = judge(1)
    assert judge(1) == first
    assert judge(2) != first
    highest = 999
    assert max(judge(1)) > 9


def test_a_slow_notebook_is_not_asked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "SECONDS", 0.2)
    with pytest.raises(Undecided, match=r"took longer than 0\.2 s to return the values"):
        sampler().judge()


def test_waiting_for_a_processor_does_not_make_it_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "SECONDS", 0.2)
    began = time.monotonic()
    sampler(seconds_waited=lambda: time.monotonic() - began).judge()
