"""A part of the work is worth that part, and one cause is told once."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from autograder.grading.verdict import GradedSubmission, ItemVerdict
from autograder.submission.task_matching import defined_in
from tests.fidelity.build import notebook, variant
from tests.fidelity.mutants import MUTANTS

from .test_public_reports import Edit, Grade, at_top, both, cell_of, in_task, loops, new_cell

NAMES = '[str(m["{}"]) for m in metrics_vs_{}]'
SIZES = "[64, 128, 256, 512, 1024, 2048]"
EVALUATE = "test_loss, test_accuracy = model.evaluate(Xts_scale, yts, verbose=0)"

PARTS: dict[str, tuple[Edit, dict[str, float]]] = {
    "two of six batch sizes": (in_task("bs-loop", (SIZES, "[64, 128]")), {"bs-loop": 14 / 3}),
    "half of the batch sizes": (in_task("bs-loop", (SIZES, "[64, 128, 256]")), {"bs-loop": 7}),
    "one of five rates": (in_task("lr-loop", ("[0.0001, 0.001, 0.01, 0.1, 1.0]", "[0.01]")), {"lr-loop": 14 / 5}),
    "no validation data": (
        in_task("lr-loop", ("        validation_split=0.2,\n", "")),
        {"lr-loop": 5, "lr-metrics": 0},
    ),
    "an error at the first row": (
        in_task("lr-loop", ('hist.history["loss"]', 'hist.history["acc"]')),
        {"lr-loop": 7.6, "lr-metrics": 0},
    ),
    "an edition with more batch sizes, as tensors": (
        both(
            in_task(
                "bs-loop",
                ("1024, 2048]", "1024, 2048, 4096, 8192]"),
                (": test_accuracy", ": tf.constant(test_accuracy)"),
            ),
            in_task("bs-plots", ('m["test_accuracy"] for', 'm["test_accuracy"].numpy() for')),
        ),
        {"bs-loop": 12},
    ),
    "an edition with fewer rates": (in_task("lr-loop", ("0.1, 1.0]", "0.1]")), {"lr-loop": 11.2}),
    "an edition with more rates": (in_task("lr-loop", ("0.1, 1.0]", "0.1, 1.0, 10.0]")), {"lr-loop": 12}),
    "an edition with another target": (
        loops(("threshold=0.95, patience=3", "threshold=0.98, patience=5")),
        {"lr-loop": 12, "bs-loop": 12},
    ),
    "a callback that counts the first epochs without waiting for more": (
        in_task("callback", ("if self.hits >= self.patience:", "if 0 < self.hits >= min(self.patience, epoch + 1):")),
        {"callback": 10},
    ),
    "labels sorted as text below bars in the order of the list": (
        in_task("bs-plots", (NAMES.format("batch_size", "bs"), "sorted({})".format(NAMES.format("batch_size", "bs")))),
        {"bs-plots": 7},
    ),
    "labels in the reverse order": (
        in_task("lr-plots", (NAMES.format("learning_rate", "lr"), NAMES.format("learning_rate", "lr") + "[::-1]")),
        {"lr-plots": 7},
    ),
    "bars sorted by height": (
        in_task("lr-plots", ('y=[m["epochs"] for m in metrics_vs_lr]', 'y=sorted(m["epochs"] for m in metrics_vs_lr)')),
        {"lr-plots": 5},
    ),
    "an edition with a shorter training": (loops(("epochs=500", "epochs=100")), {"lr-loop": 13, "bs-loop": 13}),
}


def grade_with(grade_notebook: Grade, edit: Edit, seed: int = 24) -> GradedSubmission:
    document = nbformat.reads(nbformat.writes(notebook(variant("reference"))), 4)
    edit(document)
    return grade_notebook(document, seed=seed)


def test_a_worked_solution_in_the_wild_loses_what_its_mistakes_cost(grade_notebook: Grade) -> None:
    worked = next(mutant for mutant in MUTANTS if mutant.id == "worked")
    found = lost(grade_notebook(notebook(worked.description()), seed=25))
    points = {"lr-metrics": 9, "bs-loop": 14 / 3, "bs-metrics": 9}
    assert {item: found[item].points for item in found} == pytest.approx(points, abs=0.02)


def stopped_loop(value: str, read: str) -> Edit:
    """The second loop stops half way; its plots need all rows, with the accuracy as the loop has it."""
    return both(
        in_task(
            "bs-loop", (": test_accuracy", f": {value}"), ("    model = ", "    assert batch_size < 512\n    model = ")
        ),
        in_task("bs-plots", ('m["test_accuracy"] for', f"{read} for")),
        at_top("bs-plots", "assert len(metrics_vs_bs) == 6"),
    )


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("tf.constant(test_accuracy)", 'm["test_accuracy"].numpy()'),
        ("np.float32(test_accuracy)", 'm["test_accuracy"].item()'),
        ("np.array([test_accuracy])", 'm["test_accuracy"][0]'),
        ("np.array(test_accuracy)", 'm["test_accuracy"].round(4).tolist()'),
        ("tf.constant([test_accuracy])", 'm["test_accuracy"].numpy()[0]'),
    ],
)
def test_a_stand_in_takes_the_types_of_the_students_own_rows(grade_notebook: Grade, value: str, read: str) -> None:
    found = lost(grade_with(grade_notebook, stopped_loop(value, read)))
    assert set(found) <= {"bs-loop", "bs-metrics"}
    assert found["bs-loop"].points == pytest.approx(10, abs=0.02)


def lost(graded: GradedSubmission) -> dict[str, ItemVerdict]:
    return {item.id: item for item in graded.verdict.items if item.points != item.max_points}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_worth_a_part(grade_notebook: Grade, name: str) -> None:
    edit, points = PARTS[name]
    found = lost(grade_with(grade_notebook, edit))
    assert {item: found[item].points for item in found} == pytest.approx(points, abs=0.02)


def number(task: str) -> int:
    """The number of a task's cell in the notebook, from 1."""
    document = notebook(variant("reference"))
    return int(document.cells.index(cell_of(document, task))) + 1


