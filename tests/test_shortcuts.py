"""The bench's shortcuts lead to what Keras and TensorFlow themselves bring."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src import initializers
from keras.src.backend.tensorflow import random as keras_random
from keras.src.backend.tensorflow.trackable import KerasAutoTrackable
from tensorflow.python.ops import gen_resource_variable_ops

from autograder.assignment.settings import ROOT
from autograder.bench import shortcuts

ROWS = 37
NOISE = np.random.default_rng(3)
X = NOISE.normal(size=(ROWS, 5)).astype("float32")
Y = NOISE.integers(0, 4, ROWS)
ONE_HOT = np.eye(4, dtype="float32")[Y]


def model(loss: Any = "sparse_categorical_crossentropy", metrics: Any = ("accuracy",), steps: int = 1) -> Any:
    keras.utils.set_random_seed(7)
    made = keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(4, "softmax")])
    made.compile("adam", loss, metrics=list(metrics), steps_per_execution=steps, run_eagerly=True)
    return made


def functional() -> Any:
    entrance = keras.Input((5,))
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(8, "relu")(entrance))
    made = keras.Model(entrance, keras.layers.Dense(4, "softmax")(keras.layers.Dropout(0.5)(hidden)))
    made.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    return made


def unbuilt() -> Any:
    made = keras.Sequential([keras.layers.Dense(4, "softmax", kernel_regularizer="l2")])
    made.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    return made


MODELS: dict[str, tuple[Any, Any]] = {
    "plain": (model, Y),
    "many steps": (lambda: model(steps=64), Y),
    "column of labels": (model, Y.reshape(-1, 1)),
    "one-hot": (lambda: model("categorical_crossentropy", ["accuracy", "mse"]), ONE_HOT),
    "no metrics": (lambda: model(metrics=[]), Y),
    "objects": (
        lambda: model(
            keras.losses.SparseCategoricalCrossentropy(),
            [keras.metrics.SparseCategoricalAccuracy(name="right"), keras.metrics.SparseTopKCategoricalAccuracy(k=2)],
        ),
        Y,
    ),
    "functional": (functional, Y),
    "unbuilt": (unbuilt, Y),
}


@pytest.mark.parametrize("as_dictionary", [False, True])
@pytest.mark.parametrize("kind", MODELS)
def test_it_evaluates_like_keras(kind: str, as_dictionary: bool) -> None:
    make, labels = MODELS[kind]
    made = make()
    made(X)  # so that both find the same weights
    settings = {"verbose": 0, "return_dict": as_dictionary}
    assert shortcuts.can_evaluate(made, X, labels, (), settings)
    plain = made.evaluate(X, labels, batch_size=ROWS, **settings)
    ours = [shortcuts.evaluated(made, X, labels, as_dictionary) for _ in range(2)]
    assert type(ours[0]) is type(plain)
    np.testing.assert_allclose(*(list(v.values()) if as_dictionary else v for v in (ours[0], plain)), rtol=1e-6)
    assert ours[0] == ours[1], "an evaluation must not add to the one before"
    if as_dictionary:
        assert list(ours[0]) == list(plain)


def test_a_model_that_was_not_compiled_is_refused_like_by_keras() -> None:
    with pytest.raises(ValueError, match="compile"):
        shortcuts.evaluated(keras.Sequential([keras.layers.Dense(4)]), X, Y, False)


class Own(keras.Model):
    """A student's own kind of model."""


@pytest.mark.parametrize(
    ("arguments", "fits"),
    [
        ({"settings": {"verbose": 0}}, True),
        ({"rest": (0,)}, True),
        ({"rest": (0,), "settings": {"return_dict": True}}, True),
        ({}, False),
        ({"settings": {"verbose": "auto"}}, False),
        ({"rest": (2,)}, False),
        ({"settings": {"verbose": 0, "callbacks": []}}, False),
        ({"settings": {"verbose": 0, "sample_weight": Y}}, False),
        ({"settings": {"verbose": 0}, "y": Y[:-1]}, False),
        ({"settings": {"verbose": 0}, "x": X[:0], "y": Y[:0]}, False),
        ({"settings": {"verbose": 0}, "y": None}, False),
        ({"settings": {"verbose": 0}, "x": tf.constant(X)}, False),
        ({"settings": {"verbose": 0}, "model": Own()}, False),
    ],
)
def test_it_takes_only_what_it_can_do(arguments: dict[str, Any], fits: bool) -> None:
    chosen = {"model": model(), "x": X, "y": Y, "rest": (), "settings": {}} | arguments
    assert shortcuts.can_evaluate(**chosen) == fits


