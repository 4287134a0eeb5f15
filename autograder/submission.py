"""A submission as it will be run: read from its folder, repaired, every cell with its role."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from .assignment import ROOT, Assignment
from .errors import ReleaseError, SubmissionError
from .verdict import Finding

GIVEN, EXTRA = "given", "extra"
LARGEST = 200_000_000
ALIKE = 0.85
"""Share of equal text from which a cell without an id counts as a given cell that was changed."""


@dataclass(frozen=True)
class Submission:
    """A repaired notebook; `roles` tells for each of its cells the task's grade_id, `given` or `extra`."""

    student: str
    notebook: NotebookNode
    roles: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def load_release(assignment: Assignment, root: Path = ROOT) -> NotebookNode:
    """The notebook that the students were given."""
    path = root / "release" / assignment.name / assignment.notebook_name
    if not path.is_file():
        raise ReleaseError(f"There is no {path.relative_to(root)}: run `make release` first.")
    return nbformat.read(path, as_version=4)


def find_file(folder: Path, assignment: Assignment) -> tuple[Path, list[Finding]]:
    """The file that was handed in; a wrong name or several files are findings."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".ipynb", ".py") and _is_work(p, folder))
    notebooks = [p for p in files if p.suffix.lower() == ".ipynb"] or files
    if not notebooks:
        raise SubmissionError(f"There is no notebook in the folder: hand in {assignment.notebook_name}.")
    exact = [p for p in notebooks if p.name == assignment.notebook_name]
    chosen = exact[0] if exact else max(notebooks, key=lambda p: p.stat().st_mtime)
    findings = []
    if not exact:
        findings.append(_note("file name", f"{chosen.name} was graded; it should be named {assignment.notebook_name}."))
    if len(notebooks) > 1:
        names = ", ".join(p.name for p in notebooks)
        findings.append(_note("several files", f"Of the files {names}, {chosen.name} was graded."))
    return chosen, findings


def _is_work(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return path.is_file() and not path.is_symlink() and not any(part.startswith((".", "__")) for part in parts)


def read_notebook(path: Path) -> NotebookNode:
    """A notebook of format 4 from a notebook file or a Python script; SubmissionError says why it is none."""
    if path.stat().st_size > LARGEST:
        raise SubmissionError(
            f"{path.name} has {path.stat().st_size / 1e6:.0f} MB; {LARGEST / 1e6:.0f} MB are read at most."
        )
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise SubmissionError(f"{path.name} is not a text file: hand in the notebook itself.") from None
    if path.suffix.lower() == ".py":
        return _from_script(text)
    try:
        notebook = nbformat.reads(text, as_version=4)
        notebook = nbformat.v4.upgrade(notebook)
        if not notebook.cells:
            raise SubmissionError(f"{path.name} holds no cells.")
        return notebook
    except SubmissionError:
        raise
    except Exception as error:
        kind = "it is not JSON, or not all of it" if type(error).__name__ == "NotJSONError" else type(error).__name__
        raise SubmissionError(
            f"{path.name} cannot be read as a notebook ({kind}): save it again and hand that in."
        ) from None


def _from_script(text: str) -> NotebookNode:
    """A notebook from a script in percent format, in the form that nbconvert writes, or of one cell."""
    text = re.sub(r"^# In\[[ \d]*\]:\s*$", "# %%", text, flags=re.MULTILINE)
    text = re.sub(r"^get_ipython\(\)\.(?:system|run_line_magic)\(.*$", "", text, flags=re.MULTILINE)
    format_name = "percent" if re.search(r"^# ?%%", text, flags=re.MULTILINE) else "light"
    return jupytext.reads(text, fmt=f"py:{format_name}")


def prepare(student: str, notebook: NotebookNode, release: NotebookNode, assignment: Assignment) -> Submission:
    """Gives every cell its role and restores the given cells."""
    ids = [_grade_id(cell) for cell in notebook.cells]
    if set(ids) & set(assignment.cells):
        return _with_ids(student, notebook, release, assignment)
    return _without_ids(student, notebook, release, assignment)


def _with_ids(student: str, notebook: NotebookNode, release: NotebookNode, assignment: Assignment) -> Submission:
    given = {_grade_id(cell): cell for cell in release.cells if _is_given_code(cell, assignment)}
    cells, roles, findings, seen = [], [], [], set()
    for cell in notebook.cells:
        grade_id = _grade_id(cell)
        if grade_id in given and grade_id not in seen:
            if _squeezed(cell.source) != _squeezed(given[grade_id].source):
                findings.append(
                    _note("given cell changed", "A given cell was changed; it ran as it was given.", grade_id)
                )
            cell = nbformat.from_dict({**given[grade_id], "outputs": [], "execution_count": None})
        role = grade_id if grade_id in assignment.cells else GIVEN if grade_id in given else EXTRA
        if grade_id in seen and role == GIVEN:
            role = EXTRA
        seen.add(grade_id)
        cells.append(cell)
        roles.append(role)
    missing = [grade_id for grade_id in given if grade_id not in seen]
    for grade_id in missing:
        place = _place_after(grade_id, release, cells)
        cells.insert(place, nbformat.from_dict({**given[grade_id], "outputs": [], "execution_count": None}))
        roles.insert(place, GIVEN)
        findings.append(_note("given cell missing", "A given cell was missing; it was put back.", grade_id))
    return Submission(student, _rebuilt(notebook, cells), tuple(roles), tuple(findings))


def _place_after(grade_id: str, release: NotebookNode, cells: list[NotebookNode]) -> int:
    """The place behind the nearest earlier cell of the release that the submission still has."""
    order = [_grade_id(cell) for cell in release.cells]
    places = {_grade_id(cell): index for index, cell in enumerate(cells)}
    earlier = [name for name in order[: order.index(grade_id)] if name and name in places]
    return places[earlier[-1]] + 1 if earlier else 0


def _without_ids(student: str, notebook: NotebookNode, release: NotebookNode, assignment: Assignment) -> Submission:
    """Finds given cells by their text and tasks by what they define."""
    given = [_squeezed(cell.source) for cell in release.cells if _is_given_code(cell, assignment)]
    roles = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            roles.append(EXTRA)
        elif _squeezed(cell.source) in given:
            roles.append(GIVEN)
        else:
            roles.append(task_of(cell.source) or (GIVEN if _is_like(cell.source, given) else EXTRA))
    _label(notebook, roles, release)
    found = [role for role in assignment.cells if role in roles]
    text = f"The cells carry no ids; tasks were recognised by what they define: {', '.join(found) or 'none'}."
    return Submission(student, _rebuilt(notebook, notebook.cells), tuple(roles), (_note("ids lost", text),))


def _label(notebook: NotebookNode, roles: list[str], release: NotebookNode) -> None:
    """Gives the first cell of each task the metadata that it lost, for nbgrader's own pages."""
    details = {_grade_id(cell): cell.metadata["nbgrader"] for cell in release.cells if _grade_id(cell)}
    for cell, role in zip(notebook.cells, roles, strict=True):
        if role in details:
            cell.metadata["nbgrader"] = dict(details.pop(role))


