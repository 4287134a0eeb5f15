"""Repair a notebook in small steps: every cell gets a role, and the provided cells are restored."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property
from itertools import count, pairwise

import nbformat
from nbformat import NotebookNode

from autograder.assignment.exercise import TaskSignature
from autograder.assignment.settings import Assignment
from autograder.common.cells import cells_by_id, grade_id
from autograder.common.encoders import one_line

from .findings import Finding
from .parsing import new_cell
from .task_matching import completes, opens, takes_part, task_of

GIVEN, EXTRA = "given", "extra"
ALIKE = 0.85
"""Similarity of text above which a cell without an id is taken for a provided cell that was changed."""

NOT_FILLED_IN = re.compile(r"^\s*raise NotImplementedError\b.*$", re.MULTILINE)


@dataclass
class Repair:
    """A notebook under repair.

    `names` are the original ids of its cells, `roles` contains "" for a cell whose role is not known yet, and
    `elsewhere` are the tasks that are solved in cells of other tasks.
    """

    release: NotebookNode
    assignment: Assignment
    cells: list[NotebookNode]
    names: list[str]
    roles: list[str] = field(init=False)
    elsewhere: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.roles = [""] * len(self.cells)

    @cached_property
    def originals(self) -> dict[str, NotebookNode]:
        """The cells of the release that are tasks or provided code, by their ids."""
        named = cells_by_id(self.release)
        tasks = self.assignment.cells
        return {name: cell for name, cell in named.items() if name in tasks or cell.cell_type == "code"}

    @property
    def signatures(self) -> tuple[TaskSignature, ...]:
        return self.assignment.exercise.signatures

    @cached_property
    def given(self) -> dict[str, NotebookNode]:
        return {name: cell for name, cell in self.originals.items() if name not in self.assignment.cells}

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that are solved in code."""
        return tuple(name for name in self.assignment.cells if self.kind(name) == "code")

    def kind(self, task: str) -> str:
        return str(self.originals[task].cell_type) if task in self.originals else "code"

    def code(self, role: str) -> list[int]:
        """Return the places of the code cells with a role."""
        return [i for i, cell in enumerate(self.cells) if self.roles[i] == role and cell.cell_type == "code"]

    def free(self, *kinds: str) -> list[int]:
        """Return the places of cells of these types that have no role yet."""
        return [i for i, cell in enumerate(self.cells) if not self.roles[i] and cell.cell_type in kinds]

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """The tasks that are answered in words."""
        return tuple(name for name in self.assignment.cells if self.kind(name) == "markdown")

    def is_untouched(self, place: int, task: str) -> bool:
        """Whether a cell contains nothing beyond the released code or text, except comments and a stub's `raise`."""
        original = self.originals.get(task)
        if original is None:
            return False
        bare = _work if original.cell_type == "code" else one_line
        return bare(self.cells[place].source) == bare(original.source)

    def is_as_released(self, place: int, task: str) -> bool:
        original = self.originals.get(task)
        return original is not None and one_line(self.cells[place].source) == one_line(original.source)

    def is_answered(self, place: int, task: str) -> bool:
        return bool(self.cells[place].source.strip()) and not self.is_untouched(place, task)

    def note(self, kind: str, text: str, cell: str | None = None, grader_only: bool = False) -> None:
        self.findings.append(Finding(kind=kind, text=text, cell=cell, audience="grader" if grader_only else "both"))

    def put(self, place: int, cell: NotebookNode, role: str) -> None:
        """Replace the cell at a place; the new one gets the id of the old one."""
        self.cells[place] = nbformat.from_dict({**cell, "id": self.cells[place].get("id", "")})
        self.roles[place] = role


def repaired(notebook: NotebookNode, release: NotebookNode, assignment: Assignment) -> Repair:
    """Return a repaired copy of the notebook; the original is not changed."""
    cells = [nbformat.from_dict(dict(cell)) for cell in notebook.cells]
    repair = Repair(release, assignment, cells, [grade_id(cell) for cell in cells])
    for step in STEPS:
        step(repair)
    return repair


def is_filled(notebook: NotebookNode, release: NotebookNode, assignment: Assignment) -> bool:
    """Whether any task is completed, in its own cell or in one that the student added."""
    given = Repair(release, assignment, list(notebook.cells), [grade_id(cell) for cell in notebook.cells])
    if any(given.is_answered(place, name) for place, name in enumerate(given.names) if name in assignment.cells):
        return True
    repair = repaired(notebook, release, assignment)
    return any(repair.is_answered(place, role) for place, role in enumerate(repair.roles) if role in assignment.cells)


