"""Whole submissions through real kernels: full points, no points, and everything between that is fair."""

from __future__ import annotations

import json

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.grading.verdict import ItemVerdict, Verdict
from tests.conftest import Grade
from tests.places import COURSE

SOURCE = COURSE / "source" / "tta-eta" / "tta-eta.ipynb"


def solved(**changes: str) -> NotebookNode:
    """The reference solution with the sources of some cells exchanged, by grade_id."""
    notebook = nbformat.read(SOURCE, as_version=4)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "").replace("-", "_")
        cell.source = changes.get(grade_id, cell.source)
    return notebook


def lost(verdict: Verdict) -> dict[str, float | None]:
    return {item.id: item.points for item in verdict.items if item.points != item.max_points}


def item_of(verdict: Verdict, item_id: str) -> ItemVerdict:
    return next(item for item in verdict.items if item.id == item_id)


def message(verdict: Verdict, item_id: str) -> str:
    return item_of(verdict, item_id).message


@pytest.mark.parametrize("seed", [1, 2])
def test_reference_solution_gets_all_points(grade_notebook: Grade, seed: int) -> None:
    verdict = grade_notebook(solved(), seed=seed).verdict
    assert lost(verdict) == {}
    assert verdict.points == 88


def test_untouched_release_gets_none_and_every_item_is_explained(grade_notebook: Grade, release: NotebookNode) -> None:
    verdict = grade_notebook(nbformat.from_dict(json.loads(json.dumps(release)))).verdict
    assert verdict.state == "graded"
    assert [item.points for item in verdict.items] == [0.0] * 8
    assert all("not complete" in item.message for item in verdict.items)


