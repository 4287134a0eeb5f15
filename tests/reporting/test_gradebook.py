"""nbgrader's gradebook and the notebooks that its formgrader shows: what goes in, what stays, what cannot run."""

from __future__ import annotations

import base64
import copy
import shutil
import sqlite3
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveCells
from nbgrader.server_extensions.formgrader import handlers

from autograder.assignment.settings import Assignment
from autograder.common.cells import grade_id
from autograder.errors import AutograderError
from autograder.grading.verdict import GradedSubmission, ItemVerdict, Verdict
from autograder.reporting import formgrader, gradebook
from autograder.reporting.database import open_gradebook

NAME = "tta-eta"
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n and the rest").decode()


def graded(
    verdict: Verdict, executed: NotebookNode | None = None, submitted_at: datetime | None = None
) -> GradedSubmission:
    return GradedSubmission(verdict, executed=executed, submitted_at=submitted_at)


@pytest.fixture(scope="session")
def empty_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new gradebook: made once, since nbgrader starts a program of its own for each."""
    path = tmp_path_factory.mktemp("gradebook") / "new" / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        with open_gradebook(f"sqlite:///{path}"):
            pass
    return path


@pytest.fixture
def db_url(tmp_path: Path, empty_book: Path) -> str:
    shutil.copy(empty_book, tmp_path / "gradebook.db")
    return f"sqlite:///{tmp_path / 'gradebook.db'}"


def verdict_on(assignment: Assignment, student: str = "ada", **changes: Any) -> Verdict:
    points = changes.pop("points", {})
    items = tuple(
        ItemVerdict(
            id=item.id,
            title=item.title,
            max_points=item.points,
            points=points.get(item.id, item.points),
            status="ungraded" if points.get(item.id, 0) is None else "graded",
            message=f"About {item.id}.",
        )
        for item in assignment.judged_items
    )
    return Verdict(assignment=NAME, student=student, **({"state": "graded", "items": items} | changes))


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


@pytest.fixture
def answered(release: NotebookNode) -> NotebookNode:
    """A submission with both comments written."""
    notebook = copy.deepcopy(release)
    for name in ("lr-comment", "bs-comment"):
        cell_of(notebook, name).source = f"My thoughts on {name}: a < b."
    return notebook


def grades(db_url: str, student: str = "ada") -> dict[str, tuple[float | None, float | None, bool]]:
    with Gradebook(db_url) as book:
        notebook = book.find_submission_notebook(NAME, NAME, student)
        return {
            grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade) for grade in notebook.grades
        }


def comments(db_url: str, student: str = "ada") -> dict[str, tuple[str | None, str | None]]:
    with Gradebook(db_url) as book:
        notebook = book.find_submission_notebook(NAME, NAME, student)
        return {comment.name: (comment.auto_comment, comment.manual_comment) for comment in notebook.comments}


def enter(db_url: str, item: str, score: float | None, extra: float | None = None, comment: str | None = None) -> None:
    """What the formgrader does when a person fills a box."""
    with Gradebook(db_url) as book:
        grade = book.find_grade(item, NAME, NAME, "ada")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = score, extra, False
        if comment is not None:
            book.find_comment(item, NAME, NAME, "ada").manual_comment = comment
        book.db.commit()


def test_a_new_gradebook_is_made_with_nothing_on_the_path(empty_book: Path) -> None:
    with sqlite3.connect(empty_book) as connection:
        assert connection.execute("select count(*) from alembic_version").fetchone() == (1,)
    connection.close()


def test_the_cells_are_those_that_nbgrader_itself_records(
    db_url: str, tmp_path: Path, empty_book: Path, assignment: Assignment, release: NotebookNode
) -> None:
    theirs = f"sqlite:///{shutil.copy(empty_book, tmp_path / 'theirs.db')}"
    with Gradebook(theirs) as book:
        book.add_assignment(NAME)
    resources = {"nbgrader": {"notebook": NAME, "assignment": NAME, "db_url": theirs}}
    SaveCells().preprocess(copy.deepcopy(release), resources)
    gradebook.record(db_url, assignment, release, [])

    def cells(url: str) -> list[dict[str, Any]]:
        with Gradebook(url) as book:
            notebook = book.find_notebook(NAME, NAME)
            found = [*notebook.grade_cells, *notebook.solution_cells, *notebook.task_cells, *notebook.source_cells]
            known = [{"kind": type(cell).__name__, **cell.to_dict()} for cell in found]
            known.append({"kind": "Notebook", "name": "", "kernelspec": notebook.kernelspec})
        return sorted(({**cell, "id": None} for cell in known), key=lambda cell: (cell["kind"], cell["name"]))

    assert cells(db_url) == cells(theirs)
    assert len(cells(db_url)) > 30


def test_points_and_messages_are_recorded(
    db_url: str, assignment: Assignment, release: NotebookNode, answered: NotebookNode
) -> None:
    verdict = verdict_on(assignment, points={"callback": 6.5, "bs-loop": None})
    gradebook.record(db_url, assignment, release, [graded(verdict, answered, datetime(2026, 3, 1, 12))])
    found = grades(db_url)
    assert set(found) == {item.id for item in assignment.items}
    assert found["callback"] == (6.5, None, False)
    assert found["bs-loop"] == (None, None, True)
    assert found["lr-comment"] == (None, None, True)
    said = comments(db_url)
    assert said["callback"] == ("About callback.", None)
    assert said["lr-comment"] == (None, None)
    loops = said["lr-loop"][0] or ""
    assert "About lr-loop." in loops
    assert "About lr-metrics." in loops, "its own cell is a check cell, which has no comment in nbgrader"
    with Gradebook(db_url) as book:
        submission = book.find_submission(NAME, "ada")
        assert (submission.score, submission.max_score) == (88 - 15 + 6.5 - 14, 100)
        assert submission.timestamp == datetime(2026, 3, 1, 12)


def test_an_answer_that_was_left_empty_gets_no_points(
    db_url: str, assignment: Assignment, release: NotebookNode, answered: NotebookNode
) -> None:
    cell_of(answered, "bs-comment").source = "\n" + cell_of(release, "bs-comment").source + " \n"
    gradebook.record(db_url, assignment, release, [graded(verdict_on(assignment), answered)])
    assert grades(db_url)["bs-comment"] == (0.0, None, False)
    assert grades(db_url)["lr-comment"] == (None, None, True)
    assert comments(db_url)["bs-comment"] == ("No response.", None)
    assert gradebook.manual_scores(db_url, assignment) == {"ada": {"bs-comment": (0.0, "No response.")}}


def test_what_could_not_be_run_waits_for_nobody(db_url: str, assignment: Assignment, release: NotebookNode) -> None:
    zero = dict.fromkeys((item.id for item in assignment.judged_items), 0.0)
    verdict = verdict_on(assignment, points=zero, state="failed to run", reason="No notebook.")
    gradebook.record(db_url, assignment, release, [graded(verdict)])
    assert set(grades(db_url).values()) == {(0.0, None, False)}


class TestWhatAPersonEntered:
    @pytest.fixture
    def entered(self, db_url: str, assignment: Assignment, release: NotebookNode, answered: NotebookNode) -> str:
        gradebook.record(db_url, assignment, release, [graded(verdict_on(assignment), answered)])
        enter(db_url, "lr-comment", 4.5, comment="Well seen.")
        enter(db_url, "callback", 13.0, extra=1.0)
        enter(db_url, "data-details", None, extra=0.5)
        enter(db_url, "bs-comment", None, comment="Come and see me.")
        return db_url

    def test_is_read_back(self, entered: str, assignment: Assignment) -> None:
        assert gradebook.manual_scores(entered, assignment) == {
            "ada": {
                "lr-comment": (4.5, "Well seen."),
                "callback": (14.0, None),
                "data-details": (5.5, None),
                "bs-comment": (None, "Come and see me."),
            }
        }

    def test_survives_every_recording(
        self, entered: str, assignment: Assignment, release: NotebookNode, answered: NotebookNode
    ) -> None:
        before = gradebook.manual_scores(entered, assignment)
        worse = verdict_on(assignment, points={"callback": 1.0, "lr-loop": None})
        for verdict in (verdict_on(assignment), worse, verdict_on(assignment)):
            gradebook.record(entered, assignment, release, [graded(verdict, answered, datetime(2026, 3, 2))])
            gradebook.record(entered, assignment, release, [graded(verdict_on(assignment, "bob"))])
            assert gradebook.manual_scores(entered, assignment)["ada"] == before["ada"]

    def test_is_looked_at_again_only_where_something_changed(
        self, entered: str, assignment: Assignment, release: NotebookNode, answered: NotebookNode
    ) -> None:
        gradebook.record(entered, assignment, release, [graded(verdict_on(assignment), answered)])
        assert grades(entered)["callback"] == (15.0, 13.0, False)
        gradebook.record(
            entered, assignment, release, [graded(verdict_on(assignment, points={"callback": 9.0}), answered)]
        )
        assert grades(entered)["callback"] == (9.0, 13.0, True)
        assert grades(entered)["lr-comment"] == (None, 4.5, False)

    def test_an_answer_that_was_written_anew_is_read_again(
        self, entered: str, tmp_path: Path, assignment: Assignment, release: NotebookNode, answered: NotebookNode
    ) -> None:
        shown = tmp_path / "autograded"
        for _ in range(2):
            gradebook.record(entered, assignment, release, [graded(verdict_on(assignment), answered)], shown)
            assert grades(entered)["lr-comment"] == (None, 4.5, False)
        cell_of(answered, "lr-comment").source = "I changed my mind."
        gradebook.record(entered, assignment, release, [graded(verdict_on(assignment), answered)], shown)
        assert grades(entered)["lr-comment"] == (None, 4.5, True)

    def test_an_answer_is_read_again_where_the_earlier_one_was_lost(
        self, entered: str, tmp_path: Path, assignment: Assignment, release: NotebookNode, answered: NotebookNode
    ) -> None:
        path = tmp_path / "autograded" / "ada" / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text("{")
        results = [graded(verdict_on(assignment), answered)]
        gradebook.record(entered, assignment, release, results, tmp_path / "autograded")
        assert grades(entered)["lr-comment"] == (None, 4.5, True)

    def test_keeps_a_cell_in_the_gradebook_that_left_the_release(
        self, entered: str, assignment: Assignment, release: NotebookNode, answered: NotebookNode
    ) -> None:
        before = grades(entered)
        less = copy.deepcopy(release)
        less.cells.remove(cell_of(less, "callback"))
        with pytest.raises(AutograderError, match="points or comments that a person entered for the cell callback"):
            gradebook.record(entered, assignment, less, [graded(verdict_on(assignment), answered)])
        assert grades(entered) == before


def test_cells_may_come_and_go_between_two_recordings(
    db_url: str, assignment: Assignment, release: NotebookNode, answered: NotebookNode
) -> None:
    less = copy.deepcopy(release)
    for name in ("lr-plots", "lr-metrics"):
        less.cells.remove(cell_of(less, name))
    results = [graded(verdict_on(assignment), answered)]
    gradebook.record(db_url, assignment, less, results)
    assert "lr-plots" not in grades(db_url)
    gradebook.record(db_url, assignment, release, results)
    assert grades(db_url)["lr-plots"] == (8.0, None, False)
    assert grades(db_url)["lr-metrics"] == (12.0, None, False)
    assert comments(db_url)["lr-plots"] == ("About lr-plots.", None)
    gradebook.record(db_url, assignment, less, results)
    assert "lr-plots" not in grades(db_url)


def test_other_points_in_the_release_reach_the_gradebook(
    db_url: str, assignment: Assignment, release: NotebookNode
) -> None:
    gradebook.record(db_url, assignment, release, [])
    dearer = copy.deepcopy(release)
    cell_of(dearer, "callback").metadata.nbgrader.points = 20
    gradebook.record(db_url, assignment, dearer, [])
    with Gradebook(db_url) as book:
        assert book.find_assignment(NAME).max_score == 105


def test_a_gradebook_that_somebody_holds_is_named(tmp_path: Path, db_url: str, assignment: Assignment) -> None:
    holder = sqlite3.connect(tmp_path / "gradebook.db", isolation_level=None)
    holder.execute("begin exclusive")
    with pytest.raises(AutograderError, match="gradebook.db cannot be used .*locked.*: close the program"):
        gradebook.manual_scores(f"{db_url}?timeout=0.05", assignment)
    holder.close()


def test_a_file_that_is_no_gradebook_is_named(tmp_path: Path, assignment: Assignment) -> None:
    (tmp_path / "gradebook.db").write_text("Dear diary, " * 500)
    with pytest.raises(AutograderError, match="not a database"):
        gradebook.manual_scores(f"sqlite:///{tmp_path / 'gradebook.db'}", assignment)


@pytest.mark.parametrize("text", ["2026-03-01 12:30:00 UTC", "2026-03-01 12:30:00.123456 Europe/Berlin"])
def test_the_time_of_handing_in_is_the_one_that_nbgrader_compares(tmp_path: Path, text: str) -> None:
    (tmp_path / "timestamp.txt").write_text(f"{text}\n")
    found = gradebook.handed_in(tmp_path)
    assert found is not None
    assert found == CourseDirectory().get_existing_timestamp(str(tmp_path))


BROKEN_ZONE = b"TZif2" + bytes(20)
"""The beginning of a file of a time zone, at which dateutil stops with an error that it does not declare."""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        None,
        "2026-03-01 12:30:00 {folder}/zone",
        "2026-03-01 12:30:00 \x1b5EDT,4,0,6,7200,10,0,26,7200",
    ],
)
def test_there_may_be_no_time_of_handing_in(tmp_path: Path, text: str | None) -> None:
    (tmp_path / "zone").write_bytes(BROKEN_ZONE)
    if text is not None:
        (tmp_path / "timestamp.txt").write_text(text.format(folder=tmp_path))
    assert gradebook.handed_in(tmp_path) is None


class Page(HTMLParser):
    """What a browser would run or load in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.found += [tag] if tag in ("iframe", "object", "embed", "base", "form") else []
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"{tag} {name}={value}")
            if "evil" in (value or ""):
                self.found.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        if self.inside in ("script", "style") and "evil" in data:
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""