def task_of(source: str) -> str | None:
    """The grade_id of the task that code fulfils, judged by the names that it defines or uses."""
    try:
        tree = ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE))
    except SyntaxError:
        return None
    stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    if any(isinstance(n, ast.ClassDef) and n.name == "TrainToAccuracy" for n in ast.walk(tree)):
        return "callback"
    if len(stored & {"n_tr", "n_ts", "n_feat", "n_class"}) >= 2:
        return "data-details"
    for loop in ("lr", "bs"):
        name = f"metrics_vs_{loop}"
        if name in stored or (name in used and re.search(rf"{name}\s*(\.append|\.extend|\+=)", source)):
            return f"{loop}-loop"
    for loop in ("lr", "bs"):
        if f"metrics_vs_{loop}" in used and re.search(r"plt\.|sns\.|\.plot|\.bar|axes|plot", source):
            return f"{loop}-plots"
    return None


def _rebuilt(notebook: NotebookNode, cells: list[NotebookNode]) -> NotebookNode:
    rebuilt = nbformat.v4.new_notebook(metadata=notebook.metadata)
    rebuilt.cells = [nbformat.from_dict(dict(cell)) for cell in cells]
    for index, cell in enumerate(rebuilt.cells):
        cell.setdefault("id", f"cell-{index}")
    return rebuilt


def _grade_id(cell: NotebookNode) -> str:
    details = cell.get("metadata", {}).get("nbgrader", {})
    return str(details.get("grade_id", "")) if isinstance(details, dict) else ""


def _is_given_code(cell: NotebookNode, assignment: Assignment) -> bool:
    return cell.cell_type == "code" and bool(_grade_id(cell)) and _grade_id(cell) not in assignment.cells


def _is_like(source: str, given: list[str]) -> bool:
    text = _squeezed(source)
    return any(
        SequenceMatcher(None, text, other).quick_ratio() > ALIKE and SequenceMatcher(None, text, other).ratio() > ALIKE
        for other in given
    )


def _squeezed(source: str) -> str:
    return re.sub(r"\s+", " ", source).strip()


def _note(kind: str, text: str, cell: str | None = None) -> Finding:
    return Finding(kind=kind, text=text, cell=cell)
