"""The students' helper: what it prints, saves and draws for any state of the work, and never a traceback."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat import NotebookNode
from tensorflow.keras import callbacks

from autograder.assignment.settings import Assignment
from autograder.assignment.source import read, solution_lines, source_path
from autograder.checks.instrument_notes import DATA_FILES
from autograder.checks.tta_eta.trials import first_stop
from autograder.common.cells import cells_by_id
from tests.conftest import Grade
from tests.fidelity.build import notebook as filled
from tests.fidelity.build import variant
from tests.places import COURSE

ASSIGNMENT = Assignment.load("tta-eta")
HELPER = source_path(ASSIGNMENT).parent / "lab_helpers.py"
CELLS = cells_by_id(read(source_path(ASSIGNMENT)))


@pytest.fixture(scope="module")
def helpers() -> Iterator[Any]:
    spec = importlib.util.spec_from_file_location("lab_helpers", HELPER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["lab_helpers"] = module
    spec.loader.exec_module(module)
    with plt.rc_context():
        yield module
    del sys.modules["lab_helpers"]


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A notebook's names after its settings and its data, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {"callbacks": callbacks}
    exec(CELLS["settings"].source, found)
    labels = np.arange(40) % 7
    data = {"Xtr_scale": np.zeros((40, 12)), "ytr": labels, "Xts_scale": np.zeros((21, 12)), "yts": labels[:21]}
    return found | data


def solve(names: dict[str, Any], task: str = "callback") -> None:
    exec(CELLS[task].source, names)


def told(helpers: Any, names: dict[str, Any], task: str, capsys: pytest.CaptureFixture[str]) -> str:
    helpers.Lab(names).check(task)
    return capsys.readouterr().out


def row(**changes: Any) -> dict[str, Any]:
    plain = {"batch_size": 128, "learning_rate": 0.0001, "epochs": 10, "test_accuracy": 0.96, "train_time": 4.5}
    return {**plain, "total_energy": None, **changes}


class AllHits(callbacks.Callback):
    """Counts all hits and not those in a row, and takes the threshold itself for one."""

    def __init__(self, threshold: float = 0.9, patience: int = 3) -> None:
        super().__init__()
        self.threshold, self.patience, self.hits = threshold, patience, 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.hits += logs["val_accuracy"] >= self.threshold
        self.model.stop_training = self.hits == self.patience


class WrongKey(AllHits):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        print("not shown")
        self.hits += logs["val_acc"] > self.threshold


class NoArguments(callbacks.Callback):
    pass


class Shared(AllHits):
    count = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        Shared.count += 1
        self.model.stop_training = Shared.count >= 6


# The module


def test_the_helper_holds_no_line_of_the_solution_and_no_curve_of_the_grader() -> None:
    secret: set[str] = set()
    for cell in read(source_path(ASSIGNMENT)).cells:
        secret.update(line for line in solution_lines(cell)[0] if len(line) > 20)
    lines = {line.strip() for line in HELPER.read_text(encoding="utf-8").splitlines()}
    assert "n_ts = Xts_scale.shape[0]" in secret
    assert lines & secret == set()
    assert "autograder." not in HELPER.read_text(encoding="utf-8")


def test_the_helper_needs_the_notebooks_packages_alone(tmp_path: Path) -> None:
    shutil.copy(HELPER, tmp_path)
    code = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        absent = ('autograder', 'nbgrader', 'nbformat', 'IPython', 'jupyter_client', 'pydantic', 'zeus')
        if name.partition('.')[0] in absent:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from lab_helpers import Lab
Lab({}).check('callback')
Lab({}).check('lr-plots')
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "TrainToAccuracy is not defined yet" in done.stdout
    assert "No figure yet" in done.stdout
    assert done.stderr == "", "TensorFlow's log is silenced"


def test_without_the_helper_the_notebook_says_so_and_runs(names: dict[str, Any], monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr(sys, "path", [place for place in sys.path if "site-packages" in place or "lib/python" in place])
    monkeypatch.delitem(sys.modules, "lab_helpers", raising=False)
    monkeypatch.delenv("COURSE_URL", raising=False)
    exec(CELLS["setup"].source, names)
    exec(CELLS["callback-check"].source, names)
    printed = capsys.readouterr().out
    assert "lab_helpers.py was not found" in printed
    assert "Not checked, because lab_helpers.py is missing" in printed
    assert names["lab"].remaining([1, 2], [], "x") == [1, 2]
    assert isinstance(names["lab"].progress("x", 1), callbacks.Callback)
    assert names["lab"].usable_monitor(types.SimpleNamespace(gpu_indices=[])) is None
    before = {name: names[name] for name in ("Xtr_scale", "MAX_EPOCHS")}
    exec(CELLS["sample"].source, names)
    assert {name: names[name] for name in before} == before


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: dict[str, Any]) -> Path:
    """The folder of a course on the web, for a student who has only the notebook."""
    folder = tmp_path / "web"
    (folder / "data").mkdir(parents=True)
    shutil.copy(HELPER, folder)
    for name in DATA_FILES:
        (folder / "data" / name).write_text(f"of the course: {name}")
    monkeypatch.setenv("COURSE_URL", folder.as_uri())
    monkeypatch.setattr(sys, "path", [*sys.path])
    return folder


def set_up(names: dict[str, Any]) -> None:
    exec(CELLS["setup"].source, names)


def test_the_helper_and_the_data_are_fetched_from_where_the_course_keeps_them(
    names: Any, web: Path, helpers: Any
) -> None:
    Path("uiowa_test_labels.npy").write_text("one's own")
    set_up(names)
    assert names["DATA_FOLDER"] == Path()
    assert Path("lab_helpers.py").read_bytes() == HELPER.read_bytes()
    assert type(names["lab"]).__name__ == "Lab"
    assert [Path(name).read_text() for name in DATA_FILES[:3]] == [f"of the course: {name}" for name in DATA_FILES[:3]]
    assert Path("uiowa_test_labels.npy").read_text() == "one's own"
    assert not list(Path().glob("*.part"))


def test_files_that_cannot_be_fetched_are_fetched_the_next_time(
    names: Any, web: Path, helpers: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = (web / "data" / DATA_FILES[2]).rename(web / "elsewhere")
    set_up(names)
    assert capsys.readouterr().out.startswith("The course files could not be downloaded: ")
    missing.rename(web / "data" / DATA_FILES[2])
    set_up(names)
    assert all(Path(name).exists() for name in (*DATA_FILES, "lab_helpers.py"))
    assert capsys.readouterr().out == ""


def test_where_the_helper_is_nothing_is_fetched(names: Any, web: Path, helpers: Any) -> None:
    """As in the grader, which has data of its own."""
    shutil.copy(HELPER, "lab_helpers.py")
    set_up(names)
    assert not list(Path().glob("*.npy"))


# The dry run


@pytest.mark.parametrize(("asked", "variable"), [(True, ""), (False, "1"), (False, "0"), (False, "")])
def test_a_dry_run_takes_a_sample_and_few_epochs(
    helpers: Any, names: Any, monkeypatch: Any, asked: bool, variable: str
) -> None:
    monkeypatch.setenv("DRY_RUN", variable)
    many = {
        "Xtr_scale": np.zeros((9000, 2)),
        "ytr": np.zeros(9000),
        "Xts_scale": np.zeros((7000, 2)),
        "yts": np.zeros(7000),
    }
    names |= many | {"DRY_RUN": asked}
    names["lab"] = helpers.Lab(names)
    exec(CELLS["sample"].source, names)
    dry = asked or variable == "1"
    assert names["DRY_RUN"] == dry
    assert len(names["Xtr_scale"]) == len(names["ytr"]) == (6000 if dry else 9000)
    assert len(names["Xts_scale"]) == len(names["yts"]) == (6000 if dry else 7000)
    assert names["MAX_EPOCHS"] == (ASSIGNMENT.parameters.patience + 1 if dry else ASSIGNMENT.parameters.max_epochs)


def test_small_data_stay_as_they_are_in_a_dry_run(helpers: Any, names: dict[str, Any]) -> None:
    names |= {"DRY_RUN": True, "lab": helpers.Lab(names)}
    exec(CELLS["sample"].source, names)
    assert (len(names["Xtr_scale"]), names["MAX_EPOCHS"]) == (40, ASSIGNMENT.parameters.max_epochs)


# The size of the data


def test_right_details_agree_and_no_number_is_told(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    assert told(helpers, names, "data-details", capsys).count("not defined") == 4
    names |= {"n_tr": 39, "n_ts": (21,), "n_feat": np.int64(12), "n_class": 6}
    said = told(helpers, names, "data-details", capsys)
    assert [line[0] for line in said.splitlines()[1:5]] == ["✗", "✗", "✓", "✗"]
    assert "expected a whole number, got tuple" in said
    assert not any(number in said for number in ("40", " 7 "))
    solve(names | {"np": np}, "data-details")
    names |= {"np": np}
    solve(names, "data-details")
    assert told(helpers, names, "data-details", capsys).count("✓") == 4


# The callback


def test_the_curves_end_where_the_rule_says(helpers: Any) -> None:
    for curve in helpers.CURVES:
        stop = first_stop(list(curve.val_accuracy), curve.threshold, curve.patience)
        assert curve.stop == (None if stop is None else stop + 1), curve.name


def test_a_right_callback_is_told_so(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    solve(names)
    assert told(helpers, names, "callback", capsys).startswith("✓ Training stops at the right epoch on all 6 curves")


def test_a_wrong_callback_is_told_where(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    said = told(helpers, names | {"TrainToAccuracy": AllHits}, "callback", capsys)
    late, never = "falls below the threshold once", "never stays above the threshold"
    assert f"{late}: your callback stopped training after epoch 5, but should have stopped it after epoch 7" in said
    assert f"{never}: your callback stopped training after epoch 4, but should not have stopped it" in said
    assert "rises" not in said


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (None, "TrainToAccuracy is not defined yet"),
        (
            WrongKey,
            "on_epoch_end in epoch 1 raised KeyError: 'val_acc'. `logs` contains accuracy, loss, val_accuracy",
        ),
        (NoArguments, r"TrainToAccuracy\(threshold=0.9, patience=3\) raised TypeError"),
        (int, r"TrainToAccuracy\(threshold=0.9, patience=3\) raised TypeError"),
        (lambda: None, "TrainToAccuracy is not defined yet"),
        (
            types.new_class("Plain", (), {}, lambda n: n.update(__init__=lambda s, threshold, patience: None)),
            "set_params",
        ),
    ],
)
def test_what_cannot_run_gives_one_sentence(helpers: Any, names: Any, capsys: Any, made: Any, sentence: str) -> None:
    import re

    said = told(helpers, names | ({"TrainToAccuracy": made} if made else {}), "callback", capsys)
    assert re.search(sentence, said)
    assert len(said.splitlines()) == 1
    assert "not shown" not in said


def test_an_empty_stub_is_not_filled_in_yet(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    exec(cells_by_id(read(COURSE / "release/tta-eta/tta-eta.ipynb"))["callback"].source, names)
    assert "TrainToAccuracy is not complete yet" in told(helpers, names, "callback", capsys)


def test_callbacks_that_share_a_count_are_found_and_left_as_they_were(helpers: Any, names: Any, capsys: Any) -> None:
    said = told(helpers, names | {"TrainToAccuracy": Shared}, "callback", capsys)
    assert "two instances must not share any state" in said
    assert Shared.count == 0


def test_the_picture_marks_both_ends_of_each_curve(helpers: Any) -> None:
    drives = [helpers.drive(AllHits, curve) for curve in helpers.CURVES]
    figure = helpers.picture(drives)
    assert len(figure.axes) == len(helpers.CURVES)
    marks = [ax.get_title()[0] for ax in figure.axes]
    assert marks == [
        ("✓" if one.stop == curve.stop else "✗") for one, curve in zip(drives, helpers.CURVES, strict=True)
    ]
    second = [
        line.get_xdata()[0] for line in figure.axes[1].lines if line.get_color() in (helpers.BLUE, helpers.ORANGE)
    ]
    assert second == [7, 5]
    figure.canvas.draw()


# The loops


def test_a_full_list_has_nothing_to_look_at(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    names["metrics_vs_lr"] = [row(learning_rate=rate) for rate in names["LEARNING_RATES"]]
    said = told(helpers, names, "lr-loop", capsys)
    assert said.count("✓") == 5
    assert "no structural problems" in said
    assert "No energy was recorded" in said


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"test_acc": 0.5, "test_accuracy": ...}, "missing: test_accuracy; unknown: test_acc"),
        ({"train_time": "4.5 s"}, "train_time: expected a number, got str"),
        ({"train_time": float("nan")}, "train_time is nan"),
        ({"total_energy": [1, 2]}, "total_energy: expected a number, got list"),
        ({"test_accuracy": 96.1}, "test_accuracy must be between 0 and 1"),
        ({"learning_rate": 0.02}, "learning_rate is not in LEARNING_RATES"),
        ({"learning_rate": 0.001}, "learning_rate appears twice"),
        ({"batch_size": 64}, "batch_size is not DEFAULT_BATCH_SIZE"),
        ({"epochs": 2}, "too few epochs: at least 3 epochs in a row must be above the threshold"),
    ],
)
def test_a_row_says_what_is_wrong_with_it(helpers: Any, names: Any, capsys: Any, changes: Any, sentence: str) -> None:
    wrong = {key: value for key, value in row(**changes).items() if value is not ...}
    names["metrics_vs_lr"] = [row(learning_rate=0.001), wrong]
    said = told(helpers, names, "lr-loop", capsys)
    assert [line[0] for line in said.splitlines()[1:3]] == ["✓", "✗"]
    assert sentence in said
    assert "1 with problems" in said


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (None, "metrics_vs_bs is not defined yet"),
        ({"a": 1}, "metrics_vs_bs: expected a list of dictionaries, got dict"),
        ([3], "expected a dictionary, got int"),
        ([[1, 2]], "expected a dictionary, got list"),
        ([row(epochs=500, batch_size=64, learning_rate=0.001)], "target not reached"),
        ([{}], "missing: batch_size, learning_rate, epochs"),
    ],
)
def test_any_list_can_be_looked_at(helpers: Any, names: Any, capsys: Any, rows: Any, sentence: str) -> None:
    if rows is not None:
        names["metrics_vs_bs"] = rows
    said = told(helpers, names, "bs-loop", capsys)
    assert sentence in said
    assert "The check itself failed" not in said


def test_one_dictionary_appended_again_and_again_is_seen(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    names["metrics_vs_lr"] = [row(learning_rate=1.0)] * 5
    said = told(helpers, names, "lr-loop", capsys)
    assert said.count("same dictionary object as an earlier row") == 4
    assert said.count("not in the list") == 4


def test_a_table_is_text_in_a_terminal_and_safe_html_on_a_page(helpers: Any, names: dict[str, Any]) -> None:
    names["metrics_vs_lr"] = [row(train_time="<script>alert(1)</script>")]
    table = helpers.check_loop(names, helpers.LOOPS["lr"])
    assert "<script>" not in table._repr_html_()
    assert "&lt;script" in table._repr_html_()
    assert len({line.index("epochs") for line in str(table).splitlines()[:1]}) == 1


def test_a_check_that_breaks_costs_nothing(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    del names["LEARNING_RATES"]
    names["metrics_vs_lr"] = []
    assert "The check itself failed (KeyError: 'LEARNING_RATES')" in told(helpers, names, "lr-loop", capsys)


def test_a_dry_run_is_named_below_each_check(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    assert "DRY_RUN is on" in told(helpers, names | {"DRY_RUN": True}, "lr-loop", capsys)


# The plots


def draw(*labels: tuple[str, str], heights: tuple[float, ...] = (1.0, 2.0), top: float | None = None) -> Figure:
    figure, axes = plt.subplots(1, len(labels), squeeze=False)
    for ax, (across, upward) in zip(axes.flat, labels, strict=True):
        ax.bar(range(len(heights)), heights)
        ax.set(xlabel=across, ylabel=upward)
        if top:
            ax.set_ylim(0, top)
    plt.close(figure)
    return figure


def test_a_figure_of_the_last_cell_is_described(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    names["metrics_vs_lr"] = [row(learning_rate=0.001), row(learning_rate=0.01, epochs=500)]
    lab = helpers.Lab(names)
    lab.check("lr-loop")
    draw(("Learning rate", "Time (s)"), ("", "Accuracy"), ("Learning rate", ""), ("Learning rate", "Time"))
    capsys.readouterr()
    for _ in range(2):  # run again, the check shows the same figure
        lab.check("lr-plots")
        said = capsys.readouterr().out
        assert [line[0] for line in said.splitlines()[1:5]] == ["✓", "✗", "✗", "✗"]
        assert "the horizontal axis has no label" in said
        assert "the vertical axis has no label" in said
        assert "the time label has no unit" in said
        assert "Plots in the figure: 4. The task asks for one figure with 3 bar plots" in said
        assert "does the figure show which did not?" in said
    lab.check("bs-plots")
    assert "No figure yet" in capsys.readouterr().out


@pytest.mark.parametrize("energy", [None, float("nan")])
def test_energy_that_was_not_measured_is_no_plot(
    helpers: Any, names: dict[str, Any], energy: float | None, capsys: Any
) -> None:
    names["metrics_vs_bs"] = [row(total_energy=energy)]
    assert "No energy was recorded" in told(helpers, names, "bs-loop", capsys)
    lab = helpers.Lab(names)
    helpers.FIGURES.clear()
    lab.check("bs-plots")
    assert "The task asks for one figure with 3 bar plots" in capsys.readouterr().out


def test_bars_that_look_alike_and_figures_in_pieces_are_named(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    names["metrics_vs_bs"] = [row(total_energy=20.5), row(total_energy=30)]
    lab = helpers.Lab(names)
    helpers.FIGURES.clear()
    for _ in range(3):
        draw(("Batch size", "Test accuracy"), heights=(0.98, 0.97), top=1.0)
    lab.check("bs-plots")
    said = capsys.readouterr().out
    assert "the bars look alike in this range" in said
    assert "The task asks for one figure with 4 bar plots. You drew 3 figures" in said


def test_an_additional_figure_of_lines_does_not_hide_the_bars(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    names["metrics_vs_lr"] = [row(), row()]
    lab = helpers.Lab(names)
    helpers.FIGURES.clear()
    draw(*[("Learning rate", "Epochs")] * 4)
    figure, ax = plt.subplots()
    ax.plot([1, 2])
    plt.close(figure)
    lab.check("lr-plots")
    said = capsys.readouterr().out
    assert "no bars" not in said
    assert "Plots in the figure: 4" in said
    assert "You drew" not in said


# The assignment with a fixed number of epochs


@pytest.fixture
def trained(names: dict[str, Any]) -> dict[str, Any]:
    """The namespace after every task of `fixed-epochs`, with three epochs."""
    history = {"accuracy": [0.5, 0.6, 0.7], "val_accuracy": [0.4, 0.5, 0.5]}
    rows = [{"epoch": e, "accuracy": 0.5, "val_accuracy": 0.4} for e in (1, 2, 3)]
    summary = {"epochs": 3, "train_time": 2.5, "total_energy": None}
    left = {"history": types.SimpleNamespace(history=history), "history_rows": rows, "summary": summary}
    return names | {"EPOCHS": 3, "train_time": np.float64(2.5), "total_energy": None} | left


def test_right_work_of_the_other_assignment_has_no_problem(helpers: Any, trained: dict[str, Any], capsys: Any) -> None:
    for task, count in (("training", 3), ("record", 2)):
        printed = told(helpers, trained, task, capsys)
        assert (printed.count("✓"), printed.count("✗")) == (count, 0)
    del trained["summary"]
    assert "…  summary       not defined" in told(helpers, trained, "record", capsys)


@pytest.mark.parametrize(
    ("task", "changes", "sentence"),
    [
        ("training", {"EPOCHS": 4}, "expected 4 epochs"),
        ("training", {"history": types.SimpleNamespace(history={"accuracy": [1]})}, "no val_accuracy"),
        ("training", {"train_time": "2 s"}, "expected a number of seconds"),
        ("training", {"total_energy": []}, "expected a number of joules, or None"),
        ("record", {"history_rows": {}}, "expected a list of dictionaries, got dict"),
        ("record", {"history_rows": []}, "expected one dictionary per epoch (3)"),
        ("record", {"history_rows": [1, 2, 3]}, "row 1: expected a dictionary, got int"),
        ("record", {"history_rows": [{"epoch": 1}] * 3}, "row 1: accuracy, val_accuracy missing"),
        ("record", {"history_rows": [{"epoch": 0, "accuracy": 1, "val_accuracy": 1}] * 3}, "epoch is 0; count from 1"),
        ("record", {"history_rows": [{"epoch": 1, "accuracy": 9, "val_accuracy": 1}] * 3}, "accuracy must be between"),
        ("record", {"summary": {"epochs": 3}}, "train_time, total_energy missing"),
        ("record", {"summary": {"epochs": 2, "train_time": 1, "total_energy": 1}}, "epochs: expected 3, got 2"),
    ],
)
def test_wrong_work_of_the_other_assignment_is_named(
    helpers: Any, trained: dict[str, Any], capsys: Any, task: str, changes: dict[str, Any], sentence: str
) -> None:
    printed = told(helpers, trained | changes, task, capsys)
    assert sentence in printed
    assert printed.count("✗") == 1


def test_a_figure_of_two_lines_is_described(helpers: Any, trained: dict[str, Any], capsys: Any) -> None:
    lab = helpers.Lab(trained)
    lab.check("training")
    _, ax = plt.subplots()
    ax.plot([1, 2], [0.5, 0.6], label="training")
    lab.check("plot")
    wrong = capsys.readouterr().out
    for remark in ("expected two lines", "the horizontal axis has no label", "the lines cannot be told apart"):
        assert remark in wrong
    ax.plot([1, 2], [0.4, 0.5], label="validation")
    ax.set(xlabel="Epoch", ylabel="Accuracy")
    ax.legend()
    lab.check("plot")
    assert "✓  2      Epoch            Accuracy" in capsys.readouterr().out
    plt.close("all")


# The real run


def test_progress_is_one_line_a_training(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    line = helpers.Lab(names).progress("learning rate", 0.01)
    line.set_params({"epochs": 500})
    line.set_model(types.SimpleNamespace(stop_training=False))
    line.on_train_begin()
    for epoch in range(37):
        line.on_epoch_end(epoch, {"val_accuracy": 0.5 + epoch / 100})
    line.on_train_end()
    said = capsys.readouterr().out
    assert len(said.splitlines()) == 1
    assert said.startswith("learning rate 0.01")
    assert "epoch  37/500, val. accuracy 0.860" in said
    assert said.endswith("target missed\n")
    assert len(said) < 90


def train(lab: Any, rows: list[dict[str, Any]], values: list[float], stop_at: float | None = None) -> list[float]:
    """A plain loop; returns the values that it trained."""
    trained = []
    for value in lab.remaining(values, rows, "learning_rate"):
        if value == stop_at:
            break
        trained.append(value)
        rows.append(row(learning_rate=value, train_time=np.float32(2.5), test_accuracy=np.float64(0.1) + 0.2))
    return trained


def test_what_was_trained_is_not_trained_again(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    rates = names["LEARNING_RATES"]
    first: list[dict[str, Any]] = []
    assert train(helpers.Lab(names), first, rates, stop_at=0.01) == [0.0001, 0.001]
    again: list[dict[str, Any]] = []
    assert train(helpers.Lab(dict(names)), again, rates) == [0.01, 0.1, 1.0]
    assert [one["learning_rate"] for one in again] == rates
    assert again[:2] == first
    assert type(again) is list
    document = json.loads(Path("kept-learning_rate.json").read_text())
    assert [entry["value"] for entry in document["trained"]] == rates
    assert all(entry["when"] and "TensorFlow" in entry["on"] for entry in document["trained"])
    assert document["trained"][0]["row"] == {**row(learning_rate=0.0001, train_time=2.5), "test_accuracy": 0.1 + 0.2}
    assert capsys.readouterr().out.count(": restored, measured at 2") == 2
    helpers.Lab(names).forget()
    assert not list(Path().glob("kept*"))


@pytest.mark.parametrize("change", ["cell", "callback", "settings", "data", "energy"])
def test_rows_of_other_circumstances_do_not_count(helpers: Any, names: Any, capsys: Any, change: str) -> None:
    names |= {"In": ["rows = []"]}
    solve(names)
    train(helpers.Lab(names), [], [0.1, 1.0])
    names["In"] = ["rows =   []  # a remark changes nothing"]
    assert train(helpers.Lab(names), [], [0.1, 1.0]) == []
    if change == "cell":
        names["In"] = ["rows = [0]"]
    elif change == "callback":
        names["TrainToAccuracy"] = AllHits
    elif change == "settings":
        names["MAX_EPOCHS"] = 9
    elif change == "energy":
        names["monitor"] = Counter()
    else:
        names["ytr"] = names["ytr"] + 1
    capsys.readouterr()
    assert train(helpers.Lab(names), [], [0.1, 1.0]) == [0.1, 1.0]
    assert f"does not match this run (changed: {change}), so all models are trained again" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"circumstances": {}, "trained": [{}]}', '{"circumstances": 3, "trained": 3}']
)
def test_a_damaged_file_is_no_obstacle(helpers: Any, names: dict[str, Any], capsys: Any, text: str) -> None:
    Path("kept-learning_rate.json").write_text(text)
    assert train(helpers.Lab(names), [], [0.1]) == [0.1]
    assert "all models are trained again" in capsys.readouterr().out


def test_a_dry_run_keeps_nothing_and_takes_nothing(helpers: Any, names: dict[str, Any]) -> None:
    train(helpers.Lab(names), [], [0.1])
    before = Path("kept-learning_rate.json").read_bytes()
    assert train(helpers.Lab(names | {"DRY_RUN": True}), [], [0.1, 1.0]) == [0.1, 1.0]
    assert Path("kept-learning_rate.json").read_bytes() == before


@pytest.mark.parametrize("rows", [[], [3], [row(), row()], [row(model=object())]])
def test_what_is_no_single_row_of_plain_values_is_not_kept(helpers: Any, names: Any, rows: list[Any]) -> None:
    for _ in range(2):
        made: list[Any] = []
        for _value in helpers.Lab(names).remaining([0.1], made, "learning_rate"):
            made.extend(rows)
        assert made == rows
    assert not list(Path().glob("kept-*.json"))


# Energy


class Counter:
    """A monitor of zeus on a machine whose processor has a counter."""

    gpu_indices: tuple[int, ...] = ()
    cpu_indices = (0, 1)

    def begin_window(self, key: str, sync_execution: bool = True) -> None:
        assert not sync_execution

    def end_window(self, key: str, sync_execution: bool = True) -> types.SimpleNamespace:
        return types.SimpleNamespace(time=2.0, gpu_energy={}, cpu_energy={0: 30.0, 1: 12.5}, total_energy=0)


def test_the_joules_of_a_processor_are_marked_as_such(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    zeus = types.ModuleType("zeus.monitor")
    zeus.ZeusMonitor = Counter  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "zeus", types.ModuleType("zeus"))
        patch.setitem(sys.modules, "zeus.monitor", zeus)
        names["lab"] = helpers.Lab(names)
        exec(CELLS["monitor"].source, names)
    assert "measured for the whole CPU (RAPL)" in capsys.readouterr().out
    names["monitor"].begin_window("fit", sync_execution=False)
    measured = names["monitor"].end_window("fit", sync_execution=False)
    assert (measured.time, measured.total_energy) == (2.0, 42.5)


def test_a_machine_without_a_counter_measures_time_alone(helpers: Any, names: dict[str, Any], capsys: Any) -> None:
    zeus = types.ModuleType("zeus.monitor")
    zeus.ZeusMonitor = lambda: types.SimpleNamespace(gpu_indices=[], cpu_indices=[])  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "zeus", types.ModuleType("zeus"))
        patch.setitem(sys.modules, "zeus.monitor", zeus)
        names["lab"] = helpers.Lab(names)
        exec(CELLS["monitor"].source, names)
    assert names["monitor"] is None
    assert "measure the duration of fit with time.perf_counter(), and record None" in capsys.readouterr().out


# Graded


def shown(notebook: NotebookNode, part: str) -> str:
    """The outputs of the code cells that hold the text, as text."""
    outputs = [
        out for cell in notebook.cells if cell.cell_type == "code" and part in cell.source for out in cell.outputs
    ]
    return "\n".join(
        str(out.get("text") or out.get("data", {}).get("text/plain", out.get("evalue"))) for out in outputs
    )


def test_a_solution_with_every_helper_gets_all_points(grade_notebook: Grade) -> None:
    graded = grade_notebook(filled(variant("with_the_helpers")), seed=5)
    assert {item.id: item.message for item in graded.verdict.items if item.points != item.max_points} == {}
    assert graded.executed is not None
    assert "5 rows for 5 settings; no structural problems" in shown(graded.executed, "lab.forget()")
    assert shown(graded.executed, "lab.progress").count("val. accuracy") == 11
    assert "Deleted kept-learning_rate.json" in shown(graded.executed, "lab.forget()")


@pytest.mark.parametrize("asked", [True, False])
def test_the_switch_for_the_dry_run_changes_no_points(grade_notebook: Grade, asked: bool) -> None:
    notebook = filled(variant("reference"))
    cells_by_id(notebook)["dry-run"].source = f"DRY_RUN = {asked}"
    graded = grade_notebook(notebook, seed=6)
    assert graded.verdict.points == 88
    assert [finding.kind for finding in graded.verdict.findings] == ["provided cell changed"]


# What was marked


def test_an_empty_list_is_no_table(helpers: Any, names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    said = told(helpers, names | {"metrics_vs_lr": []}, "lr-loop", capsys)
    assert said == "… metrics_vs_lr contains no rows yet (5 expected).\n"


@pytest.mark.parametrize(
    ("key", "value"),
    [("train_time", -1.0), ("train_time", float("nan")), ("test_accuracy", 96.0), ("total_energy", -5.0)],
)
def test_an_impossible_value_is_marked_in_its_cell(
    helpers: Any, names: dict[str, Any], key: str, value: float, capsys: pytest.CaptureFixture[str]
) -> None:
    names["metrics_vs_lr"] = [row(**{key: value})]
    assert f"✗ {value:.0f}" in told(helpers, names, "lr-loop", capsys)
    page = helpers.check_loop(names, helpers.LOOPS["lr"])._repr_html_()
    assert page.count("outline:1px") == 1, "the cell and not the row"
    assert f">✗ {value:.0f}</td>" in page


def test_after_a_cell_that_stopped_only_its_figure_is_described_and_nothing_is_marked_as_correct(
    helpers: Any, names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    lab = helpers.Lab(names | {"metrics_vs_lr": [row()], "earlier": plt.figure()})
    names["earlier"] = plt.figure()
    names["earlier"].gca().bar(["a"], [1])
    helpers.FIGURES.clear()

    class Ended:
        info = None
        error_before_exec = None
        error_in_exec = KeyError("acc")

    helpers.note_end(Ended)
    try:
        lab.check("lr-plots")
        assert capsys.readouterr().out == "✗ The cell above raised KeyError: 'acc'. It created no figure.\n"
        figure, ax = plt.subplots()
        ax.bar(["a"], [1])
        ax.set(xlabel="learning rate", ylabel="epochs")
        helpers.FIGURES.append(figure)
        lab.check("lr-plots")
        said = capsys.readouterr().out
        assert "raised KeyError: 'acc'. This is the figure up to that point." in said
        assert "✓" not in said
    finally:
        Ended.error_in_exec = None  # type: ignore[assignment]
        helpers.note_end(Ended)
    plt.close("all")
    assert not helpers.STOPPED


def test_a_figure_that_cannot_be_drawn_is_not_correct(
    helpers: Any, names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    figure, ax = plt.subplots()
    ax.bar(["a"], [1])
    ax.set(xlabel="learning rate", ylabel="epochs", title="$\\frac{1$")
    helpers.FIGURES.clear()
    helpers.FIGURES.append(figure)
    said = told(helpers, names | {"metrics_vs_lr": [row()]}, "lr-plots", capsys)
    plt.close("all")
    assert said.startswith("✗ The figure cannot be drawn (ValueError")
    assert "✓" not in said
