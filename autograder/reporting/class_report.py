"""The class report: one static page that begins with what needs review."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import StatisticsError, correlation, mean, median

from markupsafe import Markup

from autograder.assignment.settings import Assignment, Item
from autograder.grading.verdict import ItemVerdict, Verdict
from autograder.results.files import write_text
from autograder.results.points import Manual, points_by_item, standing
from autograder.results.store import ResultStore
from autograder.submission.findings import Finding

from .answer_pages import page_name
from .answers import Remark, written_items
from .charts import Values, boxes, histogram
from .class_data import ClassData
from .feedback import without_folders
from .pages import environment, formgrader_page
from .scores import Score
from .worklist import ASK_AGAIN, DECIDE, ToDo, group_findings

STATES = {"failed to run": "failed-run", "needs review": "person", "to be graded": "reading", "graded": "graded"}
"""The states of a submission, the most urgent first, with the CSS class of their colour."""

MAX_MISTAKES = 12

MAX_CAUSES = 3

VALUES = re.compile(r"""(?:(?<!\w)'[^']*'|"[^"]*"|`[^`]*`|-?\d[\w.,+-]*)(?:[\s,]+(?:'[^']*'|-?\d[\w.,+-]*))*""")
"""Values in a message of a check, also several in a row: messages that differ only in values have the same cause."""

REPEATED = re.compile(r" The same problem occurs in \d+ other cases?\.|,? \(training stopped here\)")
"""Parts of a message that tell where in the work something happened, and how often."""

SHOWN, MAX_SHOWN = 12, 400
"""Maximum number of list entries that are visible at first, and that are listed at all."""

OPEN_ROWS = 200
"""Maximum number of students for which the table of the class is initially expanded."""

FEWEST = 5
"""Minimum number of submissions for a correlation."""

LARGEST = 1e7
"""Upper limit of a plausible measurement, in seconds, joules or epochs."""


@dataclass(frozen=True)
class Waiting:
    """An item that was marked for manual review, and the reason."""

    item: Item
    reason: str


@dataclass(frozen=True)
class Row:
    """A student's row; points still to be given are None, and `waiting` are the items marked for manual review."""

    student: str
    state: str
    reason: str
    points: dict[str, float | None]
    waiting: list[Waiting]
    findings: list[Finding]

    score: Score

    @property
    def total(self) -> float:
        return self.score.total


@dataclass(frozen=True)
class ItemLine:
    """Statistics of an item; `share` is the mean share of its points, 0 to 1, None if there are none yet, and
    `discrimination` the correlation with the other items, -1 to 1, None if it is undefined."""

    item: Item
    share: float | None
    discrimination: float | None
    full: int
    none: int
    waiting: int


@dataclass(frozen=True)
class Cause:
    """A message of a failed check, how many students got one that differs at most in its values, and one of them."""

    message: str
    count: int
    student: str
    item: str


@dataclass(frozen=True)
class Mistake:
    """A check that failed: how often in each item, for how many students, why, and an example."""

    rubric: str
    items: dict[str, int]
    count: int
    causes: list[Cause]
    student: str
    item: str


@dataclass(frozen=True)
class _Failure:
    """A check that failed for a student, with the number of checks that failed in the same item."""

    student: str
    item: str
    message: str
    beside: int


@dataclass(frozen=True)
class ToRead:
    """A written answer that is still to be graded."""

    student: str
    remark: Remark | None


def write_report(store: ResultStore, verdicts: Sequence[Verdict], manual: Manual, known: ClassData) -> None:
    """Write the page of a class into the folder of its results."""
    page = report_page(store.assignment, verdicts, manual, known, store.read_left_out())
    write_text(store.folder / "report.html", page)


