"""The oracle: the grader's end of the connection with a kernel.

It sends the simulated results of a training run to the kernel, one epoch at a time, and records what it sent and what
the kernel reports. On arrival, each event gets its number in the sequence and that of the cell being executed. Messages
have a declared schema and limits on their size and number; those that do not comply are refused and counted.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import ValidationError

from autograder.assignment.exercise import Plan, Trial
from autograder.assignment.scenario import Scenario

from .evidence import (
    REPORT,
    REQUEST,
    Answer,
    AnyEvent,
    CallbackDriven,
    CellEnd,
    Fit,
    TrainClaim,
    TrainEnd,
    TrialResult,
    Use,
    Window,
)
from .runtime import channel as wire
from .stand_ins import encode_stand_ins

MAX_TOTAL = 16_000_000
"""Maximum number of bytes of all messages of one run; anything after them is not read."""

MAX_TRAININGS = 150
"""Maximum number of training runs that are recorded in one run of a notebook."""

MAX_EVENTS = 3_000
MAX_OF_KIND = 700
"""Maximum number of events in one run, and of those of one kind: a loop that never ends must leave room for others."""

KEY_BYTES = 16
HEADER = KEY_BYTES + 2
"""Number of bytes in front of a message's body: the key, the kind and the number."""


class Oracle:
    """Answers the messages of one kernel; a `Connection` uses `handle` only."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.key = secrets.token_bytes(KEY_BYTES)
        self.cell = -1
        self.is_given = False
        self.events: list[AnyEvent] = []
        self.refused: Counter[str] = Counter()
        self._counts: Counter[type] = Counter()
        self.seconds = self.joules = 0.0
        self._left = MAX_TOTAL
        self._parts: list[bytes] = []
        self._number = b""
        self._stand_ins = encode_stand_ins(scenario.stand_ins)
        self._trainings: dict[int, _Training] = {}
        self._plans = _PlanQueue(scenario)
        self._windows: dict[str, float] = {}
        self._trials: _Trials | None = None
        self._assigned: set[str] = set()
        self._question: dict[str, Any] | None = None
        self._answer: dict[str, Any] | None = None

    # Methods for the driver

    def begin_cell(self, number: int, is_given: bool) -> None:
        """Assign all following events to that cell."""
        self.cell, self.is_given = number, is_given

    def put_question(self, question: dict[str, Any]) -> None:
        """Have the question sent to the kernel the next time that it is ready."""
        self._question, self._answer = question, None

    def take_answer(self) -> dict[str, Any] | None:
        """Return the answer to the question and forget both; None if there was no answer."""
        answer, self._answer, self._question = self._answer, None, None
        return answer

    def lost(self) -> str:
        """Describe what was not read, in sentences; empty if everything was."""
        return " ".join(f"{_LOST[kind].format(count=count)}" for kind, count in self.refused.items())

    # Messages of the kernel

    def handle(self, message: bytes) -> bytes | None:
        """Read one datagram; return the body of the reply, None if the message expects none."""
        self._left -= len(message)
        if self._left < 0:
            self.refused["too much"] = 1
            return b"" if message[KEY_BYTES : KEY_BYTES + 1] in (wire.REQUEST, wire.EPOCH, wire.STEP) else None
        if message[:KEY_BYTES] != self.key:
            self.refused["foreign"] += 1
            return None
        kind, number = message[KEY_BYTES : KEY_BYTES + 1], message[KEY_BYTES + 1 : HEADER]
        body = message[HEADER:]
        if kind == wire.EPOCH:
            return self._serve_epoch(int.from_bytes(body, "little"))
        if kind == wire.STEP:
            return self._serve_step(body[0] if body else 0)
        if number != self._number:  # the parts so far belong to a message that was interrupted
            self._parts.clear()
        if kind == wire.MORE:
            self._number = number
            if sum(map(len, self._parts)) <= wire.MAX_MESSAGE:
                self._parts.append(body)
            return None
        body = b"".join([*self._parts, body])
        self._parts.clear()
        if kind == wire.LOST or len(body) > wire.MAX_MESSAGE:
            self.refused["too large"] += 1
            return None
        if kind == wire.REQUEST:
            return json.dumps(self._reply(body), separators=(",", ":")).encode()
        self._take_report(body)
        return None

    def _take_report(self, body: bytes) -> None:
        try:
            report = REPORT.validate_json(body)
        except ValidationError:
            self.refused["form"] += 1
            return
        if report.kind == "answer":
            self._answer = report.answer
            if self._question is not None:
                self._record(Answer(**self._stamp(), question=self._question, answer=report.answer))
                self._question = None
            return
        if report.kind == "act" and self.is_given and report.by_cell:
            return
        if report.kind == "window":
            self._take_window(report.key, report.begins, report.cancelled)
            return
        fields = dict(report)
        if report.kind == "use":
            self._record(Use(**self._stamp(), **fields, at=self.seconds))
        else:
            self._record(report.event(**self._stamp()))

    def _take_window(self, key: str, begins: bool, cancelled: bool) -> None:
        if begins:
            self._windows[key] = self.seconds
        elif (begin := self._windows.pop(key, None)) is not None and not cancelled:
            self._record(Window(**self._stamp(), begin=begin, end=self.seconds))

    def _reply(self, body: bytes) -> dict[str, Any]:
        try:
            request = REQUEST.validate_json(body)
        except ValidationError:
            self.refused["form"] += 1
            return {}
        match request.kind:
            case "spend":
                cost = self.scenario.costs.get(request.what, (0.0, 0.0))
                self._advance(*((min(request.seconds, 1e6), 0.0) if request.what == "sleep" else cost))
                return self._reading()
            case "train":
                return self._begin_training(request)
            case "outcome":
                return self._serve_outcome(request.training)
            case "train_end":
                self._end_training(request)
                return self._reading()
            case "end":
                self._record(CellEnd(**self._stamp(), cpu=request.cpu, fault=request.fault))
                return {}
            case "trial":
                return self._next_trial(request.error)
            case _:
                return {"question": self._question} if self._question is not None else {}

    # Training runs

    def _begin_training(self, claim: TrainClaim) -> dict[str, Any]:
        number = len(self._trainings)
        plan = None
        if self.scenario.training == "scripted":
            plan = self._plans.take(claim.learning_rate, claim.batch_size, self.is_given)
        self._trainings[number] = _Training(claim, plan, self.seconds, self.joules)
        self._advance(*self.scenario.costs["fit"])
        return self._reading() | {"training": number}

    def _serve_epoch(self, number: int) -> bytes:
        training = self._trainings.get(number)
        if training is None or training.is_over:
            self.refused["order"] += 1
            return wire.READING.pack(0, 0.0, 0.0, self.seconds, self.joules)
        epoch = training.epochs
        training.epochs += 1
        due = "callback" in self._assigned
        if training.plan is None:
            self._advance(*self.scenario.costs["epoch"])
            return wire.READING.pack(due and training.epochs >= 5, 0.0, 0.0, self.seconds, self.joules)
        plan = self.scenario.plans[training.plan]
        self._advance(*plan.epoch_cost)
        accuracy, val_accuracy = plan.trained(epoch), plan.value(epoch)
        training.accuracy.append(accuracy)
        training.val_accuracy.append(val_accuracy)
        is_due = due and training.epochs >= plan.stand_in_stop
        return wire.READING.pack(is_due, accuracy, val_accuracy, self.seconds, self.joules)

    def _serve_outcome(self, number: int) -> dict[str, Any]:
        """End the epochs of a training run, and return what its model has learned."""
        training = self._trainings.get(number)
        if training is None or training.plan is None:
            return {}
        training.is_over = True
        plan = self.scenario.plans[training.plan]
        return {"wrong": wrong_rows(plan, self.scenario.n_test), "noise": plan.weights_seed}

    def _end_training(self, end: TrainEnd) -> None:
        training = self._trainings.get(end.training)
        if training is None or training.is_ended:
            self.refused["order"] += 1
            return
        training.is_over = training.is_ended = True
        if len(self._trainings) > MAX_TRAININGS:
            self.refused["trainings"] += 1
            return
        claim = training.claim
        curves: tuple[tuple[float, ...], ...] = (tuple(training.accuracy), tuple(training.val_accuracy))
        if training.plan is None:
            curves = tuple(tuple(column) for column in zip(*end.curve, strict=True)) or ((), ())
        outcome = None
        if training.plan is not None and end.applied:
            outcome = 1 - self.scenario.plans[training.plan].test_errors / self.scenario.n_test
        self._record(
            Fit(
                **self._stamp(),
                **{name: value for name, value in claim if name != "kind"},
                plan=training.plan,
                accuracy=curves[0],
                val_accuracy=curves[1],
                epochs_run=training.epochs,
                begin=training.begin,
                end=self.seconds,
                begin_energy=training.begin_energy,
                end_energy=self.joules,
                test_accuracy=outcome,
                test_predictions=end.predictions,
                fresh_stop=end.fresh_stop,
                error=end.error,
            )
        )

    # Trials of a callback

    def _next_trial(self, error: str | None) -> dict[str, Any]:
        """Begin the next trial; after the last one, record the answers."""
        if self._trials is None:
            self._trials = _Trials(self.scenario.trials)
        else:
            self._trials.end(error)
        if (trial := self._trials.begin()) is not None:
            question = {"threshold": trial.threshold, "patience": trial.patience, "call": trial.call}
            return {"trial": {**question, "beside": trial.beside is not None, "validated": trial.validated}}
        if self._trials.results:
            self._record(CallbackDriven(**self._stamp(), results=tuple(self._trials.results)))
        self._trials = None
        return {}

    def _serve_step(self, stopped: int) -> bytes:
        values = self._trials.step(stopped) if self._trials is not None else None
        return wire.STEP_REPLY.pack(*(values or (0, 0.0, 0.0, 0.0, 0.0)))

    # Shared by all

    def assign(self, task: str) -> None:
        """Have the stand-ins of a task assigned in the notebook's namespace the next time that the kernel is ready."""
        self._assigned.add(task)
        self.put_question({"ask": "assign", "values": self._stand_ins.get(task, {})})

    def _advance(self, seconds: float, joules: float) -> None:
        self.seconds += max(0.0, seconds)
        self.joules += max(0.0, joules)

    def _reading(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "joules": self.joules}

    def _stamp(self) -> dict[str, Any]:
        return {"cell": self.cell, "sequence": len(self.events) + 1}

    def _record(self, event: AnyEvent) -> None:
        kind = type(event)
        if len(self.events) >= MAX_EVENTS:
            self.refused["events"] += 1
        elif self._counts[kind] >= MAX_OF_KIND and kind not in (CellEnd, Answer):
            self.refused["repeated"] += 1
        else:
            self._counts[kind] += 1
            self.events.append(event)


