"""The report on a class: one static page, what needs a person first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from .assignment import Assignment
from .books import Manual, points_by_item, read_verdicts, write_text
from .pages import environment
from .verdict import Verdict

TAGS = {"graded": "graded", "needs a person": "person", "failed to run": "failed-run"}
MOST_MISTAKES = 12
NOT_DONE = "Nothing there to judge: not filled in, or stopped by an error."


@dataclass(frozen=True)
class Row:
    student: str
    state: str
    points: dict[str, float | None]

    @property
    def total(self) -> float:
        return sum(value or 0.0 for value in self.points.values())


@dataclass(frozen=True)
class ItemLine:
    title: str
    points: float
    share: str
    full: int
    none: int


@dataclass(frozen=True)
class Mistake:
    rubric: str
    item: str
    count: int
    student: str


def write_report(out: Path, assignment: Assignment, manual: Manual) -> None:
    page = report_page(assignment, read_verdicts(out, assignment), manual)
    write_text(out / assignment.name / "report.html", page)


def report_page(assignment: Assignment, verdicts: list[Verdict], manual: Manual) -> str:
    rows = [Row(v.student, v.state, points_by_item(assignment, v, manual.get(v.student, {}))) for v in verdicts]
    written = {item.id for item in assignment.items if item.graded_by == "person"}
    return (
        environment()
        .get_template("report.html")
        .render(
            assignment=assignment,
            rows=rows,
            states=sorted(Counter(verdict.state for verdict in verdicts).items()),
            tags=TAGS,
            open=[(v.student, v.reason) for v in verdicts if v.state != "graded"],
            comments_waiting=sum(
                row.points[item] is None for row in rows for item in written if row.state != "failed to run"
            ),
            histogram=histogram([row.total for row in rows], sum(item.points for item in assignment.items)),
            items=[_item_line(assignment, item.id, rows) for item in assignment.items],
            mistakes=mistakes(verdicts),
            findings=[(v.student, finding) for v in verdicts for finding in v.findings],
        )
    )


def _item_line(assignment: Assignment, item_id: str, rows: list[Row]) -> ItemLine:
    item = assignment.item(item_id)
    known = [row.points[item_id] for row in rows]
    given = [points for points in known if points is not None]
    share = f"{100 * sum(given) / len(given) / item.points:.0f} %" if given else "–"
    return ItemLine(item.title, item.points, share, sum(p == item.points for p in given), sum(p == 0 for p in given))


def mistakes(verdicts: list[Verdict]) -> list[Mistake]:
    """The rules that most students missed, each with one who did; an item that was not done counts as one."""
    found: dict[tuple[str, str], list[str]] = {}
    for verdict in verdicts:
        for item in verdict.items:
            failed = [rule for rule in item.properties if rule.status == "failed"]
            not_done = len(failed) == len(item.properties) and len({rule.message for rule in failed}) == 1
            for rubric in [NOT_DONE] if not_done else [rule.rubric for rule in failed]:
                found.setdefault((item.id, rubric), []).append(verdict.student)
    ranked = sorted(found.items(), key=lambda entry: -len(entry[1]))[:MOST_MISTAKES]
    return [Mistake(rubric, item, len(students), students[0]) for (item, rubric), students in ranked]


def histogram(totals: list[float], most: float, bins: int = 10) -> Markup:
    """Bars of how many submissions have how many points, as SVG."""
    counts = [0] * bins
    for total in totals:
        counts[min(bins - 1, int(total / most * bins))] += 1
    width, height, top = 60, 120, max([*counts, 1])
    shapes = []
    for number, count in enumerate(counts):
        tall = round(height * count / top)
        x, y = number * width, 20 + height - tall
        low, high = round(number * most / bins), round((number + 1) * most / bins)
        text = f'<text x="{x + width // 2}" text-anchor="middle"'
        shapes.append(f'<rect x="{x + 4}" y="{y}" width="{width - 8}" height="{tall}" fill="#0b5c8a"/>')
        shapes.append(f'{text} y="{y - 6}" font-size="13">{count or ""}</text>')
        shapes.append(f'{text} y="{height + 36}" font-size="12">{low}–{high}</text>')
    label = "Number of submissions by points: " + ", ".join(str(count) for count in counts) + " in equal steps from 0"
    size = (width * bins, height + 46)
    return Markup(
        f'<svg role="img" aria-label="{label}" width="{size[0]}" height="{size[1]}" viewBox="0 0 {size[0]} {size[1]}">'
        f"{''.join(shapes)}</svg>"
    )
