"""Checks may ask the notebook while its kernel lives; what they asked is on record, and judged again alike."""

from __future__ import annotations

import time

import numpy as np
import pytest

from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.errors import KernelFailed
from autograder.execution.kernels import ForkProvisioner, Kernels
from autograder.execution.runner import Run
from autograder.grading.case import Case, NotAsked, Undecided
from autograder.grading.code import Code

from .cells import running

CODE = """
import numpy as np, time
calls = []
def rms(x):
    calls.append(1)
    print('called')
    return np.sqrt(np.mean(np.asarray(x) ** 2))
def pair(a, b=2): return {'sum': a + b, 'list': [a, b], 'array': np.arange(6).reshape(2, 3)}
def fails(): raise ValueError('no such thing')
def slow(): time.sleep = None; [0 for _ in iter(int, 1)]
def dies(): import os; os._exit(1)
def stubborn():
    import signal
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    while True: pass
def twice(function, x): return function(function(x))
def builtins_of(function): return function.__globals__['__builtins__'] is __import__('builtins')
class Thing: size = 3
thing = Thing()
"""


def case(assignment: Assignment, live: Run) -> Case:
    return Case(assignment, assignment.items[0], sample_scenario(assignment, 1), live.evidence, {}, live.ask)


def test_functions_are_called_with_data_and_arrays(warm_kernels: Kernels, assignment: Assignment) -> None:
    with running(warm_kernels, assignment, CODE) as live:
        asked = case(assignment, live)
        x = np.array([3.0, 4.0])
        reply = asked.call("rms", x)
        assert reply.value == pytest.approx(np.sqrt(12.5))
        assert reply.printed == "called\n"
        value = asked.call("pair", 1, b=5).value
        assert value["sum"] == 6
        assert value["list"] == [1, 5]
        assert value["array"].tolist() == [[0, 1, 2], [3, 4, 5]]
        failed = asked.call("fails")
        assert (failed.error, failed.message) == ("ValueError", "no such thing")
        assert asked.look("thing.size + len(calls)").value == 4
        assert asked.call("rms", x).value == reply.value
        assert asked.look("len(calls)").value == 1, "the second call is answered from the record"


def test_a_question_has_its_time_and_the_next_one_is_answered(warm_kernels: Kernels, assignment: Assignment) -> None:
    with running(warm_kernels, assignment, CODE) as live:
        asked = case(assignment, live)
        assert asked.call("slow", seconds=0.5).error == "TimeLimit"
        assert asked.call("pair", 1).value["sum"] == 3


def test_a_kernel_that_ends_under_a_question_leaves_it_to_a_person(
    warm_kernels: Kernels, assignment: Assignment
) -> None:
    with running(warm_kernels, assignment, CODE) as live:
        asked = case(assignment, live)
        with pytest.raises(Undecided, match="The autograder could not get a value from the notebook"):
            asked.call("dies")
        with pytest.raises(Undecided, match="The autograder could not get a value from the notebook"):
            asked.call("pair", 1)


def test_a_question_for_which_the_machine_has_no_time_says_nothing_of_the_student(
    warm_kernels: Kernels, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def claims_to_wait(self: ForkProvisioner) -> tuple[float, float]:
        return 0.0, 2 * time.monotonic()

    with running(warm_kernels, assignment, CODE) as live:
        monkeypatch.setattr(ForkProvisioner, "time_spent", claims_to_wait)
        asked = case(assignment, live)
        for name in ("stubborn", "pair"):
            with pytest.raises(KernelFailed, match="too busy to run the notebook"):
                asked.call(name, seconds=0.5)


def test_what_is_on_record_is_answered_without_a_kernel(warm_kernels: Kernels, assignment: Assignment) -> None:
    with running(warm_kernels, assignment, CODE) as live:
        before = case(assignment, live).call("pair", 1).value["sum"]
        evidence = live.evidence
    again = Case(assignment, assignment.items[0], sample_scenario(assignment, 1), evidence)
    assert again.call("pair", 1).value["sum"] == before
    with pytest.raises(NotAsked):
        again.call("pair", 2)


def test_figures_are_drawn_on_demand(warm_kernels: Kernels, assignment: Assignment) -> None:
    cell = """
    import matplotlib.pyplot as plt
    for label in ('fine', '$\\\\broken{$'):
        fig, ax = plt.subplots(); ax.bar([1, 2], [3, 4]); ax.set_xlabel(label)
    plt.show()
    """
    with running(warm_kernels, assignment, cell) as live:
        outputs = live.executed.cells[0].outputs
        assert not any("image/png" in output.get("data", {}) for output in outputs)
        fine = live.ask({"ask": "draw", "figure": 0, "render": True})["value"]
        assert fine["png"].startswith("iVBOR")
        asked = case(assignment, live)
        assert asked.drawing_error(0) == ""
        assert "ValueError" in asked.drawing_error(1)


def test_a_notebook_that_asks_for_questions_gets_none(warm_kernels: Kernels, assignment: Assignment) -> None:
    with running(warm_kernels, assignment, "%answer-questions", "a = 1") as live:
        assert [cell.status for cell in live.evidence.cells] == ["error", "ran"]


NOTE = """
seen = []
def add(x):
    seen.append(x)
    if x > limit: raise OverflowError(f'{x} is more than {limit}')
    return x + 1
"""


def test_functions_are_called_with_functions_that_note_their_calls(
    warm_kernels: Kernels, assignment: Assignment
) -> None:
    with running(warm_kernels, assignment, CODE) as live:
        asked = case(assignment, live)
        script = Code(NOTE, limit=5)
        reply = asked.call("twice", script["add"], x=1, record=script["seen"])
        assert (reply.value, reply.record, reply.asked) == (3, [1, 2], "twice(add, x=1)")
        failed = asked.call("twice", script["add"], 5, record=script["len(seen)"])
        assert (failed.error, failed.message, failed.record) == ("OverflowError", "6 is more than 5", 2)
        assert asked.call("builtins_of", script["add"]).value is True, "not the runtime's own copy"
        with pytest.raises(Undecided, match="NameError: name 'nothing' is not defined"):
            asked.call("twice", Code("nothing")["nothing"], 1)
        evidence = live.evidence
    again = Case(assignment, assignment.items[0], sample_scenario(assignment, 1), evidence)
    assert again.call("twice", script["add"], x=1, record=script["seen"]).record == [1, 2]