def formgrader_page(notebook: NotebookNode) -> str:
    exporter = HTMLExporter(template_name="formgrade", extra_template_basedirs=[handlers.template_path])
    known = dict.fromkeys(("student", "last_name", "first_name", "notebook_path", "base_url", "submission_id"), "")
    known |= {"assignment_id": NAME, "notebook_id": NAME}
    page, _ = exporter.from_notebook_node(notebook, resources={**known, "index": 0, "total": 1})
    return str(page)


EVIL = '<script>evil()</script><img src=x onerror="evil()"><iframe srcdoc="evil"></iframe><a href="javascript:evil()">'

LINKS = """[numbers](javascript:evil()) [page](https://evil.example) ![plot](https://evil.example/x.png) [ref] <https://evil.example>

```mermaid
<img src=x onerror=evil()>
```

$\\href{javascript:evil()}{x}$

[ref]: javascript:evil()
"""


@pytest.fixture
def hostile(answered: NotebookNode) -> NotebookNode:
    """Tries to run something in the browser of whoever looks at it."""
    for name in ("lr-comment", "callback-text"):
        cell_of(answered, name).source = f"{LINKS}\n\nText {EVIL} <!-- > --> <!--{EVIL}-->"
    cell = cell_of(answered, "lr-loop")
    cell.source = f"# {EVIL}"
    cell.metadata.tags = [f'"{EVIL}']
    rich = {
        "text/html": f"<table><tr><td>12</td></tr></table>{EVIL}",
        "application/javascript": "evil()",
        "text/latex": f"$\\href{{javascript:evil()}}{{x}}${EVIL}",
        "text/markdown": f"{LINKS}{EVIL}",
        "application/vnd.jupyter.widget-view+json": {"model_id": "evil"},
    }
    cell.outputs = [
        nbformat.v4.new_output("display_data", rich),
        *(nbformat.v4.new_output("display_data", {kind: rich[kind]}) for kind in ("text/latex", "text/markdown")),
        nbformat.v4.new_output("display_data", {"application/javascript": "evil()", "text/plain": "object"}),
        nbformat.v4.new_output("display_data", {"image/png": f'"{EVIL}'}),
        nbformat.v4.new_output("display_data", {"image/svg+xml": f"<svg>{EVIL}</svg>"}),
        nbformat.v4.new_output("display_data", {"image/png": f"{PIXEL}\n", "text/html": EVIL}),
        nbformat.v4.new_output("stream", text=EVIL),
        nbformat.v4.new_output("error", ename=EVIL, evalue=EVIL, traceback=[EVIL]),
    ]
    answered.cells.append(nbformat.v4.new_raw_cell(EVIL, metadata={"raw_mimetype": "text/html"}))
    answered.metadata = {"language_info": {"name": "python"}, "title": EVIL}
    return answered


