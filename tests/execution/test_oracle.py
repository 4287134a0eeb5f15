"""The oracle serves one epoch at a time, keeps its own record, and refuses what is not of the declared form."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from typing import Any

import pytest

from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.execution.evidence import MAX_EPOCHS, CallbackDriven, CellEnd, Fit, NameSeen, Use, Window
from autograder.execution.oracle import HEADER, MAX_EVENTS, MAX_OF_KIND, MAX_TOTAL, Connection, Oracle
from autograder.execution.runtime import channel as wire

ROWS = {"rows": 600, "distinct": 600, "train": 600, "test": 0, "other": 0, "labels_fit": True}


@pytest.fixture
def oracle(assignment: Assignment) -> Oracle:
    made = Oracle(sample_scenario(assignment, 5))
    made.begin_cell(3, is_given=False)
    return made


def claim(rate: float = 0.001, size: int = 128, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "model": 1, "trained_before": False, "parameters": 10, "layers": [], "optimizer": "Adam",
        "optimizer_config": {"class": "Adam", "beta_1": 0.9}, "learning_rate": rate, "loss": "mse", "batch_size": size,
        "epochs": 500, "initial_epoch": 0, "validation_split": 0.2, "data": ROWS, "validation": None, "callbacks": [],
    }  # fmt: skip
    return told | more


NUMBER = b"\x07"


def ask(oracle: Oracle, kind: str, **fields: Any) -> dict[str, Any]:
    reply = oracle.handle(oracle.key + wire.REQUEST + NUMBER + json.dumps({"kind": kind, **fields}).encode())
    assert reply is not None
    answer: dict[str, Any] = json.loads(reply)
    return answer


def report(oracle: Oracle, kind: str, **fields: Any) -> None:
    assert oracle.handle(oracle.key + wire.REPORT + NUMBER + json.dumps({"kind": kind, **fields}).encode()) is None


def epoch(oracle: Oracle, training: int) -> tuple[float, ...]:
    reply = oracle.handle(oracle.key + wire.EPOCH + NUMBER + training.to_bytes(4, "little"))
    assert reply is not None
    return wire.READING.unpack(reply)


def step(oracle: Oracle, stopped: int) -> tuple[float, ...]:
    reply = oracle.handle(oracle.key + wire.STEP + NUMBER + bytes([stopped]))
    assert reply is not None
    return wire.STEP_REPLY.unpack(reply)


def end(oracle: Oracle, training: int, **more: Any) -> None:
    told = {"error": None, "stopped": True, "applied": True, "predictions": None, "fresh_stop": None, "curve": []}
    ask(oracle, "train_end", training=training, **(told | more))


def test_a_training_is_served_epoch_by_epoch_and_what_was_served_is_its_truth(oracle: Oracle) -> None:
    begun = ask(oracle, "train", **claim())
    plan = oracle.scenario.plans[oracle.scenario.settings["0.001/128"][0]]
    served = [epoch(oracle, begun["training"]) for _ in range(4)]
    assert [reading[2] for reading in served] == plan.val_accuracy[:4]
    seconds = [reading[3] for reading in served]
    assert [round(b - a, 6) for a, b in pairwise(seconds)] == [plan.epoch_cost[0]] * 3
    outcome = ask(oracle, "outcome", training=begun["training"])
    end(oracle, begun["training"])
    (fit,) = [event for event in oracle.events if isinstance(event, Fit)]
    assert (fit.cell, fit.epochs_run, fit.plan) == (3, 4, oracle.scenario.settings["0.001/128"][0])
    assert fit.val_accuracy == tuple(plan.val_accuracy[:4])
    assert fit.test_accuracy == pytest.approx(1 - len(outcome["wrong"]) / oracle.scenario.n_test)
    assert fit.seconds == pytest.approx(0.9 + 4 * plan.epoch_cost[0])
    assert fit.optimizer_config["beta_1"] == 0.9


def test_no_epoch_is_served_after_the_outcome_and_no_training_ends_twice(oracle: Oracle) -> None:
    number = ask(oracle, "train", **claim())["training"]
    epoch(oracle, number)
    ask(oracle, "outcome", training=number)
    assert epoch(oracle, number)[1:3] == (0.0, 0.0)
    end(oracle, number)
    end(oracle, number)
    assert sum(isinstance(event, Fit) for event in oracle.events) == 1
    assert "order" in oracle.refused


def test_a_kernel_that_says_more_epochs_than_it_was_served_is_not_believed(oracle: Oracle) -> None:
    number = ask(oracle, "train", **claim())["training"]
    epoch(oracle, number)
    end(oracle, number, curve=[[0.5, 0.5]] * 100)
    (fit,) = [event for event in oracle.events if isinstance(event, Fit)]
    assert (fit.epochs_run, len(fit.val_accuracy)) == (1, 1)


def test_messages_without_the_key_or_of_another_form_are_refused_and_said(oracle: Oracle) -> None:
    body = json.dumps({"kind": "name", "name": "n_tr", "value": {"type": "int", "number": 1}}).encode()
    oracle.handle(b"x" * 16 + wire.REPORT + NUMBER + body)
    oracle.handle(oracle.key + wire.REPORT + NUMBER + b"{not json")
    report(oracle, "name", name="n_tr", value={"type": "int", "number": 1}, extra=1)
    oracle.handle(oracle.key + wire.REPORT + NUMBER + body)
    assert [type(event) for event in oracle.events] == [NameSeen]
    assert "sent messages over the autograder's connection; they were not read (1)" in oracle.lost()
    assert "did not have the expected form and were not read (2)" in oracle.lost()


def test_a_message_in_parts_is_put_together_and_one_that_is_too_large_is_dropped(oracle: Oracle) -> None:
    body = json.dumps({"kind": "name", "name": "n", "value": {"type": "str", "text": "x" * 150_000}}).encode()
    for start in range(0, len(body) - wire.PART, wire.PART):
        oracle.handle(oracle.key + wire.MORE + NUMBER + body[start : start + wire.PART])
    oracle.handle(oracle.key + wire.REPORT + NUMBER + body[len(body) // wire.PART * wire.PART :])
    assert len(oracle.events) == 1
    for _ in range(wire.MAX_MESSAGE // wire.PART + 3):
        oracle.handle(oracle.key + wire.MORE + NUMBER + b"x" * wire.PART)
    oracle.handle(oracle.key + wire.REPORT + NUMBER + b"x")
    assert oracle.refused["too large"] == 1
    assert len(oracle.events) == 1


def test_parts_of_an_interrupted_message_are_dropped(oracle: Oracle) -> None:
    oracle.handle(oracle.key + wire.MORE + b"\x06" + b'{"kind": "na')
    report(oracle, "name", name="n_tr", value={"type": "int", "number": 1})
    assert len(oracle.events) == 1
    assert not oracle.lost()


def test_the_reply_to_an_interrupted_request_is_skipped(oracle: Oracle) -> None:
    with Connection(oracle) as connection:
        descriptor = connection.kernels_end.fileno()
        channel = wire.connect(descriptor, oracle.key)
        os.write(descriptor, oracle.key + wire.REQUEST + b"\xff" + b'{"kind": "spend", "what": "evaluate"}')
        assert channel.ask("next") == {}
        assert set(channel.ask("spend", what="evaluate", seconds=0.0)) == {"seconds", "joules"}


def test_a_run_cannot_have_more_epochs_than_the_schema_allows() -> None:
    assert MAX_TOTAL // HEADER < MAX_EPOCHS


def test_after_too_much_nothing_is_read(oracle: Oracle) -> None:
    for _ in range(MAX_TOTAL // wire.PART + 2):
        oracle.handle(b"y" * wire.PART)
    report(oracle, "name", name="n_tr", value={"type": "int", "number": 1})
    assert not oracle.events
    assert "larger than 16 MB" in oracle.lost()


def test_windows_are_measured_by_the_oracles_own_clock(oracle: Oracle) -> None:
    report(oracle, "window", key="a", begins=True)
    ask(oracle, "spend", what="evaluate")
    report(oracle, "window", key="a", begins=False)
    ask(oracle, "end", cpu=0.1)
    window, last = oracle.events
    assert isinstance(window, Window)
    assert isinstance(last, CellEnd)
    assert window.end - window.begin == pytest.approx(oracle.scenario.costs["evaluate"][0])


def test_acts_of_given_cells_are_left_out_but_not_those_of_others_during_them(oracle: Oracle) -> None:
    oracle.begin_cell(4, is_given=True)
    report(oracle, "act", what="started a program", detail="nvidia-smi", by_cell=True)
    assert not oracle.events
    report(oracle, "act", what="started a program", detail="cat", by_cell=False)
    assert len(oracle.events) == 1


def test_a_trial_goes_on_value_by_value_and_ends_where_the_callback_stops(oracle: Oracle) -> None:
    trials = oracle.scenario.trials
    asked = ask(oracle, "trial")["trial"]
    assert set(asked) == {"threshold", "patience", "call", "beside", "validated"}
    stops = []
    for trial in trials:
        stopped, count = 0, 0
        while (reply := step(oracle, stopped))[0]:
            assert reply[2] == trial.val_accuracy[count]
            count += 1
            stopped = int(count == 2)
        stops.append(1 if len(trial.val_accuracy) > 1 else None)
        ask(oracle, "trial")
    (driven,) = [event for event in oracle.events if isinstance(event, CallbackDriven)]
    assert [result.stop for result in driven.results] == stops


def test_a_stand_in_of_the_callback_is_told_where_to_stop_only_in_its_run(oracle: Oracle) -> None:
    number = ask(oracle, "train", **claim())["training"]
    plan = oracle.scenario.plans[oracle.scenario.settings["0.001/128"][0]]
    assert not any(epoch(oracle, number)[0] for _ in range(plan.stand_in_stop + 1 if plan.stand_in_stop < 500 else 90))
    other = Oracle(oracle.scenario)
    other.assign("callback")
    assert ask(other, "next")["question"]["ask"] == "assign"
    number = ask(other, "train", **claim())["training"]
    due = [epoch(other, number)[0] for _ in range(200)]
    assert (due.index(1) + 1 == plan.stand_in_stop) if plan.stand_in_stop < 200 else not any(due)


def test_a_loop_that_never_ends_leaves_room_for_other_events(oracle: Oracle) -> None:
    for _ in range(MAX_EVENTS + 1):
        report(oracle, "use", what="evaluate", model=1, data=ROWS)
    report(oracle, "name", name="metrics_vs_bs", value={"type": "list", "items": [], "length": 4000})
    assert sum(isinstance(event, Use) for event in oracle.events) == MAX_OF_KIND
    assert isinstance(oracle.events[-1], NameSeen)
    assert f"Only the first {MAX_OF_KIND} events of each kind were examined" in oracle.lost()
