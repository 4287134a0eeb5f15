"""The feedback page of a student: one self-contained HTML file in which nothing of the student's can run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup
from nbformat import NotebookNode
from nbgrader.utils import is_locked, is_solution

from autograder.assignment.settings import Assignment, Item
from autograder.encoders import one_line
from autograder.errors import PartlyWritten
from autograder.grading.verdict import GradedSubmission, ItemVerdict, PropertyVerdict, Verdict
from autograder.notebooks.cells import grade_id
from autograder.notebooks.images import picture
from autograder.results.files import write_text
from autograder.results.points import LATE, Given, Manual, points_by_item, standing, total
from autograder.results.store import ResultStore
from autograder.scheduling.parallel import parallel_map
from autograder.submission.finding import Finding

from .curve_chart import draw
from .markdown import Renderer
from .pages import environment

LONGEST = 4_000
"""Characters of one text output that are shown."""

MAX_PICTURES = 30

MAX_OUTPUTS = 60
"""Outputs of one cell that are shown."""

ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
)
FOLDERS = re.compile(r"(?:\bfile://|(?<![\w/.<]))/(?:[\w.+@~-]+/)+(?=[\w.+@~-])")


@dataclass(frozen=True)
class Observation:
    """What was seen, and the rules that it breaks or leaves open."""

    status: str
    message: str
    rules: list[PropertyVerdict]
    curve: Markup | None


@dataclass(frozen=True)
class Part:
    """An item as the page shows it; `points` None means that a person has yet to give them."""

    item: Item
    points: float | None
    summary: str
    observations: list[Observation]
    met: list[PropertyVerdict]
    comment: str | None
    pictures: list[str]


@dataclass(frozen=True)
class Output:
    """Text, a picture as a data URI, or a note on what is not shown."""

    kind: str
    content: str


@dataclass(frozen=True)
class ShownCell:
    """A cell as the page shows it: `source` is code, or what a student wrote as sanitised HTML."""

    kind: str
    name: str
    given: bool
    source: str | Markup
    outputs: list[Output]


def write_feedback(
    store: ResultStore, results: Iterable[GradedSubmission], manual: Manual, release: NotebookNode | None = None
) -> None:
    """Write the page of each student; PartlyWritten says afterwards for whom that failed."""

    def write(student: str, graded: GradedSubmission) -> None:
        given = manual.get(student, {})
        page = feedback_page(store.assignment, graded.verdict, graded.executed, given, release)
        write_text(store.student_folder(student) / "feedback.html", page)

    environment().get_template("feedback.html")  # once, before others share it
    if failed := parallel_map(write, {graded.student: graded for graded in results}):
        raise PartlyWritten.of("feedback page", failed)


def feedback_page(
    assignment: Assignment,
    verdict: Verdict,
    executed: NotebookNode | None,
    manual: Given,
    release: NotebookNode | None = None,
) -> str:
    """The page as HTML; `manual` is what a person gave this student, by item. Texts of the release are not repeated."""
    points = points_by_item(assignment, verdict, manual)
    parts = _parts(assignment, verdict, executed, points, manual)
    state, reason = standing(verdict, points)
    return (
        environment()
        .get_template("feedback.html")
        .render(
            assignment=assignment,
            student=verdict.student,
            late=points.get(LATE),
            total=total(points),
            most=sum(item.points for item in assignment.items),
            waiting=[part.item.title for part in parts if part.points is None],
            reason="" if state == "graded" else without_folders(reason),
            findings=[_for_student(finding) for finding in verdict.findings if finding.audience == "both"],
            parts=parts,
            cells=shown_cells(executed, {part.item.cell for part in parts if part.pictures}, given_texts(release)),
        )
    )


def _for_student(finding: Finding) -> str:
    return without_folders(finding.text) + (f" (cell {finding.cell})" if finding.cell else "")


def _parts(
    assignment: Assignment,
    verdict: Verdict,
    executed: NotebookNode | None,
    points: Mapping[str, float | None],
    manual: Given,
) -> list[Part]:
    judged = {item.id: item for item in verdict.items}
    parts, shown = [], set()
    for item in assignment.items:
        decided = judged.get(item.id)
        rules = decided.properties if decided else ()
        parts.append(
            Part(
                item=item,
                points=points[item.id],
                summary=_summary(item, decided, points[item.id]),
                observations=_observations(decided),
                met=[rule for rule in rules if rule.status == "passed"],
                comment=manual.get(item.id, (None, None))[1],
                pictures=[] if item.cell in shown else _pictures(executed, item.cell),
            )
        )
        shown.add(item.cell)
    return parts


def _summary(item: Item, decided: ItemVerdict | None, points: float | None) -> str:
    """The item's line in the table at the top."""
    if points is None:
        return "A person has yet to grade it."
    if item.graded_by == "person" or decided is None or points != decided.points:
        return "Graded by a person."
    if not decided.properties:
        return without_folders(decided.message)
    count, unchecked = len(decided.properties), sum(rule.status == "not checked" for rule in decided.properties)
    missed = sum(rule.status != "passed" for rule in decided.properties) - unchecked
    if not missed and not unchecked:
        return "All rules met."
    parts = [
        f"{number} of {count} rules {what}"
        for number, what in ((missed, "missed"), (unchecked, "not checked"))
        if number
    ]
    return f"{', '.join(parts)}."


