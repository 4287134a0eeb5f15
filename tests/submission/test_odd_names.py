"""Students whose folders have names that could be files, markup, formulas or commands: graded like any other."""

from __future__ import annotations

import csv
import io
import logging
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook, Student
from rich.console import Console
from typer.testing import CliRunner

from autograder import cli
from autograder.assignment.settings import Assignment
from autograder.common.cells import grade_id
from autograder.common.encoders import encode_path
from autograder.errors import AutograderError
from autograder.grading.verdict import GradedSubmission, ItemVerdict, Verdict
from autograder.integrations import export as exports
from autograder.reporting import answers, formgrader, gradebook, publish
from autograder.reporting.pages import link
from autograder.results import cache
from autograder.results.earlier_layout import ASIDE, adopt_earlier_results, find_earlier_results
from autograder.results.points import points_by_item
from autograder.results.store import ResultStore, gradebook_url
from autograder.submission.folders import students
from autograder.submission.saved_outputs import SavedOutputs
from tests.reporting.test_gradebook import Page, formgrader_page

NAME = "tta-eta"
ODD = (
    "ada",
    "grades.csv",
    "report.html",
    "students",
    "verdict.json",
    "gradebook.db",
    "autograded",
    ".published",
    ".ada",
    "con",
    "a" * 255,
    "line\nbreak",
    "\x1b[31mred\x07",
    "\u202egpj.ada",
    "x;=1+1",
    "=1+1",
    "\t@SUM(A1)",
    "[red]",
    "[bold]",
    '"><img src=x onerror=alert(1)>',
    "$\\href{javascript:alert(1)}{x}$",
    "~2Eada",
)

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning", "ignore:.*:ResourceWarning")


def verdict_on(assignment: Assignment, student: str) -> Verdict:
    items = tuple(
        ItemVerdict(id=i.id, title=i.title, max_points=i.points, points=i.points, status="graded", message="Right.")
        for i in assignment.judged_items
    )
    return Verdict(assignment=NAME, student=student, state="graded", items=items)


def enter(out: Path, student: str, score: float) -> None:
    """What a person enters in the formgrader."""
    with Gradebook(gradebook_url(out)) as book:
        book.find_grade("lr-comment", NAME, NAME, student).manual_score = score
        book.db.commit()


