"""The feedback page of a student: one self-contained HTML file in which no code of the student can run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup
from nbformat import NotebookNode
from nbgrader.utils import is_locked, is_solution

from autograder.assignment.settings import Assignment, Item
from autograder.common.cells import grade_id
from autograder.common.encoders import one_line
from autograder.common.images import picture
from autograder.errors import PartlyWritten
from autograder.grading.verdict import GradedSubmission, ItemVerdict, PropertyVerdict, Stop, Verdict
from autograder.results.files import write_text
from autograder.results.points import LATE, Given, Manual, points_by_item, standing
from autograder.results.store import ResultStore
from autograder.scheduling.parallel import parallel_map
from autograder.submission.findings import Finding
from autograder.submission.saved_outputs import SavedOutputs

from . import answers
from .curve_chart import draw
from .highlight import colour
from .markdown import Renderer
from .pages import environment
from .scores import Score, State, state_of
from .stop_advice import next_step

SUMMARIES: Mapping[State, str] = {
    "to be graded": "Your instructor has not graded your answer yet.",
    "needs review": "The autograder could not grade this item; your instructor will do so.",
    "no answer": "There is no answer in this cell.",
}

LONGEST, LONGEST_ERROR = 4_000, 1_600
"""Maximum number of characters that are shown of a text output, and of a traceback."""

MAX_PICTURES = 30

MAX_OUTPUTS = 60
"""Maximum number of outputs of one cell that are shown."""

ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
)
FOLDERS = re.compile(r"(?:\bfile://|(?<![\w/.<]))/(?:[\w.+@~-]+/)+(?=[\w.+@~-])")


@dataclass(frozen=True)
class Observation:
    """A message, and the checks that failed or could not be decided because of it."""

    status: str
    message: str
    rules: list[PropertyVerdict]
    curve: Markup | None


@dataclass(frozen=True)
class Drawn:
    """The figures of a task: those of the graded run, or those `saved` in the submitted file."""

    pictures: tuple[str, ...] = ()
    saved: bool = False


@dataclass(frozen=True)
class Part:
    """An item on the page; `points` is None if a person has yet to grade it.

    `cell` is the number of the student's cell on the page, None if there is none; `unchecked` are the checks that were
    not run because the cell stopped; `first_stop` describes how it ended without stand-ins; `followers` are the items
    to look at again after a correction.
    """

    item: Item
    points: float | None
    state: State
    summary: str
    cell: int | None
    stop: Stop | None
    first_stop: str
    stand_ins: tuple[str, ...]
    observations: list[Observation]
    unchecked: list[PropertyVerdict]
    met: list[PropertyVerdict]
    followers: list[Item]
    comment: str | None
    figures: Drawn


@dataclass(frozen=True)
class Card:
    """A cell that stopped, with the affected items and advice; `number` is the number of the cell on the page."""

    stop: Stop
    text: str
    number: int | None
    parts: list[Part]
    advice: str


@dataclass(frozen=True)
class Output:
    """An output: text, a picture as a data URI, or a note about what is not shown."""

    kind: str
    content: str


@dataclass(frozen=True)
class ShownCell:
    """A cell on the page; `number` is its place in the notebook, counted from 1, and `source` is highlighted code, or a
    student's text as sanitised HTML."""

    number: int
    kind: str
    name: str
    given: bool
    source: Markup
    outputs: list[Output]
    failed: bool = False


def write_feedback(
    store: ResultStore, results: Iterable[GradedSubmission], manual: Manual, release: NotebookNode | None = None
) -> None:
    """Write the page of each student; at the end, raise PartlyWritten if that failed for some."""

    def write(student: str, graded: GradedSubmission) -> None:
        given = manual.get(student, {})
        own = graded.saved_outputs or store.read_saved_outputs(student)
        page = feedback_page(store.assignment, graded.verdict, graded.executed, given, release, own)
        write_text(store.student_folder(student) / "feedback.html", page)

    environment().get_template("feedback.html")  # loads it once, before the forked processes need it
    if failed := parallel_map(write, {graded.student: graded for graded in results}):
        raise PartlyWritten.of("feedback page", failed)


