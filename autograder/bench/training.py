"""Training under the bench: `Model.fit` with Keras's contract, but accuracies, seconds and joules of the challenge.

Everything around the optimizer steps is Keras's own: shapes, labels, losses, metrics and optimizers are checked by a
real forward pass and a real (zero) optimizer step, callbacks are driven by `keras.callbacks.CallbackList`.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from . import shortcuts
from .callback import CallbackWatch
from .clock import Clock
from .record import Recorder
from .rows import Rows, as_arrays


class Script:
    """Which training curve, seconds and joules a `fit` gets; each plan is served once, then the spares in turn."""

    def __init__(self, challenge: dict[str, Any]) -> None:
        self.plans: list[dict[str, Any]] = challenge["plans"]
        self._waiting = {key: list(numbers) for key, numbers in challenge["settings"].items()}
        self._spares: list[int] = list(challenge["spares"])
        self._served = 0

    def plan(self, learning_rate: float | None, batch_size: int | None, given_cell: bool) -> int:
        waiting = self._waiting.get(f"{learning_rate or 0:.5g}/{batch_size}", [])
        if waiting and not given_cell:
            return waiting.pop(0)
        self._served += 1
        return self._spares[self._served % len(self._spares)]


class Training:
    """Replaces the training methods of `keras.Model` and records each use of them."""

    def __init__(
        self, challenge: dict[str, Any], clock: Clock, recorder: Recorder, rows: Rows, watch: CallbackWatch
    ) -> None:
        self.scripted = challenge["training"] == "scripted"
        self.costs: dict[str, list[float]] = challenge["costs"]
        self.script = Script(challenge)
        self.clock, self.recorder, self.rows, self.watch = clock, recorder, rows, watch
        self.given_cells: set[int] = set(challenge["given_cells"])
        self.stop_hint = 0
        self._trained: set[str] = set()
        self._models: dict[int, tuple[int, Any]] = {}
        self._inside = 0
        self._checked: dict[str, list[str]] = {}
        self._owned: dict[int, tuple[Any, list[Any]]] = {}
        self._told: tuple[list[np.ndarray], list[int]] | None = None

    def install(self) -> None:
        shortcuts.install(self.scripted)
        training = self
        originals = {name: getattr(keras.Model, name) for name in ("fit", "evaluate", "predict", "compile", "__call__")}
        fit_signature = inspect.signature(originals["fit"])

        def fit(model: Any, *args: Any, **kwargs: Any) -> Any:
            bound = fit_signature.bind(model, *args, **kwargs)
            bound.apply_defaults()
            arguments = dict(list(bound.arguments.items())[1:])
            return training.fit(originals["fit"], model, arguments)

        def compile(model: Any, *args: Any, **kwargs: Any) -> Any:
            result = originals["compile"](model, *args, **kwargs)
            if training.scripted:
                model.run_eagerly = True
            training.clock.advance(*training.costs["compile"])
            return result

        def evaluate(
            model: Any, x: Any = None, y: Any = None, batch_size: Any = None, *args: Any, **kwargs: Any
        ) -> Any:
            plain = batch_size is None and len(args) < 2 and "sample_weight" not in kwargs
            with training.use("evaluate", model, x, y):
                if plain and shortcuts.can_evaluate(model, x, y, args, kwargs):
                    return shortcuts.evaluated(model, x, y, kwargs.get("return_dict", False))
                if plain and shortcuts.are_rows(x, y):  # in one batch: it is no less work, but far less around it
                    whole = tf.data.Dataset.from_tensors(shortcuts.in_one_batch(x, y))
                    return originals["evaluate"](model, whole, None, None, *args, **kwargs)
                return originals["evaluate"](model, x, y, batch_size, *args, **kwargs)

        def predict(model: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
            with training.use("predict", model, x, None):
                return originals["predict"](model, x, *args, **kwargs)

        def call(model: Any, *args: Any, **kwargs: Any) -> Any:
            data = args[0] if args else None
            if training._inside or not (isinstance(data, np.ndarray) or hasattr(data, "numpy")):
                return originals["__call__"](model, *args, **kwargs)
            with training.use("predict", model, data, None):
                return originals["__call__"](model, *args, **kwargs)

        for replacement in (fit, compile, evaluate, predict):
            replacement.__doc__ = originals[replacement.__name__].__doc__
            setattr(keras.Model, replacement.__name__, replacement)
        keras.Model.__call__ = call

    def use(self, what: str, model: Any, x: Any, y: Any) -> _Use:
        return _Use(self, what, model, x, y)

    def number(self, model: Any) -> int:
        """A small number for a model; the model is kept, so that no other gets the same."""
        return self._models.setdefault(id(model), (len(self._models), model))[0]

    def fit(self, original: Any, model: Any, arguments: dict[str, Any]) -> Any:
        """Runs one `fit` and records its arguments, its beginning and end on the clock, and the model that came out."""
        with self.unseen():
            record = self._before(model, arguments)
        try:
            run = self._scripted if self.scripted else self._real
            return run(original, model, arguments, record)
        except BaseException as error:
            record["error"] = f"{type(error).__name__}: {str(error)[:300]}"
            raise
        finally:
            with self.unseen():
                self._after(model, record)

    @contextlib.contextmanager
    def unseen(self) -> Iterator[None]:
        """What the bench itself does with a model is not recorded and costs nothing."""
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def _before(self, model: Any, arguments: dict[str, Any]) -> dict[str, Any]:
        optimizer = getattr(model, "optimizer", None)
        rate = _learning_rate(optimizer)
        x, y = arguments["x"], arguments["y"]
        batch_size = arguments["batch_size"] or _dataset_batch(x) or 32
        record: dict[str, Any] = {
            "model": self.number(model),
            "trained_before": bool(self._trained.intersection(_fingerprints(_weights(model)))),
            "parameters": sum(math.prod(weight.shape) for weight in model.trainable_weights),
            "optimizer": type(optimizer).__name__,
            "learning_rate": rate,
            "loss": _loss_name(getattr(model, "loss", None)),
            "batch_size": int(batch_size),
            "epochs": int(arguments["epochs"]),
            "initial_epoch": int(arguments["initial_epoch"]),
            "validation_split": arguments["validation_split"],
            "data": self.rows.describe(x, y),
            "validation": self._validation(arguments["validation_data"]),
            "callbacks": [self.watch.describe(callback) for callback in _flat(arguments["callbacks"])],
        }
        record["plan"] = (
            self.script.plan(rate, batch_size, self.recorder.cell in self.given_cells) if self.scripted else None
        )
        record["accuracy"], record["val_accuracy"], record["epochs_run"] = [], [], 0
        record["begin"], record["begin_energy"] = self.clock.now(), self.clock.joules
        return record

    def _validation(self, data: Any) -> dict[str, Any] | None:
        if data is None:
            return None
        if isinstance(data, (tuple, list)):
            return self.rows.describe(*data[:2])
        return self.rows.describe(data)

    def _after(self, model: Any, record: dict[str, Any]) -> None:
        record["end"], record["end_energy"] = self.clock.seconds, self.clock.joules
        weights = _weights(model)
        self._trained.update(_fingerprints(weights))
        record["test_predictions"] = self._predictions(model, weights)
        if self.scripted:
            record["accuracy"], record["val_accuracy"] = [], []
        self.recorder.event("fit", **record)

    def _predictions(self, model: Any, weights: list[np.ndarray]) -> list[int] | None:
        """The classes that a model finds for the test rows; it is asked unless its weights tell, and no callback has
        changed them since."""
        told, self._told = self._told, None
        try:
            if told and len(weights) == len(told[0]) and all(map(np.array_equal, weights, told[0])):
                return told[1]
            return np.argmax(np.asarray(model(self.rows.x_test, training=False)), axis=-1).tolist()
        except Exception:
            return None

    def _real(self, original: Any, model: Any, arguments: dict[str, Any], record: dict[str, Any]) -> Any:
        """Keras's own training; the clock still shows the challenge's seconds and joules."""
        training = self
        costs = self.costs["epoch"]

        class Record(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
                training.clock.advance(*costs)
                record["epochs_run"] += 1
                for name in ("accuracy", "val_accuracy"):
                    record[name].append(float((logs or {}).get(name, np.nan)))

        self.stop_hint = 5
        self.clock.advance(*self.costs["fit"])
        with self.unseen():
            return original(model, **{**arguments, "callbacks": [Record(), *_flat(arguments["callbacks"])]})

    def _scripted(self, original: Any, model: Any, arguments: dict[str, Any], record: dict[str, Any]) -> Any:
        """The challenge's curve through Keras's callback protocol."""
        with self.unseen():
            names = self._check(model, arguments, record["data"])
        plan = self.script.plans[record["plan"]]
        self.stop_hint = plan["stand_in_stop"]
        rows = math.floor(record["data"]["rows"] * (1 - (arguments["validation_split"] or 0.0)))
        steps = math.ceil(max(1, rows) / record["batch_size"])
        listener = _Listeners(
            _flat(arguments["callbacks"]),
            add_history=True,
            add_progbar=False,
            verbose=0,
            epochs=arguments["epochs"],
            steps=steps,
            model=model,
        )
        model.stop_training = False
        self.clock.advance(*self.costs["fit"])
        listener.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in range(arguments["initial_epoch"], arguments["epochs"]):
            listener.on_epoch_begin(epoch)
            listener.batches(steps)
            self.clock.advance(*plan["epoch_cost"])
            record["epochs_run"] += 1
            logs = _logs(plan, record["epochs_run"] - 1, names)
            listener.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        with self.unseen():
            self._told = self._learn(model, plan)
        listener.on_train_end(logs)
        return model.history

    def _check(self, model: Any, arguments: dict[str, Any], data: dict[str, Any]) -> list[str]:
        """What Keras itself would refuse, it refuses here; returns the names in the logs of an epoch.

        A model that differs from an earlier one in nothing that decides this is not tried again.
        """
        model._assert_compile_called("fit")
        split = arguments["validation_split"] or 0.0
        if split and hasattr(arguments["x"], "element_spec"):
            raise ValueError("`validation_split` is only supported for Tensors or NumPy arrays.")
        kind = "" if id(model.optimizer) in self._owned else _kind(model, arguments, data)
        if kind in self._checked:
            self._owned[id(model.optimizer)] = (model.optimizer, model.trainable_variables)
            names = self._checked[kind]
        else:
            names = self._try(model, *as_arrays(arguments["x"], arguments["y"]))
        if kind:
            self._checked[kind] = names
        validated = bool(split) or arguments["validation_data"] is not None
        return [*names, *(f"val_{name}" for name in names if validated)]

    def _try(self, model: Any, x: Any, y: Any) -> list[str]:
        """One step as in training, which changes nothing; returns the names of what it measures."""
        if x.shape[0] != y.shape[0]:
            raise ValueError(f"Data cardinality is ambiguous: x has {x.shape[0]} rows and y has {y.shape[0]}.")
        model.stop_training = False
        predicted = model(x[:256], training=True)
        model.compute_loss(x=x[:256], y=y[:256], y_pred=predicted)
        self._step(model.optimizer, model.trainable_variables)
        names = list(model.compute_metrics(x[:256], y[:256], predicted))
        model.reset_metrics()
        return names

    def _step(self, optimizer: Any, variables: list[Any]) -> None:
        """One step that changes nothing; an optimizer that belongs to another model refuses it as it would in Keras."""
        _, owned = self._owned.setdefault(id(optimizer), (optimizer, variables))
        if owned is variables and _is_plain(optimizer):
            return
        if not optimizer.built:
            optimizer.build(owned)
        for variable in variables[:1]:
            optimizer.apply([keras.ops.zeros_like(variable)], [variable])

    def _learn(self, model: Any, plan: dict[str, Any]) -> tuple[list[np.ndarray], list[int]] | None:
        """Moves the weights so that the model has a test accuracy of its own; returns them and the classes that it then
        finds for the test rows, (n_test,), where these can be told without asking it."""
        noise = np.random.default_rng(plan["weights_seed"])
        last = model.layers[-1]
        final = list(last.weights) if isinstance(last, keras.layers.Dense) else []
        weights = _moved([each for each in model.weights if not any(each is own for own in final)], noise)
        hidden = self._hidden(model) if final else None
        if hidden is None:
            _moved(final, noise)
            return None
        wrong = noise.permutation(self.rows.n_test)[: plan["test_errors"]]
        wanted = self.rows.y_test.astype(int).copy()
        wanted[wrong] = (wanted[wrong] + 1) % last.units
        kernel, bias = _interpolated(hidden, np.where(np.arange(last.units) == wanted[:, None], 5.0, -5.0))
        for variable, value in zip(final, (kernel, bias), strict=False):
            shortcuts.write(variable, value.astype(variable.dtype))
        classes = _classes(model, hidden @ kernel + (bias if last.use_bias else np.float32(0)))
        return None if classes is None else ([*weights, kernel, *[bias] * last.use_bias], classes)

    def _hidden(self, model: Any) -> np.ndarray | None:
        """What reaches the last layer on the test rows, float32 (rows, units); None if it is no chain of layers."""
        try:
            hidden = tf.convert_to_tensor(self.rows.x_test)
            plain = shortcuts.is_plain_chain(model, hidden)
            for layer in model.layers[:-1]:
                if not isinstance(layer, keras.layers.InputLayer):
                    hidden = layer.call(hidden) if plain else layer(hidden)
            return np.asarray(hidden, np.float32).reshape(self.rows.n_test, -1)
        except Exception:
            return None


def _moved(variables: list[Any], noise: np.random.Generator) -> list[np.ndarray]:
    """What the variables are after each of their numbers was moved by a thousandth at most."""
    made = []
    for variable in variables:
        weight = shortcuts.read(variable)
        step = np.float32(2e-3) * (noise.random(weight.shape, np.float32) - np.float32(0.5))
        made.append((weight + step).astype(weight.dtype))
        shortcuts.write(variable, made[-1])
    return made


def _interpolated(hidden: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The kernel, float32 (units, classes), and bias, (classes,), that lead from (rows, units) to (rows, classes) as
    near as can be; with one more unit of ones for the bias, w = Hᵀ (H Hᵀ)⁻¹ t is the one of least norm."""
    wide = np.column_stack([hidden, np.ones(len(hidden))])
    gram = wide @ wide.T
    gram.flat[:: len(gram) + 1] += 1e-6
    solution = (wide.T @ np.linalg.solve(gram, target)).astype(np.float32)
    return solution[:-1], solution[-1]