_LOST = {
    "too much": f"The record of the run was larger than {MAX_TOTAL // 1_000_000} MB; the rest was not read.",
    "foreign": "Code in the notebook sent messages over the autograder's connection; they were not read ({count}).",
    "memory": "The autograder ran out of memory while reading the record of the run.",
    "too large": "Some messages from the notebook were too large and were not read ({count}).",
    "form": "Some messages did not have the expected form and were not read ({count}).",
    "order": "Some messages arrived in an order that does not occur in training ({count}).",
    "trainings": f"Training runs after the first {MAX_TRAININGS} were not examined ({{count}}).",
    "repeated": f"Only the first {MAX_OF_KIND} events of each kind were examined ({{count}} others were not).",
    "events": f"Events of the notebook after the first {MAX_EVENTS} were not examined ({{count}}).",
}


@dataclass
class _Training:
    """One training run, with what was sent to the kernel so far."""

    claim: TrainClaim
    plan: int | None
    begin: float
    begin_energy: float
    epochs: int = 0
    is_over: bool = False
    is_ended: bool = False
    accuracy: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)


class _PlanQueue:
    """Chooses the plan of a training run: each plan of its setting once, then the spare plans in turn."""

    def __init__(self, scenario: Scenario) -> None:
        self._waiting = {key: list(numbers) for key, numbers in scenario.settings.items()}
        self._spares = list(scenario.spares)
        self._served = 0

    def take(self, learning_rate: float | None, batch_size: int, is_given: bool) -> int:
        waiting = self._waiting.get(f"{learning_rate or 0:.5g}/{batch_size}", [])
        if waiting and not is_given:
            return waiting.pop(0)
        self._served += 1
        return self._spares[self._served % len(self._spares)]


