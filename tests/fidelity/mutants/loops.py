"""Faults in how the models of a loop are trained. What is recorded is true of the training that took place."""

from __future__ import annotations

from ..mutant import Edit, Mutant, in_both_sweeps, in_sweep

CELL = "SWEEP-loop"
LOOP = "for VARIABLE in [VALUES]:\n"
NEW_MODEL = "    model = get_model()\n"
ADAM = "optimizers.Adam(learning_rate=lr)"
CALLBACK = "TrainToAccuracy(threshold=0.95, patience=3)"
DATA = "        Xtr_scale,\n        ytr,\n"
SPLIT = "validation_split=0.2"


def _both(id_: str, fault: str, *edits: tuple[str, str], variant: str = "reference") -> list[Mutant]:
    return in_both_sweeps(id_, fault, *(Edit(CELL, *edit) for edit in edits), items=CELL, variant=variant)


def _one(sweep: str, id_: str, fault: str, *edits: tuple[str, str], variant: str = "reference") -> Mutant:
    return in_sweep(sweep, id_, fault, *(Edit(CELL, *edit) for edit in edits), items=CELL, variant=variant)


MODEL = [
    *_both("one-model", "one model is trained on and on", (LOOP + NEW_MODEL, "model = get_model()\n" + LOOP)),
    _one(
        "bs",
        "one-compiled-model",
        "one model, compiled once, is trained on and on",
        (
            "for batch_size in [VALUES]:\n    model = get_model()\n    model.compile(\n"
            "        optimizer=optimizers.Adam(learning_rate=lr),\n"
            "        loss=tf.keras.losses.SparseCategoricalCrossentropy(),\n"
            '        metrics=["accuracy"],\n    )\n',
            "model = get_model()\nmodel.compile(\n"
            "    optimizer=optimizers.Adam(learning_rate=lr),\n"
            "    loss=tf.keras.losses.SparseCategoricalCrossentropy(),\n"
            '    metrics=["accuracy"],\n)\nfor batch_size in [VALUES]:\n',
        ),
    ),
    _one(
        "lr",
        "rate-changed-on-one-model",
        "one model goes on with another learning rate",
        (
            LOOP + NEW_MODEL + "    model.compile(\n"
            "        optimizer=optimizers.Adam(learning_rate=lr),\n"
            "        loss=tf.keras.losses.SparseCategoricalCrossentropy(),\n"
            '        metrics=["accuracy"],\n    )\n',
            "model = get_model()\nmodel.compile(\n"
            "    optimizer=optimizers.Adam(),\n"
            "    loss=tf.keras.losses.SparseCategoricalCrossentropy(),\n"
            '    metrics=["accuracy"],\n)\n' + LOOP + "    model.optimizer.learning_rate = lr\n",
        ),
    ),
    *_both("model-of-the-trial", "goes on with the model of the trial run", (NEW_MODEL, "")),
    _one(
        "lr",
        "list-of-one-model",
        "the list holds one and the same model for all trainings",
        ("[get_model() for _ in rates]", "[get_model()] * len(rates)"),
        variant="callbacks_in_advance",
    ),
    *_both("few-units", "the model has 16 hidden units", ("get_model()", "get_model(16)")),
]

OPTIMIZER = [
    _one("lr", "rate-not-passed", "every model is trained with the default learning rate", (ADAM, "optimizers.Adam()")),
    _one("lr", "rate-by-name-of-optimizer", "every model is trained with the default learning rate", (ADAM, '"adam"')),
    *_both("fixed-rate", "every model is trained with a learning rate of 0.01", (ADAM, "optimizers.Adam(learning_rate=0.01)")),
    *_both("sgd", "SGD instead of Adam", (ADAM, "optimizers.SGD(learning_rate=lr)")),
    *_both("rmsprop", "RMSprop instead of Adam", (ADAM, "optimizers.RMSprop(learning_rate=lr)")),
    *_both("adamw", "AdamW instead of Adam", (ADAM, "optimizers.AdamW(learning_rate=lr)")),
    *_both("tenth-of-rate", "a tenth of the learning rate", (ADAM, "optimizers.Adam(learning_rate=lr / 10)")),
    _one("bs", "higher-rate", "trained, and recorded, with another learning rate than the default", ("lr = 0.001\n", "lr = 0.01\n")),
]

