"""Tables for other systems: their columns, the right student on each line, nobody lost, nothing that could run."""

from __future__ import annotations

import csv
import html
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.assignment.settings import Assignment
from autograder.cli import app
from autograder.errors import AutograderError
from autograder.grading.verdict import GradedSubmission, ItemVerdict, Verdict
from autograder.integrations import export as exports
from autograder.reporting import publish
from autograder.reporting.database import open_gradebook
from autograder.results.points import LATE
from autograder.results.store import ResultStore, gradebook_url
from tests.places import ROOT

NAME = "tta-eta"
TITLE = "What training costs: time and energy to accuracy"
COMMENTS = {"lr-comment": (4.5, "Well seen."), "bs-comment": (6.0, None)}
CANVAS = f"""\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Quiz (11),{TITLE} (12),Current Score
,,,,,,Manual Posting,
    Points Possible,,,,,10.00,100.00,(read only)
"Lovelace, Ada",7001,S1,ada@uni.edu,One,9.00,,90
"Boole, Bo",7002,S2,bob,One,8.00,55.00,80
"Curie, Cleo",7003,S3,cleo,Two,,31.00,
"=HYPERLINK(""x"")",7004,S4,dan,Two,,,
"""
WORKSHEET = """Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,\
Last modified (submission),Last modified (grade),Feedback comments
Participant 501,Ada Lovelace,ada@uni.edu,Submitted for grading,,100.00,Yes,"Monday, 2 November 2026, 9:00 AM",-,
Participant 502,Bo Boole,b.boole@uni.edu,Submitted for grading,55.00,100.00,No,-,-,
Participant 503,Cleo Curie,cleo@uni.edu,No submission,31.00,100.00,Yes,-,-,"Kept
as it <b>was</b>"
"""


def verdict_on(assignment: Assignment, student: str, **changes: object) -> Verdict:
    items = tuple(
        ItemVerdict(id=i.id, title=i.title, max_points=i.points, points=i.points, status="graded", message="Right.")
        for i in assignment.judged_items
    )
    return Verdict(assignment=NAME, student=student, **({"state": "graded", "items": items} | changes))


def marks_of(assignment: Assignment, *students: str, waiting: str = "") -> dict[str, exports.Mark]:
    manual = {student: COMMENTS for student in students if student != waiting}
    return exports.marks_of(assignment, [verdict_on(assignment, student) for student in students], manual)


def saved(folder: Path, text: str) -> Path:
    path = folder / "roster.csv"
    path.write_text(text, encoding="utf-8")
    return path