def _take_ids(repair: Repair) -> None:
    """Recognise tasks and provided cells by their ids; of copies of a provided cell, prefer an unchanged one."""
    for place, name in enumerate(repair.names):
        if name in repair.assignment.cells:
            repair.roles[place] = name
    for name in repair.given:
        if places := [place for place, other in enumerate(repair.names) if other == name]:
            _restore(repair, next((place for place in places if repair.is_untouched(place, name)), places[0]), name)


def _take_texts(repair: Repair) -> None:
    """Recognise provided cells without ids by their text, which must be equal or very similar."""
    known = {grade_id(cell) for cell, role in zip(repair.cells, repair.roles, strict=True) if role == GIVEN}
    lost = {one_line(cell.source): name for name, cell in repair.given.items() if name not in known}
    for place in repair.free("code"):
        if name := lost.pop(one_line(repair.cells[place].source), ""):
            _restore(repair, place, name)
    for place in repair.free("code"):
        source = repair.cells[place].source
        like = next((text for text in lost if _is_like(one_line(source), text)), None)
        if like is not None and task_of(source, repair.signatures) is None:
            _restore(repair, place, lost.pop(like))


def _restore(repair: Repair, place: int, name: str) -> None:
    if _code(repair.cells[place].source) != _code(repair.given[name].source):
        text = "A provided cell had been changed and was restored. Put your own code into cells that you add."
        repair.note("provided cell changed", text, name)
    repair.put(place, repair.given[name], GIVEN)


def _turn_back(repair: Repair) -> None:
    """Restore the type of a task's cell that was changed by mistake, unless another cell solves the task."""
    for task in repair.assignment.cells:
        kind = repair.kind(task)
        turned = [p for p, role in enumerate(repair.roles) if role == task and repair.cells[p].cell_type != kind]
        if kind == "code" and not turned:
            turned = [
                p for p in repair.free("markdown", "raw") if task_of(repair.cells[p].source, repair.signatures) == task
            ][-1:]
        able = [
            p
            for p in (*repair.code(task), *repair.free("code"))
            if takes_part(task, repair.cells[p].source, repair.signatures)
        ]
        for place in turned:
            cell = repair.cells[place]
            if kind == "code" and any(not repair.is_untouched(other, task) for other in able):
                repair.roles[place] = ""
                continue
            repair.put(place, new_cell(kind, cell.source, cell.metadata), task)
            text = f"The task's cell had been changed to type {cell.cell_type}; it was treated as {kind}."
            repair.note("cell type", f"{text} Change its type back to {kind}.", task)


def _recognise(repair: Repair) -> None:
    """Find tasks that no cell solves yet in the cells without ids, by the names that these define."""
    found = []
    for task in repair.tasks:
        own = [p for p in repair.code(task) if not repair.is_untouched(p, task)]
        if any(completes(task, repair.cells[p].source, repair.signatures) for p in own):
            continue
        if places := [p for p in repair.free("code") if takes_part(task, repair.cells[p].source, repair.signatures)]:
            found.append(task)
        for place in places:
            repair.roles[place] = task
    some_have_ids = bool(set(repair.names) & set(repair.originals))
    if found:
        text = "These tasks were identified by the names that their cells define"
        which = "Some cells" if some_have_ids else "The cells"
        repair.note("missing cell ids", f"{which} have no ids. {text}: {', '.join(found)}.", grader_only=True)
    elif not some_have_ids:
        text = "The cells have no ids, and no task could be identified by the names that the cells define."
        repair.note("missing cell ids", text, grader_only=True)


def _recognise_by_place(repair: Repair) -> None:
    """Recognise tasks without ids by the cell above them: written answers, and code without a signature."""
    order = repair.release.cells
    texts = {one_line(cell.source) for cell in order if grade_id(cell) not in repair.assignment.cells}
    signed = {signature.task for signature in repair.signatures}
    for before, cell in pairwise(order):
        task = grade_id(cell)
        if task not in repair.assignment.cells or task in (*repair.roles, *signed):
            continue
        kind = repair.kind(task)
        for place in _find_copies(repair, before):
            if place + 1 in repair.free(kind) and one_line(repair.cells[place + 1].source) not in texts:
                repair.roles[place + 1] = task
                break


