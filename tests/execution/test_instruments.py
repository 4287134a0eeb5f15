"""The instruments behave like what they stand in for: Keras's `fit`, zeus's monitor, the clock, the files."""

from __future__ import annotations

import numpy as np
import pytest
from nbformat import NotebookNode

from autograder.assignment.scenario import sample_scenario
from autograder.assignment.settings import Assignment
from autograder.execution.evidence import Evidence, Fit, Value
from autograder.execution.kernels import Kernels
from autograder.execution.runtime.instruments.energy import make_monitor_class
from autograder.execution.runtime.measurement import Measurement
from autograder.execution.runtime.virtual_clock import make_clock

from .cells import run_cells

IMPORTS = (
    "import numpy as np, tensorflow as tf\nfrom tensorflow.keras import Sequential, callbacks, layers, optimizers\n"
)
DATA = (
    "X = np.load('data/uiowa_std_scale_train_data.npy'); y = np.load('uiowa_permuted_train_labels.npy')\n"
    "Xts = np.load('/content/drive/uiowa_std_scale_test_data.npy'); yts = np.load('../uiowa_test_labels.npy')\n"
    "def new(rate=0.001, **more):\n"
    "    hidden, output = layers.Dense(256, 'sigmoid'), layers.Dense(int(y.max()) + 1, 'softmax')\n"
    "    model = Sequential([layers.Input((X.shape[1],)), hidden, output])\n"
    "    model.compile(optimizers.Adam(rate), 'sparse_categorical_crossentropy', metrics=['accuracy'], **more)\n"
    "    return model\n"
)


class Cells:
    """Runs cells with the instruments and hands back what they left in `metrics_vs_lr`."""

    def __init__(self, assignment: Assignment, kernels: Kernels) -> None:
        self.assignment, self.kernels = assignment, kernels

    def run(self, *cells: str, **how: object) -> Evidence:
        return run_cells(self.kernels, self.assignment, IMPORTS, DATA, *cells, **how).evidence

    def executed(self, *cells: str) -> NotebookNode:
        return run_cells(self.kernels, self.assignment, IMPORTS, DATA, *cells).executed

    def value(self, *cells: str, **how: object) -> Value:
        evidence = self.run(*cells, **how)
        assert all(cell.status == "ran" for cell in evidence.cells), evidence.cells
        value = evidence.value("metrics_vs_lr")
        assert value is not None
        return value


@pytest.fixture(scope="module")
def cells(assignment: Assignment, warm_kernels: Kernels) -> Cells:
    return Cells(assignment, warm_kernels)


def texts(value: Value) -> list[str]:
    return [item.text or "" for item in value.items or ()]


PROTOCOL = """
metrics_vs_lr = []
class Log(callbacks.Callback):
    def note(self, name, logs=None, *more):
        metrics_vs_lr.append(' '.join([name, *map(str, more), *sorted(logs or {})]))
    def on_train_begin(self, logs=None): self.note('train begins', logs, self.params['epochs'])
    def on_epoch_begin(self, epoch, logs=None): self.note('epoch begins', logs, epoch)
    def on_epoch_end(self, epoch, logs=None):
        self.note('epoch ends', logs, epoch, type(logs['val_accuracy']).__name__)
        self.model.stop_training = epoch == 3
    def on_train_end(self, logs=None): self.note('train ends', logs)
model = new()
how = dict(batch_size=64, initial_epoch=1, epochs=9, validation_split=0.2, verbose=0, callbacks=[Log()])
history = model.fit(X, y, **how)
metrics_vs_lr += [str(history.epoch), str(sorted(history.history)), str(history.model is model)]
metrics_vs_lr += [type(history).__name__, str(model.history is history), str(history.params['epochs'])]
"""

REFUSED = """
metrics_vs_lr = []
def attempt(call):
    try:
        call()
        metrics_vs_lr.append('accepted')
    except Exception as error:
        metrics_vs_lr.append(type(error).__name__)
raw = Sequential([layers.Input((X.shape[1],)), layers.Dense(3)])
shared = optimizers.Adam(0.01)
def with_optimizer(optimizer):
    model = new(); model.compile(optimizer, 'sparse_categorical_crossentropy', metrics=['accuracy']); return model
attempt(lambda: raw.fit(X, y, verbose=0))
attempt(lambda: new().fit(X[:, :-1], y, verbose=0))
attempt(lambda: new().fit(X, y[:-1], verbose=0))
attempt(lambda: new().fit(tf.data.Dataset.from_tensor_slices((X, y)).batch(64), validation_split=0.2, verbose=0))
attempt(lambda: new().fit(X, y, epoch=3, verbose=0))
attempt(lambda: with_optimizer(shared).fit(X, y, verbose=0))
attempt(lambda: with_optimizer(shared).fit(X, y, verbose=0))
attempt(lambda: new().fit(X, y, verbose=0))
"""