class TestForTheFormgrader:
    def test_nothing_of_a_student_runs_there(self, hostile: NotebookNode, release: NotebookNode) -> None:
        assert "lr-comment" in formgrader_page(formgrader.build_notebook(hostile, release))
        before = Page(formgrader_page(hostile)).found
        after = Page(formgrader_page(formgrader.build_notebook(hostile, release))).found
        own = Page(formgrader_page(release)).found
        assert len(before) > len(own), "the page as nbgrader shows it would run it"
        assert after == own

    def test_tables_and_figures_are_still_there(self, hostile: NotebookNode, release: NotebookNode) -> None:
        shown = cell_of(formgrader.build_notebook(hostile, release), "lr-loop").outputs
        assert "<td>12</td>" in shown[0].data["text/html"]
        assert {"text/plain": "object"} in [out.get("data") for out in shown]
        assert {"image/png": PIXEL} in [out.get("data") for out in shown]
        assert "svg" not in str(shown), "a drawing is a document, which may run something where it is opened by itself"

    def test_every_item_has_its_box_once(
        self, answered: NotebookNode, release: NotebookNode, assignment: Assignment
    ) -> None:
        answered.cells.append(copy.deepcopy(cell_of(answered, "callback")))
        strange = {"nbgrader": {"grade_id": "other-lab", "grade": True, "solution": True, "points": 3}}
        answered.cells.append(nbformat.v4.new_code_cell("1", metadata=strange))
        answered.cells.append(nbformat.v4.new_code_cell("2", metadata={"nbgrader": "broken"}))
        for name in ("lr-comment", "bs-metrics", "data-details"):
            answered.cells.remove(cell_of(answered, name))
        cell_of(answered, "lr-loop").metadata.nbgrader.points = 100
        shown = formgrader.build_notebook(answered, release)
        names = [grade_id(cell) for cell in shown.cells if grade_id(cell)]
        assert [name for name in names if name in {item.id for item in assignment.items}] == [
            item.id for item in assignment.items
        ]
        assert len(names) == len(set(names))
        assert cell_of(shown, "lr-loop").metadata.nbgrader.points == 14
        assert "was not in the submitted notebook" in cell_of(shown, "lr-comment").source
        nbformat.validate(shown)

    def test_where_nothing_ran_there_are_the_boxes(
        self, tmp_path: Path, assignment: Assignment, release: NotebookNode
    ) -> None:
        formgrader.write_notebook(tmp_path, "ada", assignment, None)
        path = tmp_path / "ada" / NAME / f"{NAME}.ipynb"
        shown = nbformat.read(path, as_version=4)
        assert {grade_id(cell) for cell in shown.cells} == {item.id for item in assignment.items}

    def test_given_cells_read_as_they_were_given(self, hostile: NotebookNode, release: NotebookNode) -> None:
        shown = formgrader.build_notebook(hostile, release)
        assert cell_of(shown, "callback-text").source == cell_of(release, "callback-text").source

    def test_an_answer_keeps_its_signs(self, answered: NotebookNode, release: NotebookNode) -> None:
        shown = formgrader.build_notebook(answered, release)
        page = formgrader_page(shown)
        assert "<p>My thoughts on lr-comment: a &lt; b.</p>" in page

    def test_words_that_are_not_allowed_to_act_can_be_read(self, hostile: NotebookNode, release: NotebookNode) -> None:
        page = formgrader_page(formgrader.build_notebook(hostile, release))
        for words in (
            "[numbers](javascript:evil())",
            "page (<code>https://evil.example</code>)",
            "&lt;script&gt;evil()",
        ):
            assert words in page
        assert "[picture not shown: plot, <code>https://evil.example/x.png</code>]" in page

    def test_pasted_pictures_are_shown(self, answered: NotebookNode, release: NotebookNode) -> None:
        cell = cell_of(answered, "lr-comment")
        cell.source = "![plot](attachment:image.png) ![gone](attachment:gone.png)"
        cell.attachments = {"image.png": {"image/png": PIXEL}}
        page = formgrader_page(formgrader.build_notebook(answered, release))
        assert f'<img alt="plot" class="img-responsive" src="data:image/png;base64,{PIXEL}"/>' in page
        assert "[picture not shown: gone, " in page

    def test_markdown_and_formulas_of_outputs_are_shown(self, answered: NotebookNode, release: NotebookNode) -> None:
        new = nbformat.v4.new_output
        cell_of(answered, "lr-loop").outputs = [
            new("display_data", {"text/markdown": "**Best:** $x^2$", "text/plain": "<Markdown object>"}),
            new("display_data", {"text/latex": "$\\displaystyle y^2$", "text/plain": "<Math object>"}),
        ]
        page = formgrader_page(formgrader.build_notebook(answered, release))
        assert "<strong>Best:</strong>" in page
        assert page.count("<msup>") == 2
        assert "object&gt;" not in page

    def test_a_raw_cell_is_shown_as_it_was_typed(self, answered: NotebookNode, release: NotebookNode) -> None:
        answered.cells.append(nbformat.v4.new_raw_cell("# a\n\n\n*b*"))
        assert "<pre># a\n\n\n*b*</pre>" in formgrader_page(formgrader.build_notebook(answered, release))

    def test_a_student_cannot_say_that_an_answer_is_unchanged(
        self, db_url: str, tmp_path: Path, assignment: Assignment, release: NotebookNode, answered: NotebookNode
    ) -> None:
        cell_of(answered, "lr-comment").metadata[formgrader.FINGERPRINT] = "same"
        shown = tmp_path / "autograded"
        gradebook.record(db_url, assignment, release, [graded(verdict_on(assignment), answered)], shown)
        enter(db_url, "lr-comment", 4.5)
        cell_of(answered, "lr-comment").source = "I changed my mind."
        gradebook.record(db_url, assignment, release, [graded(verdict_on(assignment), answered)], shown)
        assert grades(db_url)["lr-comment"] == (None, 4.5, True)
