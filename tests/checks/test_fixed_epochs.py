"""The assignment fixed-epochs: right work in any style has all points, a mistake costs the item in which it is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.assignment.course import Course
from autograder.assignment.release import check
from autograder.assignment.settings import Assignment
from autograder.assignment.source import read, source_path
from autograder.commands.grade import grade_class
from autograder.common.cells import cells_by_id
from autograder.errors import AssignmentError
from autograder.execution.kernels import Kernels
from autograder.execution.options import Options
from autograder.grading.grade import grade
from autograder.grading.verdict import Verdict
from autograder.integrations import gradescope
from autograder.results.store import ResultStore
from autograder.submission.prepare import load_release, prepare
from samples.filling import Description, Header, fill
from tests.places import COURSE, ROOT

ASSIGNMENT = Assignment.load("fixed-epochs")
RELEASE = load_release(ASSIGNMENT)
TASKS = {
    name: cell.source for name, cell in cells_by_id(read(source_path(ASSIGNMENT))).items() if name in ASSIGNMENT.cells
}
ITEMS = {item.id for item in ASSIGNMENT.judged_items}
FULL = 36.0

FIT = "model.fit(Xtr_scale, ytr, epochs=EPOCHS, batch_size=BATCH_SIZE, validation_split=VALIDATION_SPLIT, verbose=0)"
COMPILE = """
model = get_model()
model.compile(optimizers.Adam(LEARNING_RATE), "sparse_categorical_crossentropy", metrics=["accuracy"])
"""
CLOCK = f"""{COMPILE}
start = time.time()
history = {FIT}
train_time, total_energy = time.time() - start, None
"""
BY_PARTS = f"""{COMPILE}
accuracies, val_accuracies = [], []
begin = time.perf_counter_ns()
for epoch in range(EPOCHS):
    part = model.fit(Xtr_scale, ytr, batch_size=128, validation_split=0.2, epochs=epoch + 1, initial_epoch=epoch)
    accuracies += part.history["accuracy"]
    val_accuracies += part.history["val_accuracy"]
train_time = (time.perf_counter_ns() - begin) / 1e9
"""
BY_CALLBACK = f"""{COMPILE}
history_rows = []
class Write(callbacks.Callback):
    def on_epoch_end(self, epoch, logs):
        history_rows.append(dict(epoch=epoch + 1, **logs))
monitor.begin_window("all")
history = {FIT.replace("verbose=0", "callbacks=[Write()]")}
measured = monitor.end_window("all")
"""
OWN_SPLIT = f"""{COMPILE}
n = int(0.8 * n_tr)
monitor.begin_window("w")
history = model.fit(Xtr_scale[:n], ytr[:n], 128, 20, validation_data=(Xtr_scale[n:], ytr[n:]))
m = monitor.end_window("w")
train_time, total_energy = m.time, sum(m.gpu_energy.values())
"""
DATASET = f"""{COMPILE}
n = round(n_tr * 0.8)
notes = tf.data.Dataset.from_tensor_slices((Xtr_scale[:n], ytr[:n])).shuffle(n).batch(BATCH_SIZE)
held = tf.data.Dataset.from_tensor_slices((Xtr_scale[n:], ytr[n:])).batch(BATCH_SIZE)
start = time.monotonic()
history = model.fit(notes, validation_data=held, epochs=EPOCHS, verbose=2)
train_time = time.monotonic() - start
total_energy = None
"""
FRAME = """
import pandas as pd
table = pd.DataFrame(history.history)[["accuracy", "val_accuracy"]]
table.insert(0, "epoch", np.arange(1, len(table) + 1))
history_rows = table.to_dict("records")
summary = dict(train_time=train_time, epochs=len(table))
if total_energy is not None:
    summary["total_energy"] = total_energy
