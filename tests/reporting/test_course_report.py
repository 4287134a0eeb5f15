"""The page on a course shows what every student has in each assignment."""

from __future__ import annotations

from pathlib import Path

from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment
from autograder.grading.verdict import GradedSubmission
from autograder.reporting.course_report import PAGE, write_course_report
from autograder.results.store import ResultStore
from tests.places import COURSE
from tests.reporting.test_pages import Page, text_of
from tests.results.test_store import verdict_on

HERE = Course(COURSE)


def grade(out: Path, name: str, students: dict[str, dict[str, float | None]]) -> ResultStore:
    store = ResultStore(out, Assignment.load(name, HERE))
    verdicts = [verdict_on(store.assignment, student, points=points) for student, points in students.items()]
    for verdict in verdicts:
        store.write(GradedSubmission(verdict))
    store.write_grades(verdicts, {})
    return store


def test_every_student_has_a_line_and_every_assignment_a_column(tmp_path: Path) -> None:
    features = grade(tmp_path, "features", {"ada": {}, "<b>bob": {"rms": None}})
    grade(tmp_path, "fixed-epochs", {"ada": {}})
    path = write_course_report(features, features.read_verdicts())
    assert path == tmp_path / PAGE
    page = path.read_text(encoding="utf-8")
    rows = [line for line in page.split("<tr>")[1:] if "<td" in line]
    assert len(rows) == 4, "two assignments and two students"
    assert "<b>bob" not in page
    by_person = features.assignment.item("rms").points
    bob = next(text_of(f"<main>{row}") for row in rows if "bob" in row)
    assert f"{sum(item.points for item in features.assignment.judged_items) - by_person:g}" in bob
    assert "–" in bob, "nothing handed in for fixed-epochs"
    links = [link["href"] for link in Page(page).all("a")]
    assert {"features/report.html", "fixed-epochs/students/ada/feedback.html"} <= set(links)
    assert all((path.parent / link).parent.is_dir() for link in links)


def test_one_assignment_needs_no_such_page(tmp_path: Path) -> None:
    store = grade(tmp_path, "features", {"ada": {}})
    (tmp_path / PAGE).write_text("of last week")
    assert write_course_report(store, store.read_verdicts()) is None
    assert not (tmp_path / PAGE).exists()


def test_an_assignment_that_is_being_graded_is_left_out(tmp_path: Path) -> None:
    """Its table is older than its verdicts; the page is written again with it."""
    done, _, store = (grade(tmp_path, name, {"ada": {}}) for name in ("features", "fixed-epochs", "tta-eta"))
    store.write(GradedSubmission(verdict_on(store.assignment, "bob")))
    path = write_course_report(done, done.read_verdicts())
    assert path is not None
    page = path.read_text(encoding="utf-8")
    assert "fixed-epochs/report.html" in page
    assert "tta-eta" not in page