def test_stubs_left_beside_the_solution_cost_nothing(grade_notebook: Grade, release: NotebookNode) -> None:
    notebook = nbformat.from_dict(json.loads(json.dumps(release)))
    tasks = {cell.id for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")}
    own = [nbformat.from_dict({**cell, "id": f"my-{cell.id}", "metadata": {}}) for cell in solved().cells]
    answers = {cell.id: cell for cell in own}
    pairs = [[answers[f"my-{c.id}"], c] if c.id in tasks else [c] for c in notebook.cells]
    notebook.cells = [cell for pair in pairs for cell in pair]
    assert lost(grade_notebook(notebook).verdict) == {}


def test_all_in_the_cell_of_the_first_loop_costs_nothing(grade_notebook: Grade, release: NotebookNode) -> None:
    notebook, given = solved(), {cell.id: cell.source for cell in release.cells}
    cells = {cell.id: cell for cell in notebook.cells}
    tasks = ("lr-loop", "lr-plots", "bs-loop", "bs-plots")
    cells["lr-loop"].source = "\n".join(cells[task].source for task in tasks)
    for task in tasks[1:]:
        cells[task].source = given[task]
    assert lost(grade_notebook(notebook).verdict) == {}


def test_the_release_behind_the_solution_costs_nothing(grade_notebook: Grade, release: NotebookNode) -> None:
    notebook = solved()
    notebook.cells += [nbformat.from_dict({**cell, "id": f"second-{cell.id}"}) for cell in release.cells]
    assert lost(grade_notebook(notebook).verdict) == {}


def test_callback_that_is_missing_costs_itself_alone(grade_notebook: Grade) -> None:
    verdict = grade_notebook(solved(callback="raise NotImplementedError()")).verdict
    assert lost(verdict) == {"callback": 0.0}


def test_typed_in_sizes_cost_themselves_alone(grade_notebook: Grade) -> None:
    details = "n_tr, n_ts, n_feat, n_class = 66247, 14904, 120, 10"
    assert lost(grade_notebook(solved(data_details=details)).verdict) == {"data-details": 0.0}


def test_wrong_callback_that_runs_costs_itself_alone(grade_notebook: Grade) -> None:
    code = """
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold, self.patience, self.hits = threshold, patience, 0
    def on_epoch_end(self, epoch, logs=None):
        self.hits = self.hits + 1 if logs['val_accuracy'] >= self.threshold else 0
        self.model.stop_training = self.hits >= self.patience
"""
    verdict = grade_notebook(solved(callback=code)).verdict
    assert list(lost(verdict)) == ["callback"]
    assert "equal to the threshold" in message(verdict, "callback")


def test_endless_loop_is_stopped_and_the_rest_is_judged(grade_notebook: Grade) -> None:
    verdict = grade_notebook(solved(lr_loop="metrics_vs_lr = []\nwhile True:\n    pass"), cell=6).verdict
    assert lost(verdict) == {"lr-loop": 0.0, "lr-metrics": 0.0}
    assert "ran longer than its time limit" in message(verdict, "lr-loop")
    assert "time limit" in {finding.kind for finding in verdict.findings}


def test_list_of_an_endless_loop_has_the_same_points_wherever_it_was_stopped(grade_notebook: Grade) -> None:
    loop = """
metrics_vs_lr = []
while True:
    model = get_model()
    model.compile(optimizers.Adam(0.001), 'sparse_categorical_crossentropy', metrics=['accuracy'])
    start = time.time()
    history = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0,
                        callbacks=[TrainToAccuracy(0.95, 3)])
    seconds = time.time() - start
    metrics_vs_lr.append({'batch_size': 128, 'learning_rate': 0.001, 'epochs': len(history.epoch),
                          'test_accuracy': model.evaluate(Xts_scale, yts, verbose=0)[1], 'train_time': seconds})
"""
    found = [grade_notebook(solved(lr_loop=loop), cell=cell).verdict for cell in (5, 6, 8)]
    rules = [[(rule.id, rule.status) for rule in item_of(verdict, "lr-metrics").properties] for verdict in found]
    graded = [each for each in rules if each]  # on a busy machine a run can be left ungraded
    assert ("structure", "failed") in graded[0]
    assert all(each == graded[0] for each in graded)


@pytest.mark.parametrize(
    "code",
    ["import os; os._exit(3)", "try:\n    while True: pass\nexcept BaseException:\n    while True: pass"],
    ids=["kernel ends itself", "interrupt is swallowed"],
)
def test_kernel_that_is_lost_costs_the_cell_alone(grade_notebook: Grade, code: str) -> None:
    verdict = grade_notebook(solved(lr_loop=f"metrics_vs_lr = []\n{code}"), cell=6).verdict
    assert lost(verdict) == {"lr-loop": 0.0, "lr-metrics": 0.0}


def test_clock_alone_is_a_full_solution(grade_notebook: Grade, assignment: Assignment) -> None:
    loop = """
metrics_vs_{x} = []
for value in {values}:
    model = get_model()
    model.compile(optimizers.Adam({rate}), 'sparse_categorical_crossentropy', metrics=['accuracy'])
    start = time.time()
    history = model.fit(Xtr_scale, ytr, batch_size={size}, epochs=500, validation_split=0.2, verbose=0,
                        callbacks=[TrainToAccuracy(0.95, 3)])
    seconds = time.time() - start
    metrics_vs_{x}.append(dict(batch_size={size}, learning_rate={rate}, epochs=len(history.epoch), train_time=seconds,
                               test_accuracy=model.evaluate(Xts_scale, yts, verbose=0)[1], total_energy=None))
"""
    changes = {
        "lr_loop": loop.format(x="lr", values="[0.0001, 0.001, 0.01, 0.1, 1.0]", rate="value", size="128"),
        "bs_loop": loop.format(x="bs", values="[64, 128, 256, 512, 1024, 2048]", rate="0.001", size="value"),
    }
    assert lost(grade_notebook(solved(**changes)).verdict) == {}


MUTATIONS = {
    "nothing": ("", "", []),
    "another batch size": ("batch_size=batch_size,", "batch_size=100,", ["lr-loop", "bs-loop"]),
    "validation on the test set": (
        "validation_split=0.2,",
        "validation_data=(Xts_scale, yts),",
        ["lr-loop", "bs-loop"],
    ),
    "epochs from the argument": ("len(history.epoch)", "MAX_EPOCHS", ["lr-metrics", "bs-metrics"]),
}


@pytest.mark.parametrize(
    "name", ["nothing", *(pytest.param(n, marks=pytest.mark.slow) for n in MUTATIONS if n != "nothing")]
)
def test_training_for_real_gives_the_same_points(grade_notebook: Grade, name: str) -> None:
    old, new, items = MUTATIONS[name]
    notebook = solved()
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") in ("lr-loop", "bs-loop"):
            cell.source = cell.source.replace(old, new)
    real = grade_notebook(notebook, training="real", cell=240).verdict
    assert list(lost(real)) == items
    assert lost(real) == lost(grade_notebook(notebook).verdict)