def report_page(
    assignment: Assignment,
    verdicts: Sequence[Verdict],
    manual: Manual,
    known: ClassData | None = None,
    left_out: Sequence[str] = (),
) -> str:
    """Return the page as HTML, for verdicts by student; `left_out` are sentences about what was not graded."""
    known = known or ClassData()
    rows = [_row(assignment, verdict, manual) for verdict in verdicts]
    ran = [row for row in rows if row.state != "failed to run"]
    totals = [row.total for row in ran]
    most = assignment.max_points
    findings = {row.student: row.findings for row in rows if row.findings}
    return (
        environment()
        .get_template("class_report.html")
        .render(
            assignment=assignment,
            rows=rows,
            most=most,
            tags=STATES,
            counts={state: count for state in STATES if (count := sum(row.state == state for row in rows))},
            mean=mean(totals) if totals else None,
            median=median(totals) if totals else None,
            so_far=mean(row.score.so_far for row in ran) if ran else most,
            pending=sum(row.score.pending for row in ran),
            to_do=_to_do(rows),
            pages={student: formgrader_page(key) for student, key in known.members.items() if key},
            to_read=[(item, found) for item in written_items(assignment) if (found := _to_read(item, rows, known))],
            answer_pages={item.id: page_name(item, 1) for item in written_items(assignment)} if known.notebooks else {},
            remarked=_remarked(assignment, known),
            left_out=left_out,
            missing=sorted(set(known.members) - {row.student for row in rows}),
            histogram=histogram(totals, most) if totals else None,
            items=[_item_line(item, ran) for item in assignment.items],
            ran=len(ran),
            mistakes=mistakes(assignment, verdicts),
            most_mistakes=MAX_MISTAKES,
            not_done=count_not_done(verdicts),
            charts=charts(assignment, known),
            measured_by=sum(any(map(own.measured, own.loops)) for own in known.own.values()),
            dry=sorted(student for student, own in known.own.items() if own.dry),
            alike=known.alike,
            groups=group_findings(findings),
            shown=SHOWN,
            most_shown=MAX_SHOWN,
            open_rows=OPEN_ROWS,
        )
    )


def _to_do(rows: Sequence[Row]) -> list[ToDo]:
    """Return what has to be done for single students: submissions that did not run, then items that need review."""
    failed = [ToDo(row.student, row.state, row.reason, ASK_AGAIN) for row in rows if row.state == "failed to run"]
    review = [
        ToDo(row.student, row.state, "", DECIDE, [(open.item, open.reason or row.reason) for open in row.waiting])
        for row in rows
        if row.state == "needs review"
    ]
    return failed + review


def _remarked(assignment: Assignment, known: ClassData) -> list[tuple[str, Item, Remark]]:
    """Return the remarks about written answers, whether they have points or not."""
    return [
        (student, item, remarks[item.id])
        for item in written_items(assignment)
        for student, remarks in known.remarks.items()
        if item.id in remarks
    ]


def _to_read(item: Item, rows: Sequence[Row], known: ClassData) -> list[ToRead]:
    """Return the answers without points, those with remarks first."""
    found = [
        ToRead(row.student, known.remarks.get(row.student, {}).get(item.id))
        for row in rows
        if row.points[item.id] is None and row.state != "failed to run"
    ]
    return sorted(found, key=lambda answer: answer.remark is None)


def _row(assignment: Assignment, verdict: Verdict, manual: Manual) -> Row:
    points = points_by_item(assignment, verdict, manual.get(verdict.student, {}))
    state, reason = standing(verdict, points)
    score = Score.of(assignment, points)
    shown = {"graded": "to be graded" if score.waiting else "graded"}
    findings = [finding.model_copy(update={"text": without_folders(finding.text)}) for finding in verdict.findings]
    waiting = _waiting(assignment, verdict, points)
    reason = without_folders(reason)
    return Row(verdict.student, shown.get(state, state), reason, points, waiting, findings, score)


def _waiting(assignment: Assignment, verdict: Verdict, points: Mapping[str, float | None]) -> list[Waiting]:
    """Return the items that need review, in order; the reason is empty if it is that of the whole submission."""
    judged = {item.id: item for item in verdict.items}
    return [
        Waiting(item, "" if judged[item.id].message == verdict.reason else without_folders(judged[item.id].message))
        for item in assignment.items
        if item.id in judged and points[item.id] is None
    ]


def _item_line(item: Item, rows: list[Row]) -> ItemLine:
    known = [row.points[item.id] for row in rows]
    given = [points for points in known if points is not None]
    waiting = sum(row.points[item.id] is None and row.state != "failed to run" for row in rows)
    only_zeros = item.graded_by == "person" and waiting and not any(given)  # missing answers get 0 immediately
    return ItemLine(
        item=item,
        share=mean(given) / item.points if given and not only_zeros else None,
        discrimination=discrimination(item.id, [row.points for row in rows if row.state != "failed to run"]),
        full=sum(points >= item.points for points in given),
        none=sum(points == 0 for points in given),
        waiting=waiting,
    )