BATCHES = [
    *_both("batch-size-not-passed", "every model is trained with Keras's batch size of 32", ("        batch_size=batch_size,\n        epochs", "        epochs")),
    *_both("batch-size-32", "every model is trained with a batch size of 32", ("        batch_size=batch_size,\n        epochs", "        batch_size=32,\n        epochs")),
    _one("bs", "batch-size-fixed", "every model is trained with a batch size of 128", ("        batch_size=batch_size,\n        epochs", "        batch_size=128,\n        epochs")),
    _one("lr", "other-batch-size", "trained, and recorded, with another batch size than the default", ("batch_size = 128\n", "batch_size = 256\n")),
    _one("bs", "double-batch-size", "twice the batch size", ("        batch_size=batch_size,\n        epochs", "        batch_size=2 * batch_size,\n        epochs")),
]

VALIDATION = [
    *_both("validates-on-test-set", "the test set is the validation data", (SPLIT, "validation_data=(Xts_scale, yts)")),
    *_both(
        "validates-on-test-set-too",
        "the test set replaces the split, which is given as well",
        (SPLIT, f"{SPLIT},\n        validation_data=(Xts_scale, yts)"),
    ),
    *_both("validates-on-training-set", "the training set is the validation data", (SPLIT, "validation_data=(Xtr_scale, ytr)")),
    *_both("split-of-a-tenth", "a tenth is held back for validation", (SPLIT, "validation_split=0.1")),
    *_both("split-of-four-fifths", "four fifths are held back for validation", (SPLIT, "validation_split=0.8")),
    *_both("no-validation", "no validation data, so that the target is never seen", (" validation_split=0.2,", ""), variant="standalone_keras"),
]

EPOCHS = [
    *_both("fifty-epochs", "at most 50 epochs", ("epochs=500", "epochs=50")),
    *_both("thousand-epochs", "up to 1000 epochs", ("epochs=500", "epochs=1000")),
    *_both("one-epoch", "a single epoch, because none are asked for", ("        epochs=500,\n", "")),
    *_both("no-callback", "no callback, so that nothing stops the training", (f"        callbacks=[{CALLBACK}],\n", "")),
    *_both("patience-5", "patience 5", (CALLBACK, "TrainToAccuracy(threshold=0.95, patience=5)")),
    *_both("patience-1", "patience 1", (CALLBACK, "TrainToAccuracy(threshold=0.95, patience=1)")),
    *_both("threshold-0.9", "threshold 0.9", (CALLBACK, "TrainToAccuracy(threshold=0.9, patience=3)")),
    *_both("threshold-percent", "threshold in per cent, which is never reached", (CALLBACK, "TrainToAccuracy(threshold=95, patience=3)")),
    *_both("default-threshold", "the callback's default threshold", (CALLBACK, "TrainToAccuracy(patience=3)")),
    *_both("default-arguments", "the callback's defaults", (CALLBACK, "TrainToAccuracy()")),
    *_both("swapped-arguments", "threshold and patience in the wrong order", (CALLBACK, "TrainToAccuracy(3, 0.95)")),
    *_both(
        "shared-callback",
        "one callback, which keeps its count, serves all trainings",
        (LOOP, f"stopper = {CALLBACK}\n{LOOP}"),
        (f"callbacks=[{CALLBACK}]", "callbacks=[stopper]"),
    ),
    _one(
        "lr",
        "list-of-one-callback",
        "the list holds one and the same callback for all trainings",
        (f"[{CALLBACK} for _ in rates]", f"[{CALLBACK}] * len(rates)"),
        variant="callbacks_in_advance",
    ),
    *_both(
        "early-stopping",
        "Keras's EarlyStopping ends the training first",
        (f"callbacks=[{CALLBACK}]", f'callbacks=[{CALLBACK}, callbacks.EarlyStopping(monitor="val_accuracy", mode="max", patience=1)]'),
    ),
    *_both(
        "only-early-stopping",
        "Keras's EarlyStopping in place of the callback",
        (CALLBACK, 'callbacks.EarlyStopping(monitor="val_accuracy", mode="max", patience=3)'),
    ),
]