LIKE_ONE_THAT_WAS_ACCEPTED = f"""
{REFUSED.split("raw =")[0]}
def with_optimizer(optimizer):
    model = new(); model.compile(optimizer, 'sparse_categorical_crossentropy', metrics=['accuracy']); return model
def with_classes(count):
    model = Sequential([layers.Input((X.shape[1],)), layers.Dense(256, 'sigmoid'), layers.Dense(count, 'softmax')])
    model.compile(optimizers.Adam(0.01), 'sparse_categorical_crossentropy', metrics=['accuracy']); return model
shared, again = optimizers.Adam(0.01), new()
attempt(lambda: new().fit(X, y, verbose=0))
attempt(lambda: with_optimizer(shared).fit(X, y, verbose=0))
attempt(lambda: with_optimizer(shared).fit(X, y, verbose=0))
attempt(lambda: again.fit(X, y, verbose=0))
attempt(lambda: again.fit(X, y, verbose=0))
attempt(lambda: with_classes(40).fit(X, y, verbose=0))
attempt(lambda: new().fit(X[:, 1:], y, verbose=0))
attempt(lambda: new().fit(X, y[1:], verbose=0))
"""


@pytest.mark.parametrize(
    "cell", [PROTOCOL, REFUSED, LIKE_ONE_THAT_WAS_ACCEPTED], ids=["protocol", "refused", "like one that was accepted"]
)
def test_scripted_fit_keeps_the_contract_of_keras(cells: Cells, cell: str) -> None:
    assert texts(cells.value(cell)) == texts(cells.value(cell, training="real"))


def test_scripted_fit_ends_at_the_cap(cells: Cells) -> None:
    evidence = cells.run("h = new().fit(X, y, batch_size=128, epochs=7, validation_split=0.2, verbose=0)")
    fit: Fit = evidence.of(Fit)[0]
    assert (fit.epochs_run, fit.data.train, fit.data.labels_fit, fit.optimizer) == (7, fit.data.rows, True, "Adam")


BATCHES = """
metrics_vs_lr, steps = [], []
class Batches(callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None): steps.append(('class', batch, sorted(logs)))
def fitted(callback):
    steps.clear()
    new().fit(X[:160], y[:160], batch_size=64, epochs=2, validation_split=0.2, verbose=0, callbacks=[callback])
    metrics_vs_lr.append(str(steps))
fitted(Batches())
fitted(callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs=None: steps.append(('set', batch))))
fitted(callbacks.Callback())
"""


def test_batch_hooks_are_called_where_there_are_any(cells: Cells) -> None:
    by_class, by_instance, none = texts(cells.value(BATCHES))
    assert by_class == str([("class", batch, ["loss"]) for _ in range(2) for batch in (0, 1)])
    assert by_instance == str([("set", batch) for _ in range(2) for batch in (0, 1)])
    assert none == "[]"


def test_an_optimizer_of_another_model_is_refused(cells: Cells) -> None:
    cell = """
    shared = optimizers.Adam(0.01)
    first, second = new(), new()
    first.compile(shared, 'sparse_categorical_crossentropy', metrics=['accuracy'])
    first.fit(X, y, epochs=1, verbose=0, validation_split=0.2)
    second.compile(shared, 'sparse_categorical_crossentropy', metrics=['accuracy'])
    try:
        second.fit(X, y, epochs=1, verbose=0, validation_split=0.2)
        metrics_vs_lr = ['none']
    except ValueError as error:
        metrics_vs_lr = [str('Unknown variable' in str(error))]
    """
    assert texts(cells.value(cell)) == ["True"]


def test_what_a_cell_shows_again_and_again_is_sent_once(cells: Cells) -> None:
    executed = cells.executed("""
    from IPython.display import display
    line, other = display('begins', display_id=True), display('stays', display_id=True)
    for step in range(500):
        line.update(f'step {step}')
    raise ValueError('the cell stops')
    """)
    shown = [output.data["text/plain"] for output in executed.cells[-1].outputs if "data" in output]
    assert shown == ["'step 499'", "'stays'"]


def test_every_model_has_a_test_accuracy_of_its_own_and_evaluate_agrees(cells: Cells) -> None:
    cell = """
    metrics_vs_lr = []
    for rate in (0.0001, 0.001, 0.01):
        model = new(rate)
        model.fit(X, y, batch_size=128, epochs=3, validation_split=0.2, verbose=0)
        metrics_vs_lr.append(model.evaluate(Xts, yts, verbose=0)[1])
        metrics_vs_lr.append(np.mean(model.predict(Xts, verbose=0).argmax(1) == yts))
    """
    values = [item.number or 0 for item in cells.value(cell).items or ()]
    assert values[::2] == pytest.approx(values[1::2], abs=1e-6)
    assert len(set(values[::2])) == 3
    assert all(0.88 < value < 1 for value in values)


