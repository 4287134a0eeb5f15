"""Relatives of what public reports tell of: other ways in which right work looks unusual, and none may cost a point."""

from __future__ import annotations

import nbformat
import pytest
from nbformat import NotebookNode

from tests.fidelity.build import RELEASE, notebook, variant

from .test_public_reports import (
    ADDED,
    CALLBACKS,
    EVALUATED,
    FULL,
    Edit,
    Grade,
    at_top,
    both,
    cell_of,
    in_task,
    loops,
    new_cell,
)

TASKS = ("data-details", "callback", "lr-loop", "lr-plots", "bs-loop", "bs-plots")
RATES = "in [0.0001, 0.001, 0.01, 0.1, 1.0]:"


def added(callback: str, setup: str = "import os") -> Edit:
    """One more callback in both loops."""
    return both(loops((CALLBACKS, ADDED.format(callback))), new_cell(setup))


def after_training(code: str, setup: str = "import os") -> Edit:
    """Code that runs after each training of the first loop."""
    return both(new_cell(setup), in_task("lr-loop", (EVALUATED, f"    {code}\n{EVALUATED}")))


def clocked(now: str, seconds: str, setup: str) -> Edit:
    """The time from another clock; the energy from the window."""
    return both(
        at_top("lr-loop", setup),
        in_task(
            "lr-loop",
            ('    monitor.begin_window("fit")', f'    monitor.begin_window("fit")\n    start = {now}'),
            (
                '    measurement = monitor.end_window("fit")',
                f'    stop = {now}\n    measurement = monitor.end_window("fit")',
            ),
            ("measurement.time", seconds),
        ),
    )


def with_model(definition: str, call: str) -> Edit:
    return both(new_cell(definition, "callback"), loops(("get_model()", call)))


def released_stubs(place: int) -> Edit:
    """The answers in new cells, and the stubs as they were released: below them (0) or above (1)."""

    def edit(document: NotebookNode) -> None:
        released = nbformat.read(RELEASE, as_version=4)
        for task in TASKS:
            cell = cell_of(document, task)
            answer = nbformat.v4.new_code_cell(cell.source)
            cell.source = cell_of(released, task).source
            document.cells.insert(document.cells.index(cell) + place, answer)

    return edit


def doubled(is_solved_first: bool) -> Edit:
    """The notebook and the release in one file."""

    def edit(document: NotebookNode) -> None:
        released = list(nbformat.read(RELEASE, as_version=4).cells)
        solved = list(document.cells)
        document.cells = [*solved, *released] if is_solved_first else [*released, *solved]

    return edit


def units(task: str, time: str, energy: str) -> Edit:
    return in_task(task, ("Time to accuracy (s)", time), ("Energy to accuracy (J)", energy))


SUBCLASS = """
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = Dense(256, activation="sigmoid")
        self.out = Dense(n_class, activation="softmax")
    def call(self, x, training=None):
        return self.out(self.hidden(x))
"""
FUNCTIONAL = """
def build():
    inputs = tf.keras.Input(shape=(n_feat,))
    hidden = tf.keras.layers.Dense(256, activation=tf.keras.activations.sigmoid)(inputs)
    return tf.keras.Model(inputs, tf.keras.layers.Dense(n_class, activation=tf.nn.softmax)(hidden))
"""
SEPARATE = """
def build():
    return tf.keras.models.Sequential([
        Dense(256, input_shape=(n_feat,)), tf.keras.layers.Activation("sigmoid"),
        Dense(n_class), tf.keras.layers.Softmax(),
    ])
"""


def own_split(split: str, passed: str = "validation_data=(Xtr_scale[last], ytr[last])") -> Edit:
    """The validation notes are selected by hand in the first loop."""
    return both(
        at_top("lr-loop", split),
        in_task(
            "lr-loop",
            ("        Xtr_scale,\n        ytr,\n", "        Xtr_scale[first],\n        ytr[first],\n"),
            ("validation_split=0.2", passed),
        ),
    )


