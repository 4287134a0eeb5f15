"""Whatever a kernel reports, judging ends with a verdict, and never because a check itself failed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from autograder.assignment.settings import Assignment
from autograder.assignment.source import read, source_path
from autograder.execution.evidence import MAX_EPOCHS, Answer, Fit
from autograder.execution.kernels import Kernels
from autograder.execution.options import Options
from autograder.grading.checker import judge
from autograder.grading.grade import grade
from autograder.grading.saved_runs import SavedRun
from autograder.submission.prepare import load_release, prepare

from .any_evidence import ANSWERS, draw_evidence

SETTINGS: dict[str, Any] = {
    "deadline": None,  # what is bounded is the processor's time; see `checker.MAX_JUDGING_SECONDS`
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.generate],  # an example is shown as it was found: making it smaller takes minutes
}
TWENTY_EXAMPLES = settings(max_examples=20, derandomize=True, **SETTINGS)
MANY = settings(max_examples=3000, **SETTINGS)


@pytest.fixture(scope="module", params=["tta-eta", "fixed-epochs"])
def honest_run(request: pytest.FixtureRequest, warm_kernels: Kernels) -> tuple[Assignment, SavedRun]:
    """The record of the solution."""
    assignment = Assignment.load(request.param)
    submission = prepare("ada", read(source_path(assignment)), load_release(assignment), assignment)
    record = grade(assignment, submission, warm_kernels, Options(seed=5)).record
    assert record is not None
    run = record.runs[0]
    events = tuple(event for event in run.evidence.events if not isinstance(event, Answer))
    return assignment, run.model_copy(update={"evidence": run.evidence.model_copy(update={"events": events})})


def check_any_evidence(assignment: Assignment, run: SavedRun, data: st.DataObject) -> None:
    """Judge some evidence like that of a run."""
    answers = data.draw(st.lists(ANSWERS, min_size=1, max_size=3))
    asked: list[dict[str, Any]] = []

    def ask(question: dict[str, Any]) -> dict[str, Any]:
        asked.append(question)
        return json.loads(json.dumps(answers[len(asked) % len(answers)]))

    found = draw_evidence(data.draw, run.evidence)
    judgement = judge(assignment, run.scenario, found, data.draw(st.sampled_from([None, ask])))
    assert [item.id for item in judgement.items] == [item.id for item in assignment.judged_items]
    for item in judgement.items:
        assert "itself failed" not in item.message
        assert "s of processor time" not in item.message


def test_training_without_end_has_a_verdict(honest_run: tuple[Assignment, SavedRun]) -> None:
    assignment, run = honest_run
    longest = tuple(
        event.model_copy(update={"epochs_run": MAX_EPOCHS}) if isinstance(event, Fit) else event
        for event in run.evidence.events
    )
    judgement = judge(assignment, run.scenario, run.evidence.model_copy(update={"events": longest}), None)
    assert not any("itself failed" in item.message for item in judgement.items)
    assert any(item.message for item in judgement.items)


@TWENTY_EXAMPLES
@given(data=st.data())
def test_any_evidence_has_a_verdict(honest_run: tuple[Assignment, SavedRun], data: st.DataObject) -> None:
    check_any_evidence(*honest_run, data)


@pytest.mark.slow
@MANY
@given(data=st.data())
def test_much_evidence_has_a_verdict(honest_run: tuple[Assignment, SavedRun], data: st.DataObject) -> None:
    check_any_evidence(*honest_run, data)