FUNCTIONS = """
import sys
from bench import shortcuts
if sys.argv[1] == "ours":
    shortcuts.run_operations_as_such()
import tensorflow as tf
from tensorflow.python.eager import context
result = tf.reduce_sum(tf.matmul([[1.0, 2.0]], [[3.0], [4.0]]) + 0.5)
print(result.numpy(), len(context.context().list_function_names()))
"""


def test_operations_are_run_without_a_function_around_each() -> None:
    told = {}
    for way in ("ours", "theirs"):
        command = [sys.executable, "-c", FUNCTIONS, way]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "autograder"), "TF_CPP_MIN_LOG_LEVEL": "3"}
        told[way] = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert told["ours"] == ["11.5", "0"]
    assert told["theirs"][0] == "11.5"
    assert int(told["theirs"][1]) > 3


def everything(layer: Any) -> Any:
    """What a layer holds and answers."""
    tracked = [[each.path for each in layer.variables], [each.name for each in layer._layers], layer.get_config()]
    kinds = {name: type(value).__name__ for name, value in vars(layer).items()}
    return tracked, kinds, layer.trainable, layer.built, sorted(layer._trackable_children())


def lived(made: Any) -> Any:
    """A layer that was given all kinds of values, the ways of which show in what it holds."""
    made.note, made.count, made.rate, made.flag, made.nothing = "a", 1, 0.5, True, None
    made.inner = keras.layers.Dense(2, name="inner")
    made.inner.build((1, 3))
    made.items = [keras.layers.Dense(1, name="listed")]
    made.trainable = False
    made.inner.trainable = False
    made.inner = None
    made.note = keras.layers.Dense(2, name="later")
    made.table, made.pair, made.calls = {"a": keras.layers.Dense(1, name="kept")}, (1, keras.metrics.Mean("mean")), len
    made.calls = keras.Variable(1.0, name="own")
    made.items = made.items
    return made


@pytest.mark.parametrize("kind", [keras.layers.Dense, keras.layers.BatchNormalization])
def test_plain_values_are_had_as_before(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"name": "made"} | ({"units": 3} if kind is keras.layers.Dense else {})
    plain = everything(lived(kind(**settings)))
    monkeypatch.setattr(keras.layers.Layer, "__setattr__", keras.layers.Layer.__setattr__)
    monkeypatch.setattr(KerasAutoTrackable, "__setattr__", KerasAutoTrackable.__setattr__)
    shortcuts.set_plainly()
    assert everything(lived(kind(**settings))) == plain
    made = model()
    made.run_eagerly = False
    assert made._run_eagerly is False, "a property must still be set by its own setter"
    with pytest.raises(AttributeError):
        made.variables = 5  # which has no setter


def test_signatures_are_those_that_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [
        keras.layers.Dense.call,
        keras.layers.Dense(1).call,
        keras.layers.Dense(2).call,
        keras.layers.Dense(1).build,
        keras.Model.fit,
        model().fit,
        keras.layers.Dense,
        Own.from_config,
        everything,
        print,
        np.array,
        lambda x, *, y=2: x,
    ]
    plain = [inspect.signature(each) for each in asked]
    monkeypatch.setattr(inspect, "signature", inspect.signature)
    shortcuts.remember_signatures()
    for _ in range(2):
        assert [inspect.signature(each) for each in asked] == plain
    assert inspect.signature(everything, eval_str=True).parameters["layer"].annotation is Any