class _Trials:
    """The trials of one callback class, value by value."""

    def __init__(self, trials: list[Trial]) -> None:
        self._waiting = list(trials)
        self._trial: Trial | None = None
        self._epoch = 0
        self._stop: int | None = None
        self.results: list[TrialResult] = []

    def begin(self) -> Trial | None:
        self._trial = self._waiting.pop(0) if self._waiting else None
        self._epoch, self._stop = 0, None
        return self._trial

    def step(self, stopped: int) -> tuple[int, float, float, float, float] | None:
        """Return the values of the next epoch; None after the first instance has stopped or seen its whole curve."""
        trial = self._trial
        if trial is None:
            return None
        if stopped & 1 and self._stop is None:
            self._stop = self._epoch - 1
        epoch = self._epoch
        if self._stop is not None or epoch >= len(trial.val_accuracy):
            return None
        self._epoch += 1
        first = (trial.accuracy[epoch], trial.val_accuracy[epoch])
        beside = trial.beside or []
        if epoch >= len(beside) or stopped & 2:
            return (1, *first, 0.0, 0.0)
        return (3, *first, beside[epoch], beside[epoch])

    def end(self, error: str | None) -> None:
        if self._trial is not None:
            self.results.append(TrialResult(stop=self._stop if error is None else None, error=error))


