"""What is written after judging: files, the class's table, nbgrader's gradebook, the pages."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from autograder import books, feedback, gradebook, report
from autograder.assignment import Assignment
from autograder.errors import AutograderError
from autograder.pages import strip_chart
from autograder.verdict import Finding, ItemVerdict, PropertyVerdict, Verdict

HOSTILE = "<script>alert(1)</script>"
WHEN = datetime(2026, 1, 2, 3, 4)


def verdict_of(assignment: Assignment, student: str, *, ungraded: str = "", share: float = 1.0) -> Verdict:
    items = []
    for item in assignment.judged_items:
        points = None if item.id == ungraded else round(share * item.points, 2)
        rule = PropertyVerdict(
            id="rule",
            rubric=f"Rule of {item.id}",
            max_points=item.points,
            points=points or 0.0,
            status="ungraded" if points is None else "passed" if share == 1 else "failed",
            message="" if share == 1 else f"Seen in {item.id}: {HOSTILE}",
        )
        items.append(
            ItemVerdict(
                id=item.id,
                title=item.title,
                max_points=item.points,
                points=points,
                status="ungraded" if points is None else "graded",
                message=f"About {item.id}",
                properties=(rule,),
            )
        )
    state = "needs a person" if ungraded else "graded"
    findings = (Finding(kind="k", text=f"Noted {HOSTILE}", audience="both"),)
    return Verdict(assignment=assignment.name, student=student, state=state, items=tuple(items), findings=findings)


def ran(release: NotebookNode) -> NotebookNode:
    """An executed notebook with outputs of every kind, hostile ones among them."""
    notebook = nbformat.from_dict(json.loads(json.dumps(release)))
    cell = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "lr-plots")
    cell.outputs = [
        nbformat.v4.new_output("display_data", {"text/html": HOSTILE, "text/plain": "plain <b>text</b>"}),
        nbformat.v4.new_output("display_data", {"image/png": "aGVsbG8=", "text/plain": "<Figure>"}),
        nbformat.v4.new_output("display_data", {"image/png": '"><script>1</script>', "text/plain": "x"}),
        nbformat.v4.new_output("stream", text="\x1b[31mred\x1b[0m /tmp/run-abc/x " + "y" * 10_000),
    ]
    return notebook


class Page(HTMLParser):
    """Everything in a page that could do something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attributes:
            if name in ("src", "href"):
                self.links.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)


def test_results_are_in_the_published_form(assignment: Assignment) -> None:
    document = books.results(assignment, verdict_of(assignment, "ada", ungraded="callback"))
    assert [test["name"] for test in document["tests"]] == [item.id for item in assignment.judged_items]
    for test in document["tests"]:
        assert {"name", "score", "max_score", "status", "output", "visibility", "number"} <= set(test)
        assert test["status"] in ("passed", "failed")
    callback = document["tests"][1]
    assert (callback["score"], callback["extra_data"]) == (0.0, {"state": "ungraded"})
    assert callback["output"].startswith("Not graded yet")