def test_variables_without_names_for_debuggers_are_parted(monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in (
        (gen_resource_variable_ops, "var_handle_op"),
        (keras.layers.Layer, "__setattr__"),
        (inspect, "signature"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    shortcuts.install(scripted=False)
    first, second = (tf.Variable([float(number)] * 3, name="same") for number in (1, 2))
    other = keras.layers.Dense(3)
    other.build((3, 3))
    first.assign_add([10.0, 10.0, 10.0])
    assert first.numpy().tolist() == [11.0] * 3
    assert second.numpy().tolist() == [2.0] * 3
    assert first.name == second.name == "same:0"
    assert other.kernel.path == f"{other.name}/kernel"

    @tf.function
    def step(by: Any) -> Any:
        return first.assign_add(by)

    assert step(tf.ones(3)).numpy().tolist() == [12.0] * 3


@pytest.mark.parametrize("seed", [0, 5, 2**31 - 2, 2**31 + 7, 2**40])
@pytest.mark.parametrize("shape", [(3,), (20, 30), (2, 3, 4), ()])
def test_uniform_numbers_are_those_of_keras(shape: tuple[int, ...], seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = keras_random.uniform(shape, -0.3, 0.7, "float32", seed)
    monkeypatch.setattr(keras_random, "uniform", keras_random.uniform)
    shortcuts.draw_uniformly()
    assert np.array_equal(keras_random.uniform(shape, -0.3, 0.7, "float32", seed), plain)


@pytest.mark.parametrize("dtype", ["float16", "float64", None])
def test_other_uniform_numbers_are_drawn_by_keras(dtype: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = keras.random.SeedGenerator(3)
    plain = keras_random.uniform((2, 3), dtype=dtype, seed=generator)
    monkeypatch.setattr(keras_random, "uniform", keras_random.uniform)
    shortcuts.draw_uniformly()
    drawn = keras_random.uniform((2, 3), dtype=dtype, seed=keras.random.SeedGenerator(3))
    assert drawn.dtype == plain.dtype
    assert np.array_equal(drawn, plain)


@pytest.fixture
def plain_beginnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initializers, "get", initializers.get)
    monkeypatch.setattr(initializers.Zeros, "__call__", initializers.Zeros.__call__)
    shortcuts.begin_plainly()


@pytest.mark.usefixtures("plain_beginnings")
def test_layers_begin_as_with_keras() -> None:
    for name, kind in (("zeros", initializers.Zeros), ("glorot_uniform", initializers.GlorotUniform)):
        made = initializers.get(name)
        assert type(made) is kind
        assert made is not initializers.get(name)
    assert type(initializers.get("ones")) is initializers.Ones
    assert initializers.get(None) is None
    with pytest.raises(ValueError, match="nothing of the kind"):
        initializers.get("nothing of the kind")
    for shape, dtype in (((), None), ((2, 3), "float32"), ((2,), "int32"), ((2,), "bfloat16")):
        made = initializers.Zeros()(shape, dtype)
        assert (made.shape, made.dtype.name) == (shape, dtype or "float32")
        assert not np.any(np.asarray(made, np.float32))


class Thirteen(initializers.Zeros):  # type: ignore[misc]
    """What a student could call zeros."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return 13 + super().__call__(shape, dtype)


@pytest.mark.usefixtures("plain_beginnings")
def test_names_that_a_user_gave_are_heard() -> None:
    with keras.saving.custom_object_scope({"zeros": Thirteen}):
        assert type(initializers.get("zeros")) is Thirteen
    assert float(Thirteen()(())) == 13


def dropping() -> Any:
    return keras.Sequential([keras.layers.Input((5,)), keras.layers.Dropout(0.5), keras.layers.Dense(4)])


def regularized() -> Any:
    return keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(4, activity_regularizer="l2")])


def quantized() -> Any:
    made = keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(4)])
    made.layers[-1].quantize("int8")
    return made


@pytest.mark.parametrize(
    ("make", "plain"),
    [(model, True), (quantized, False), (functional, False), (unbuilt, False), (dropping, False), (regularized, False)],
)
def test_only_a_chain_of_plain_layers_is_one(make: Any, plain: bool) -> None:
    assert shortcuts.is_plain_chain(make(), tf.constant(X)) is plain
    assert not shortcuts.is_plain_chain(make(), tf.constant(X[:, :3]))