def wrong_rows(plan: Plan, n_test: int) -> list[int]:
    """Return the test rows that a model classifies wrongly after training by this plan."""
    rows = np.random.default_rng(plan.weights_seed).permutation(n_test)[: plan.test_errors]
    return [int(row) for row in rows]


class Connection:
    """A socket pair, and a thread in which the oracle answers the messages that arrive at the grader's end."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self._own, self.kernels_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._thread = threading.Thread(target=self._serve, name="oracle", daemon=True)

    def __enter__(self) -> Connection:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close_kernels_end()
        self._own.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._own.close()

    def close_kernels_end(self) -> None:
        """Close this process's copy of the kernel's end; the kernel has a copy of its own."""
        self.kernels_end.close()

    def _serve(self) -> None:
        descriptor, handle = self._own.fileno(), self.oracle.handle
        largest = HEADER + wire.PART
        while True:
            try:
                # A datagram larger than any that the kernel's channel sends would be truncated here, so it is refused.
                message = os.read(descriptor, largest + 1)
                if not message:
                    return
                if len(message) > largest:
                    self.oracle.refused["too large"] += 1
                    continue
                if (reply := handle(message)) is not None:
                    self._send(message[HEADER - 1 : HEADER], reply)
            except OSError:
                return
            except MemoryError:  # raised again when the evidence is read
                self.oracle.refused["memory"] = 1
                self._own.shutdown(socket.SHUT_RDWR)
                return

    def _send(self, number: bytes, reply: bytes) -> None:
        while len(reply) > wire.PART:
            self._own.send(wire.MORE + number + reply[: wire.PART])
            reply = reply[wire.PART :]
        self._own.send(wire.REPORT + number + reply)