def discrimination(item_id: str, points: Sequence[Mapping[str, float | None]]) -> float | None:
    """Return Pearson's correlation between the points of an item and the sum of those of the other items, over the
    submissions that have points for the item (item-rest correlation). Only items for which all of these submissions
    have points are included in the sum.

    Return None for fewer than FEWEST submissions, or if one of the two is constant.
    """
    counted = [given for given in points if given.get(item_id) is not None]
    if len(counted) < FEWEST:
        return None
    rest = [name for name in counted[0] if name != item_id and all(given.get(name) is not None for given in counted)]
    own = [given[item_id] or 0.0 for given in counted]
    others = [sum(given[name] or 0.0 for name in rest) for given in counted]
    try:
        return correlation(own, others)
    except StatisticsError:
        return None


def charts(assignment: Assignment, known: ClassData) -> dict[str, list[Markup]]:
    """Draw box plots of the students' own measurements, by the setting that a loop varies."""
    made: dict[str, list[Markup]] = {}
    for loop, (_, swept) in assignment.exercise.swept.items():
        settings = tuple(map(float, getattr(assignment.parameters, swept.values)))
        across = swept.key.replace("_", " ").capitalize()
        for chart in swept.charts:
            groups = _recorded(known, loop, swept.key, settings, chart.key)
            if any(groups.values()):
                made.setdefault(across, []).append(boxes(groups, across, chart.title, chart.unit))
    return made


def _recorded(known: ClassData, loop: str, key: str, settings: Sequence[float], quantity: str) -> dict[str, Values]:
    """Return, by setting, the value that each student recorded, without implausible ones."""
    found: dict[float, list[tuple[str, float]]] = {setting: [] for setting in settings}
    for student, own in known.own.items():
        for row in own.measured(loop):
            setting = next((s for s in settings if math.isclose(row.get(key) or 0, s, rel_tol=1e-4)), None)
            value = row.get(quantity)
            if setting is not None and value is not None and 0 < value < LARGEST:
                found[setting].append((student, value))
    return {f"{setting:g}": values for setting, values in found.items()}


def mistakes(assignment: Assignment, verdicts: Sequence[Verdict]) -> list[Mistake]:
    """Return the checks that failed, the most frequent first; a student for whom one failed in several items counts
    once.

    Items for which no check could be run are ignored, see `count_not_done`.
    """
    found: dict[str, list[_Failure]] = {}
    for verdict in verdicts:
        for item in verdict.items:
            missed = [] if _is_not_done(item) else [rule for rule in item.properties if rule.status == "failed"]
            for rule in missed:
                failure = _Failure(verdict.student, item.id, without_folders(rule.message), len(missed))
                found.setdefault(rule.rubric, []).append(failure)
    made = [_mistake(assignment, rubric, failures) for rubric, failures in found.items()]
    return sorted(made, key=lambda mistake: -mistake.count)


def _mistake(assignment: Assignment, rubric: str, failures: list[_Failure]) -> Mistake:
    """Describe a mistake; the example is a student for whom as few other checks as possible failed in the same item."""
    counts = Counter(failure.item for failure in failures)
    items = {item.id: counts[item.id] for item in assignment.items if item.id in counts}
    example = min((f for f in failures if f.item == next(iter(items))), key=lambda failure: failure.beside)
    everyone = {failure.student for failure in failures}
    return Mistake(rubric, items, len(everyone), _causes(failures), example.student, example.item)


def _causes(failures: list[_Failure]) -> list[Cause]:
    """Return the most frequent messages, for each the example with the fewest other failed checks in the same item."""
    found: dict[str, list[_Failure]] = {}
    for failure in failures:
        found.setdefault(VALUES.sub("…", REPEATED.sub("", failure.message)), []).append(failure)
    causes = []
    for alike in found.values():
        example = min(alike, key=lambda failure: failure.beside)
        causes.append(Cause(example.message, len({f.student for f in alike}), example.student, example.item))
    return sorted(causes, key=lambda cause: -cause.count)[:MAX_CAUSES]


def count_not_done(verdicts: Sequence[Verdict]) -> int:
    """Count the students with an item for which no check could be run."""
    return sum(any(_is_not_done(item) for item in verdict.items) for verdict in verdicts)


def _is_not_done(item: ItemVerdict) -> bool:
    """Whether all checks of an item failed for the same reason, such as a cell that is not complete."""
    missed = [rule for rule in item.properties if rule.status in ("failed", "not checked")]
    return 1 < len(missed) == len(item.properties) and len({rule.message for rule in missed}) == 1
