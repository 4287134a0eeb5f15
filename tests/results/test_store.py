"""What is kept of a graded submission: complete or not at all, readable elsewhere, safe to open."""

from __future__ import annotations

import csv
import json
import logging
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.assignment.settings import Assignment
from autograder.errors import AutograderError
from autograder.grading.verdict import Finding, GradedSubmission, ItemVerdict, PropertyVerdict, Verdict
from autograder.results.files import write_text
from autograder.results.gradescope_json import build_results
from autograder.results.store import ResultStore


def rule(status: str, points: float = 1.0, name: str = "rule") -> PropertyVerdict:
    seen = "" if status == "passed" else f"What was seen of {name}."
    got = points if status == "passed" else 0.0
    return PropertyVerdict(
        id=name, rubric=f"The sentence of {name}.", max_points=points, points=got, status=status, message=seen
    )


def verdict_on(assignment: Assignment, student: str = "ada", **changes: Any) -> Verdict:
    """Full points on every item that the autograder judges, but for the `points` of some; None is ungraded."""
    points = changes.pop("points", {})
    items = []
    for item in assignment.judged_items:
        given = points.get(item.id, item.points)
        state = "ungraded" if given is None else "graded"
        message = "Nobody could tell." if given is None else "All checks passed."
        items.append(
            ItemVerdict(
                id=item.id, title=item.title, max_points=item.points, points=given, status=state, message=message
            )
        )
    waits = any(item.points is None for item in items)
    defaults: dict[str, Any] = {
        "state": "needs review" if waits else "graded",
        "reason": "Not graded yet." if waits else "",
        "items": tuple(items),
    }
    return Verdict(assignment=assignment.name, student=student, **(defaults | changes))


def notebook_of(*sources: str) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    return nbformat.v4.new_notebook(cells=cells)


def table(out: Path, assignment: Assignment) -> list[dict[str, str]]:
    with (out / assignment.name / "grades.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_all_files_of_a_student_are_written_and_read_back(tmp_path: Path, assignment: Assignment) -> None:
    verdict = verdict_on(assignment)
    ResultStore(tmp_path, assignment).write(GradedSubmission(verdict, executed=notebook_of("1 + 1")))
    names = {path.name for path in (tmp_path / "tta-eta" / "students" / "ada").iterdir()}
    assert names == {"verdict.json", "results.json", "evidence.json", "tta-eta.ipynb"}
    assert ResultStore(tmp_path, assignment).read_verdicts() == [verdict]
    executed = ResultStore(tmp_path, assignment).read_executed("ada")
    assert executed is not None
    assert executed.cells[0].source == "1 + 1"


def test_the_notebook_of_an_earlier_run_goes_when_nothing_ran(tmp_path: Path, assignment: Assignment) -> None:
    ResultStore(tmp_path, assignment).write(GradedSubmission(verdict_on(assignment), executed=notebook_of("1 + 1")))
    ResultStore(tmp_path, assignment).write(GradedSubmission(verdict_on(assignment)))
    assert ResultStore(tmp_path, assignment).read_executed("ada") is None


@pytest.mark.parametrize("breaks_at", ["evidence.json", "results.json", "tta-eta.ipynb", "verdict.json"])
def test_a_write_that_breaks_off_leaves_no_verdict(
    tmp_path: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch, breaks_at: str
) -> None:
    ResultStore(tmp_path, assignment).write(GradedSubmission(verdict_on(assignment), executed=notebook_of("1")))
    rename = Path.replace

    def full_disk(self: Path, target: Path) -> Path:
        if Path(target).name == breaks_at:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(AutograderError, match=rf"{breaks_at} cannot be written \(No space left on device\)"):
        ResultStore(tmp_path, assignment).write(GradedSubmission(verdict_on(assignment), executed=notebook_of("2")))
    assert ResultStore(tmp_path, assignment).read_verdicts() == []
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_file_that_cannot_be_replaced_keeps_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "grades.csv"
    write_text(path, "old")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(13, "Permission denied")))
    with pytest.raises(AutograderError, match="choose another OUT"):
        write_text(path, "new")
    assert path.read_text() == "old"


def test_an_out_that_is_a_file_is_named_in_a_sentence(tmp_path: Path, assignment: Assignment) -> None:
    out = tmp_path / "graded"
    out.write_text("")
    with pytest.raises(AutograderError, match="graded"):
        ResultStore(out, assignment).write(GradedSubmission(verdict_on(assignment)))


def test_half_a_character_in_an_output_does_not_stop_the_books(tmp_path: Path, assignment: Assignment) -> None:
    notebook = notebook_of("print('\\ud800')")
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="\ud800 end")]
    ResultStore(tmp_path, assignment).write(GradedSubmission(verdict_on(assignment), executed=notebook))
    executed = ResultStore(tmp_path, assignment).read_executed("ada")
    assert executed is not None
    assert executed.cells[0].outputs[0].text == "\ud800 end"


def test_verdicts_that_cannot_be_read_are_reported_and_left_out(
    tmp_path: Path, assignment: Assignment, caplog: pytest.LogCaptureFixture
) -> None:
    for student in ("zoe", "ada"):
        ResultStore(tmp_path, assignment).write(GradedSubmission(verdict_on(assignment, student)))
    broken = {"cut": '{"assignment": "tta-eta"', "empty": "", "binary": "\udcff\udcfe", "other": '{"student": 1}'}
    copied = verdict_on(assignment, "somebody else").model_dump_json()
    for name, text in {**broken, "copied": copied}.items():
        path = tmp_path / "tta-eta" / "students" / name / "verdict.json"
        path.parent.mkdir()
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with caplog.at_level(logging.WARNING):
        verdicts = ResultStore(tmp_path, assignment).read_verdicts()
    assert [verdict.student for verdict in verdicts] == ["ada", "zoe"]
    assert len(caplog.records) == 5
    assert all("`make autograde` will grade that submission again" in record.getMessage() for record in caplog.records)


