"""Evidence on disk, judged again, gives the same points; after an edit of a check, the new ones."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest

from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.commands.rejudge import rejudge_class
from autograder.execution.evidence import Evidence
from autograder.execution.kernels import Kernels
from autograder.execution.options import Options
from autograder.grading import checker
from autograder.grading.case import Wrong
from autograder.grading.grade import grade
from autograder.grading.saved_runs import EDITION, SavedRun, SavedRuns, rejudge
from autograder.grading.verdict import GradedSubmission, ItemVerdict, Verdict
from autograder.results.store import ResultStore
from autograder.submission.prepare import load_release, prepare
from tests.fidelity.build import notebook
from tests.fidelity.outcome import Case, cases

HARD = ("either_runtime", "reference", "clock_only")


def some_cases() -> list[Case]:
    """A few of both corpora, the same in every run: those that need several runs among them."""
    chosen = random.Random(3).sample(cases(variants=False), 5)
    return [*(case for case in cases(mutants=False) if case.name in HARD), *chosen]


@pytest.mark.parametrize("case", some_cases(), ids=lambda case: case.name)
def test_saved_evidence_of_all_runs_gives_the_same_points(
    assignment: Assignment, warm_kernels: Kernels, case: Case
) -> None:
    submission = prepare("ada", notebook(case.description), load_release(assignment), assignment)
    graded = grade(assignment, submission, warm_kernels, Options(seed=11))
    assert graded.record is not None
    again = SavedRuns.model_validate_json(graded.record.model_dump_json())
    assert rejudge(assignment, again) == graded.verdict.items


def test_a_class_is_judged_again_after_a_check_was_edited(
    assignment: Assignment, warm_kernels: Kernels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(case for case in cases(mutants=False) if case.name == "reference")
    submission = prepare("ada", notebook(case.description), load_release(assignment), assignment)
    graded = grade(assignment, submission, warm_kernels, Options(seed=12))
    assert graded.record is not None
    ResultStore(tmp_path, assignment).write(graded)
    same = rejudge_class(ResultStore(tmp_path, assignment))
    assert (same.changed, same.to_run, same.unchanged) == ({}, (), 1)

    original = checker.collect

    def stricter(checks: str, ids: tuple[str, ...]) -> tuple[checker.Check, ...]:
        def refuse(**_: object) -> None:
            raise Wrong("Nobody gets this point.")

        found = original(checks, ids)
        return (checker.Check(found[0].item, "new", "A new rule.", 1.0, refuse, {}), *found)

    monkeypatch.setattr(checker, "collect", stricter)
    changed = rejudge_class(ResultStore(tmp_path, assignment))
    assert list(changed.changed) == ["ada"]
    (verdict,) = ResultStore(tmp_path, assignment).read_verdicts()
    assert verdict.points < graded.verdict.points
    table = json.loads((ResultStore(tmp_path, assignment).student_folder("ada") / "results.json").read_text())
    assert "Nobody gets this point." in json.dumps(table)


def test_evidence_that_is_missing_leaves_the_verdict_as_it_is(
    assignment: Assignment, warm_kernels: Kernels, tmp_path: Path
) -> None:
    case = next(case for case in cases(mutants=False) if case.name == "reference")
    submission = prepare("ada", notebook(case.description), load_release(assignment), assignment)
    graded = grade(assignment, submission, warm_kernels, Options(seed=13))
    ResultStore(tmp_path, assignment).write(GradedSubmission(graded.verdict, executed=graded.executed))
    rejudged = rejudge_class(ResultStore(tmp_path, assignment))
    assert rejudged.to_run == ("ada",)
    assert ResultStore(tmp_path, assignment).read_verdicts() == [graded.verdict]


@pytest.mark.parametrize("edition", [None, EDITION - 1, EDITION + 1], ids=["none", "earlier", "later"])
def test_evidence_of_another_edition_costs_no_points(
    assignment: Assignment, tmp_path: Path, edition: int | None
) -> None:
    """It can be read and knows of no event: judged again, it would give no points."""
    items = tuple(
        ItemVerdict(id=i.id, title=i.title, max_points=i.points, points=i.points, status="graded", message="Right.")
        for i in assignment.judged_items
    )
    verdict = Verdict(assignment=assignment.name, student="ada", state="graded", items=items)
    evidence = Evidence(cells=(), events=(), training="scripted", gpus=1)
    run = SavedRun(purpose="first", replaced=(), scenario=sample_scenario(assignment, 1), evidence=evidence)
    store = ResultStore(tmp_path, assignment)
    store.write(GradedSubmission(verdict, SavedRuns(edition=EDITION, runs=(run,))))
    path = store.student_folder("ada") / "evidence.json"
    data = json.loads(path.read_text()) | {"edition": edition}
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not None}))
    assert rejudge_class(store).to_run == ("ada",)
    assert store.read_verdicts() == [verdict]


def test_a_change_of_the_shape_of_evidence_raises_the_edition() -> None:
    shapes = SavedRuns.model_json_schema(mode="validation")["$defs"]
    fields = sorted((name, sorted(shape.get("properties", {}))) for name, shape in shapes.items())
    digest = hashlib.sha256(json.dumps(fields).encode()).hexdigest()[:12]
    assert (EDITION, digest) == (5, "43db6a9e7617"), "raise EDITION in grading/saved_runs.py, and enter both here"