def _find_copies(repair: Repair, cell: NotebookNode) -> list[int]:
    """The places of a cell of the release: of code by its id, of text by its first line."""
    if cell.cell_type == "code":
        return [place for place in repair.code(GIVEN) if grade_id(repair.cells[place]) == grade_id(cell)]
    first = cell.source.partition("\n")[0]
    return [place for place in repair.free("markdown") if repair.cells[place].source.partition("\n")[0] == first]


def _settle_copies(repair: Repair) -> None:
    """Select the last of several copies that complete a task; cells that are parts of one version stay together.

    A copy that is as released is not run if other cells do the whole task: it would undo their work.
    """
    for task in repair.tasks:
        filled, stubs = _filled_and_stubs(repair, task)
        done = [p for p in filled if completes(task, repair.cells[p].source, repair.signatures)]
        begun = [p for p in filled if done and p <= done[-1] and opens(task, repair.cells[p].source, repair.signatures)]
        copies = begun[:-1]
        counted = [p for p in filled if p not in copies]
        for place in (*copies, *stubs):
            repair.roles[place] = ""
        if copies:
            text = (
                "More than one cell solves this task. All of them were run; only the last version was graded "
                f"({_numbers(counted)}). Keep only one version."
            )
            repair.note("task copied", text, task)
        elif len(counted) > 1:
            text = f"The work on this task is in several cells, which were graded together: {_numbers(counted)}."
            repair.note("task split", text, task, grader_only=True)
        if begun:
            _set_aside(repair, task, stubs, counted)


def _filled_and_stubs(repair: Repair, task: str) -> tuple[list[int], list[int]]:
    """Return the places of the task's cells that contain work, or of the last one if none does, and of all others.

    A stub of which only the `raise` was removed may be the first part of a task that continues in another cell.
    """
    places = repair.code(task)
    filled = [p for p in places if not repair.is_untouched(p, task)] or places[-1:]
    if not any(opens(task, repair.cells[p].source, repair.signatures) for p in filled):
        filled = [p for p in places if p in filled or not repair.is_as_released(p, task)]
    return filled, [p for p in places if p not in filled]


def _settle_stubs(repair: Repair) -> None:
    """Set aside the stub of a task that is solved in the cell of another task, for example if one cell does it all."""
    for task in repair.tasks:
        stubs = repair.code(task)
        if not stubs or not all(repair.is_untouched(place, task) for place in stubs):
            continue
        others = [place for other in repair.tasks if other != task for place in repair.code(other)]
        if places := sorted(place for place in others if _does_all(repair, place, task)):
            _set_aside(repair, task, stubs, places)
            repair.elsewhere.add(task)


def _does_all(repair: Repair, place: int, task: str) -> bool:
    source = repair.cells[place].source
    return opens(task, source, repair.signatures) and completes(task, source, repair.signatures)


def _set_aside(repair: Repair, task: str, stubs: list[int], counted: list[int]) -> None:
    """Make raw cells of the stubs of a task, also those without an id, so that they stay in place and are not run."""
    lost = [p for p in repair.free("code") if p not in (*stubs, *counted) and repair.is_as_released(p, task)]
    for place in (*stubs, *lost):
        repair.put(place, new_cell("raw", repair.cells[place].source, {}), "")
    if stubs:
        text = (
            f"The work on this task is in {_numbers(counted)}. The task's own cell contains no work and was not run: "
            "put your work there."
        )
        repair.note("stub not run", text, task)


def _settle_answers(repair: Repair) -> None:
    """Collect each written answer in one cell: from copies of its cell, or else from new cells next to it.

    New cells that are joined into the first one are kept, because the student knows cells by their numbers.
    """
    texts = {one_line(cell.source) for cell in repair.release.cells}
    for task in repair.answers:
        places = [place for place, role in enumerate(repair.roles) if role == task]
        answers = [place for place in places if repair.is_answered(place, task)]
        if places and not answers:
            answers = next(filter(None, (_beside(repair, place, texts) for place in places)), [])
            if answers:
                text = f"The answer is in {_numbers(answers)}; the task's own cell contains no answer."
                repair.note("answer beside its cell", text, task)
        for place in places if answers else places[1:]:
            repair.roles[place] = ""
        if answers:
            repair.put(answers[0], _joined([repair.cells[place] for place in answers]), task)


def _joined(cells: list[NotebookNode]) -> NotebookNode:
    """Return one cell with the text and the pictures of several."""
    parts = dict.fromkeys(_prose(cell) for cell in cells)
    attachments = {name: picture for cell in cells for name, picture in cell.get("attachments", {}).items()}
    joined = new_cell("markdown", "\n\n".join(parts), {})
    return NotebookNode(joined, attachments=nbformat.from_dict(attachments)) if attachments else joined