def _classes(model: Any, outputs: np.ndarray) -> list[int] | None:
    """The class of each row, from (rows, classes) before the last activation; None where rounding, an activation or a
    way of the model's own could make it another."""
    nearest = np.partition(outputs, -2, axis=1)[:, -2:]
    plain = type(model) is keras.Sequential and type(model.layers[-1]) is keras.layers.Dense
    keeps_order = plain and model.layers[-1].activation in KEEP_ORDER
    if not keeps_order or outputs.shape[1] < 2 or (nearest[:, 1] - nearest[:, 0]).min() < 1:
        return None
    return outputs.argmax(axis=1).tolist()


KEEP_ORDER = (keras.activations.softmax, keras.activations.linear, keras.activations.sigmoid)
BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


class _Listeners(keras.callbacks.CallbackList):
    """Keras's list of callbacks for logs that are plain numbers: Keras looks each of them over for tensors, which takes
    longer than all else in a scripted epoch. The hooks of batches are called where a callback has any."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._async_train:
            self._flush_futures()
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs or {})

    def batches(self, steps: int) -> None:
        if any(_overrides(callback, name) for callback in self.callbacks for name in BATCH_HOOKS):
            for step in range(steps):
                self.on_train_batch_begin(step)
                self.on_train_batch_end(step, {"loss": 1.0})


def _overrides(callback: Any, name: str) -> bool:
    """Whether a callback has a hook of its own, by its class or set on it."""
    return getattr(getattr(callback, name, None), "__func__", None) is not getattr(keras.callbacks.Callback, name)


class _Use:
    """One use of a model outside `fit`: costs time and energy, and is recorded."""

    def __init__(self, training: Training, what: str, model: Any, x: Any, y: Any) -> None:
        self.training, self.what, self.model, self.x, self.y = training, what, model, x, y

    def __enter__(self) -> None:
        training = self.training
        if not training._inside:
            training.clock.advance(*training.costs["evaluate"])
            seen = training.rows.describe(self.x, self.y)
            training.recorder.event(
                "use", what=self.what, model=training.number(self.model), data=seen, at=training.clock.seconds
            )
        training._inside += 1

    def __exit__(self, *exception: object) -> None:
        self.training._inside -= 1


def _logs(plan: dict[str, Any], epoch: int, names: list[str]) -> dict[str, float]:
    curve = plan["val_accuracy"]
    value = (
        curve[epoch] if epoch < len(curve) else curve[len(curve) - plan["tail"] :][(epoch - len(curve)) % plan["tail"]]
    )
    own = plan["accuracy"]
    trained = own[epoch] if epoch < len(own) else min(0.9999, 0.97 + 0.0001 * epoch)
    readings = {"accuracy": trained, "val_accuracy": value, "loss": 1 / (epoch + 2), "val_loss": 2 * (1 - value)}
    for name in names:
        if name not in readings:
            accuracy = readings["val_accuracy"] if name.startswith("val_") else trained
            readings[name] = accuracy if "acc" in name else 1 - accuracy
    return {name: readings[name] for name in names}


def _kind(model: Any, arguments: dict[str, Any], data: dict[str, Any]) -> str:
    """All that decides whether Keras can train such a model on such data; empty where that cannot be told for sure.

    It can of a chain of Keras's own layers with a loss and metrics of Keras's own, on the challenge's own rows.
    """
    x, y, optimizer = arguments["x"], arguments["y"], model.optimizer
    parts = [*model.layers, *([] if isinstance(model.loss, str) else [model.loss])]
    metrics = model._compile_metrics and model._compile_metrics._user_metrics
    if (
        type(model) is not keras.Sequential
        or not model.built
        or not all(type(part).__module__.startswith("keras.src.") for part in [*parts, optimizer])
        or any(isinstance(layer, keras.layers.Lambda) for layer in model.layers)
        or not all(isinstance(metric, str) for metric in metrics or [])
        or not (isinstance(x, np.ndarray) and isinstance(y, np.ndarray))
        or data["other"]
        or not data["labels_fit"]
    ):
        return ""
    settings = [(type(part).__name__, {**part.get_config(), "name": ""}) for part in parts]
    loss = model.loss if isinstance(model.loss, str) else ""
    shapes = (model.input_shape, x.shape, x.dtype, y.shape, y.dtype)
    return repr((settings, loss, metrics, type(optimizer).__name__, shapes, data))


def _is_plain(optimizer: Any) -> bool:
    """Whether an optimizer is one of Keras's own with nothing of a user's in it, so that its first step cannot fail."""
    rate = getattr(optimizer, "_learning_rate", None)
    return type(optimizer).__module__.startswith("keras.src.") and isinstance(rate, keras.Variable)


def _flat(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return list(callbacks.callbacks)
    return list(keras.tree.flatten(callbacks))


def _learning_rate(optimizer: Any) -> float | None:
    try:
        return float(np.asarray(optimizer.learning_rate))
    except Exception:
        return None


def _loss_name(loss: Any) -> str:
    return loss if isinstance(loss, str) else getattr(loss, "__name__", None) or type(loss).__name__


def _dataset_batch(x: Any) -> int | None:
    spec = getattr(x, "element_spec", None)
    first = spec[0] if isinstance(spec, tuple) else spec
    if first is None:
        return None
    return next(iter(x))[0].shape[0]


def _weights(model: Any) -> list[np.ndarray]:
    """The model's weights; none of a model that has none yet."""
    try:
        return [shortcuts.read(weight) for weight in model.weights]
    except Exception:
        return []


def _fingerprints(weights: list[np.ndarray]) -> set[str]:
    """A hash per weight matrix; biases start at zero in every model and tell nothing."""
    return {hashlib.sha256(weight.tobytes()).hexdigest()[:16] for weight in weights if weight.ndim >= 2}
