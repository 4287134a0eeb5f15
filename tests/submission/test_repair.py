"""Every cell gets its role, whatever became of its id, and what was given runs as it was given."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.assignment.settings import Assignment
from autograder.checks.tta_eta.exercise import EXERCISE
from autograder.submission.prepare import EXTRA, GIVEN, SHOWN, Submission, prepare
from autograder.submission.task_matching import completes, opens, task_of

LOOP = "metrics_vs_lr = []\nfor lr in LEARNING_RATES:\n    metrics_vs_lr.append({'learning_rate': lr})"
DETAILS = "n_tr, n_feat = Xtr_scale.shape\nn_ts = len(yts)\nn_class = len(set(ytr))"
CALLBACK = "class TrainToAccuracy(callbacks.Callback):\n    pass"
PLOTS = "plt.bar(range(5), [row['epochs'] for row in metrics_vs_lr])"

SOLUTIONS = {
    "data-details": DETAILS,
    "callback": CALLBACK,
    "lr-loop": LOOP,
    "lr-plots": PLOTS,
    "lr-comment": "Slow at first, then fast.",
    "bs-loop": LOOP.replace("_lr", "_bs"),
    "bs-plots": PLOTS.replace("_lr", "_bs"),
    "bs-comment": "The other way round.",
}


def name(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def place(notebook: NotebookNode, grade_id: str) -> int:
    return next(index for index, cell in enumerate(notebook.cells) if name(cell) == grade_id)


def place_of_text(notebook: NotebookNode, source: str) -> int:
    return next(index for index, cell in enumerate(notebook.cells) if cell.source == source)


def copied(cell: NotebookNode, source: str) -> NotebookNode:
    return nbformat.from_dict({**json.loads(json.dumps(cell)), "id": "copy", "source": source})


@pytest.fixture
def solved(release: NotebookNode) -> NotebookNode:
    notebook = nbformat.from_dict(json.loads(json.dumps(release)))
    for cell in notebook.cells:
        cell.source = SOLUTIONS.get(name(cell), cell.source)
    return notebook


@pytest.fixture
def repaired(release: NotebookNode, assignment: Assignment) -> Callable[[NotebookNode], Submission]:
    return lambda notebook: prepare("s", notebook, release, assignment)


def sources(submission: Submission, role: str) -> list[str]:
    pairs = zip(submission.notebook.cells, submission.roles, strict=True)
    return [cell.source for cell, other in pairs if other == role]


def kinds(submission: Submission) -> dict[str, str]:
    return {finding.kind: finding.audience for finding in submission.findings}


Repaired = Callable[[NotebookNode], Submission]


def test_nothing_is_said_of_a_notebook_without_a_fault(solved: NotebookNode, repaired: Repaired) -> None:
    assert not repaired(solved).findings


def test_the_notebook_that_comes_in_is_left_as_it_is(solved: NotebookNode, repaired: Repaired) -> None:
    solved.cells[place(solved, "model")].source = "x"
    before = json.dumps(solved)
    repaired(solved)
    assert json.dumps(solved) == before


@pytest.mark.parametrize("check", ["lr-metrics", "bs-metrics", "imports", "try-plot"])
def test_deleted_given_cells_come_back_in_their_place(
    solved: NotebookNode, release: NotebookNode, repaired: Repaired, check: str
) -> None:
    index = place(solved, check)
    del solved.cells[index]
    submission = repaired(solved)
    assert submission.notebook.cells[index].source == release.cells[place(release, check)].source
    assert submission.roles[index] in (GIVEN, SHOWN)
    assert kinds(submission) == {"provided cell missing": "both"}


def test_given_cell_made_text_is_code_again(solved: NotebookNode, release: NotebookNode, repaired: Repaired) -> None:
    index = place(solved, "model")
    solved.cells[index] = new_markdown_cell("# no model", metadata=solved.cells[index].metadata)
    cell = repaired(solved).notebook.cells[index]
    assert (cell.cell_type, cell.source) == ("code", release.cells[index].source)


def test_of_copies_of_a_given_cell_the_unchanged_one_is_the_given(solved: NotebookNode, repaired: Repaired) -> None:
    index = place(solved, "model")
    solved.cells.insert(index, copied(solved.cells[index], "my_model = 1"))
    submission = repaired(solved)
    assert submission.roles[index : index + 2] == (EXTRA, GIVEN)
    assert submission.notebook.cells[index].source == "my_model = 1"
    assert not submission.findings


@pytest.mark.parametrize("task", ["data-details", "callback", "lr-loop", "lr-plots", "bs-loop", "bs-plots"])
def test_the_last_copy_that_does_the_task_counts(
    solved: NotebookNode, release: NotebookNode, repaired: Repaired, task: str
) -> None:
    index = place(solved, task)
    first, stub = copied(solved.cells[index], "# first try\n" + SOLUTIONS[task]), release.cells[place(release, task)]
    solved.cells[index : index + 1] = [first, solved.cells[index], copied(stub, stub.source)]
    submission = repaired(solved)
    assert sources(submission, task) == [SOLUTIONS[task]]
    assert submission.roles[index : index + 3] == (EXTRA, task, EXTRA)
    assert [name(cell) for cell in submission.notebook.cells].count(task) == 1
    assert kinds(submission) == {"task copied": "both", "stub not run": "both"}
    assert f"cell number {index + 2}" in submission.findings[0].text
    assert [cell.cell_type for cell in submission.notebook.cells[index : index + 3]] == ["code", "code", "raw"]


@pytest.mark.parametrize(
    ("task", "parts"),
    [
        ("lr-loop", ["metrics_vs_lr = []", "for lr in LEARNING_RATES:\n    metrics_vs_lr.append({})"]),
        ("lr-loop", ["rows = [train(lr) for lr in LEARNING_RATES]", "metrics_vs_lr = rows"]),
        ("data-details", ["n_tr, n_feat = Xtr_scale.shape", "n_ts = len(yts)", "n_class = 10"]),
    ],
)
@pytest.mark.parametrize("ids", ["on all parts", "on the first part"])
def test_parts_of_a_split_task_count_together(
    solved: NotebookNode, repaired: Repaired, task: str, parts: list[str], ids: str
) -> None:
    index = place(solved, task)
    cell = solved.cells[index]
    more = [copied(cell, part) if ids == "on all parts" else new_code_cell(part) for part in parts[1:]]
    cell.source = parts[0]
    solved.cells[index + 1 : index + 1] = more
    submission = repaired(solved)
    assert sources(submission, task) == parts
    assert kinds(submission)["task split"] == "grader"


@pytest.mark.parametrize("task", ["data-details", "callback", "lr-loop", "lr-plots", "bs-loop", "bs-plots"])
def test_a_task_that_lost_its_id_is_known_by_what_it_defines(
    solved: NotebookNode, repaired: Repaired, task: str
) -> None:
    solved.cells[place(solved, task)] = new_code_cell(SOLUTIONS[task])
    submission = repaired(solved)
    assert sources(submission, task) == [SOLUTIONS[task]]
    assert task in [name(cell) for cell in submission.notebook.cells]
    assert kinds(submission) == {"missing cell ids": "grader"}


def kept_stub(release: NotebookNode, task: str) -> str:
    return release.cells[place(release, task)].source


STUBS: dict[str, Callable[[str], str]] = {
    "as released": lambda stub: stub,
    "without the raise": lambda stub: stub.replace("raise NotImplementedError()", ""),
    "without the comment": lambda stub: stub.replace("# YOUR CODE HERE\n", ""),
    "with a comment": lambda stub: f"# see above\n{stub}",
}


@pytest.mark.parametrize("change", STUBS.values(), ids=STUBS)
@pytest.mark.parametrize("side", [0, 1], ids=["above", "below"])
@pytest.mark.parametrize("task", ["data-details", "callback", "lr-loop", "lr-plots", "bs-loop", "bs-plots"])
def test_a_stub_does_not_run_where_another_cell_does_the_task(
    solved: NotebookNode,
    release: NotebookNode,
    repaired: Repaired,
    task: str,
    side: int,
    change: Callable[[str], str],
) -> None:
    index = place(solved, task)
    solved.cells[index].source = change(kept_stub(release, task))
    solved.cells.insert(index + side, new_code_cell(SOLUTIONS[task]))
    submission = repaired(solved)
    assert sources(submission, task) == [SOLUTIONS[task]]
    assert submission.notebook.cells[index + 1 - side].cell_type == "raw"
    assert kinds(submission) == {"missing cell ids": "grader", "stub not run": "both"}
    assert f"in cell number {index + side + 1}." in submission.findings[-1].text


@pytest.mark.parametrize("with_ids", [True, False], ids=["with ids", "ids lost"])
@pytest.mark.parametrize("first", [True, False], ids=["solved first", "solved last"])
def test_in_a_doubled_notebook_no_stub_runs(
    solved: NotebookNode, release: NotebookNode, repaired: Repaired, first: bool, with_ids: bool
) -> None:
    stubs = nbformat.from_dict(json.loads(json.dumps(release)))
    for cell in stubs.cells if not with_ids else []:
        cell.metadata = {}
    solved.cells = [*solved.cells, *stubs.cells] if first else [*stubs.cells, *solved.cells]
    submission = repaired(solved)
    assert {task: sources(submission, task) for task in SOLUTIONS} == {t: [s] for t, s in SOLUTIONS.items()}
    assert not any("NotImplementedError" in c.source for c in submission.notebook.cells if c.cell_type == "code")


def test_a_stub_does_not_run_where_the_cell_of_another_task_does_its_task(
    solved: NotebookNode, release: NotebookNode, repaired: Repaired
) -> None:
    index, whole = place(solved, "bs-loop"), f"{LOOP}\n{SOLUTIONS['bs-loop']}"
    solved.cells[index].source = kept_stub(release, "bs-loop")
    solved.cells[place(solved, "lr-loop")].source = whole
    submission = repaired(solved)
    assert submission.notebook.cells[index].cell_type == "raw"
    assert sources(submission, "lr-loop") == [whole]
    assert kinds(submission) == {"stub not run": "both"}


def test_a_stub_runs_where_another_cell_only_goes_on(
    solved: NotebookNode, release: NotebookNode, repaired: Repaired
) -> None:
    index = place(solved, "lr-loop")
    solved.cells[index].source = kept_stub(release, "lr-loop")
    solved.cells.insert(index + 1, new_code_cell("metrics_vs_lr.append({})"))
    submission = repaired(solved)
    assert submission.notebook.cells[index].cell_type == "code"
    assert sources(submission, "lr-loop") == ["metrics_vs_lr.append({})"]


def test_a_stub_runs_where_nothing_does_the_task(
    solved: NotebookNode, release: NotebookNode, repaired: Repaired
) -> None:
    index = place(solved, "callback")
    solved.cells[index].source = kept_stub(release, "callback")
    submission = repaired(solved)
    assert submission.notebook.cells[index].cell_type == "code"
    assert not submission.findings


ANSWER = SOLUTIONS["lr-comment"]
BESIDE: dict[str, tuple[list[NotebookNode], int]] = {
    "below": ([new_markdown_cell(ANSWER)], 1),
    "above": ([new_markdown_cell(ANSWER)], 0),
    "as raw text": ([nbformat.v4.new_raw_cell(ANSWER)], 1),
    "as comments in code": ([new_code_cell(f"# {ANSWER}")], 1),
    "in two cells": ([new_markdown_cell(part) for part in ANSWER.split(", ")], 1),
}


@pytest.mark.parametrize(("cells", "side"), BESIDE.values(), ids=BESIDE)
@pytest.mark.parametrize("left", ["YOUR ANSWER HERE", "", " \n"], ids=["as released", "empty", "blank"])
def test_an_answer_beside_its_cell_is_the_answer(
    solved: NotebookNode, repaired: Repaired, cells: list[NotebookNode], side: int, left: str
) -> None:
    index = place(solved, "lr-comment")
    solved.cells[index].source = left
    solved.cells[index + side : index + side] = [nbformat.from_dict(json.loads(json.dumps(c))) for c in cells]
    submission = repaired(solved)
    (answer,) = sources(submission, "lr-comment")
    assert answer.split() == ANSWER.replace(", ", "\n\n" if len(cells) > 1 else ", ").split()
    assert [name(cell) for cell in submission.notebook.cells].count("lr-comment") == 1
    assert kinds(submission) == {"answer beside its cell": "both"}


def test_pictures_stay_with_an_answer(solved: NotebookNode, repaired: Repaired) -> None:
    index, picture = place(solved, "lr-comment"), {"a.png": {"image/png": "AAAA"}}
    solved.cells[index].attachments = picture
    assert repaired(solved).notebook.cells[index].attachments == picture
    solved.cells[index].source = "YOUR ANSWER HERE"
    solved.cells.insert(index + 1, nbformat.from_dict({**new_markdown_cell(ANSWER), "attachments": picture}))
    assert repaired(solved).notebook.cells[index + 1].attachments == picture


def test_no_text_of_the_lab_is_an_answer(solved: NotebookNode, repaired: Repaired) -> None:
    solved.cells[place(solved, "lr-comment")].source = "YOUR ANSWER HERE"
    submission = repaired(solved)
    assert sources(submission, "lr-comment") == ["YOUR ANSWER HERE"]
    assert not submission.findings


def test_all_that_was_written_in_copies_of_an_answer_counts(solved: NotebookNode, repaired: Repaired) -> None:
    index = place(solved, "lr-comment")
    cell = solved.cells[index]
    solved.cells[index:index] = [copied(cell, text) for text in ("YOUR ANSWER HERE", "Slow.", ANSWER)]
    assert sources(repaired(solved), "lr-comment") == [f"Slow.\n\n{ANSWER}"]


def test_a_look_at_the_results_takes_nothing_from_a_task(solved: NotebookNode, repaired: Repaired) -> None:
    solved.cells.append(new_code_cell(PLOTS))
    solved.cells.append(new_code_cell(LOOP))
    submission = repaired(solved)
    assert submission.roles[-2:] == (EXTRA, EXTRA)
    assert not submission.findings


def test_without_any_id_all_is_found_again(solved: NotebookNode, assignment: Assignment, repaired: Repaired) -> None:
    given = repaired(solved).roles.count(GIVEN)
    for cell in solved.cells:
        cell.metadata = {}
    submission = repaired(solved)
    assert {task: sources(submission, task) for task in assignment.cells} == {t: [s] for t, s in SOLUTIONS.items()}
    assert submission.roles.count(GIVEN) == given
    assert kinds(submission) == {"missing cell ids": "grader"}


def test_without_ids_and_signs_tasks_are_found_by_their_place(
    solved: NotebookNode, repaired: Repaired, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [role for role in repaired(solved).roles if role != EXTRA]
    monkeypatch.setattr(Assignment, "exercise", property(lambda _: replace(EXERCISE, signatures=())))
    for cell in solved.cells:
        cell.metadata = NotebookNode()
    solved.cells.insert(place_of_text(solved, PLOTS) + 1, new_code_cell("metrics_vs_lr[0]"))
    assert [role for role in repaired(solved).roles if role != EXTRA] == expected


def test_without_ids_a_given_cell_that_was_changed_a_little_is_restored(
    solved: NotebookNode, release: NotebookNode, repaired: Repaired
) -> None:
    index = place(solved, "settings")
    for cell in solved.cells:
        cell.metadata = {}
    solved.cells[index].source = solved.cells[index].source.replace("0.95", "0.5")
    submission = repaired(solved)
    assert submission.notebook.cells[index].source == release.cells[index].source
    assert "provided cell changed" in kinds(submission)


def test_text_of_the_lab_that_a_script_holds_as_comments_is_no_change(
    solved: NotebookNode, release: NotebookNode, repaired: Repaired
) -> None:
    index = place(solved, "settings")
    for cell in solved.cells:
        cell.metadata = {}
    solved.cells[index].source += "\n\n\n# ## 2. The data\n# \n# Each row is one note.\n"
    submission = repaired(solved)
    assert submission.notebook.cells[index].source == release.cells[index].source
    assert kinds(submission) == {"missing cell ids": "grader"}


@pytest.mark.parametrize("kind", ["markdown", "raw"])
@pytest.mark.parametrize("with_id", [True, False])
def test_code_made_text_by_mistake_runs(solved: NotebookNode, repaired: Repaired, kind: str, with_id: bool) -> None:
    index = place(solved, "lr-loop")
    cell = solved.cells[index]
    solved.cells[index] = nbformat.from_dict(
        {"cell_type": kind, "id": "x", "source": cell.source, "metadata": cell.metadata if with_id else {}}
    )
    submission = repaired(solved)
    assert submission.notebook.cells[index].cell_type == "code"
    assert submission.roles[index] == "lr-loop"
    assert kinds(submission) == {"cell type": "both"}


def test_old_version_kept_as_raw_text_does_not_run(solved: NotebookNode, repaired: Repaired) -> None:
    index = place(solved, "lr-loop")
    cell = solved.cells[index]
    old = {"cell_type": "raw", "id": "x", "source": "metrics_vs_lr = [1]", "metadata": cell.metadata}
    solved.cells[index : index + 1] = [nbformat.from_dict(old), new_code_cell(LOOP)]
    submission = repaired(solved)
    assert submission.notebook.cells[index].cell_type == "raw"
    assert sources(submission, "lr-loop") == [LOOP]


def test_answer_made_code_is_text_again(solved: NotebookNode, repaired: Repaired) -> None:
    index = place(solved, "lr-comment")
    solved.cells[index] = new_code_cell("Slow, then fast.", metadata=solved.cells[index].metadata)
    submission = repaired(solved)
    assert submission.notebook.cells[index].cell_type == "markdown"
    assert kinds(submission) == {"cell type": "both"}


def test_a_task_that_is_gone_is_told(solved: NotebookNode, repaired: Repaired) -> None:
    del solved.cells[place(solved, "callback")]
    finding = repaired(solved).findings[0]
    assert (finding.kind, finding.cell, finding.audience) == ("task missing", "callback", "both")


def test_ids_that_are_not_the_assignments_are_dropped(solved: NotebookNode, repaired: Repaired) -> None:
    solved.cells.append(new_code_cell("x = 1", metadata={"nbgrader": {"grade_id": "bonus", "points": 1000}}))
    solved.cells[place(solved, "callback")].metadata["nbgrader"]["points"] = 1000
    cells = repaired(solved).notebook.cells
    assert not cells[-1].metadata
    assert cells[place(solved, "callback")].metadata["nbgrader"]["points"] == 15


HOSTILE = {
    "brackets": "(" * 100_000,
    "signs": "-" * 100_000 + "1",
    "sums": "+".join(["1"] * 49_000),
    "attributes": "a" + ".b" * 49_000,
    "calls": "f" + "()" * 49_000,
    "zero byte": "x = '\x00'",
    "half a character": "x = '\ud800'",
    "digits": "x = " + "9" * 90_000,
    "deep blocks": "".join(" " * depth + "if 1:\n" for depth in range(300)),
    "warning": "x = '\\d' is 1",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_hostile_code_defines_nothing_and_does_no_harm(source: str) -> None:
    assert task_of(source, EXERCISE.signatures) is None


LONG = {
    "one line": "x = 1 + " * 700_000,
    "blanks": " " * 5_000_000 + "x",
    "empty lines": "\n" * 5_000_000 + "%",
    "names": "metrics_vs_lr " * 400_000,
    "tuple": "x = " + "a," * 2_500_000,
}


@pytest.mark.parametrize("source", LONG.values(), ids=LONG)
@pytest.mark.parametrize("with_ids", [True, False])
def test_five_megabytes_in_a_cell_take_no_time(
    solved: NotebookNode, repaired: Repaired, source: str, with_ids: bool
) -> None:
    if not with_ids:
        for cell in solved.cells:
            cell.metadata = {}
    solved.cells.append(new_code_cell(source))
    solved.cells.append(new_markdown_cell(source))
    began = time.process_time()
    repaired(solved)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("source", "task"),
    [
        ("%%time\nmetrics_vs_lr = []", "lr-loop"),
        ("%matplotlib inline\nplt.plot(metrics_vs_bs)", "bs-plots"),
        ("if True:\n    %pip install x\nmetrics_vs_bs += [1]", "bs-loop"),
        ("%%writefile x.py\nmetrics_vs_lr = []", None),
        ("metrics_vs_lr", None),
        ("print(len(metrics_vs_lr))", None),
    ],
)
def test_task_of(source: str, task: str | None) -> None:
    assert task_of(source, EXERCISE.signatures) == task


@pytest.mark.parametrize(
    ("source", "does"),
    [
        ("metrics_vs_lr = []", (True, False)),
        ("metrics_vs_lr: list = []", (True, False)),
        ("metrics_vs_lr.append(1)", (False, True)),
        ("metrics_vs_lr += [1]", (False, True)),
        ("metrics_vs_lr = train()", (True, True)),
        (LOOP, (True, True)),
    ],
)
def test_what_opens_and_what_completes_a_loop(source: str, does: tuple[bool, bool]) -> None:
    assert (opens("lr-loop", source, EXERCISE.signatures), completes("lr-loop", source, EXERCISE.signatures)) == does