def grades(out: Path) -> list[dict[str, str]]:
    with (out / NAME / "grades.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, assignment: Assignment, release: NotebookNode) -> Path:
    """The results of a class of odd names, each with points that a person gave."""
    folder = tmp_path_factory.mktemp("odd") / "graded"
    for student in ODD:
        ResultStore(folder, assignment).write(GradedSubmission(verdict_on(assignment, student), executed=release))
    publish.publish(ResultStore(folder, assignment))
    for number, student in enumerate(ODD):
        enter(folder, encode_path(student), number / 4)
    publish.publish(ResultStore(folder, assignment))
    return folder


class TestAClassOfThem:
    def test_every_folder_is_found(self, tmp_path: Path, assignment: Assignment) -> None:
        for student in ODD:
            (tmp_path / student / NAME).mkdir(parents=True)
        (tmp_path / ".git" / "objects").mkdir(parents=True)
        (tmp_path / ".ipynb_checkpoints").mkdir()
        assert set(students(tmp_path, assignment)) == set(ODD)

    def test_everybody_has_a_verdict_a_page_and_a_notebook(self, out: Path, assignment: Assignment) -> None:
        assert {verdict.student for verdict in ResultStore(out, assignment).read_verdicts()} == set(ODD)
        for student in ODD:
            assert (ResultStore(out, assignment).student_folder(student) / "feedback.html").is_file()
            assert ResultStore(out, assignment).read_executed(student) is not None
        assert sorted(path.name for path in (out / NAME).iterdir() if not path.name.startswith(".")) == [
            "answers-bs-comment-1.html",
            "answers-lr-comment-1.html",
            "grades.csv",
            "report.html",
            "students",
        ]
        assert len(list((out / "autograded").glob(f"*/{NAME}/{NAME}.ipynb"))) == len(ODD)

    def test_points_given_by_hand_are_everybodys_own(self, out: Path, assignment: Assignment) -> None:
        found = gradebook.manual_scores(gradebook_url(out), assignment, ODD)
        assert {student: found[student]["lr-comment"][0] for student in ODD} == {
            student: number / 4 for number, student in enumerate(ODD)
        }

    def test_the_table_has_a_line_for_each_and_no_formula(self, out: Path) -> None:
        assert sorted(float(row["lr-comment"]) for row in grades(out)) == [n / 4 for n in range(len(ODD))]
        text = (out / NAME / "grades.csv").read_text(encoding="utf-8")
        assert len(text.splitlines()) == len(ODD) + 1
        for delimiter in ",;\t":
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
                assert not [cell for cell in row if cell.strip().startswith(("=", "+", "@"))]

    def test_nbgraders_own_table_has_none_either(self, out: Path, assignment: Assignment) -> None:
        text = exports.export(ResultStore(out, assignment), "nbgrader").path.read_text(encoding="utf-8")
        assert len(text.splitlines()) == len(ODD) + 1
        assert "'=1+1" in text
        for delimiter in ",;\t":
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
                assert not [cell for cell in row if cell.strip().startswith(("=", "+", "@"))]

    def test_links_in_the_report_lead_to_pages(self, out: Path) -> None:
        page = (out / NAME / "report.html").read_text(encoding="utf-8")
        assert "<img" not in page
        for student in ODD:
            assert f'href="{link(student)}"' in page
        assert "\u202e" not in page
        assert "\x1b" not in page

    def test_an_unchanged_class_is_not_written_again(self, out: Path, assignment: Assignment) -> None:
        publish.publish(ResultStore(out, assignment))
        assert cache.is_current(ResultStore(out, assignment))

    def test_nothing_of_a_name_lives_in_the_formgrader(self, out: Path, assignment: Assignment) -> None:
        with Gradebook(gradebook_url(out)) as book:
            known = [student.id for student in book.students]
        assert set(known) == {encode_path(student) for student in ODD}
        assert not [name for name in known if set(name) & set("<>&\"'`$\\{}\n") - {"'"}]


class TestInATerminal:
    def shown(self, assignment: Assignment) -> str:
        console = Console(file=io.StringIO(), width=2_000)
        verdicts = [verdict_on(assignment, student) for student in ODD]
        points = {verdict.student: points_by_item(assignment, verdict, {}) for verdict in verdicts}
        console.print(cli.class_table(assignment, verdicts, points))
        return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]

    def test_the_table_is_one_line_a_student(self, assignment: Assignment) -> None:
        text = self.shown(assignment)
        assert text.count(" graded") == len(ODD)
        for name in ("[red]", "[bold]", "line\\nbreak", "\\x1b[31mred\\x07", "\\u202egpj.ada"):
            assert name in text
        assert not set(text) & set("\x1b\x07\u202e\t")

    def test_sentences_and_errors_are_shown_as_they_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            logging.getLogger("autograder.test").warning("%s is left out.", "\x1b[31m\n")
            raise AutograderError("The folder [/red]\x1b[31m\nof \u202eada.")

        monkeypatch.setattr(cli.Assignment, "load", fail)
        done = CliRunner().invoke(cli.app, ["report"])
        assert done.exit_code == 1
        assert "Error: The folder [/red]\\x1b[31m\\nof \\u202eada.\n" in done.output

    def test_warnings_are_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        record = logging.makeLogRecord({"msg": "%s is left out.", "args": ("\x1b[31m\n",)})
        assert cli.TerminalFormatter().format(record) == "\\x1b[31m\\n is left out."