def nbgrader_export(
    out: Path, system: str, *arguments: str, roster: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """nbgrader's own command, started in the folder of the course."""
    command = [sys.executable, "-m", "nbgrader", "export", *arguments]
    command.append(f"--exporter=autograder.integrations.nbgrader_exporters.{system}Exporter")
    if roster is not None:
        command.append(f"--{system}Exporter.roster={roster}")
    environment = os.environ | {"OUT": str(out)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def read(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))


class TestCanvas:
    def test_the_table_is_canvas_own_with_this_assignment_alone(self, tmp_path: Path, assignment: Assignment) -> None:
        marks = marks_of(assignment, "ada", "bob", "S4", waiting="bob")
        text, sentences = exports.WRITERS["canvas"](assignment, saved(tmp_path, CANVAS), marks, None)
        header, posting, possible, ada, bob, cleo, dan = read(text)
        assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", f"{TITLE} (12)"]
        assert posting == ["", "", "", "", "", "Manual Posting"]
        assert possible == ["    Points Possible", "", "", "", "", "100.00"]
        assert ada == ["Lovelace, Ada", "7001", "S1", "ada@uni.edu", "One", "98.5"]
        assert bob[-1] == "", "a person has yet to read the comments"
        assert cleo[-1] == "31.00", "without a submission nothing changes"
        assert dan[0].startswith("'=HYPERLINK")
        assert dan[-1] == "98.5"
        assert sentences == [
            "Left unchanged, because there is no submission: Curie, Cleo.",
            "Left empty, because items must still be graded by hand: bob (lr-comment, bs-comment).",
        ]

    def test_nobody_is_dropped_in_silence(self, tmp_path: Path, assignment: Assignment) -> None:
        marks = marks_of(assignment, "ada", "7001", "nobody", "S2")
        text, sentences = exports.WRITERS["canvas"](assignment, saved(tmp_path, CANVAS), marks, None)
        assert [row[-1] for row in read(text)[3:]] == ["", "98.5", "31.00", ""]
        assert "Not exported, because the roster has no row or several rows for these students: nobody." in sentences
        assert "Not exported, because these students match the same row of the roster: 7001, ada." in sentences

    def test_a_name_that_fits_two_lines_is_no_match(self, tmp_path: Path, assignment: Assignment) -> None:
        twins = CANVAS + '"Lovelace, A.",7005,S5,ada@other.edu,One,,,\n'
        marks = marks_of(assignment, "ada", "ada@OTHER.edu")
        text, sentences = exports.WRITERS["canvas"](assignment, saved(tmp_path, twins), marks, None)
        assert [row[-1] for row in read(text)[3:]] == ["", "55.00", "31.00", "", "98.5"]
        assert sentences[0].endswith("or several rows for these students: ada.")

    def test_split_names_and_semicolons(self, tmp_path: Path, assignment: Assignment) -> None:
        lines = [f"LastName;FirstName;ID;SIS Login ID;Section;{NAME} (3)", "    Points Possible;;;;;50,00"]
        roster = saved(tmp_path, "\r\n".join([*lines, "Lovelace;Ada;1;ada;One;"]))
        text, sentences = exports.WRITERS["canvas"](assignment, roster, marks_of(assignment, "ada"), None)
        assert read(text, ";")[2] == ["Lovelace", "Ada", "1", "ada", "One", "98.5"]
        assert sentences == ["The maximum is 50,00 points in Canvas but 100 in this assignment: change it in Canvas."]

    def test_the_column_is_asked_for_where_it_is_not_clear(self, tmp_path: Path, assignment: Assignment) -> None:
        roster = saved(tmp_path, CANVAS.replace(TITLE, "Lab 3"))
        marks = marks_of(assignment, "ada")
        with pytest.raises(AutograderError, match=r"No column of .* COLUMN=.* Quiz \(11\); Lab 3 \(12\)\."):
            exports.WRITERS["canvas"](assignment, roster, marks, None)
        for column in ("Lab 3", "Lab 3 (12)"):
            assert "98.5" in exports.WRITERS["canvas"](assignment, roster, marks, column)[0]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("Name,Points\nAda,3\n", "has no column ID or Section"),
            ("Student,ID,Section\nAda,3,1,9\n", "line 2, has more cells than columns"),
            ('Student,ID,Section\n"Ada,3,1\n', "not a CSV file in UTF-8"),
            ("", "has no column"),
        ],
    )
    def test_what_is_no_gradebook_is_said(self, tmp_path: Path, assignment: Assignment, text: str, said: str) -> None:
        with pytest.raises(AutograderError, match=said):
            exports.WRITERS["canvas"](assignment, saved(tmp_path, text), {}, None)

    def test_other_encodings_and_lost_files_are_said(self, tmp_path: Path, assignment: Assignment) -> None:
        (tmp_path / "latin.csv").write_bytes("Student,ID,Section\nZoé,1,1".encode("latin-1"))
        with pytest.raises(AutograderError, match="UTF-8"):
            exports.WRITERS["canvas"](assignment, tmp_path / "latin.csv", {}, None)
        with pytest.raises(AutograderError, match="No such file"):
            exports.WRITERS["canvas"](assignment, tmp_path / "lost.csv", {}, None)