def _beside(repair: Repair, place: int, texts: set[str]) -> list[int]:
    """Return the places of the student's own text right below a cell, or right above it if there is none below."""
    for step in (1, -1):
        near, own = place + step, []
        while 0 <= near < len(repair.cells) and not repair.roles[near] and _prose(repair.cells[near]):
            if one_line(repair.cells[near].source) in texts or repair.names[near]:
                break
            own.append(near)
            near += step
        if own:
            return sorted(own)
    return []


def _prose(cell: NotebookNode) -> str:
    """Return the prose in a cell: its text or, if a code cell contains nothing else, its comments."""
    if cell.cell_type != "code":
        return str(cell.source).strip()
    lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
    return "\n".join(line.lstrip("# ") for line in lines) if all(line.startswith("#") for line in lines) else ""


def _numbers(places: list[int]) -> str:
    """Name cells by their numbers, as the student counts them: "cell number 3", "cells 3, 4 and 6"."""
    *others, last = [str(place + 1) for place in places]
    return f"cells {', '.join(others)} and {last}" if others else f"cell number {last}"


def _put_back(repair: Repair) -> None:
    """Restore missing provided cells, if ids show that at least half of them are there."""
    if 2 * len(set(repair.names) & set(repair.given)) < len(repair.given):
        return
    there = {grade_id(cell) for cell, role in zip(repair.cells, repair.roles, strict=True) if role == GIVEN}
    for name in [name for name in repair.given if name not in there]:
        place = _place_after(name, repair)
        repair.cells.insert(place, nbformat.from_dict(dict(repair.given[name])))
        repair.roles.insert(place, GIVEN)
        repair.note("provided cell missing", "A provided cell was missing and was restored.", name)


def _place_after(name: str, repair: Repair) -> int:
    """Return the place after the nearest earlier cell of the release that the submission still contains."""
    order = [grade_id(cell) for cell in repair.release.cells]
    places = {
        role if role in repair.originals else grade_id(cell): index
        for index, (cell, role) in enumerate(zip(repair.cells, repair.roles, strict=True))
    }
    earlier = [other for other in order[: order.index(name)] if other and other in places]
    return places[earlier[-1]] + 1 if earlier else 0


def _tell_missing(repair: Repair) -> None:
    """Note tasks without any cell; written answers only if the notebook has ids, by which they would be found."""
    by_ids = bool(set(repair.names) & set(repair.originals))
    for task in repair.assignment.cells:
        if task not in (*repair.roles, *repair.elsewhere) and (by_ids or task in repair.tasks):
            repair.note("task missing", "No cell was found for this task.", task)


def _label(repair: Repair) -> None:
    """Give tasks and provided cells the metadata of the release, for nbgrader's own pages; clear that of others."""
    for cell, role in zip(repair.cells, repair.roles, strict=True):
        name = grade_id(cell) if role == GIVEN else role
        cell.metadata = nbformat.from_dict(dict(repair.originals[name].metadata) if name in repair.originals else {})


def _tell_apart(repair: Repair) -> None:
    """Give every cell a unique id, as the notebook format requires."""
    taken: set[str] = set()
    for index, cell in enumerate(repair.cells):
        if not cell.get("id") or cell.id in taken:
            cell.id = next(f"cell-{n}" for n in count(index) if f"cell-{n}" not in taken)
        taken.add(cell.id)


STEPS: tuple[Callable[[Repair], None], ...] = (
    _take_ids,
    _take_texts,
    _turn_back,
    _recognise,
    _recognise_by_place,
    _settle_copies,
    _settle_stubs,
    _settle_answers,
    _put_back,
    _tell_missing,
    _label,
    _tell_apart,
)
"""The steps of a repair, in this order."""


def _is_like(text: str, given: str) -> bool:
    """Whether two texts without extra whitespace are mostly equal; only texts of similar length are compared."""
    if 2 * min(len(text), len(given)) <= ALIKE * (len(text) + len(given)):
        return False
    matcher = SequenceMatcher(None, text, given)
    return matcher.quick_ratio() > ALIKE and matcher.ratio() > ALIKE


def _code(source: str) -> str:
    """Return code without comment lines, which in a script also contain the text between its cells."""
    return one_line(re.sub(r"^\s*#.*$", "", source, flags=re.MULTILINE))


def _work(source: str) -> str:
    """Return code without comments and without a stub's `raise NotImplementedError`."""
    return _code(NOT_FILLED_IN.sub("", source))