def test_an_executed_notebook_that_was_damaged_is_named(tmp_path: Path, assignment: Assignment) -> None:
    ResultStore(tmp_path, assignment).write(GradedSubmission(verdict_on(assignment), executed=notebook_of("1")))
    (tmp_path / "tta-eta" / "students" / "ada" / "tta-eta.ipynb").write_text("{")
    with pytest.raises(AutograderError, match="ada"):
        ResultStore(tmp_path, assignment).read_executed("ada")


class TestResults:
    def test_one_test_for_each_item_that_the_autograder_judges(self, assignment: Assignment) -> None:
        found = build_results(assignment, verdict_on(assignment, timings={"all": 12.6}))
        assert [test["name"] for test in found["tests"]] == [item.id for item in assignment.judged_items]
        assert {test["status"] for test in found["tests"]} == {"passed"}
        assert sum(test["score"] for test in found["tests"]) == 88
        assert found["execution_time"] == 13
        assert "score" not in found, "the platform adds the tests up"
        json.dumps(found)

    def test_missed_rules_are_in_the_output(self, assignment: Assignment) -> None:
        items = list(verdict_on(assignment, points={"callback": 10.123456}).items)
        rules = (rule("passed", 10, "good"), rule("failed", 5, "bad"))
        items[1] = items[1].model_copy(update={"properties": rules, "message": "What was seen of bad."})
        found = build_results(assignment, verdict_on(assignment, items=tuple(items)))["tests"][1]
        assert (found["score"], found["max_score"], found["status"]) == (10.12, 15, "failed")
        assert found["output"] == "- The sentence of bad. What was seen of bad."

    def test_an_ungraded_item_says_so_and_is_no_zero_in_silence(self, assignment: Assignment) -> None:
        found = build_results(assignment, verdict_on(assignment, points={"lr-loop": None}))
        test = next(test for test in found["tests"] if test["name"] == "lr-loop")
        assert (test["score"], test["status"], test["extra_data"]) == (0.0, "failed", {"state": "ungraded"})
        assert test["output"] == "Not graded yet: Nobody could tell."
        assert found["extra_data"]["state"] == "needs review"

    def test_findings_for_the_grader_stay_with_the_grader(self, assignment: Assignment) -> None:
        findings = (Finding(kind="a", text="For both.", audience="both"), Finding(kind="b", text="For the grader."))
        assert build_results(assignment, verdict_on(assignment, findings=findings))["output"] == "For both."


class TestGrades:
    def test_columns_and_order(self, tmp_path: Path, assignment: Assignment) -> None:
        verdicts = [verdict_on(assignment, "zoe", points={"lr-loop": 12.25}), verdict_on(assignment, "ada")]
        ResultStore(tmp_path, assignment).write_grades(verdicts, {"ada": {"lr-comment": (4.5, "Good.")}})
        ada, zoe = table(tmp_path, assignment)
        items = [item.id for item in assignment.items]
        assert list(ada) == ["student", *items, "total", "max", "state", "reason"]
        assert (ada["student"], ada["lr-comment"], ada["bs-comment"], ada["total"]) == ("ada", "4.5", "", "92.5")
        assert (zoe["lr-loop"], zoe["total"], zoe["max"], zoe["state"]) == ("12.25", "86.25", "100", "graded")

    def test_an_ungraded_item_is_blank_until_a_person_has_decided(self, tmp_path: Path, assignment: Assignment) -> None:
        verdict = verdict_on(assignment, points={"lr-loop": None, "bs-loop": None})
        ResultStore(tmp_path, assignment).write_grades([verdict], {"ada": {"lr-loop": (14.0, None)}})
        (row,) = table(tmp_path, assignment)
        assert (row["lr-loop"], row["bs-loop"], row["state"]) == ("14", "", "needs review")
        both = {"ada": {"lr-loop": (14.0, None), "bs-loop": (3.0, None)}}
        ResultStore(tmp_path, assignment).write_grades([verdict], both)
        (row,) = table(tmp_path, assignment)
        assert (row["state"], row["reason"], row["total"]) == ("graded", "", "77")

    def test_a_persons_points_come_before_the_autograders(self, tmp_path: Path, assignment: Assignment) -> None:
        ResultStore(tmp_path, assignment).write_grades(
            [verdict_on(assignment)], {"ada": {"callback": (0.0, None), "gone": (3.0, None)}}
        )
        assert table(tmp_path, assignment)[0]["callback"] == "0"
        assert table(tmp_path, assignment)[0]["total"] == "73"

    @pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1"])
    def test_no_cell_is_a_formula(self, tmp_path: Path, assignment: Assignment, name: str) -> None:
        verdict = verdict_on(assignment, name, state="failed to run", reason=f'{name}"\n,;')
        ResultStore(tmp_path, assignment).write_grades([verdict], {})
        (row,) = table(tmp_path, assignment)
        assert row["student"].startswith("'")
        assert row["reason"].startswith("'")
        assert "\n" not in row["reason"]