class TestMoodle:
    def test_the_worksheet_comes_back_filled_in(self, tmp_path: Path, assignment: Assignment) -> None:
        marks = marks_of(assignment, "ada@uni.edu", "Bo Boole_502_assignsubmission_file_")
        text, sentences = exports.WRITERS["moodle"](assignment, saved(tmp_path, WORKSHEET), marks, None)
        header, ada, bo, cleo = read(text)
        assert ",".join(header) == WORKSHEET.partition("\n")[0]
        assert (ada[0], ada[4], ada[8]) == ("Participant 501", "98.5", "-")
        assert "Learning rates: written answer: 4.5 of 6. Well seen.<br>" in ada[-1]
        assert bo[4] == "98.5"
        assert (cleo[4], cleo[-1]) == ("31.00", "Kept\nas it <b>was</b>")
        assert sentences == [
            "Left unchanged, because there is no submission: Cleo Curie.",
            "Moodle does not allow the grades of these students to be changed: Bo Boole_502_assignsubmission_file_.",
        ]

    def test_nothing_goes_to_a_student_who_waits(self, tmp_path: Path, assignment: Assignment) -> None:
        marks = marks_of(assignment, "503", waiting="503")
        text, sentences = exports.WRITERS["moodle"](assignment, saved(tmp_path, WORKSHEET), marks, None)
        assert read(text)[3][4] == ""
        assert read(text)[3][-1].startswith("Kept"), "Moodle takes an empty comment for a deleted one"
        assert "Left empty, because items must still be graded by hand: 503 (lr-comment, bs-comment)." in sentences

    def test_comments_are_text_in_html(self, tmp_path: Path, assignment: Assignment) -> None:
        manual = {"ada": {**COMMENTS, "lr-comment": (1.0, "a < b & <script>alert(1)</script>"), LATE: (-5.0, None)}}
        marks = exports.marks_of(assignment, [verdict_on(assignment, "ada")], manual)
        text, _ = exports.WRITERS["moodle"](assignment, saved(tmp_path, WORKSHEET), marks, None)
        assert "a &lt; b &amp; &lt;script&gt;" in text
        assert "Late penalty: -5 points" in text
        assert read(text)[1][4] == "90"

    def test_signs_in_comments_read_as_they_were_written(self, tmp_path: Path, assignment: Assignment) -> None:
        said = "Is 0.9 >= 0.8? ;-)\n- one\n- two\t=3"
        manual = {"ada": {**COMMENTS, "lr-comment": (1.0, said)}}
        marks = exports.marks_of(assignment, [verdict_on(assignment, "ada")], manual)
        kept = WORKSHEET.replace("as it <b>was</b>", "- where 1 &gt;= 0 ;-)")
        text, _ = exports.WRITERS["moodle"](assignment, saved(tmp_path, kept), marks, None)
        ada, cleo = read(text)[1][-1], read(text)[3][-1]
        assert said in html.unescape(ada)
        assert html.unescape(cleo) == "Kept\n- where 1 >= 0 ;-)"

    def test_any_other_table_of_the_class_becomes_one_for_the_grade_import(
        self, tmp_path: Path, assignment: Assignment
    ) -> None:
        roster = saved(tmp_path, "First name,Last name,ID number,Email address,Quiz\nAda,Lovelace,S1,a@b.c,3\n,,S2,,\n")
        text, sentences = exports.WRITERS["moodle"](assignment, roster, marks_of(assignment, "s1"), "Lab 3")
        header, ada = read(text)
        assert header == ["First name", "Last name", "ID number", "Email address", "Lab 3", "Lab 3 (feedback)"]
        assert ada[:5] == ["Ada", "Lovelace", "S1", "a@b.c", "98.5"]
        assert sentences == ["Left unchanged, because there is no submission: S2."]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("Kennung,Name\n1,Ada\n", "not look like a table exported from Moodle in English"),
            ("Identifier,Full name\nParticipant 1,Ada\n", r"no column Grade or Last modified \(grade\)"),
            ("Identifier,Grade,Grade,Last modified (grade)\n", "two columns with the same name"),
        ],
    )
    def test_what_is_no_worksheet_is_said(self, tmp_path: Path, assignment: Assignment, text: str, said: str) -> None:
        with pytest.raises(AutograderError, match=said):
            exports.WRITERS["moodle"](assignment, saved(tmp_path, text), {}, None)


@pytest.mark.parametrize("cell", ["=1+1", "+SUM(A1)", "@x", "-x", "\t=1", "＝1"])
def test_no_cell_is_a_formula(tmp_path: Path, assignment: Assignment, cell: str) -> None:
    with (tmp_path / "roster.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [
            ["Identifier", "Full name", "Online text", "Grade", "Last modified (grade)"],
            ["P 1", "Ada", cell, "", "-"],
        ]
        csv.writer(file).writerows(rows)
    text, _ = exports.WRITERS["moodle"](assignment, tmp_path / "roster.csv", marks_of(assignment, "1"), None)
    assert read(text)[1] == ["P 1", "Ada", f"'{cell.strip()}", "98.5", "-"]


