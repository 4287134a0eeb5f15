"""Write points into the tables that other systems import: Canvas's gradebook, Moodle's worksheet, nbgrader's own
export.

The students are matched with a roster exported from the other system, and the table for import has the same columns.
What each system accepts follows from its importer: `lib/gradebook_importer.rb` of Canvas, `mod/assign/feedback/offline`
of Moodle.
"""

from __future__ import annotations

import csv
import io
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape
from pydantic import BaseModel, ConfigDict, Field

from autograder.assignment.release import course_configuration
from autograder.assignment.settings import Assignment
from autograder.common.encoders import encode_html_signs, guard_formulas, one_line
from autograder.errors import AutograderError, UsageError
from autograder.grading.verdict import Verdict
from autograder.reporting import gradebook
from autograder.reporting.database import open_gradebook
from autograder.reporting.publish import publish
from autograder.results.files import write_text
from autograder.results.points import LATE, Given, Manual, plain, points_by_item, total
from autograder.results.store import ResultStore

from . import Format

CANVAS_PERSON = (
    "Student",
    "LastName",
    "FirstName",
    "ID",
    "SIS User ID",
    "SIS Login ID",
    "Integration ID",
    "Root Account",
    "Section",
)
"""The columns by which Canvas identifies a student; they must come first, in this order."""

MOODLE_PERSON = ("First name", "Last name", "Full name", "Username", "ID number", "Email address")

CANVAS_TITLE = re.compile(r"(?P<title>.*) \(\d+\)", re.DOTALL)
"""Canvas's heading of an assignment's column: title and number."""

MOODLE_FOLDER = re.compile(r"_(\d+)_assignsubmission_")
"""The number of the participant in the name of a folder in which Moodle packs a submission."""

HARMLESS = re.compile(r"[\s\d.,%-]*")


@dataclass(frozen=True)
class Export:
    """A table that was written, and sentences that the user should read about it."""

    path: Path
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """A student's total: `points` is None while the items in `waiting` have no points; `lines` describe each item."""

    points: float | None
    waiting: tuple[str, ...]
    lines: tuple[str, ...]


