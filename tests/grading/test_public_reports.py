"""What students submit who work on hosted notebooks, copy cells, or make a mistake that used to cost too much."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.grading.verdict import GradedSubmission
from tests.fidelity.build import RELEASE, notebook, variant

Edit = Callable[[NotebookNode], None]
Grade = Callable[..., GradedSubmission]
FULL = 88


def cell_of(document: NotebookNode, task: str) -> Any:
    return next(cell for cell in document.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == task)


def new_cell(source: str, before: str = "data-details") -> Edit:
    """A cell of the student's own before a task."""

    def edit(document: NotebookNode) -> None:
        place = document.cells.index(cell_of(document, before))
        document.cells.insert(place, nbformat.v4.new_code_cell(source))

    return edit


def in_task(task: str, *changes: tuple[str, str]) -> Edit:
    def edit(document: NotebookNode) -> None:
        cell = cell_of(document, task)
        for old, new in changes:
            assert old in cell.source, old
            cell.source = cell.source.replace(old, new)

    return edit


def at_top(task: str, code: str) -> Edit:
    def edit(document: NotebookNode) -> None:
        cell = cell_of(document, task)
        cell.source = f"{code}\n{cell.source}"

    return edit


def both(*edits: Edit) -> Edit:
    def edit(document: NotebookNode) -> None:
        for each in edits:
            each(document)

    return edit


def loops(*changes: tuple[str, str]) -> Edit:
    return both(in_task("lr-loop", *changes), in_task("bs-loop", *changes))


def before_itself(task: str, *changes: tuple[str, str], in_cell: bool = False, with_id: bool = False) -> Edit:
    """A draft or a copy of a task above it, in a cell of the student's own, in one with its id or at its top."""

    def edit(document: NotebookNode) -> None:
        cell = cell_of(document, task)
        draft = cell.source
        for old, new in changes:
            assert old in draft, old
            draft = draft.replace(old, new)
        if in_cell:
            cell.source = f"{draft}\n{cell.source}"
            return
        new_cell(draft, task)(document)
        if with_id:
            document.cells[document.cells.index(cell) - 1].metadata = nbformat.from_dict(dict(cell.metadata))

    return edit


def gather(target: str, *tasks: str) -> Edit:
    """The work of several tasks in the cell of one, and the others as they were released."""

    def edit(document: NotebookNode) -> None:
        code = "\n\n".join(cell_of(document, task).source for task in tasks)
        released = nbformat.read(RELEASE, as_version=4)
        for task in tasks:
            cell_of(document, task).source = cell_of(released, task).source
        cell_of(document, target).source = code

    return edit


EVALUATED = "    test_loss, test_accuracy"
CALLBACKS = "callbacks=[TrainToAccuracy(threshold=0.95, patience=3)]"
ADDED = "callbacks=[TrainToAccuracy(threshold=0.95, patience=3), callbacks.{}]"