def _observations(decided: ItemVerdict | None) -> list[Observation]:
    """The rules that were missed or are open, those with the same reason together, in the order of the checks."""
    found: dict[tuple[str, str], list[PropertyVerdict]] = {}
    for rule in decided.properties if decided else ():
        if rule.status != "passed":
            found.setdefault((rule.status, without_folders(rule.message)), []).append(rule)
    return [Observation(status, message, rules, _curve(rules)) for (status, message), rules in found.items()]


def _curve(rules: list[PropertyVerdict]) -> Markup | None:
    """The picture of the training curve that the rules' message tells of."""
    return next((draw(rule.strip) for rule in rules if rule.strip is not None), None)


def _pictures(executed: NotebookNode | None, name: str) -> list[str]:
    """The pictures that the task's cell drew."""
    cells = executed.cells if executed is not None else []
    outputs = [out for cell in cells if cell.cell_type == "code" and grade_id(cell) == name for out in cell.outputs]
    found = [shown for out in outputs if (shown := picture(out.get("data", {}))) is not None]
    return found[:MAX_PICTURES]


def given_texts(release: NotebookNode | None) -> set[str]:
    """The texts of the release that are no answers, without regard to line breaks."""
    cells = release.cells if release is not None else []
    return {one_line(cell.source) for cell in cells if cell.cell_type != "code" and not is_solution(cell)}


def shown_cells(executed: NotebookNode | None, shown_above: set[str], given_texts: set[str]) -> list[ShownCell]:
    """The notebook as text and pictures: its code cells, and what the student wrote. HTML and scripts among the
    outputs are never passed on; pictures of the cells in `shown_above` are not repeated."""
    cells, room, renderer = [], MAX_PICTURES, Renderer()
    for cell in executed.cells if executed is not None else []:
        name = grade_id(cell)
        given = bool(name) and is_locked(cell)
        known = given or one_line(cell.source) in given_texts
        if not cell.source.strip() or (known and cell.cell_type != "code"):
            continue
        made = cell.get("outputs", [])
        outputs = [_output(out, room > 0, name in shown_above) for out in made[:MAX_OUTPUTS]]
        room -= sum(out.kind == "picture" for out in outputs)
        kept = [out for out in outputs if out.content]
        if len(made) > MAX_OUTPUTS:
            kept.append(Output("note", f"{len(made) - MAX_OUTPUTS:,} more outputs of this cell are left out."))
        cells.append(ShownCell(cell.cell_type, name, given, _shown_source(cell, renderer), kept))
    return cells


def _shown_source(cell: NotebookNode, renderer: Renderer) -> str | Markup:
    source = ESCAPES.sub("", cell.source)
    return renderer.render(source, cell.get("attachments")) if cell.cell_type == "markdown" else source


def _output(output: NotebookNode, room: bool, above: bool) -> Output:
    if output.output_type == "stream":
        return Output("text", cleaned(str(output.text)))
    if output.output_type == "error":
        trace = "\n".join(map(str, output.get("traceback", [])))
        return Output("text", cleaned(trace or f"{output.ename}: {output.evalue}"))
    data = output.get("data", {})
    shown = picture(data)
    if shown is None:
        return Output("text", cleaned(str(data.get("text/plain", ""))))
    if above:
        return Output("note", "The figure is shown with its item above.")
    return Output("picture", shown) if room else Output("note", "There are more pictures than are shown here.")


def cleaned(text: str) -> str:
    """An output as a terminal would leave it, without escapes and the machine's folders, cut where it is too long."""
    lines = text.replace("\r\n", "\n").split("\n")
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
    text = without_folders(ESCAPES.sub("", text)).strip("\n")
    if len(text) > LONGEST:
        half = LONGEST // 2
        text = f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[-half:]}"
    return text if text.strip() else ""


def without_folders(text: str) -> str:
    """Text in which files keep their names and lose the folders that they lie in on this machine; those of an
    installed package are named from the package on."""
    return FOLDERS.sub(_package, text)


def _package(found: re.Match[str]) -> str:
    _, packages, within = found[0].rpartition("/site-packages/")
    return within if packages else ""