DATA_USED = [
    *_both("trains-on-test-set", "trains on the test set", (DATA, "        Xts_scale,\n        yts,\n")),
    *_both("trains-on-half", "trains on every second note", (DATA, "        Xtr_scale[::2],\n        ytr[::2],\n")),
    *_both(
        "trains-on-both-sets",
        "trains on the training and the test set together",
        (DATA, "        np.concatenate([Xtr_scale, Xts_scale]),\n        np.concatenate([ytr, yts]),\n"),
    ),
    *_both("scales-again", "trains on data scaled once more", (DATA, "        Xtr_scale / 255,\n        ytr,\n")),
]

SETTINGS = [
    _one("lr", "setting-missing", "the last learning rate is left out", ("0.1, 1.0]", "0.1]")),
    _one("bs", "setting-missing", "the last batch size is left out", ("1024, 2048]", "1024]")),
    _one("lr", "setting-twice", "a learning rate comes twice", ("0.001, 0.01,", "0.001, 0.001, 0.01,")),
    _one("bs", "setting-twice", "a batch size comes twice", ("256, 512,", "256, 256, 512,")),
    _one("lr", "other-setting", "one learning rate is another one", ("0.1, 1.0]", "0.5, 1.0]")),
    _one("bs", "other-setting", "one batch size is another one", ("1024, 2048]", "1024, 4096]")),
    _one("lr", "settings-of-another-run", "a list without 1.0 and with 0.00001", ("[VALUES]", "[0.00001, 0.0001, 0.001, 0.01, 0.1]")),
    _one("bs", "settings-of-another-run", "a list that goes up to 8192", ("[VALUES]", "[128, 256, 512, 1024, 2048, 4096, 8192]")),
]


def _broken(id_: str, fault: str, *edits: tuple[str | None, str], variant: str = "reference") -> list[Mutant]:
    """Nothing was trained to the end and nothing recorded: both items of the cell are lost."""
    return in_both_sweeps(id_, fault, *(Edit(CELL, *edit) for edit in edits), items="SWEEP-loop SWEEP-metrics", variant=variant)


BROKEN = [
    *_broken("not-done", "the cell was left as released", (None, "metrics_vs_SWEEP = []\n# YOUR CODE HERE\nraise NotImplementedError()")),
    *_broken("stops-at-compile", "stops with a NameError before the first training", (ADAM, "Adam(learning_rate=lr)")),
    *_broken("stops-inside-window", "stops with a TypeError in fit, which leaves the energy window open", ("epochs=500", "epoch=500")),
    *_broken(
        "unfit-loss",
        "stops in fit, because the loss does not go with labels that are numbers",
        ("tf.keras.losses.SparseCategoricalCrossentropy()", '"mean_squared_error"'),
    ),
    *_broken("stops-at-history", "stops with a KeyError after the first training", ('hist.history["loss"]', 'hist.history["acc"]')),
    *_broken("loop-not-run", "the function with the loop is never called", ("\ngo()", ""), variant="star_imports"),
    *_broken("syntax-error", "the cell is not valid Python", ("[VALUES]:", "[VALUES]")),
]

MUTANTS = [*MODEL, *OPTIMIZER, *BATCHES, *VALIDATION, *EPOCHS, *DATA_USED, *SETTINGS, *BROKEN]
