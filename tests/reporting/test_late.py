"""Late penalties: nbgrader's own step on its own due date; they reach every total."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nbgrader.plugins import BasePlugin
from traitlets.config import Config

from autograder.assignment.course import Course
from autograder.assignment.release import course_configuration
from autograder.assignment.settings import Assignment
from autograder.errors import AutograderError
from autograder.grading.verdict import GradedSubmission, ItemVerdict, Verdict
from autograder.reporting import class_report as report
from autograder.reporting import gradebook, publish
from autograder.reporting.database import open_gradebook
from autograder.results.points import LATE
from autograder.results.store import ResultStore, gradebook_url
from autograder.submission.folders import students
from tests.places import ROOT

DUE = datetime(2026, 11, 1, 12, tzinfo=UTC)
NAME = "tta-eta"

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning", "ignore:.*:ResourceWarning")


class PerHour(BasePlugin):
    """Two points for each hour that has begun; what `nbgrader_config.py` of a course may name."""

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float:
        return 2.0 * -(-total_seconds_late // 3600)


class Broken(BasePlugin):
    def late_submission_penalty(self, *_: object) -> float:
        raise KeyError("rules")


def course(plugin: str) -> Config:
    return Config({"AssignLatePenalties": {"plugin_class": f"{__name__}.{plugin}"}})


def verdict_on(assignment: Assignment, student: str) -> Verdict:
    items = tuple(
        ItemVerdict(id=i.id, title=i.title, max_points=i.points, points=i.points, status="graded", message="Right.")
        for i in assignment.judged_items
    )
    return Verdict(assignment=NAME, student=student, state="graded", items=items)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, assignment: Assignment) -> Path:
    """Results of three students: in time, ninety minutes late, a month late."""
    folder = tmp_path_factory.mktemp("late")
    store = ResultStore(folder / "graded", assignment)
    for student in ("early", "late", "later"):
        store.write(GradedSubmission(verdict_on(assignment, student)))
    late = {"early": timedelta(hours=-1), "late": timedelta(minutes=90), "later": timedelta(days=31)}
    for student, after in late.items():
        (folder / "submitted" / student / NAME).mkdir(parents=True)
        stamp = (DUE + after).strftime("%Y-%m-%d %H:%M:%S %Z")
        (folder / "submitted" / student / NAME / "timestamp.txt").write_text(stamp)
    publish.write(store, students(folder / "submitted", assignment))
    with open_gradebook(gradebook_url(folder / "graded")) as book:
        book.update_or_create_assignment(NAME, duedate=DUE.isoformat())
    return folder / "graded"


@pytest.fixture
def ruled(out: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(publish, "course_configuration", lambda _: course("PerHour"))
    return out


def totals(out: Path) -> dict[str, tuple[str | None, str]]:
    with (out / NAME / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: (row.get(LATE), row["total"]) for row in csv.DictReader(file)}


def test_without_a_rule_being_late_costs_nothing(out: Path, assignment: Assignment) -> None:
    publish.publish(ResultStore(out, assignment))
    assert totals(out) == {"early": (None, "88"), "late": (None, "88"), "later": (None, "88")}


def test_the_named_plugin_decides_and_every_total_follows(ruled: Path, assignment: Assignment) -> None:
    publish.publish(ResultStore(ruled, assignment))
    assert totals(ruled) == {"early": ("", "88"), "late": ("-4", "84"), "later": ("-88", "0")}
    manual = gradebook.manual_scores(gradebook_url(ruled), assignment)
    page = report.report_page(assignment, ResultStore(ruled, assignment).read_verdicts(), manual)
    assert "<strong>84</strong>" in page
    assert '<p class="score">84 ' in (ruled / NAME / "students" / "late" / "feedback.html").read_text(encoding="utf-8")


def test_points_by_hand_and_an_extension_change_the_penalty(ruled: Path, assignment: Assignment) -> None:
    with open_gradebook(gradebook_url(ruled)) as book:
        book.find_grade("lr-comment", NAME, NAME, "later").manual_score = 5.0
        book.grant_extension(NAME, "late", hours=1)
        book.db.commit()
    publish.publish(ResultStore(ruled, assignment))
    assert totals(ruled) == {"early": ("", "88"), "late": ("-2", "86"), "later": ("-93", "0")}
    with open_gradebook(gradebook_url(ruled)) as book:
        book.grant_extension(NAME, "late", days=1)
    publish.publish(ResultStore(ruled, assignment))
    assert totals(ruled)["late"] == ("", "88")


@pytest.mark.parametrize(("plugin", "said"), [("Broken", "KeyError: 'rules'"), ("Nowhere", "TraitError")])
def test_a_rule_that_fails_is_named(out: Path, assignment: Assignment, plugin: str, said: str) -> None:
    with pytest.raises(AutograderError, match=rf"late penalties cannot be calculated \({said}.*nbgrader_config.py"):
        gradebook.assign_late_penalties(gradebook_url(out), assignment, course(plugin))


def test_the_rule_of_the_page_for_graders_is_one(
    tmp_path: Path, out: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "grader.md").read_text(encoding="utf-8")
    rule, setting = page.partition("# rules.py")[2].partition("```")[0].split("# nbgrader_config.py")
    (tmp_path / "rules.py").write_text(f"#{rule}")
    before = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    (tmp_path / "nbgrader_config.py").write_text(before + setting)
    monkeypatch.setattr(sys, "path", [*sys.path])
    config = course_configuration(Course(tmp_path))
    assert "nbgrader.preprocessors.AssignLatePenalties" in config.Autograde.autograde_preprocessors
    monkeypatch.setattr(publish, "course_configuration", lambda _: config)
    publish.publish(ResultStore(out, assignment))
    assert totals(out)["later"][0] is not None
    sys.modules.pop("rules")
