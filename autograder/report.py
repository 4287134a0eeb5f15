"""The report on a class: one static page, what needs a person first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from markupsafe import Markup

from .assignment import Assignment, Item
from .books import Manual, points_by_item, read_verdicts, standing, total, write_text
from .feedback import without_folders
from .pages import environment
from .verdict import Finding, ItemVerdict, Verdict

STATES = {"needs a person": "person", "failed to run": "failed-run", "graded": "graded"}
"""The states, the most urgent first, with the class that colours them."""

MOST_MISTAKES = 12
NOT_DONE = "Nothing there to judge: not filled in, or stopped by an error."


@dataclass(frozen=True)
class Waiting:
    """An item that the autograder left to a person, and why."""

    item: Item
    reason: str


@dataclass(frozen=True)
class Row:
    """A student's line; points are None where a person has yet to give them, which `waiting` tells of."""

    student: str
    state: str
    reason: str
    points: dict[str, float | None]
    waiting: list[Waiting]
    findings: list[Finding]

    @property
    def total(self) -> float:
        return total(self.points)


@dataclass(frozen=True)
class ItemLine:
    """How the class did on an item; `share` is the mean of the points given, 0 to 1, None if there are none yet."""

    item: Item
    share: float | None
    full: int
    none: int
    waiting: int


@dataclass(frozen=True)
class Mistake:
    """A rule that was missed: how often in each item, by how many students, and an example."""

    rubric: str
    items: dict[str, int]
    count: int
    student: str
    item: str


def write_report(out: Path, assignment: Assignment, manual: Manual) -> None:
    page = report_page(assignment, read_verdicts(out, assignment), manual)
    write_text(out / assignment.name / "report.html", page)


def report_page(assignment: Assignment, verdicts: Sequence[Verdict], manual: Manual) -> str:
    """The page as HTML, for verdicts in the order of the students."""
    rows = [_row(assignment, verdict, manual) for verdict in verdicts]
    totals = [row.total for row in rows]
    most = sum(item.points for item in assignment.items)
    return (
        environment()
        .get_template("report.html")
        .render(
            assignment=assignment,
            rows=rows,
            most=most,
            tags=STATES,
            counts={state: count for state in STATES if (count := sum(row.state == state for row in rows))},
            mean=mean(totals) if totals else None,
            median=median(totals) if totals else None,
            urgent=[row for state in STATES for row in rows if row.state == state != "graded"],
            histogram=histogram(totals, most),
            items=[_item_line(item, rows) for item in assignment.items],
            mistakes=mistakes(assignment, verdicts),
            noted=[row for row in rows if row.findings and row.state == "graded"],
        )
    )


def _row(assignment: Assignment, verdict: Verdict, manual: Manual) -> Row:
    points = points_by_item(assignment, verdict, manual.get(verdict.student, {}))
    state, reason = standing(verdict, points)
    reason = without_folders(reason)
    findings = [finding.model_copy(update={"text": without_folders(finding.text)}) for finding in verdict.findings]
    return Row(verdict.student, state, reason, points, _waiting(assignment, verdict, points), findings)


def _waiting(assignment: Assignment, verdict: Verdict, points: Mapping[str, float | None]) -> list[Waiting]:
    """The items that wait, in their order; the reason is left out where it is the whole submission's."""
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
    return ItemLine(
        item=item,
        share=mean(given) / item.points if given else None,
        full=sum(points >= item.points for points in given),
        none=sum(points == 0 for points in given),
        waiting=waiting,
    )


def mistakes(assignment: Assignment, verdicts: Sequence[Verdict]) -> list[Mistake]:
    """The rules that most students missed; a student who missed one in several items counts once."""
    found: dict[str, dict[str, list[str]]] = {}
    for verdict in verdicts:
        for item in verdict.items:
            for rubric in _missed(item):
                found.setdefault(rubric, {}).setdefault(item.id, []).append(verdict.student)
    made = [_mistake(assignment, rubric, by_item) for rubric, by_item in found.items()]
    return sorted(made, key=lambda mistake: -mistake.count)[:MOST_MISTAKES]


def _mistake(assignment: Assignment, rubric: str, students: dict[str, list[str]]) -> Mistake:
    counts = {item.id: len(students[item.id]) for item in assignment.items if item.id in students}
    everyone = {student for found in students.values() for student in found}
    first = next(iter(counts))
    return Mistake(rubric, counts, len(everyone), students[first][0], first)


def _missed(item: ItemVerdict) -> list[str]:
    """The rules that were missed. All of an item's for one reason are one mistake, else they would crowd out the
    rest."""
    failed = [rule for rule in item.properties if rule.status == "failed"]
    not_done = 1 < len(failed) == len(item.properties) and len({rule.message for rule in failed}) == 1
    return [NOT_DONE] if not_done else [rule.rubric for rule in failed]


def histogram(totals: Sequence[float], most: float, bins: int = 10) -> Markup:
    """Bars of how many submissions have how many points, in equal steps from 0 to `most`, as SVG."""
    counts = [0] * bins
    for points in totals:
        counts[max(0, min(bins - 1, int(points / most * bins)))] += 1
    step, height, highest, side = 46, 110, max([*counts, 1]), 14
    width = step * bins + 2 * side
    edges = [f"{round(number * most / bins, 1):g}" for number in range(bins + 1)]
    shapes = [f'<line x1="0" x2="{width}" y1="{height + 20}" y2="{height + 20}" stroke="#9aa4b0"/>']
    for number, count in enumerate(counts):
        tall = round(height * count / highest)
        x, y = number * step + side, 20 + height - tall
        middle = f'<text x="{x + step // 2}" text-anchor="middle"'
        shapes.append(f'<rect x="{x + 2}" y="{y}" width="{step - 4}" height="{tall}" fill="#0b5c8a"/>')
        shapes.append(f'{middle} y="{y - 6}" font-size="13" fill="#1c2430">{count or ""}</text>')
    for number, edge in enumerate(edges):
        place = f'x="{number * step + side}" y="{height + 36}" text-anchor="middle"'
        shapes.append(f'<text {place} font-size="12" fill="#55606e">{edge}</text>')
    said = "; ".join(f"{edges[i]} to {edges[i + 1]}: {count}" for i, count in enumerate(counts) if count)
    size = f'width="{width}" height="{height + 42}" viewBox="0 0 {width} {height + 42}"'
    label = f"Number of submissions by points. {said}"
    return Markup(f'<svg role="img" aria-label="{label}" {size}>{"".join(shapes)}</svg>')