class Line(BaseModel):
    """A row of a roster; columns that do not identify the student are kept, too."""

    model_config = ConfigDict(frozen=True, extra="allow", str_strip_whitespace=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Possible names of this student's folder, the most reliable first; all empty if the row is not a student's."""
        raise NotImplementedError

    def cell(self, column: str) -> str:
        return str(self.model_dump(by_alias=True).get(column, ""))


class CanvasLine(Line):
    number: str = Field("", alias="ID")
    user: str = Field("", alias="SIS User ID")
    login: str = Field("", alias="SIS Login ID")

    @property
    def names(self) -> tuple[str, ...]:
        return (self.user, self.login, self.number, self.login.partition("@")[0])


class MoodleLine(Line):
    identifier: str = Field("", alias="Identifier")
    number: str = Field("", alias="ID number")
    user: str = Field("", alias="Username")
    email: str = Field("", alias="Email address")
    name: str = Field("", alias="Full name")

    @property
    def names(self) -> tuple[str, ...]:
        participant = self.identifier.rpartition(" ")[2]
        return (participant, self.number, self.user, self.email, self.email.partition("@")[0], self.name)


@dataclass(frozen=True)
class Roster:
    """A table that another system exported: its columns in order, its rows, and the delimiter between cells."""

    path: Path
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    delimiter: str


def export(store: ResultStore, form: Format, roster: Path | None = None, column: str | None = None) -> Export:
    """Update the results and write them to `OUT/<assignment>/<form>.csv`.

    `column` is the name of the assignment in the other system, if it is different there. Raise AutograderError if the
    table cannot be written.
    """
    assignment = store.assignment
    verdicts = publish(store)
    path = store.folder / f"{form}.csv"
    if form == "nbgrader":
        return _nbgrader(store, path)
    if roster is None:
        raise UsageError(f"Specify the class list that you exported from {form.title()}: ROSTER=file.csv.")
    students = [verdict.student for verdict in verdicts]
    marks = marks_of(assignment, verdicts, gradebook.manual_scores(store.gradebook_url, assignment, students))
    text, sentences = WRITERS[form](assignment, roster, marks, column)
    write_text(path, text)
    return Export(path, (*_failed(verdicts), *sentences))


def _nbgrader(store: ResultStore, path: Path) -> Export:
    """Write the table with nbgrader's own export plugin, or with the one that `nbgrader_config.py` names."""
    from nbgrader.apps import ExportApp  # imported here, because it imports all of nbgrader's commands
    from nbgrader.plugins import CsvExportPlugin

    command = ExportApp(config=course_configuration(store.assignment.course), log_level=logging.WARNING)
    command.init_plugin()
    plugin = command.plugin_inst
    plugin.to, plugin.assignment = str(path), [store.assignment.name]
    with open_gradebook(store.gradebook_url) as book:
        plugin.export(book)
    if type(plugin) is CsvExportPlugin:
        _guard(path)
    return Export(path)


def _guard(path: Path) -> None:
    """Neutralise formulas in nbgrader's table, which contains names unchanged."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    write_text(path, _table(rows[0], rows[1:], ","))


def marks_of(assignment: Assignment, verdicts: Iterable[Verdict], manual: Manual) -> dict[str, Mark]:
    """Return the total of every student, computed as in grades.csv."""
    marks = {}
    for verdict in verdicts:
        given = manual.get(verdict.student, {})
        points = points_by_item(assignment, verdict, given)
        waiting = tuple(item.id for item in assignment.items if points[item.id] is None)
        marks[verdict.student] = Mark(
            None if waiting else total(points), waiting, tuple(_lines(assignment, points, given))
        )
    return marks


def _lines(assignment: Assignment, points: Mapping[str, float | None], given: Given) -> Iterable[str]:
    for item in assignment.items:
        comment = given.get(item.id, (None, None))[1]
        line = f"{item.title}: {plain(points[item.id])} of {plain(item.points)}"
        yield f"{line}. {comment}" if comment else line
    if (late := points.get(LATE)) is not None:
        yield f"Late penalty: {plain(late)} points"


def _failed(verdicts: Iterable[Verdict]) -> list[str]:
    failed = [verdict.student for verdict in verdicts if verdict.state == "failed to run"]
    return _list("These submissions could not be run, so they have 0 points", failed)


def _canvas(assignment: Assignment, path: Path, marks: Mapping[str, Mark], column: str | None) -> tuple[str, list[str]]:
    """Write Canvas's gradebook with this assignment only, so that importing it cannot change others."""
    roster = read_roster(path, CanvasLine, "ID", "Section")
    heading = _canvas_column(assignment, roster, column)
    most = assignment.max_points
    places, sentences = _match(roster, marks)
    rows = []
    for number, line in enumerate(roster.lines):
        value = line.cell(heading)
        if number in places:
            value = plain(marks[places[number]].points)
        elif "Points Possible" in line.cell("Student") + line.cell("LastName"):
            sentences += _other_maximum("Canvas", value, most)
            value = value or plain(most)
        rows.append([*(line.cell(name) for name in roster.columns if name in CANVAS_PERSON), value])
    header = [*(name for name in roster.columns if name in CANVAS_PERSON), heading]
    return _table(header, rows, roster.delimiter), sentences


def _canvas_column(assignment: Assignment, roster: Roster, column: str | None) -> str:
    titles = {name: found["title"] for name in roster.columns if (found := CANVAS_TITLE.fullmatch(name))}
    wanted = {column} if column else {assignment.title, assignment.name}
    fitting = [name for name, title in titles.items() if {name, title} & wanted]
    if len(fitting) == 1:
        return fitting[0]
    known = "; ".join(titles) or "none"
    which = f"{len(fitting)} columns of {roster.path} are" if fitting else f"No column of {roster.path} is"
    raise AutograderError(
        f"{which} called {' or '.join(sorted(wanted))}: give the name that Canvas uses, "
        f'COLUMN="...". Columns of assignments: {known}.'
    )


def _moodle(assignment: Assignment, path: Path, marks: Mapping[str, Mark], column: str | None) -> tuple[str, list[str]]:
    """Fill in Moodle's grading worksheet; for any other table of the class, write one for Moodle's grade import."""
    roster = read_roster(path, MoodleLine)
    if "Identifier" in roster.columns:
        return _worksheet(assignment, roster, marks)
    if not {"Email address", "ID number", "Username"} & set(roster.columns):
        raise AutograderError(
            f"{path} does not look like a table exported from Moodle in English: it has none of the columns "
            "Identifier, Email address, ID number and Username."
        )
    places, sentences = _match(roster, marks)
    person = [name for name in roster.columns if name in MOODLE_PERSON]
    title = column or assignment.title
    rows = [
        [
            *(roster.lines[number].cell(name) for name in person),
            plain(marks[student].points),
            _html(marks[student]),
        ]
        for number, student in sorted(places.items())
    ]
    return _table([*person, title, f"{title} (feedback)"], rows, roster.delimiter), sentences


def _worksheet(assignment: Assignment, roster: Roster, marks: Mapping[str, Mark]) -> tuple[str, list[str]]:
    """Fill grades and comments into the worksheet and leave the rest unchanged; Moodle skips rows without a grade."""
    if lost := {"Grade", "Last modified (grade)"} - set(roster.columns):
        raise AutograderError(
            f"{roster.path} is not a grading worksheet: it has no column {' or '.join(sorted(lost))}."
        )
    if len(set(roster.columns)) < len(roster.columns):
        raise AutograderError(f"{roster.path} has two columns with the same name: download the worksheet again.")
    places, sentences = _match(roster, marks)
    most = assignment.max_points
    maxima = {line.cell("Maximum Grade") or line.cell("Maximum grade") for line in roster.lines}
    for maximum in sorted(maxima):
        sentences += _other_maximum("Moodle", maximum, most)
    locked, rows = [], []
    for number, line in enumerate(roster.lines):
        cells = {name: line.cell(name) for name in roster.columns}
        if "Feedback comments" in cells:
            cells["Feedback comments"] = encode_html_signs(cells["Feedback comments"])
        if number in places:
            mark = marks[places[number]]
            cells["Grade"] = plain(mark.points)
            if "Feedback comments" in cells and mark.points is not None:
                cells["Feedback comments"] = _html(mark)
            locked += [places[number]] * (cells.get("Grade can be changed") == "No")
        rows.append(list(cells.values()))
    sentences += _list("Moodle does not allow the grades of these students to be changed", locked)
    return _table(roster.columns, rows, roster.delimiter), sentences


WRITERS: Mapping[Format, Callable[[Assignment, Path, Mapping[str, Mark], str | None], tuple[str, list[str]]]] = {
    "canvas": _canvas,
    "moodle": _moodle,
}


def read_roster(path: Path, kind: type[Line], *demanded: str) -> Roster:
    """Read a table of another system, separated by commas, semicolons or tabs; raise AutograderError if invalid."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="", delimiter=delimiter, strict=True)
        columns = tuple(name.strip() for name in reader.fieldnames or ())
        reader.fieldnames = columns
        lines = []
        for cells in reader:
            if None in cells:
                raise AutograderError(f"{path}, line {reader.line_num}, has more cells than columns: export it again.")
            lines.append(kind.model_validate(cells))
    except OSError as error:
        raise AutograderError(f"The roster {path} cannot be read ({error.strerror}).") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise AutograderError(f"The roster {path} is not a CSV file in UTF-8 ({error}): export it again.") from None
    if lost := [name for name in demanded if name not in columns]:
        raise AutograderError(f"{path} has no column {' or '.join(lost)}: export the whole gradebook again.")
    return Roster(path, columns, tuple(lines), delimiter)


def _match(roster: Roster, marks: Mapping[str, Mark]) -> tuple[dict[int, str], list[str]]:
    """Return the student of each row, by its number, and sentences about students without a row or without points."""
    known = _places(roster.lines)
    found = {student: _place(student, known) for student in sorted(marks)}
    taken = Counter(found.values())
    sure = {place: student for student, place in found.items() if place is not None and taken[place] == 1}
    lost = [student for student, place in found.items() if place is None]
    shared = [student for student, place in found.items() if place is not None and taken[place] > 1]
    absent = [_called(line) for n, line in enumerate(roster.lines) if any(line.names) and n not in taken]
    waiting = [
        f"{student} ({', '.join(marks[student].waiting)})" for student in sure.values() if marks[student].waiting
    ]
    return sure, [
        *_list("Not exported, because the roster has no row or several rows for these students", lost),
        *_list("Not exported, because these students match the same row of the roster", shared),
        *_list("Left unchanged, because there is no submission", absent),
        *_list("Left empty, because items must still be graded by hand", waiting),
    ]


def _places(lines: Sequence[Line]) -> list[dict[str, set[int]]]:
    """Return the numbers of the rows by name, one mapping for each kind of name, the most reliable first."""
    ranks: list[defaultdict[str, set[int]]] = [
        defaultdict(set) for _ in range(max((len(line.names) for line in lines), default=0))
    ]
    for number, line in enumerate(lines):
        for names, name in zip(ranks, line.names, strict=True):
            names[name.casefold()].add(number)
    return [{name: places for name, places in names.items() if name} for names in ranks]


def _place(student: str, known: Sequence[Mapping[str, set[int]]]) -> int | None:
    """Return the number of a student's only row; None if there is none or more than one."""
    folder = MOODLE_FOLDER.search(student)
    name = (folder[1] if folder else student).strip().casefold()
    places = next((names[name] for names in known if name in names), set())
    return next(iter(places)) if len(places) == 1 else None


def _called(line: Line) -> str:
    """Return the name to show for the student of a row."""
    names = (line.cell(column) for column in ("Student", "LastName", "Full name", "Last name"))
    return one_line(next(filter(None, [*names, *line.names])))


def _list(sentence: str, names: Sequence[str]) -> list[str]:
    return [f"{sentence}: {', '.join(names)}."] if names else []


def _other_maximum(system: str, maximum: str, most: float) -> list[str]:
    try:
        same = not maximum or float(maximum.replace(",", ".")) == most
    except ValueError:
        same = True  # "(read only)" or a scale, which cannot be compared
    sentence = (
        f"The maximum is {maximum} points in {system} but {plain(most)} in this assignment: change it in {system}."
    )
    return [] if same else [sentence]


def _html(mark: Mark) -> str:
    return encode_html_signs(str(Markup("<br>").join(escape(line) for line in mark.lines)))


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str) -> str:
    text = io.StringIO()
    table = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    table.writerows([_harmless(cell) for cell in row] for row in (header, *rows))
    return text.getvalue()


def _harmless(cell: str) -> str:
    """Return a cell unchanged unless a spreadsheet would find a formula in it; negative numbers are allowed."""
    return cell if HARMLESS.fullmatch(cell) or guard_formulas(cell) == cell else guard_formulas(cell.strip())