RIGHT: dict[str, Edit] = {
    "a captured install": new_cell("%%capture\n!pip install tqdm"),
    "a captured loop": at_top("lr-loop", "%%capture log"),
    "a nested cell": new_cell("get_ipython().run_cell('a = 1')"),
    "a NumPy integer": in_task("data-details", ("len(np.unique(ytr))", "ytr.max() + 1")),
    "a checkpoint": loops(
        (CALLBACKS, ADDED.format('ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True)'))
    ),
    "early stopping beside": loops((CALLBACKS, ADDED.format('EarlyStopping(monitor="val_accuracy", patience=600)'))),
    "a plateau": loops((CALLBACKS, ADDED.format('ReduceLROnPlateau(monitor="val_accuracy", patience=600)'))),
    "a model without Input": loops(
        ("get_model()", 'Sequential([Dense(256, activation="sigmoid"), Dense(n_class, activation="softmax")])')
    ),
    "mixed precision": new_cell('tf.keras.mixed_precision.set_global_policy("mixed_float16")', "callback"),
    "details of devices": at_top(
        "lr-loop",
        'for d in tf.config.list_physical_devices("GPU"):\n'
        "    print(tf.config.experimental.get_device_details(d))\n"
        "    tf.config.experimental.set_memory_growth(d, True)\n"
        'tf.config.set_visible_devices(tf.config.list_physical_devices("GPU"), "GPU")',
    ),
    "progress by tqdm": both(
        at_top("lr-loop", "from tqdm import tqdm"),
        in_task("lr-loop", ("in [0.0001, 0.001, 0.01, 0.1, 1.0]:", "in tqdm([0.0001, 0.001, 0.01, 0.1, 1.0]):")),
    ),
    "progress by tqdm.notebook": both(
        at_top("lr-loop", "from tqdm.notebook import tqdm"),
        in_task("lr-loop", ("in [0.0001, 0.001, 0.01, 0.1, 1.0]:", "in tqdm([0.0001, 0.001, 0.01, 0.1, 1.0]):")),
    ),
    "another backend": new_cell("%matplotlib widget\n%load_ext tensorboard"),
    "rows on a drive": both(
        new_cell("from google.colab import drive\ndrive.mount('/content/drive')"),
        in_task("lr-loop", (EVALUATED, f'    np.save("/content/drive/MyDrive/rows.npy", 1)\n{EVALUATED}')),
    ),
    "a folder of a hosted service": at_top(
        "lr-loop", 'import os; os.makedirs("/kaggle/working/out", exist_ok=True); os.chdir("/kaggle/working")'
    ),
    "a saved model": in_task("lr-loop", (EVALUATED, f'    model.save("model.keras")\n{EVALUATED}')),
    "a temporary file": in_task(
        "lr-loop",
        (EVALUATED, f"    import tempfile\n    tempfile.NamedTemporaryFile().write(b'x')\n{EVALUATED}"),
    ),
    "a clock of pandas": both(
        at_top("lr-loop", "import pandas as pd"),
        in_task(
            "lr-loop",
            ('    monitor.begin_window("fit")', "    start = pd.Timestamp.now()"),
            (
                '    measurement = monitor.end_window("fit")',
                "    seconds = (pd.Timestamp.now() - start).total_seconds()",
            ),
            ("measurement.total_energy", "None"),
            ("measurement.time", "seconds"),
        ),
        in_task(
            "lr-plots",
            ("plt.subplots(1, 4, figsize=(18, 4))", "plt.subplots(1, 3, figsize=(18, 4))"),
            ('sns.barplot(x=names, y=[m["total_energy"] for m in metrics_vs_lr], ax=axes[1])\n', ""),
            ('axes[1].set_ylabel("Energy to accuracy (J)")\n', ""),
            ("axes[2]", "axes[1]"),
            ("axes[3]", "axes[2]"),
        ),
    ),
    "a clock of NumPy": in_task(
        "lr-loop",
        ('    monitor.begin_window("fit")', '    monitor.begin_window("fit"); start = np.datetime64("now", "us")'),
        (
            '    measurement = monitor.end_window("fit")',
            '    seconds = (np.datetime64("now", "us") - start) / np.timedelta64(1, "s")\n'
            '    measurement = monitor.end_window("fit")',
        ),
        ("measurement.time", "seconds"),
    ),
    "time in milliseconds": in_task(
        "lr-plots",
        ('[m["train_time"] for', '[1000 * m["train_time"] for'),
        ("Time to accuracy (s)", "Time to accuracy (ms)"),
    ),
    "loops and plots in one cell": gather("lr-loop", "lr-loop", "lr-plots", "bs-loop", "bs-plots"),
    "a loop in the cell of its plots": gather("bs-plots", "bs-loop", "bs-plots"),
    "everything in the last cell": gather(
        "bs-plots", "data-details", "callback", "lr-loop", "lr-plots", "bs-loop", "bs-plots"
    ),
    "a draft of the loop": before_itself("lr-loop", ("epochs=500", "epochs=3")),
    "a draft with one setting": before_itself("bs-loop", ("[64, 128, 256, 512, 1024, 2048]", "[64]")),
    "a draft in the same cell": before_itself("lr-loop", ("epochs=500", "epochs=3"), in_cell=True),
    "a copied loop": before_itself("bs-loop", with_id=True),
    "a draft with a list of its own": before_itself(
        "bs-loop", ("metrics_vs_bs", "first_try"), ("epochs=500", "epochs=5")
    ),
    "a grid that shares its axis": in_task(
        "lr-plots",
        ("plt.subplots(1, 4, figsize=(18, 4))", "plt.subplots(2, 2, figsize=(10, 8), sharex=True)"),
        ('sns.barplot(x=names, y=[m["train_time"]', 'axes = axes.flat\nsns.barplot(x=names, y=[m["train_time"]'),
    ),
}