def feedback_page(
    assignment: Assignment,
    verdict: Verdict,
    executed: NotebookNode | None,
    manual: Given,
    release: NotebookNode | None = None,
    own: SavedOutputs | None = None,
) -> str:
    """Return the page as HTML; `manual` are points and comments that a person gave this student, by item, and `own` the
    outputs of the student's own run in the file. Texts of the release are not repeated."""
    points = points_by_item(assignment, verdict, manual)
    figures = {cell: _figures(assignment, executed, own or SavedOutputs(), cell) for cell in assignment.cells}
    cells = shown_cells(executed, {cell for cell in figures if figures[cell].pictures}, given_texts(release))
    parts = _parts(assignment, verdict, executed, points, manual, cells, release, figures)
    failed = verdict.state == "failed to run"
    by_hand = any(part.points or part.comment for part in parts)
    cards = _cards(parts)
    described = {(card.stop.why, card.stop.cell) for card in cards}
    notes = [f for f in verdict.findings if f.audience == "both" and (f.kind, f.cell) not in described]
    kinds = {finding.kind for finding in verdict.findings}
    items_of = {part.item.cell: [other for other in parts if other.item.cell == part.item.cell] for part in parts}
    return (
        environment()
        .get_template("feedback.html")
        .render(
            assignment=assignment,
            student=verdict.student,
            late=points.get(LATE),
            score=Score.of(assignment, points),
            failed=failed,
            reason=_reason(verdict, points),
            findings=[_for_student(finding) for finding in notes],
            parts=[] if failed and not by_hand else parts,
            cards=cards,
            replaced=[task for task in assignment.cells if any(task in part.stand_ins for part in parts)],
            cells=[cell for cell in cells if not cell.given or cell.failed],
            given=[cell for cell in cells if cell.given and not cell.failed],
            items_of=items_of,
            new_data=assignment.exercise.samples_data,
            simulated="keras" in assignment.exercise.instruments and "real training" not in kinds,
            is_dry=own is not None and own.dry,
            shows_nothing=bool(assignment.exercise.series) and not failed and not _shows_results(own),
        )
    )


def _shows_results(own: SavedOutputs | None) -> bool:
    """Whether the submitted file shows numbers or figures of the student's own run; True if that is unknown."""
    return own is None or any(loop.rows or loop.pictures for loop in own.loops.values())


def _reason(verdict: Verdict, points: Mapping[str, float | None]) -> str:
    """Return why nothing was graded; empty if something was."""
    if verdict.state != "failed to run" and any(item.properties for item in verdict.items):
        return ""
    return without_folders(standing(verdict, points)[1])


def _cards(parts: list[Part]) -> list[Card]:
    """Return the cells that stopped, each once, in the order of the notebook. If the cell that ended the kernel is
    known, the cells that were therefore not run are omitted."""
    stopped: dict[Stop, list[Part]] = {}
    for part in parts:
        if part.stop is not None:
            stopped.setdefault(part.stop, []).append(part)
    ended = any(stop.why == "kernel ended" for stop in stopped)
    return [
        Card(stop, without_folders(stop.what), hit[0].cell and stop.number, hit, next_step(stop))
        for stop, hit in stopped.items()
        if not (ended and stop.why == "not run")
    ]


def _for_student(finding: Finding) -> str:
    return without_folders(finding.text) + (f" (cell {finding.cell})" if finding.cell else "")


def _parts(
    assignment: Assignment,
    verdict: Verdict,
    executed: NotebookNode | None,
    points: Mapping[str, float | None],
    manual: Given,
    cells: list[ShownCell],
    release: NotebookNode | None,
    figures: Mapping[str, Drawn],
) -> list[Part]:
    judged = {item.id: item for item in verdict.items}
    missing = answers.unanswered(assignment, release, executed)
    parts, shown = [], set()
    for item in assignment.items:
        decided = judged.get(item.id)
        rules = decided.properties if decided else ()
        stop = decided.stop if decided else None
        state = state_of(item, points[item.id], missing)
        parts.append(
            Part(
                item=item,
                points=points[item.id],
                state=state,
                summary=_summary(item, decided, points[item.id], state),
                cell=next((cell.number for cell in cells if cell.name == item.cell), None),
                stop=stop,
                first_stop=_first_stop(decided),
                stand_ins=decided.stand_ins if decided else (),
                observations=_observations(decided),
                unchecked=[_shorten(rule, stop) for rule in rules if stop and rule.status == "not checked"],
                met=[rule for rule in rules if rule.status == "passed"],
                followers=answers.followers(assignment, item) if _has_mistake(decided) else [],
                comment=manual.get(item.id, (None, None))[1],
                figures=Drawn() if item.cell in shown else figures[item.cell],
            )
        )
        shown.add(item.cell)
    return parts


def _has_mistake(decided: ItemVerdict | None) -> bool:
    return decided is not None and any(rule.status in ("failed", "not checked") for rule in decided.properties)


def _first_stop(decided: ItemVerdict | None) -> str:
    """Describe how the cell ended without stand-ins; empty if it ended in the same way in the graded run."""
    first = decided.first_stop if decided else None
    if decided is None or first is None or first == decided.stop:
        return ""
    return f"raised {first.error}" if first.why == "error" else first.end


def _shorten(rule: PropertyVerdict, stop: Stop | None) -> PropertyVerdict:
    """Return a check's result without the sentence about the cell that stopped, which is shown only once."""
    text = rule.message.replace(str(stop), "").strip() if stop else rule.message
    return rule.model_copy(update={"message": without_folders(text)})