"""

VARIANTS: dict[str, dict[str, str]] = {
    "the clock alone": {"training": CLOCK},
    "fit in parts of one epoch": {
        "training": BY_PARTS,
        "record": "history_rows = [{'epoch': i + 1, 'accuracy': a, 'val_accuracy': v}\n"
        "                for i, (a, v) in enumerate(zip(accuracies, val_accuracies))]\n"
        "summary = {'epochs': EPOCHS, 'train_time': train_time, 'total_energy': float('nan')}",
    },
    "rows from a callback": {
        "training": BY_CALLBACK,
        "record": "rows = list(history_rows)\nhistory_rows = [{**r} for r in rows]\n"
        "summary = {'epochs': len(rows), 'train_time': measured.time, 'total_energy': measured.total_energy}",
    },
    "a split of one's own": {"training": OWN_SPLIT},
    "data sets, a table, and its plot": {
        "training": DATASET,
        "record": FRAME,
        "plot": "pd.DataFrame(history_rows).plot(x='epoch', y=['accuracy', 'val_accuracy'], ylabel='accuracy');",
    },
    "long form in seaborn": {
        "record": FRAME,
        "plot": "long = table.melt('epoch', var_name='notes', value_name='share right')\n"
        "sns.lineplot(data=long, x='epoch', y='share right', hue='notes', style='notes', markers=True)",
    },
    "two subplots in percent from the history": {
        "plot": "fig, axes = plt.subplots(1, 2, sharey=True)\n"
        "for ax, key, title in zip(axes, ('accuracy', 'val_accuracy'), ('Training', 'Validation')):\n"
        "    ax.plot(100 * np.array(history.history[key]))\n    ax.set_title(title)\n    ax.set_xlabel('epoch')\n"
        "axes[0].set_ylabel('accuracy (%)')",
    },
    "words at the lines, a level, and points": {
        "plot": "x = range(1, EPOCHS + 1)\n"
        "a, v = ([r[k] for r in history_rows] for k in ('accuracy', 'val_accuracy'))\n"
        "plt.plot(x, a, 'k-'); plt.scatter(x, v, c='r'); plt.axhline(0.5)\n"
        "plt.text(EPOCHS, a[-1], 'train'); plt.annotate('validation', (EPOCHS, v[-1]))\n"
        "plt.gcf().supxlabel('Epoche'); plt.ylabel('Genauigkeit')",
    },
    "legend by position and rounded rows": {
        "record": "history_rows = []\nfor i in history.epoch:\n    row = {'epoch': i + 1}\n"
        "    for key in ('accuracy', 'val_accuracy'):\n        row[key] = round(float(history.history[key][i]), 3)\n"
        "    history_rows.append(row)\n"
        "summary = {'epochs': np.int64(history.epoch[-1] + 1), 'train_time': tf.constant(train_time), "
        "'total_energy': total_energy}",
        "plot": "plt.plot(history.history['val_accuracy'])\nplt.plot(history.history['accuracy'])\n"
        "plt.xlabel('epoch'); plt.ylabel('acc'); plt.legend(['val', 'train'])",
    },
    "one function that does it, checked after": {
        "training": "def train(rate, size, epochs):\n    m = get_model()\n"
        "    m.compile(loss=tf.keras.losses.SparseCategoricalCrossentropy(), metrics=['acc'],\n"
        "              optimizer=tf.keras.optimizers.Adam(rate))\n    t = time.perf_counter()\n"
        "    h = m.fit(x=Xtr_scale, y=ytr, epochs=epochs, batch_size=size, validation_split=0.2, verbose=0)\n"
        "    return m, h, time.perf_counter() - t\n"
        "model, history, train_time = train(1e-3, 128, 20)\ntotal_energy = None\nmodel.evaluate(Xts_scale, yts)",
        "record": "history_rows = [{'epoch': e, 'accuracy': a, 'val_accuracy': v} for e, a, v in\n"
        "                zip(range(1, 21), history.history['acc'], history.history['val_acc'])]\n"
        "summary = {'epochs': 20, 'train_time': train_time}",
    },
}


def edited(cell: str, *pairs: tuple[str, str]) -> dict[str, str]:
    """The solution of one cell with pieces of its text exchanged."""
    source = TASKS[cell]
    for old, new in pairs:
        assert old in source, old
        source = source.replace(old, new)
    return {cell: source}


# A mistake: what is changed, the item that pays, how many points, and what its message says.
MUTANTS: dict[str, tuple[dict[str, str], str, float, str]] = {
    "a number typed in": (edited("data-details", ("len(np.unique(ytr))", "10")), "data-details", 1.5, "compute"),
    "other learning rate": (
        edited("training", ("=LEARNING_RATE", "=0.01")),
        "training",
        2,
        "was 0.01; it should be 0.001",
    ),
    "other optimizer": (edited("training", ("Adam", "RMSprop")), "training", 1, "RMSprop; it should be Adam"),
    "batch size left out": (edited("training", ("    batch_size=BATCH_SIZE,\n", "")), "training", 3, "batch size 32"),
    "other epochs": (
        edited("training", ("epochs=EPOCHS", "epochs=10")),
        "training",
        3,
        "for 10 epochs instead of 20",
    ),
    "ended early": (
        edited("training", ("verbose=0", "callbacks=[callbacks.EarlyStopping('loss', min_delta=9, patience=4)]")),
        "training",
        3,
        "A callback stopped it early",
    ),
    "test set as validation data": (
        edited("training", ("validation_split=VALIDATION_SPLIT", "validation_data=(Xts_scale, yts)")),
        "training",
        2,
        "The test set was used for validation",
    ),
    "other split": (edited("training", ("=VALIDATION_SPLIT", "=0.1")), "training", 2, "0.1; it should be 0.2"),
    "the model of the first training": (
        edited("training", ("get_model()", "first_model")),
        "training",
        1,
        "trained before",
    ),
    "half of the notes": (
        edited("training", ("Xtr_scale,\n    ytr", "Xtr_scale[::2],\n    ytr[::2]")),
        "training",
        1,
        "Only",
    ),
    "no validation": (
        edited("training", ("    validation_split=VALIDATION_SPLIT,\n", "")),
        "training",
        2,
        "validation_split was 0",
    ),
    "time covers compiling": (
        edited(
            "training",
            ('if monitor is not None:\n    monitor.begin_window("training", sync_execution=False)\n', ""),
            ("model = get_model()", "monitor.begin_window('training')\nmodel = get_model()"),
        ),
        "record",
        2,
        "Your value also covers compiling the model",
    ),
    "epochs from 0": (edited("record", ("start=1", "start=0")), "record", 1, "counts from 0"),
    "the two swapped": (
        edited(
            "record",
            (
                '"accuracy": accuracy, "val_accuracy": val_accuracy',
                '"accuracy": val_accuracy, "val_accuracy": accuracy',
            ),
        ),
        "record",
        4,
        "accuracy contains the values of val_accuracy",
    ),
    "percent": (edited("record", ('"accuracy": accuracy', '"accuracy": 100 * accuracy')), "record", 2, "in percent"),
    "one dictionary for all": (
        edited(
            "record",
            ("history_rows = []", "history_rows, row = [], {}"),
            ("history_rows.append({", "row.update({"),
            ("val_accuracy})", "val_accuracy})\n    history_rows.append(row)"),
        ),
        "record",
        7,
        "The same dictionary was appended every time",
    ),
    "last rows only": (
        edited("record", ("\nsummary", "history_rows = history_rows[-5:]\nsummary"), ("len(history_rows)", "EPOCHS")),
        "record",
        3,
        "history_rows has 5 rows, but the model was trained for 20 epochs",
    ),
    "other keys": (edited("record", ('"accuracy":', '"acc":')), "record", 2, "the key 'accuracy' is missing"),
    "time in milliseconds": (
        edited("record", ('"train_time": train_time', '"train_time": 1000 * train_time')),
        "record",
        1,
        "The unit should be s",
    ),
    "one line": (
        edited(
            "plot",
            ('ax.plot(numbers, [row["val_accuracy"] for row in history_rows], marker="s", label="validation")\n', ""),
        ),
        "plot",
        3,
        "No line in the figure shows the validation accuracy",
    ),
    "no legend": (edited("plot", ("ax.legend()", "")), "plot", 1, "which line is which"),
    "names swapped": (
        edited("plot", ('"training"', '"?"'), ('"validation"', '"training"'), ('"?"', '"validation"')),
        "plot",
        1,
        "are swapped in the legend",
    ),
    "no labels": (
        edited("plot", ('ax.set_xlabel("Epoch")\nax.set_ylabel("Accuracy")', "")),
        "plot",
        1,
        "Neither axis has a label",
    ),
    "against the accuracy": (
        edited("plot", ('row["epoch"]', 'row["accuracy"]')),
        "plot",
        1,
        "they should be at epochs 1, 2",
    ),
    "bars": (
        edited("plot", ("ax.plot", "ax.bar"), ('marker="o", ', ""), ('marker="s", ', "")),
        "plot",
        7,
        "shows bars",
    ),
}

# A task that is broken costs its own points; the tasks behind it are judged with a stand-in for it.
BROKEN: dict[str, tuple[dict[str, str], str]] = {
    "details": ({"data-details": "raise ValueError('?')"}, "data-details"),
    "training stops": ({"training": COMPILE + "history = model.fit(Xtr, ytr)"}, "training"),
    "record stops": ({"record": "history_rows = [history['accuracy']]"}, "record"),
}


def solved(**cells: str) -> NotebookNode:
    """The release with the solution in it, but for the cells that are given."""
    names = {name.replace("_", "-"): source for name, source in cells.items()}
    told = {name: source for name, source in TASKS.items() if not name.startswith("comment")} | names
    return fill(RELEASE, Description(name="case", header=Header(title="case"), cells=told))


def judged(kernels: Kernels, notebook: NotebookNode, seed: int = 5, training: str = "scripted") -> Verdict:
    submission = prepare("student", notebook, RELEASE, ASSIGNMENT)
    return grade(ASSIGNMENT, submission, kernels, Options(seed=seed, training=training)).verdict  # type: ignore[arg-type]


def lost(verdict: Verdict) -> dict[str, str]:
    return {item.id: f"{item.points} {item.message}" for item in verdict.items if item.points != item.max_points}


def test_the_committed_release_is_what_the_source_makes() -> None:
    check(ASSIGNMENT)
    assert ASSIGNMENT.judged_items
    assert sum(item.points for item in ASSIGNMENT.judged_items) == FULL


def test_the_solution_has_all_points(warm_kernels: Kernels) -> None:
    for seed in (1, 2):
        assert lost(judged(warm_kernels, solved(), seed)) == {}


def test_the_release_has_none_and_says_so(warm_kernels: Kernels) -> None:
    verdict = judged(warm_kernels, RELEASE)
    assert {item.id: item.points for item in verdict.items} == dict.fromkeys(ITEMS, 0.0)
    assert verdict.state == "graded"
    assert all("is not complete" in item.message for item in verdict.items)


@pytest.mark.parametrize("name", VARIANTS)
def test_unusual_and_right(warm_kernels: Kernels, name: str) -> None:
    assert lost(judged(warm_kernels, solved(**VARIANTS[name]))) == {}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mistake_costs_its_own_item(warm_kernels: Kernels, name: str) -> None:
    cells, item, points, sentence = MUTANTS[name]
    verdict = judged(warm_kernels, solved(**cells))
    assert list(lost(verdict)) == [item]
    found = next(one for one in verdict.items if one.id == item)
    assert sentence in found.message
    assert found.points == found.max_points - points


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_task_does_not_spoil_the_next(warm_kernels: Kernels, name: str) -> None:
    cells, item = BROKEN[name]
    verdict = judged(warm_kernels, solved(**cells))
    assert list(lost(verdict)) == [item]
    assert next(one.points for one in verdict.items if one.id == item) == 0


def test_training_by_hand_is_left_to_a_person(warm_kernels: Kernels) -> None:
    by_hand = COMPILE + (
        "history_rows = []\nstart = time.time()\n"
        "for e in range(EPOCHS):\n    model.train_on_batch(Xtr_scale[:128], ytr[:128])\n"
        "    history_rows.append({'epoch': e + 1, 'accuracy': 0.5, 'val_accuracy': 0.4})\n"
        "train_time = time.time() - start\n"
        "class history: pass"
    )
    record = "history_rows = list(history_rows)\nsummary = {'epochs': 20, 'train_time': train_time}"
    verdict = judged(warm_kernels, solved(training=by_hand, record=record))
    assert {item.id for item in verdict.items if item.status == "ungraded"} == {"training", "record"}
    assert verdict.state == "needs review"


def test_real_training_is_judged_alike(warm_kernels: Kernels) -> None:
    assert lost(judged(warm_kernels, solved(), training="real")) == {}


def test_cells_without_ids_are_recognised(warm_kernels: Kernels) -> None:
    bare = solved()
    for cell in bare.cells:
        cell.metadata = NotebookNode()
    submission = prepare("student", bare, RELEASE, ASSIGNMENT)
    assert [role for role in submission.roles if role in ASSIGNMENT.cells] == list(ASSIGNMENT.cells)


def test_settings_that_do_not_fit_are_told(tmp_path: Path) -> None:
    place = tmp_path / "source" / "fixed-epochs"
    shutil.copytree(COURSE / "source" / "fixed-epochs", place)
    path = place / "assignment.toml"
    text = path.read_text(encoding="utf-8")
    for old, new, sentence in (
        ("epochs = 20", "epochs = 2", "parameters: epochs must be at least 3"),
        ('checks = "fixed_epochs"', 'checks = "nowhere"', "The checks folder"),
        ("batch_size = 128", "patience = 3", "parameters: patience: there is no setting 'patience'."),
    ):
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(AssignmentError, match=re.escape(sentence)):
            Assignment.load("fixed-epochs", Course(tmp_path))


def test_two_assignments_share_a_gradebook(tmp_path: Path, assignment: Assignment, release: NotebookNode) -> None:
    submitted, out = tmp_path / "submitted", tmp_path / "out"
    for student, name, notebook in (
        ("ada", "fixed-epochs", solved()),
        ("ada", "tta-eta", release),
        ("bob", "tta-eta", release),
    ):
        folder = submitted / student / name
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    for each in (ASSIGNMENT, assignment, ASSIGNMENT):
        grade_class(each, submitted, out, Options(seed=1), jobs=1, sandbox="auto")
    points = {a.name: [v.points for v in ResultStore(out, a).read_verdicts()] for a in (ASSIGNMENT, assignment)}
    assert points == {"fixed-epochs": [FULL], "tta-eta": [0.0, 0.0]}
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{out / 'gradebook.db'}") as gradebook:
        scores = {name: gradebook.find_submission(name, "ada").score for name in points}
    assert scores == {"fixed-epochs": FULL, "tta-eta": 0.0}
    assert "What the class measured" not in (out / "fixed-epochs" / "report.html").read_text(encoding="utf-8")


def test_gradescope_packs_it(tmp_path: Path) -> None:
    for part in (ROOT / "autograder", COURSE / "source", COURSE / "release"):
        shutil.copytree(part, tmp_path / part.name, ignore=shutil.ignore_patterns("__pycache__", "*.zip"))
    for file in ("Makefile", "requirements.lock", "LICENSE"):
        shutil.copy(ROOT / file, tmp_path)
    packed = gradescope.pack(ASSIGNMENT.at(Course(tmp_path)))
    assert packed.name == "fixed-epochs-gradescope.zip"