ALWAYS = """
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True
"""


def replace_task(task: str, source: str) -> Edit:
    def edit(document: NotebookNode) -> None:
        cell_of(document, task).source = source

    return edit


WRONG: dict[str, tuple[Edit, set[str]]] = {
    "relu for sigmoid": (
        in_task(
            "lr-loop",
            (
                "get_model()",
                'Sequential([Input((n_feat,)), Dense(256, activation="relu"), Dense(n_class, activation="softmax")])',
            ),
        ),
        {"lr-loop"},
    ),
    "processor time": (
        in_task(
            "lr-loop",
            ('    monitor.begin_window("fit")', '    monitor.begin_window("fit"); start = time.process_time()'),
            (
                '    measurement = monitor.end_window("fit")',
                '    seconds = time.process_time() - start\n    measurement = monitor.end_window("fit")',
            ),
            ("measurement.time", "seconds"),
        ),
        {"lr-metrics"},
    ),
    "swapped labels": (
        in_task(
            "lr-plots",
            ('set_ylabel("Energy to accuracy (J)")', 'set_ylabel("Test accuracy (J)")'),
            ('set_ylabel("Test accuracy")', 'set_ylabel("Energy to accuracy")'),
        ),
        {"lr-plots"},
    ),
    "a tick label without end": (
        in_task("lr-plots", ("plt.tight_layout()", 'axes[0].set_xticks([0], ["$10^{99999}$"])\nplt.tight_layout()')),
        {"lr-plots"},
    ),
    "early stopping in place of the callback": (
        in_task("lr-loop", (CALLBACKS, 'callbacks=[callbacks.EarlyStopping(monitor="val_accuracy", patience=3)]')),
        {"lr-loop"},
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_work_keeps_all_points(grade_notebook: Grade, name: str) -> None:
    document = nbformat.from_dict(dict(notebook(variant("reference"))))
    document = nbformat.reads(nbformat.writes(document), 4)
    RIGHT[name](document)
    verdict = grade_notebook(document, seed=21).verdict
    assert {i.id: i.message for i in verdict.items if i.points != i.max_points} == {}
    assert verdict.points == FULL


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_costs_its_own_items(grade_notebook: Grade, name: str) -> None:
    edit, items = WRONG[name]
    document = nbformat.reads(nbformat.writes(notebook(variant("reference"))), 4)
    edit(document)
    verdict = grade_notebook(document, seed=22).verdict
    assert {i.id for i in verdict.items if i.points != i.max_points} == items


def test_a_callback_that_always_stops_gets_no_points_for_waiting(grade_notebook: Grade) -> None:
    document = nbformat.reads(nbformat.writes(notebook(variant("reference"))), 4)
    replace_task("callback", ALWAYS)(document)
    verdict = grade_notebook(document, seed=23).verdict
    item = next(item for item in verdict.items if item.id == "callback")
    assert item.points is not None
    assert item.points <= 1