def _summary(item: Item, decided: ItemVerdict | None, points: float | None, state: State) -> str:
    """Return the item's summary in the table at the top."""
    if state != "graded":
        return SUMMARIES[state]
    if item.graded_by == "person" or decided is None or points != decided.points:
        return "Graded by your instructor."
    if not decided.properties:
        return without_folders(decided.message)
    count, unchecked = len(decided.properties), sum(rule.status == "not checked" for rule in decided.properties)
    missed = sum(rule.status != "passed" for rule in decided.properties) - unchecked
    if not missed and not unchecked:
        return "All checks passed."
    parts = [
        f"{number} of {count} checks {what}" for number, what in ((missed, "failed"), (unchecked, "not run")) if number
    ]
    stop = decided.stop
    cell = f"cell number {stop.number}" if stop and stop.number else "the cell"
    how = "" if stop is None else f" because {cell} {stop.end}"
    return f"{', '.join(parts)}{how if unchecked else ''}."


def _observations(decided: ItemVerdict | None) -> list[Observation]:
    """Return the checks that failed or could not be decided, grouped by message, in order. Checks that were not run
    because the cell stopped are omitted."""
    found: dict[tuple[str, str], list[PropertyVerdict]] = {}
    stop = decided.stop if decided else None
    for rule in decided.properties if decided else ():
        if rule.status != "passed" and not (stop and rule.status == "not checked"):
            found.setdefault((rule.status, _shorten(rule, stop).message), []).append(rule)
    return [
        Observation(status, _tell(message, rules), rules, _curve(rules)) for (status, message), rules in found.items()
    ]


def _tell(message: str, rules: list[PropertyVerdict]) -> str:
    """Return the message, or the caption of the chart that is shown with it."""
    return next((rule.chart.caption for rule in rules if rule.chart is not None and rule.chart.caption), message)


def _curve(rules: list[PropertyVerdict]) -> Markup | None:
    """Return the chart of the training curve to which the checks' message refers."""
    return next((draw(rule.chart) for rule in rules if rule.chart is not None), None)


def _figures(assignment: Assignment, executed: NotebookNode | None, own: SavedOutputs, name: str) -> Drawn:
    """Return the pictures that the task's cell drew in the graded run or, if it drew none, the saved ones."""
    cells = executed.cells if executed is not None else []
    outputs = [out for cell in cells if cell.cell_type == "code" and grade_id(cell) == name for out in cell.outputs]
    found = [shown for out in outputs if (shown := picture(out.get("data", {}))) is not None]
    if found:
        return Drawn(tuple(found[:MAX_PICTURES]))
    saved = [
        shown for series in assignment.exercise.series if series.plots == name for shown in own.pictures(series.name)
    ]
    return Drawn(tuple(saved[:MAX_PICTURES]), saved=True)


def given_texts(release: NotebookNode | None) -> set[str]:
    """Return the texts of the release that are not answers, ignoring line breaks."""
    cells = release.cells if release is not None else []
    return {one_line(cell.source) for cell in cells if cell.cell_type != "code" and not is_solution(cell)}


def shown_cells(executed: NotebookNode | None, shown_above: set[str], given_texts: set[str]) -> list[ShownCell]:
    """Return the notebook's code cells and the student's texts, with outputs as text and pictures. HTML and scripts in
    outputs are never shown; pictures of the cells in `shown_above` are not repeated."""
    cells, room, renderer = [], MAX_PICTURES, Renderer()
    for number, cell in enumerate(executed.cells if executed is not None else [], 1):
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
            kept.append(Output("note", f"{len(made) - MAX_OUTPUTS:,} more outputs of this cell are not shown."))
        failed = any(out.output_type == "error" for out in made)
        cells.append(ShownCell(number, cell.cell_type, name, given, _shown_source(cell, renderer), kept, failed))
    return cells


def _shown_source(cell: NotebookNode, renderer: Renderer) -> Markup:
    source = ESCAPES.sub("", cell.source)
    return renderer.render(source, cell.get("attachments")) if cell.cell_type == "markdown" else colour(source)


def _output(output: NotebookNode, room: bool, above: bool) -> Output:
    if output.output_type == "stream":
        return Output("text", cleaned(str(output.text)))
    if output.output_type == "error":
        trace = "\n".join(map(str, output.get("traceback", [])))
        return Output("text", cleaned(trace or f"{output.ename}: {output.evalue}", LONGEST_ERROR))
    data = output.get("data", {})
    shown = picture(data)
    if shown is None:
        text = cleaned(str(data.get("text/plain", "")))
        return Output("text", "" if above and text.startswith("<Figure size") else text)
    if above:
        return Output("note", "The figure is shown above, with its item.")
    return (
        Output("picture", shown) if room else Output("note", "The notebook contains more images than this page shows.")
    )


def cleaned(text: str, longest: int = LONGEST) -> str:
    """Return an output as a terminal would show it, without the machine's folders, and shortened if too long."""
    lines = text.replace("\r\n", "\n").split("\n")
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
    text = without_folders(ESCAPES.sub("", text)).strip("\n")
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]}\n[… {len(text) - 2 * half:,} characters omitted …]\n{text[-half:]}"
    return text if text.strip() else ""


def without_folders(text: str) -> str:
    """Remove this machine's folders from file names in a text; names of installed files start with the package."""
    return FOLDERS.sub(_package, text)


def _package(found: re.Match[str]) -> str:
    _, packages, within = found[0].rpartition("/site-packages/")
    return within if packages else ""