def test_evaluate_in_one_go_returns_what_keras_returns(cells: Cells) -> None:
    cell = """
    top = keras.metrics.SparseTopKCategoricalAccuracy(2, name='a_top')
    model = new()
    model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy', top])
    metrics_vs_lr = [type(value).__name__ for value in model.evaluate(Xts, yts, verbose=0)]
    for more in ({}, {'batch_size': 32}):
        metrics_vs_lr += model.evaluate(Xts, yts, verbose=0, **more)
    values = model.evaluate(Xts, yts, verbose=0, return_dict=True)
    metrics_vs_lr += [values[name] for name in ('loss', 'accuracy', 'a_top')]
    """
    value = cells.value("import keras", cell)
    assert texts(value)[:3] == ["float"] * 3
    numbers = [item.number or 0 for item in (value.items or ())[3:]]
    assert numbers[:3] == pytest.approx(numbers[3:6], abs=1e-4)
    assert numbers[:3] == numbers[6:]


AWAITED = """
import asyncio
metrics_vs_lr = []
async def one(): return 1
async def some():
    yield 2
"""


@pytest.mark.parametrize(
    "cell",
    [
        "metrics_vs_lr.append(await one())",
        "async for each in some(): metrics_vs_lr.append(each)",
        "metrics_vs_lr += [each async for each in some()]",
        "await asyncio.sleep(0); metrics_vs_lr.append('awaits')",
    ],
)
def test_cells_may_wait(cells: Cells, cell: str) -> None:
    assert len(cells.value(AWAITED, cell).items or ()) == 1


RESTORED = """
metrics_vs_lr = []
class Undo(callbacks.Callback):
    def on_train_begin(self, logs=None): self.weights = self.model.get_weights()
    def on_train_end(self, logs=None): self.model.set_weights(self.weights)
for undone in ([], [Undo()]):
    model = new()
    untrained = model.evaluate(Xts, yts, verbose=0)[1]
    model.fit(X, y, epochs=3, validation_split=0.2, verbose=0, callbacks=undone)
    metrics_vs_lr += [untrained, model.evaluate(Xts, yts, verbose=0)[1]]
"""


def test_predictions_are_those_of_the_weights_that_a_callback_leaves(cells: Cells) -> None:
    evidence = cells.run(RESTORED)
    value = evidence.value("metrics_vs_lr")
    assert value is not None
    assert value.items is not None
    labels = sample_scenario(cells.assignment, 1).test_labels()
    accuracies = [float(item.number or 0) for item in value.items]
    kept, undone = evidence.of(Fit)
    assert kept.test_accuracy == pytest.approx(accuracies[1])
    assert undone.test_accuracy is None
    assert float(np.mean(np.asarray(undone.test_predictions) == labels)) == pytest.approx(accuracies[3])
    assert accuracies[3] == accuracies[2] != accuracies[1]


def test_clocks_and_energy_show_the_same_window(cells: Cells) -> None:
    cell = """
    import time, datetime, timeit
    from zeus.monitor import ZeusMonitor
    monitor = ZeusMonitor()
    model = new()
    monitor.begin_window('w')
    before = [time.time(), time.perf_counter(), time.monotonic(), time.time_ns() / 1e9, timeit.default_timer()]
    today = datetime.datetime.now()
    model.fit(X, y, epochs=4, verbose=0)
    after = [time.time(), time.perf_counter(), time.monotonic(), time.time_ns() / 1e9, timeit.default_timer()]
    days = (datetime.datetime.now() - today).total_seconds()
    window = monitor.end_window('w')
    metrics_vs_lr = [b - a for a, b in zip(before, after)] + [days, window.time, window.total_energy]
    """
    evidence = cells.run(cell)
    fit: Fit = evidence.of(Fit)[0]
    value = evidence.value("metrics_vs_lr")
    assert value is not None
    numbers = [item.number for item in value.items or ()]
    assert numbers[:-1] == pytest.approx([fit.seconds] * 7, abs=1e-3)
    assert numbers[-1] == pytest.approx(fit.joules)


def test_no_gpu_means_no_energy(cells: Cells) -> None:
    cell = """
    from zeus.monitor import ZeusMonitor
    monitor = ZeusMonitor()
    monitor.begin_window('w'); new().fit(X, y, verbose=0); window = monitor.end_window('w')
    metrics_vs_lr = [len(window.gpu_energy), window.total_energy, len(tf.config.list_physical_devices('GPU'))]
    """
    assert [item.number for item in cells.value(cell, gpus=0).items or ()] == [0, 0, 0]


