"""The instructor's notebook: complete, and following the numbers of assignment.toml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from autograder.assignment.settings import Assignment
from autograder.assignment.source import dumps, read, refresh, source_path, validate_source
from autograder.common.cells import cells_by_id, grader_metadata
from autograder.errors import ReleaseError
from tests.places import ROOT

ASSIGNMENT = Assignment.load("tta-eta")
SOURCE = source_path(ASSIGNMENT)


@pytest.fixture
def notebook() -> NotebookNode:
    return read(SOURCE)


def changed_assignment(**parameters: object) -> Assignment:
    """The assignment with other parameters, and two points more for the callback."""
    settings = ASSIGNMENT.model_dump()
    settings["parameters"] |= parameters
    for item in settings["items"]:
        item["points"] += 2 * (item["id"] == "callback")
    return Assignment.model_validate(settings)


def test_the_source_is_complete() -> None:
    validate_source(SOURCE, ASSIGNMENT)


def test_every_item_has_a_graded_cell_with_its_points(notebook: NotebookNode) -> None:
    cells = cells_by_id(notebook)
    graded = {
        grade_id: grader_metadata(cell)["points"]
        for grade_id, cell in cells.items()
        if "points" in cell.metadata["nbgrader"]
    }
    assert graded == {item.id: item.points for item in ASSIGNMENT.items}


def test_every_solution_cell_is_one_that_an_item_judges(notebook: NotebookNode) -> None:
    solutions = [grade_id for grade_id, cell in cells_by_id(notebook).items() if grader_metadata(cell)["solution"]]
    assert solutions == list(ASSIGNMENT.cells)


def test_every_given_cell_is_locked(notebook: NotebookNode) -> None:
    free = [cell.id for cell in notebook.cells if not grader_metadata(cell).get("locked")]
    assert free == ["student", "dry-run", *ASSIGNMENT.cells]


@pytest.mark.parametrize(
    "path",
    sorted(p for p in ROOT.glob("*/**/*.ipynb") if p.parts[len(ROOT.parts)] in {"source", "release", "notebooks"}),
    ids=lambda path: path.name,
)
def test_notebooks_in_the_repository_carry_no_outputs(path: Path) -> None:
    carried = [
        cell.id for cell in read(path).cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)
    ]
    assert carried == []


NOTEBOOKS = {name: read(source_path(Assignment.load(name))) for name in ("tta-eta", "fixed-epochs")}


def test_both_notebooks_have_the_same_collapsed_setup() -> None:
    cells = [cells_by_id(notebook)["setup"] for notebook in NOTEBOOKS.values()]
    assert cells[0].source == cells[1].source
    for cell in cells:
        assert cell.metadata["cellView"] == "form"
        assert cell.metadata["jupyter"] == {"source_hidden": True}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_little_code_stands_before_the_first_task(name: str) -> None:
    cells = NOTEBOOKS[name].cells
    first = next(place for place, cell in enumerate(cells) if grader_metadata(cell).get("solution"))
    shown = [cell.source for cell in cells[:first] if cell.cell_type == "code" and "cellView" not in cell.metadata]
    assert len(shown) <= 5
    assert sum(len(source.splitlines()) for source in shown) <= 25


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_there_is_no_badge_without_an_address(name: str) -> None:
    assert Assignment.load(name).links.notebook == ""
    assert "<!--badge--><!--/-->" in cells_by_id(NOTEBOOKS[name])["title"].source


def test_refresh_changes_nothing_the_second_time(notebook: NotebookNode) -> None:
    other = changed_assignment(threshold=0.98)
    once = refresh(notebook, other)
    assert dumps(once) != dumps(notebook)
    assert dumps(refresh(once, other)) == dumps(once)


def test_refresh_leaves_its_argument_alone(notebook: NotebookNode) -> None:
    before = dumps(notebook)
    refresh(notebook, changed_assignment(threshold=0.98))
    assert dumps(notebook) == before


def test_other_parameters_reach_the_settings_the_text_and_the_points(notebook: NotebookNode) -> None:
    other = changed_assignment(
        threshold=0.98, learning_rates=(0.0001, 0.001, 0.01, 0.1), batch_sizes=(64, 1024, 8192), max_epochs=250
    )
    fresh = refresh(notebook, other)
    names: dict[str, object] = {}
    exec(cells_by_id(fresh)["settings"].source, names)
    assert names["THRESHOLD"] == 0.98
    assert names["LEARNING_RATES"] == [0.0001, 0.001, 0.01, 0.1]
    assert names["BATCH_SIZES"] == [64, 1024, 8192]
    text = "\n".join(cell.source for cell in fresh.cells if cell.cell_type == "markdown")
    for shown in (">0.98<", ">0.0001, 0.001, 0.01, 0.1<", ">64, 1024, 8192<", ">250<", ">17<", ">102<"):
        assert shown in text
    assert ">0.95<" not in text
    assert cells_by_id(fresh)["callback"].metadata["nbgrader"]["points"] == 17


def test_every_parameter_is_a_setting_and_no_number_of_it_stands_elsewhere_in_the_code(notebook: NotebookNode) -> None:
    names: dict[str, object] = {}
    exec(cells_by_id(notebook)["settings"].source, names)
    for name in type(ASSIGNMENT.parameters).model_fields:
        assert name.upper() in names
    rest = "\n".join(c.source for c in notebook.cells if c.cell_type == "code" and c.id != "settings")
    for number in ("0.95", "500", "2048", "0.0001", "128"):
        assert number not in rest


def double_an_id(notebook: NotebookNode) -> None:
    notebook.cells[0].metadata["nbgrader"]["grade_id"] = "settings"


def drop_a_task(notebook: NotebookNode) -> None:
    notebook.cells.remove(cells_by_id(notebook)["bs-plots"])


def drop_a_check(notebook: NotebookNode) -> None:
    notebook.cells.remove(cells_by_id(notebook)["lr-metrics"])


def forget_an_end(notebook: NotebookNode) -> None:
    cell = cells_by_id(notebook)["lr-loop"]
    cell.source = cell.source.replace("### END SOLUTION", "")


def solve_in_a_given_cell(notebook: NotebookNode) -> None:
    cells_by_id(notebook)["model"].source += "\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION"


def forget_the_markers(notebook: NotebookNode) -> None:
    cells_by_id(notebook)["data-details"].source = "n_tr = 1"


def other_points(notebook: NotebookNode) -> None:
    cells_by_id(notebook)["callback"].metadata["nbgrader"]["points"] = 3


def unknown_graded_cell(notebook: NotebookNode) -> None:
    metadata = {"schema_version": 3, "grade_id": "extra", "grade": True, "solution": False, "locked": True, "points": 1}
    notebook.cells.append(new_code_cell("assert True", id="extra", metadata={"nbgrader": metadata}))


def forget_a_flag(notebook: NotebookNode) -> None:
    del cells_by_id(notebook)["imports"].metadata["nbgrader"]["locked"]


def keep_an_output(notebook: NotebookNode) -> None:
    cells_by_id(notebook)["data"].outputs = [new_output("stream", text="12")]


def begin_a_line_with_a_number(notebook: NotebookNode) -> None:
    cells_by_id(notebook)["try-text"].source += "\n<!--patience-->3<!--/--> in a row"


def type_a_number_into_the_settings(notebook: NotebookNode) -> None:
    cells_by_id(notebook)["settings"].source += "\nPATIENCE = 4"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (double_an_id, "2 cells have the grade_id settings."),
        (drop_a_task, "There is no solution cell bs-plots."),
        (
            drop_a_check,
            "No cell is worth the points of the item 'lr-metrics': add a locked code cell of nbgrader's type "
            "*Autograder tests*, with the grade_id 'lr-metrics' and 12 points.",
        ),
        (forget_an_end, "Cell lr-loop contains an unpaired BEGIN SOLUTION or END SOLUTION."),
        (solve_in_a_given_cell, "Cell model contains a solution but is not marked as a solution cell."),
        (forget_the_markers, "Cell data-details contains no solution between BEGIN SOLUTION and END SOLUTION."),
        (other_points, "Cell callback is worth 3 points, but 15 in assignment.toml."),
        (
            unknown_graded_cell,
            "Cell extra is graded, but assignment.toml has no such item. Delete it, or put the item back.",
        ),
        (forget_a_flag, "The nbgrader metadata of cell imports lack the field locked."),
        (
            begin_a_line_with_a_number,
            "A line of cell try-text begins with a <!--...--> comment; Markdown then treats the line as an HTML block.",
        ),
        (keep_an_output, "Cell data has outputs; run `make release`."),
        (
            type_a_number_into_the_settings,
            "The numbers in the notebook differ from those in assignment.toml; run `make release`.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    spoil: Callable[[NotebookNode], None], sentence: str, notebook: NotebookNode, tmp_path: Path
) -> None:
    spoil(notebook)
    path = tmp_path / "tta-eta.ipynb"
    path.write_text(dumps(notebook), encoding="utf-8")
    with pytest.raises(ReleaseError) as caught:
        validate_source(path, ASSIGNMENT)
    assert f"tta-eta.ipynb: {sentence}" in str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("try-plots", "refers to the unknown cell 'try-plots' .did you mean 'try-plot'."),
        ("try-text", "refers to try-text, which is not a provided code cell."),
        ("callback", "refers to callback, which is not a provided code cell."),
    ],
)
def test_only_a_provided_code_cell_can_be_only_shown(name: str, sentence: str) -> None:
    with pytest.raises(ReleaseError, match=f"`only_shown` in assignment.toml {sentence}"):
        validate_source(SOURCE, ASSIGNMENT.model_copy(update={"only_shown": (name,)}))


def test_a_mark_that_no_parameter_has_is_an_error(notebook: NotebookNode) -> None:
    notebook.cells[0].source += "<!--speed-->3<!--/-->"
    with pytest.raises(ReleaseError, match="<!--speed-->"):
        refresh(notebook, ASSIGNMENT)


@pytest.mark.parametrize(("text", "reason"), [(None, "no notebook"), ("{", "cannot be read as a notebook")])
def test_a_source_that_is_no_notebook_is_an_error(text: str | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "tta-eta.ipynb"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ReleaseError, match=reason):
        validate_source(path, ASSIGNMENT)


def test_the_cells_of_a_removed_item_are_named(notebook: NotebookNode) -> None:
    without_plots = ASSIGNMENT.model_copy(update={"items": tuple(i for i in ASSIGNMENT.items if i.id != "lr-plots")})
    with pytest.raises(ReleaseError) as caught:
        refresh(notebook, without_plots)
    assert str(caught.value) == (
        "assignment.toml has no item 'lr-plots', but the notebook still has its cells: lr-plots-text, lr-plots, "
        "lr-plots-check. Delete them, or put the item back."
    )