def test_no_part_of_a_cell_is_one_where_another_separator_is_read(tmp_path: Path, assignment: Assignment) -> None:
    with (tmp_path / "roster.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [
            ["Identifier", "Full name", "Online text", "Grade", "Last modified (grade)"],
            ["P 1", "Ada", "x;=1+1\t@x\n+1", "", "-"],
        ]
        csv.writer(file).writerows(rows)
    text, _ = exports.WRITERS["moodle"](assignment, tmp_path / "roster.csv", marks_of(assignment, "1"), None)
    assert read(text)[1][2] == "x;'=1+1\t'@x\n'+1"


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning", "ignore:.*:ResourceWarning")
class TestFromTheBooks:
    @pytest.fixture(scope="class")
    def out(self, tmp_path_factory: pytest.TempPathFactory, assignment: Assignment) -> Path:
        folder = tmp_path_factory.mktemp("exports")
        broken = verdict_on(assignment, "cleo", state="failed to run", reason="No notebook.")
        nothing = tuple(item.model_copy(update={"points": 0.0}) for item in broken.items)
        for verdict in (verdict_on(assignment, "ada"), broken.model_copy(update={"items": nothing})):
            ResultStore(folder, assignment).write(GradedSubmission(verdict))
        publish.publish(ResultStore(folder, assignment))
        with open_gradebook(gradebook_url(folder)) as book:
            for item, (score, _) in COMMENTS.items():
                book.find_grade(item, NAME, NAME, "ada").manual_score = score
            book.db.commit()
        return folder

    def test_points_are_those_of_the_table_of_grades(self, out: Path, tmp_path: Path, assignment: Assignment) -> None:
        done = exports.export(ResultStore(out, assignment), "canvas", saved(tmp_path, CANVAS))
        assert done.path == out / NAME / "canvas.csv"
        rows = {row[3]: row[-1] for row in read(done.path.read_text(encoding="utf-8"))}
        with (out / NAME / "grades.csv").open(encoding="utf-8", newline="") as file:
            totals = {row["student"]: row["total"] for row in csv.DictReader(file)}
        assert (rows["ada@uni.edu"], rows["cleo"]) == (totals["ada"], totals["cleo"]) == ("98.5", "0")
        assert "These submissions could not be run, so they have 0 points: cleo." in done.sentences

    def test_nbgraders_own_plugin_writes_its_table(self, out: Path, assignment: Assignment) -> None:
        done = exports.export(ResultStore(out, assignment), "nbgrader")
        with done.path.open(encoding="utf-8", newline="") as file:
            scores = {row["student_id"]: row["score"] for row in csv.DictReader(file)}
        assert scores == {"ada": "98.5", "cleo": "0.0"}

    @pytest.mark.parametrize(("system", "table"), [("canvas", CANVAS), ("moodle", WORKSHEET)])
    def test_nbgraders_command_writes_the_same_tables(
        self, out: Path, tmp_path: Path, assignment: Assignment, system: exports.Format, table: str
    ) -> None:
        ours = exports.export(ResultStore(out, assignment), system, roster := saved(tmp_path, table))
        done = nbgrader_export(out, system.title(), f"--to={tmp_path / 'theirs.csv'}", roster=roster)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "theirs.csv").read_bytes() == ours.path.read_bytes()
        assert "Left unchanged, because there is no submission: " in done.stderr

    def test_nbgraders_command_asks_for_a_roster(self, out: Path, tmp_path: Path) -> None:
        done = nbgrader_export(out, "Canvas", f"--to={tmp_path / 'theirs.csv'}")
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("Error: Specify the class list that you exported from Canvas")

    def test_a_roster_is_asked_for(self, out: Path, assignment: Assignment) -> None:
        with pytest.raises(AutograderError, match="exported from Canvas: ROSTER=file.csv"):
            exports.export(ResultStore(out, assignment), "canvas")

    def test_where_nothing_is_graded_nothing_is_made(self, tmp_path: Path, assignment: Assignment) -> None:
        with pytest.raises(AutograderError, match="run make autograde"):
            exports.export(ResultStore(tmp_path / "new", assignment), "nbgrader")
        assert not (tmp_path / "new").exists()

    def test_the_command_says_all_of_it(self, out: Path, tmp_path: Path) -> None:
        roster = saved(tmp_path, CANVAS)
        arguments = ["export", "--format", "canvas", "--out", str(out), "--roster", str(roster)]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0
        assert "- These submissions could not be run, so they have 0 points: cleo.\n" in done.output
        assert "canvas.csv" in done.output