def test_verdict_is_written_last_and_read_back(
    tmp_path: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    original = books.write_text
    monkeypatch.setattr(books, "write_text", lambda path, text: (order.append(path.name), original(path, text))[1])
    verdict = verdict_of(assignment, "ada")
    books.write_submission(tmp_path, assignment, verdict, "{}", None)
    assert order[-1] == "verdict.json"
    assert books.read_verdicts(tmp_path, assignment) == [verdict]
    assert not list(tmp_path.rglob("*.tmp"))


def test_broken_verdict_on_disk_is_left_out(tmp_path: Path, assignment: Assignment) -> None:
    books.write_submission(tmp_path, assignment, verdict_of(assignment, "ada"), "{}", None)
    books.write_submission(tmp_path, assignment, verdict_of(assignment, "bob"), "{}", None)
    (books.folder_of(tmp_path, assignment, "bob") / "verdict.json").write_text('{"student": "bo')
    assert [verdict.student for verdict in books.read_verdicts(tmp_path, assignment)] == ["ada"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AutograderError, match="cannot be written"):
        books.write_text(tmp_path / "file" / "below.json", "{}")


def test_table_has_a_row_a_student_and_no_formulas(tmp_path: Path, assignment: Assignment) -> None:
    verdicts = [verdict_of(assignment, "=cmd()"), verdict_of(assignment, "bob", ungraded="callback")]
    books.write_grades(tmp_path, assignment, verdicts, {"bob": {"lr-comment": (5.5, "good")}})
    text = (tmp_path / assignment.name / "grades.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["student"] for row in rows] == ["'=cmd()", "bob"]
    assert (rows[0]["total"], rows[0]["max"], rows[0]["lr-comment"]) == ("88", "100", "")
    assert (rows[1]["callback"], rows[1]["lr-comment"], rows[1]["total"]) == ("", "5.5", "78.5")
    assert rows[1]["state"] == "needs a person"


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'gradebook.db'}"


def test_gradebook_holds_the_scores(database: str, assignment: Assignment, release: NotebookNode) -> None:
    results = [
        (verdict_of(assignment, "ada"), ran(release), WHEN),
        (verdict_of(assignment, "bob", ungraded="callback"), None, WHEN),
    ]
    gradebook.record(database, assignment, release, results)
    with Gradebook(database) as book:
        assert book.find_submission(assignment.name, "ada").score == 88
        assert book.find_submission(assignment.name, "ada").max_score == 100
        grade = book.find_grade("callback", assignment.name, assignment.name, "bob")
        assert (grade.auto_score, grade.needs_manual_grade) == (None, True)
        untouched = book.find_grade("lr-comment", assignment.name, assignment.name, "ada")
        assert (untouched.auto_score, untouched.needs_manual_grade) == (0.0, False)


def test_what_a_person_entered_survives_every_regrade(
    database: str, assignment: Assignment, release: NotebookNode
) -> None:
    place = ("lr-comment", assignment.name, assignment.name, "ada")
    gradebook.record(database, assignment, release, [(verdict_of(assignment, "ada"), None, WHEN)])
    with Gradebook(database) as book:
        grade, comment = book.find_grade(*place), book.find_comment(*place)
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 4.5, 0.5, False
        comment.manual_comment = "Say why."
        book.find_grade("callback", *place[1:]).manual_score = 9.0
        book.db.commit()
    for share in (0.5, 1.0):
        gradebook.record(database, assignment, release, [(verdict_of(assignment, "ada", share=share), None, WHEN)])
    manual = gradebook.manual_scores(database, assignment)
    assert manual["ada"] == {"lr-comment": (5.0, "Say why."), "callback": (9.0, None)}


def test_feedback_page_runs_nothing_and_shows_everything(assignment: Assignment, release: NotebookNode) -> None:
    verdict = verdict_of(assignment, HOSTILE, share=0.5)
    text = feedback.feedback_page(assignment, verdict, ran(release), {"lr-comment": (5.0, f"Good {HOSTILE}")})
    page = Page(text)
    assert "script" not in page.tags
    assert not page.handlers
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    for item in assignment.judged_items:
        assert f"Rule of {item.id}" in text
        assert f"Seen in {item.id}" in text
    assert "plain &lt;b&gt;text&lt;/b&gt;" in text
    assert "\x1b" not in text
    assert "/tmp/" not in text
    assert "characters left out" in text
    assert text.count("<h1") == 1


def test_report_names_who_needs_a_person_and_what_went_wrong(assignment: Assignment) -> None:
    verdicts = [
        verdict_of(assignment, "ada"),
        verdict_of(assignment, "b/ob", share=0.5),
        verdict_of(assignment, HOSTILE, ungraded="callback"),
    ]
    text = report.report_page(assignment, verdicts, {})
    page = Page(text)
    assert "script" not in page.tags
    assert not page.handlers
    assert "b/ob/feedback.html" in page.links
    assert text.index("What needs a person") < text.index("Distribution")
    assert "Rule of callback" in text


def test_counterexample_is_drawn() -> None:
    message = "threshold 0.95, patience 3: on val_accuracy 0.96 0.94 0.96 | 0.97 it stopped after epoch 3; no."
    drawn = str(strip_chart(message))
    assert drawn.count("<circle") == 4
    assert "stopped after epoch 3" in drawn
    assert strip_chart("Nothing of the kind.") == ""