class TestResultsOfAnOlderEdition:
    @pytest.fixture
    def older(self, tmp_path: Path, assignment: Assignment, release: NotebookNode) -> Path:
        """Results with students beside the tables, and in the gradebook under the names of their folders."""
        out = tmp_path / "graded"
        names = [name for name in ODD if name not in ("students", "verdict.json")]
        for student in [*names, "students"]:
            ResultStore(out, assignment).write(GradedSubmission(verdict_on(assignment, student), executed=release))
        publish.publish(ResultStore(out, assignment))
        new, old = out / NAME / "students", out / NAME
        aside = new.rename(tmp_path / "aside")
        for name in ("grades.csv", "report.html", ".published"):
            (old / name).unlink()
        for student in [*names, "students"]:
            (aside / encode_path(student)).rename(old / student)
            if encode_path(student) != student:
                (out / "autograded" / encode_path(student)).rename(out / "autograded" / student)
        with Gradebook(gradebook_url(out)) as book:
            for student in names:
                if encode_path(student) != student and student != "~2Eada":
                    older = Student(id=student)
                    book.db.add(older)
                    newer = book.db.get(Student, encode_path(student))
                    for submission in list(newer.submissions):
                        submission.student = older
                    book.db.flush()
                    book.db.delete(newer)
            book.db.commit()
        for number, student in enumerate(names):
            enter(out, "~7E2Eada" if student == "~2Eada" else student, number / 4)
        return out

    def test_they_move_and_points_given_by_hand_stay(self, older: Path, assignment: Assignment) -> None:
        names = [name for name in ODD if name not in ("students", "verdict.json")]
        assert len(find_earlier_results(ResultStore(older, assignment))) == len(names) + 1
        publish.publish(ResultStore(older, assignment))
        assert {verdict.student for verdict in ResultStore(older, assignment).read_verdicts()} == {*names, "students"}
        found = gradebook.manual_scores(gradebook_url(older), assignment, [*names, "students"])
        assert {student: found[student]["lr-comment"][0] for student in names} == {
            student: number / 4 for number, student in enumerate(names)
        }
        assert find_earlier_results(ResultStore(older, assignment)) == []
        with Gradebook(gradebook_url(older)) as book:
            assert {student.id for student in book.students} == {encode_path(name) for name in (*names, "students")}

    def test_an_answer_that_did_not_change_is_not_read_again(
        self, tmp_path: Path, assignment: Assignment, release: NotebookNode
    ) -> None:
        out = tmp_path / "graded"
        answered = nbformat.from_dict(release)
        for cell in answered.cells:
            if grade_id(cell) in ("lr-comment", "bs-comment"):
                cell.source = "It is a <b>long</b> way <!-- aside --> to $x < y$."
        ResultStore(out, assignment).write(GradedSubmission(verdict_on(assignment, "ada"), executed=answered))
        publish.publish(ResultStore(out, assignment))
        path = out / "autograded" / "ada" / NAME / f"{NAME}.ipynb"
        shown = nbformat.read(path, as_version=4)
        for cell in shown.cells:  # as the older edition wrote them
            if grade_id(cell) in ("lr-comment", "bs-comment"):
                cell.source = "It is a &lt;b>long&lt;/b> way  to $x < y$."
                del cell.metadata[formgrader.FINGERPRINT]
        nbformat.write(shown, path)
        enter(out, "ada", 4.5)
        with Gradebook(gradebook_url(out)) as book:
            book.find_grade("lr-comment", NAME, NAME, "ada").needs_manual_grade = False
            book.db.commit()
        publish.publish(ResultStore(out, assignment))
        with Gradebook(gradebook_url(out)) as book:
            assert not book.find_grade("lr-comment", NAME, NAME, "ada").needs_manual_grade

    def test_the_export_finds_them_too(self, older: Path, assignment: Assignment) -> None:
        assert "ada" in exports.export(ResultStore(older, assignment), "nbgrader").path.read_text(encoding="utf-8")

    def test_newer_results_are_not_written_over(
        self, tmp_path: Path, assignment: Assignment, caplog: pytest.LogCaptureFixture
    ) -> None:
        ResultStore(tmp_path, assignment).write(GradedSubmission(verdict_on(assignment, "ada")))
        new = ResultStore(tmp_path, assignment).student_folder("ada")
        shutil.copytree(new, tmp_path / NAME / "ada")
        (new / "evidence.json").write_text("newer")
        adopt_earlier_results(ResultStore(tmp_path, assignment))
        assert (new / "evidence.json").read_text() == "newer"
        assert (tmp_path / NAME / "ada" / "evidence.json").read_text() == "{}"
        assert "older results" in caplog.text

    def test_a_move_that_was_stopped_goes_on(self, tmp_path: Path, assignment: Assignment) -> None:
        ResultStore(tmp_path, assignment).write(GradedSubmission(verdict_on(assignment, "students")))
        made = ResultStore(tmp_path, assignment).student_folder("students")
        made.rename(tmp_path / NAME / ASIDE)
        adopt_earlier_results(ResultStore(tmp_path, assignment))
        assert [verdict.student for verdict in ResultStore(tmp_path, assignment).read_verdicts()] == ["students"]

    def test_other_folders_of_a_teacher_stay(self, tmp_path: Path, assignment: Assignment) -> None:
        (tmp_path / NAME / "my notes").mkdir(parents=True)
        (tmp_path / NAME / "my notes" / "todo.txt").write_text("")
        (tmp_path / NAME / "link").symlink_to(tmp_path)
        adopt_earlier_results(ResultStore(tmp_path, assignment))
        assert (tmp_path / NAME / "my notes" / "todo.txt").exists()

    def test_what_cannot_be_moved_is_named(
        self, tmp_path: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / NAME / "ada").mkdir(parents=True)
        (tmp_path / NAME / "ada" / "verdict.json").write_text("")
        monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError(13, "Permission denied")))
        with pytest.raises(AutograderError, match=r"ada cannot be moved to .*students/ada \(Permission denied\)"):
            adopt_earlier_results(ResultStore(tmp_path, assignment))


def test_other_students_names_are_text_beside_an_answer(assignment: Assignment, release: NotebookNode) -> None:
    noted = {"lr-comment": answers.Remark("identical", ODD)}
    beside = answers.beside(assignment, {}, SavedOutputs(), noted, {})
    page = formgrader_page(formgrader.build_notebook(release, release, beside))
    plain = formgrader_page(formgrader.build_notebook(release, release))
    assert Page(page).found == Page(plain).found
    assert "<img src=x" not in page
    assert "line\\nbreak" in page.replace("&#92;", "\\")