SHARED = loops((EVALUATE, "test_accuracy = float(acc(yts, model.predict(Xts_scale, verbose=0)))"))
OWN_LIST = loops(
    (EVALUATE, "own.append(model.evaluate(Xts_scale, yts, verbose=0)[1])\n    test_accuracy = np.mean(own)")
)

MESSAGES: dict[str, tuple[Edit, dict[str, tuple[str, ...]]]] = {
    "a cell that stopped": (
        in_task("lr-loop", ("optimizers.Adam", "Adam")),
        {
            "lr-loop": ("(lr-loop) stopped on line 6, `optimizer=Adam(learning_rate=lr),`, with NameError: ",),
            "lr-metrics": ("(lr-loop) stopped on line 6",),
        },
    ),
    "a name that comes later": (
        both(in_task("lr-loop", ("optimizers.Adam", "Adam")), new_cell("from keras.optimizers import Adam", "bs-loop")),
        {
            "lr-loop": ("(lr-loop) stopped", f"defined only in cell number {number('bs-loop')}, further down"),
            "lr-metrics": (f"Cell number {number('lr-loop')} (lr-loop) stopped",),
        },
    ),
    "a metric shared by both loops": (
        both(new_cell("acc = tf.keras.metrics.SparseCategoricalAccuracy()", "lr-loop"), SHARED),
        {
            "lr-metrics": ("average", "metric object acc"),
            "bs-metrics": ("average", "other loop", "metric object acc"),
        },
    ),
    "the mean of an own list": (
        both(at_top("lr-loop", "own = []"), at_top("bs-loop", "own = []"), OWN_LIST),
        dict.fromkeys(("lr-metrics", "bs-metrics"), ("the average accuracy of all models trained so far. ",)),
    ),
    "a clock that is started once": (
        both(at_top("bs-loop", "start = time.time()"), in_task("bs-loop", ("measurement.time", "time.time() - start"))),
        {"bs-metrics": ("the same moment",)},
    ),
    "one dictionary": (
        in_task(
            "lr-loop",
            ("for lr in", "row = {}\nfor lr in"),
            ("metrics_vs_lr.append(\n        {", "row.update(\n        {"),
            ("        }\n    )", "        }\n    )\n    metrics_vs_lr.append(row)"),
        ),
        {"lr-metrics": ("The same dictionary was appended every time",)},
    ),
    "a callback that forgets the model": (
        in_task("callback", ("self.model.stop_training", "self.stop_training")),
        {"callback": ("Your callback never stopped the training", "self.model.stop_training")},
    ),
    "a callback that fails on some curves": (
        in_task("callback", ("self.hits += 1", "self.hit += 1")),
        {"callback": ("your callback raised AttributeError",)},
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_one_cause_is_told_once(grade_notebook: Grade, name: str) -> None:
    edit, expected = MESSAGES[name]
    found = lost(grade_with(grade_notebook, edit))
    assert set(found) == set(expected)
    for item, parts in expected.items():
        message = found[item].message
        assert message.count(parts[0]) == 1, message
        assert all(part in message for part in parts), message
        assert ".." not in message.replace("...", ""), message


def test_rules_behind_a_stopped_cell_are_not_checked(grade_notebook: Grade) -> None:
    edit, _ = MESSAGES["a cell that stopped"]
    for item in lost(grade_with(grade_notebook, edit)).values():
        assert {rule.status for rule in item.properties} == {"not checked"}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a, b = 1, 2", {"a", "b"}),
        ("def f():\n    inner = 1", {"f"}),
        ("import numpy.linalg as la\nfrom os import path", {"la", "path"}),
        ("%pip install x\nfor i in y:\n    z = i", {"i", "z"}),
        ("class A:\n    b = 1", {"A"}),
        ("not python", set()),
    ],
)
def test_names_that_code_defines(source: str, names: set[Any]) -> None:
    assert defined_in(source) == names