RIGHT: dict[str, Edit] = {
    # nested cells
    "a magic through a function": new_cell('get_ipython().run_cell_magic("capture", "", "a = 1")'),
    "a captured callback": at_top("callback", "%%capture"),
    "a timed and captured loop": at_top("bs-loop", "%%time"),
    "captured output": at_top(
        "lr-loop", "from IPython.utils.capture import capture_output\nwith capture_output(): print(1)"
    ),
    "a shell cell": new_cell("%%bash\necho hello"),
    "a quiet install": new_cell("%%capture\n%pip install -q zeus seaborn"),
    # stubs
    "answers above the stubs": released_stubs(0),
    "answers below the stubs": released_stubs(1),
    "solved and then untouched": doubled(is_solved_first=True),
    "untouched and then solved": doubled(is_solved_first=False),
    # what hosted notebooks have
    "tqdm for Keras": added("LambdaCallback(), TqdmCallback(verbose=0)", "from tqdm.keras import TqdmCallback"),
    "trange": both(
        at_top("lr-loop", "from tqdm.auto import trange\nrates = [0.0001, 0.001, 0.01, 0.1, 1.0]"),
        in_task("lr-loop", (f"for lr {RATES}", "for i in trange(len(rates)):\n    lr = rates[i]")),
    ),
    "a bar that is moved by hand": both(
        at_top("lr-loop", "import tqdm\nbar = tqdm.tqdm(total=5, desc='rates')"),
        after_training("bar.update(1); bar.set_postfix(lr=lr)"),
    ),
    "TensorBoard": both(
        new_cell("%load_ext tensorboard"),
        added('TensorBoard(log_dir="logs")'),
        new_cell("%tensorboard --logdir logs", "bs-plots"),
    ),
    "another format of figures": new_cell("%config InlineBackend.figure_format = 'retina'\n%matplotlib notebook"),
    "imports that nothing uses": both(
        at_top("lr-loop", "import plotly.express as px\nimport torch"),
        at_top("callback", "from google.colab import files"),
    ),
    "what the machine has": new_cell("!nvidia-smi\n!lscpu | head -3\n%autoreload 2\n%load_ext autoreload"),
    "output that is cleared": both(
        at_top("lr-loop", "from IPython.display import clear_output, display"),
        after_training("clear_output(wait=True)"),
    ),
    # hosted folders
    "a table on a drive": after_training(
        'pd.DataFrame([{"lr": lr}]).to_csv("/content/drive/MyDrive/Colab Notebooks/rows.csv")',
        "import pandas as pd\nfrom google.colab import drive\ndrive.mount('/content/drive', force_remount=True)\n"
        "os.makedirs('/content/drive/MyDrive/Colab Notebooks', exist_ok=True)",
    ),
    "a file of a hosted service": after_training(
        'json.dump({"lr": lr}, open("/kaggle/working/rows.json", "w"))', "import json"
    ),
    "a folder on a drive": at_top("bs-loop", "%cd /content\n!mkdir -p out\nopen('/content/out/a.txt', 'w').write('1')"),
    # files
    "a temporary folder": after_training(
        "model.save_weights(os.path.join(tempfile.mkdtemp(), 'a.weights.h5'))", "import tempfile, os"
    ),
    "weights and a pickle": after_training(
        'model.save_weights("a.weights.h5"); pickle.dump(metrics_vs_lr, open("rows.pkl", "wb"))', "import pickle"
    ),
    "a model that is saved and read": after_training(
        'model.save("m.keras"); tf.keras.models.load_model("m.keras").summary()'
    ),
    "a saved figure": in_task(
        "lr-plots", ("plt.show()", 'plt.savefig("lr.pdf"); plt.savefig("/tmp/lr.png", dpi=50)\nplt.show()')
    ),
    # Keras's own callbacks
    "weights of the best epoch": added(
        'ModelCheckpoint("best.weights.h5", monitor="val_accuracy", save_best_only=True, save_weights_only=True)'
    ),
    "a log as a table": both(added('CSVLogger("log.csv", append=True)'), at_top("bs-loop", "print(1)")),
    "callbacks that change nothing": added(
        "TerminateOnNaN(), callbacks.LearningRateScheduler(lambda epoch, rate: rate), "
        'callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.get("loss"))'
    ),
    "a plateau of the loss": added("ReduceLROnPlateau(patience=700)"),
    "early stopping that watches": added('EarlyStopping("val_accuracy", patience=600, restore_best_weights=True)'),
    "a backup": added('BackupAndRestore("backup")'),
    # models
    "a model of its own class": with_model(SUBCLASS, "Net()"),
    "a functional model": with_model(FUNCTIONAL, "build()"),
    "activations as layers": with_model(SEPARATE, "build()"),
    "details as NumPy has them": in_task(
        "data-details",
        ("n_tr, n_feat = Xtr_scale.shape", "n_tr, n_feat = np.array(Xtr_scale.shape)"),
        ("len(np.unique(ytr))", "np.max(ytr) - np.min(ytr) + 1"),
    ),
    "details by the largest label": in_task("data-details", ("len(np.unique(ytr))", "int(np.amax(ytr)) + 1")),
    "details by TensorFlow": in_task("data-details", ("len(np.unique(ytr))", "int(tf.reduce_max(ytr)) + 1")),
    "mixed precision by a policy": new_cell(
        'tf.keras.mixed_precision.set_global_policy(tf.keras.mixed_precision.Policy("mixed_float16"))', "callback"
    ),
    # GPU code
    "memory that grows": new_cell(
        "gpus = tf.config.experimental.list_physical_devices('GPU')\n"
        "if gpus:\n"
        "    try:\n"
        "        for gpu in gpus:\n"
        "            tf.config.experimental.set_memory_growth(gpu, True)\n"
        "        logical = tf.config.list_logical_devices('GPU')\n"
        "        print(len(gpus), len(logical))\n"
        "    except RuntimeError as e:\n"
        "        print(e)"
    ),
    "a limit of memory": new_cell(
        "gpus = tf.config.list_physical_devices('GPU')\n"
        "limits = [tf.config.LogicalDeviceConfiguration(memory_limit=4096)]\n"
        "tf.config.set_logical_device_configuration(gpus[0], limits)\n"
        "print(tf.test.gpu_device_name(), tf.test.is_gpu_available(), tf.config.get_visible_devices())"
    ),
    "a device by name": in_task(
        "lr-loop", ("    hist = model.fit(", "    with tf.device('/GPU:0'):\n     hist = model.fit(")
    ),
    "memory of the GPU": after_training('print(tf.config.experimental.get_memory_info("GPU:0"))'),
    # clocks
    "today by pandas": clocked(
        "pd.Timestamp.today()", "(stop - start) / pd.Timedelta(seconds=1)", "import pandas as pd"
    ),
    "now by name": clocked('pd.to_datetime("now")', "(stop - start).total_seconds()", "import pandas as pd"),
    "a timestamp of now": clocked('pd.Timestamp("now")', "(stop - start).total_seconds()", "import pandas as pd"),
    "now by NumPy in milliseconds": clocked(
        'np.datetime64("now", "ms")', '(stop - start).astype("int") / 1000', "import pandas"
    ),
    "an aware clock": clocked(
        "datetime.now(timezone.utc)", "(stop - start).total_seconds()", "from datetime import datetime, timezone"
    ),
    "a timer": clocked("default_timer()", "stop - start", "from timeit import default_timer"),
    "TensorFlow's clock": clocked("float(tf.timestamp())", "stop - start", "import datetime"),
    # plots
    "powers as names": in_task("bs-plots", ('str(m["batch_size"])', "f'$2^{{{int(np.log2(m[\"batch_size\"]))}}}$'")),
    "powers of ten as names": in_task(
        "lr-plots", ('str(m["learning_rate"])', "f'$10^{{{round(np.log10(m[\"learning_rate\"]))}}}$'")
    ),
    "units in German": units("lr-plots", "Trainingszeit in Sekunden", "Energieverbrauch in Joule"),
    "units in French": units("bs-plots", "Temps jusqu'à la précision (secondes)", "Énergie (joules)"),
    "units in Chinese": units("lr-plots", "训练时间（秒）", "能耗（焦耳）"),
    "units in Spanish": units("bs-plots", "Tiempo de entrenamiento [segundos]", "Energía [julios]"),
    "units in brackets": units("lr-plots", "TTA [sec]", "ETA [Joules]"),
    # validation notes selected by hand
    "the last fifth as validation data": own_split(
        "n_own = int(0.8 * n_tr)\nfirst, last = slice(n_own), slice(n_own, None)"
    ),
    "random notes as validation data": own_split(
        "order = np.random.default_rng(0).permutation(n_tr)\nlast, first = np.split(order, [n_tr // 5])"
    ),
    "every fifth note as validation data": own_split(
        "last = np.arange(n_tr) % 5 == 0\nfirst = ~last", "validation_data=[Xtr_scale[last], ytr[last]]"
    ),
    "a grid that shares its rows": in_task(
        "bs-plots",
        ("plt.subplots(1, 4, figsize=(18, 4))", 'plt.subplots(4, 1, figsize=(6, 12), sharex="col")'),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_unusual_right_work_keeps_all_points(grade_notebook: Grade, name: str) -> None:
    document = nbformat.reads(nbformat.writes(notebook(variant("reference"))), 4)
    RIGHT[name](document)
    verdict = grade_notebook(document, seed=31).verdict
    assert {i.id: i.message for i in verdict.items if i.points != i.max_points} == {}
    assert verdict.points == FULL


ACCURACY_RANGE = "axes[2].set_ylim(max(0, min(accuracies) - margin), max(accuracies) + margin)\n"
TANH = SEPARATE.replace('Activation("sigmoid")', 'Activation("tanh")')
DROPOUT = "def build():\n    model = get_model()\n    model.add(tf.keras.layers.Dropout(0.5))\n    return model"

WRONG: dict[str, tuple[Edit, set[str]]] = {
    "another activation, as a layer": (with_model(TANH, "build()"), {"lr-loop", "bs-loop"}),
    "a function of one's own": (
        with_model(SEPARATE.replace('Activation("sigmoid")', "Activation(lambda x: x / (1 + abs(x)))"), "build()"),
        {"lr-loop", "bs-loop"},
    ),
    "a layer more": (with_model(DROPOUT, "build()"), {"lr-loop", "bs-loop"}),
    "the time of a thread": (clocked("time.thread_time()", "stop - start", "import time"), {"lr-metrics"}),
    "the time of the processor": (
        clocked("sum(os.times()[:2])", "stop - start", "import os"),
        {"lr-metrics"},
    ),
    "bars from zero": (in_task("lr-plots", (ACCURACY_RANGE, "")), {"lr-plots"}),
    "bars from zero to one": (in_task("bs-plots", (ACCURACY_RANGE, "axes[2].set_ylim(0, 1)\n")), {"bs-plots"}),
    "units that are swapped": (units("lr-plots", "Time to accuracy (J)", "Energy to accuracy (s)"), {"lr-plots"}),
    "no unit in German": (units("bs-plots", "Trainingszeit", "Energieverbrauch"), {"bs-plots"}),
    "no unit in Japanese": (units("lr-plots", "到達時間", "消費エネルギー"), {"lr-plots"}),
    "a missing library that is used": (
        after_training("px.bar(x=[1], y=[2])", "import plotly_nowhere.express as px"),
        {"lr-loop", "lr-metrics"},
    ),
    "a checkpoint in place of the callback": (
        in_task("lr-loop", (CALLBACKS, 'callbacks=[callbacks.ModelCheckpoint("a.keras", save_best_only=True)]')),
        {"lr-loop"},
    ),
    "a plateau in place of the callback": (
        in_task("bs-loop", (CALLBACKS, "callbacks=[callbacks.ReduceLROnPlateau(patience=900)]")),
        {"bs-loop"},
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_of_the_same_kind_costs_its_items(grade_notebook: Grade, name: str) -> None:
    edit, items = WRONG[name]
    document = nbformat.reads(nbformat.writes(notebook(variant("reference"))), 4)
    edit(document)
    verdict = grade_notebook(document, seed=32).verdict
    assert {i.id: i.message for i in verdict.items if i.points != i.max_points}.keys() == items


def test_plots_in_figures_of_their_own_cost_the_one_figure_alone(grade_notebook: Grade) -> None:
    document = nbformat.reads(nbformat.writes(notebook(variant("reference"))), 4)
    in_task(
        "bs-plots",
        ("fig, axes = plt.subplots(1, 4, figsize=(18, 4))", "axes = [plt.figure().subplots() for _ in range(4)]"),
    )(document)
    item = next(i for i in grade_notebook(document, seed=33).verdict.items if i.id == "bs-plots")
    assert item.message == "The bar plots are in 4 figures; draw them side by side in one figure."
    assert item.points == 6.0


def test_a_library_that_is_missing_is_named(grade_notebook: Grade) -> None:
    edit, _ = WRONG["a missing library that is used"]
    document = nbformat.reads(nbformat.writes(notebook(variant("reference"))), 4)
    edit(document)
    item = next(i for i in grade_notebook(document, seed=32).verdict.items if i.id == "lr-loop")
    assert "'ModuleNotFoundError' object has no attribute 'bar'" in item.message
    assert "not installed where notebooks are graded" in item.message


def test_the_model_of_the_other_loop_costs_that_it_is_not_new_and_nothing_else(grade_notebook: Grade) -> None:
    document = nbformat.reads(nbformat.writes(notebook(variant("reference"))), 4)
    in_task("bs-loop", ("    model = get_model()\n", "    net = get_model()\n"))(document)
    points = {i.id: i.points for i in grade_notebook(document, seed=34).verdict.items if i.points != i.max_points}
    assert points == {"bs-loop": 12}


def test_other_values_in_a_plot_cost_the_values_alone(grade_notebook: Grade) -> None:
    document = nbformat.reads(nbformat.writes(notebook(variant("reference"))), 4)
    in_task("bs-plots", ('y=[m["epochs"] for m in metrics_vs_bs]', "y=accuracies"))(document)
    item = next(i for i in grade_notebook(document, seed=35).verdict.items if i.id == "bs-plots")
    assert (item.points, item.message) == (5, "No bar plot in the figure shows the epochs recorded in metrics_vs_bs.")