def test_stand_in_monitor_answers_as_zeus_does() -> None:
    """The same calls in the same order: same results, same errors, on the real library without a GPU."""
    from zeus.monitor import ZeusMonitor

    class Deaf:
        def report(self, kind: str, **fields: object) -> None: ...

    stand_in, _ = make_monitor_class(make_clock(Deaf()), Deaf(), gpus=0)  # type: ignore[arg-type]
    calls = [
        ("begin_window", ("a",), {}),
        ("begin_window", ("a",), {}),
        ("begin_window", ("a",), {"restart": True}),
        ("begin_window", ("b",), {"sync_execution": False}),
        ("end_window", ("a",), {"sync_execution": False}),
        ("end_window", ("a",), {}),
        ("end_window", ("b",), {"cancel": True}),
        ("end_window", ("b",), {}),
    ]

    def answers(monitor: object) -> list[object]:
        found: list[object] = []
        for name, args, kwargs in calls:
            try:
                answer = getattr(monitor, name)(*args, **kwargs)
                found.append(answer if answer is None else (answer.gpu_energy, answer.total_energy, answer.time >= 0))
            except Exception as error:
                found.append((type(error).__name__, str(error)))
        return found

    assert answers(stand_in()) == answers(ZeusMonitor())


def test_stand_in_measurement_has_the_fields_of_the_real_one() -> None:
    from dataclasses import fields

    from zeus.monitor.energy import Measurement as Real

    assert [field.name for field in fields(Measurement)] == [field.name for field in fields(Real)]


def test_package_installs_and_downloads_are_answered(cells: Cells) -> None:
    cell = """
    !pip install zeus
    %pip install zeus-ml
    !wget https://example.org/uiowa_test_labels.npy
    import urllib.request
    path, _ = urllib.request.urlretrieve('https://example.org/uiowa_test_labels.npy', 'labels.npy')
    metrics_vs_lr = [len(np.load(path))]
    try:
        urllib.request.urlretrieve('https://example.org/other.npy', 'other.npy')
    except OSError as error:
        metrics_vs_lr.append(str(error))
    """
    value = cells.value(cell)
    assert value.items is not None
    assert value.items[0].number == 210
    assert "no network" in (value.items[1].text or "")


def test_an_import_of_what_is_missing_fails_where_it_is_used(cells: Cells) -> None:
    passed = """
    from __future__ import annotations
    import nowhere, math
    import nowhere.deep as deep
    from nowhere import one, two as second
    from nowhere import *
    if True:
        import elsewhere
    metrics_vs_lr = [math.pi, second is not None]
    try:
        import nowhere
    except ImportError:
        metrics_vs_lr.append("handled")
    def later():
        import nowhere
    """
    used = "nowhere.plot(1)"
    called = "one(1)"
    unknown_part = "import numpy.nowhere"
    unknown_name = "from numpy import nowhere"
    evidence = cells.run(passed, used, called, "later()", unknown_part, unknown_name)
    value = evidence.value("metrics_vs_lr")
    assert value is not None
    assert texts(value)[-1] == "handled"
    errors = [cell.error for cell in evidence.cells[2:]]
    assert errors == [
        None, "AttributeError", "TypeError", "ModuleNotFoundError", "ModuleNotFoundError", "ImportError"
    ]  # fmt: skip
    assert all("'ModuleNotFoundError' object" in cell.message for cell in evidence.cells[3:5])


def test_tensorboard_is_written_no_logs(cells: Cells) -> None:
    cell = """
    import os
    class Board(callbacks.TensorBoard):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            with tf.summary.create_file_writer("own").as_default():
                tf.summary.scalar("loss", logs["loss"], step=epoch)
    model = new()
    board = Board(log_dir="logs", histogram_freq=1, write_images=True)
    model.fit(X, y, epochs=2, validation_split=0.2, callbacks=[board, callbacks.TensorBoard("more")], verbose=0)
    metrics_vs_lr = [os.path.exists("logs"), os.path.exists("more")]
    """
    value = cells.value("import tensorflow as tf", cell)
    assert [item.number for item in value.items or ()] == [0, 0]


def test_hostile_values_are_described_without_harm(cells: Cells) -> None:
    cell = """
    class Liar(float):
        def __eq__(self, other): return True
        def __float__(self): raise RuntimeError('no')
        def __repr__(self): raise RuntimeError('no')
        __hash__ = None
    deep = []; deep.append(deep)
    metrics_vs_lr = [Liar(3), float('nan'), float('inf'), deep, object(), 'x' * 10**6, {1: 2}]
    metrics_vs_lr += [tf.constant(2.5), np.float32(1.5)]
    """
    value = cells.value(cell)
    kinds = [item.type for item in value.items or ()]
    assert kinds[0] == "Liar"
    assert value.items is not None
    assert value.items[0].number is None
    assert [item.number for item in value.items[-2:]] == [2.5, 1.5]
    assert len(value.items[5].text or "") < 1000
