"""Faults in what is recorded of trainings that were all right."""

from __future__ import annotations

from ..mutant import Edit, Mutant, in_both_sweeps, in_sweep

CELL = "SWEEP-loop"
ITEM = "SWEEP-metrics"
LOOP = "for VARIABLE in [VALUES]:\n"
EVALUATE = "    test_loss, test_accuracy = model.evaluate(Xts_scale, yts, verbose=0)\n"
BEGIN = '    monitor.begin_window("fit")\n'
END = '    measurement = monitor.end_window("fit")\n'
ACCURACY = '"test_accuracy": test_accuracy'
EPOCHS = '"epochs": len(hist.history["loss"])'
TIME = '"train_time": measurement.time'
ENERGY = '"total_energy": measurement.total_energy'
APPEND = "    metrics_vs_SWEEP.append(\n        {"
APPENDED = "        }\n    )"

Pair = tuple[str | None, str]


def _both(id_: str, fault: str, *edits: Pair, plots: Pair | None = None, variant: str = "reference") -> list[Mutant]:
    """`plots` is an edit of the plots' cell that keeps it in step with the loop."""
    return in_both_sweeps(id_, fault, *_edits(edits, plots), items=ITEM, variant=variant)


def _one(sweep: str, id_: str, fault: str, *edits: Pair, plots: Pair | None = None, variant: str = "reference") -> Mutant:
    return in_sweep(sweep, id_, fault, *_edits(edits, plots), items=ITEM, variant=variant)


def _edits(edits: tuple[Pair, ...], plots: Pair | None) -> list[Edit]:
    own = [Edit(CELL, *edit) for edit in edits]
    return own if plots is None else [*own, Edit("SWEEP-plots", *plots)]


TEST_ACCURACY = [
    _one(
        "lr",
        "running-mean",
        "one metric object, never reset: a running mean over the iterations",
        ("    acc = tf.keras.metrics.SparseCategoricalAccuracy()\n", ""),
        ("metrics_vs_lr = []\n", "metrics_vs_lr = []\nacc = tf.keras.metrics.SparseCategoricalAccuracy()\n"),
        variant="fresh_metric_object",
    ),
    _one("bs", "running-mean", "one metric object, never reset: a running mean over the iterations", ("    acc.reset_state()\n", ""), variant="fresh_metric_object"),
    *_both("accuracy-percent", "test accuracy in per cent", (ACCURACY, '"test_accuracy": 100 * test_accuracy')),
    *_both("accuracy-as-text", "test accuracy as a text", (ACCURACY, '"test_accuracy": f"{test_accuracy:.3f}"')),
    *_both("accuracy-coarse", "test accuracy rounded to one decimal", (ACCURACY, '"test_accuracy": round(test_accuracy, 1)')),
    *_both("accuracy-none", "test accuracy is None", (ACCURACY, '"test_accuracy": None')),
    *_both("accuracy-validation", "the last validation accuracy", (ACCURACY, '"test_accuracy": hist.history["val_accuracy"][-1]')),
    *_both("accuracy-best-validation", "the best validation accuracy", (ACCURACY, '"test_accuracy": max(hist.history["val_accuracy"])')),
    *_both("accuracy-training-history", "the last training accuracy", (ACCURACY, '"test_accuracy": hist.history["accuracy"][-1]')),
    *_both("accuracy-on-training-set", "evaluated on the training set", ("model.evaluate(Xts_scale, yts", "model.evaluate(Xtr_scale, ytr")),
    *_both("accuracy-on-half", "evaluated on every second test note", ("model.evaluate(Xts_scale, yts", "model.evaluate(Xts_scale[::2], yts[::2]")),
    *_both("accuracy-is-loss", "the test loss instead of the accuracy", (ACCURACY, '"test_accuracy": test_loss')),
    *_both("accuracy-unpacked-wrongly", "loss and accuracy unpacked in the wrong order", ("test_loss, test_accuracy =", "test_accuracy, test_loss =")),
    *_both("error-rate", "the error rate instead of the accuracy", (ACCURACY, '"test_accuracy": 1 - test_accuracy')),
    *_both("scores-as-list", "the list of loss and accuracy", (ACCURACY, '"test_accuracy": [test_loss, test_accuracy]')),
    *_both("evaluated-before-fit", "the untrained model is evaluated", (EVALUATE, ""), (BEGIN, EVALUATE + BEGIN)),
    *_both(
        "evaluated-too-late",
        "each row holds the accuracy of the model before",
        (LOOP, "test_accuracy = 0.0\n" + LOOP),
        (EVALUATE, ""),
        (APPENDED, f"{APPENDED}\n{EVALUATE.rstrip()}"),
    ),
    _one("bs", "first-model-for-all", "every row holds the accuracy of the first model", (EVALUATE, "    if not metrics_vs_bs:\n    " + EVALUATE)),
    *_both(
        "last-model-for-all",
        "the last model is evaluated for all rows",
        (EVALUATE, ""),
        (ACCURACY, '"test_accuracy": None'),
        (
            APPENDED,
            f'{APPENDED}\nfor m in metrics_vs_SWEEP:\n    m["test_accuracy"] = model.evaluate(Xts_scale, yts, verbose=0)[1]',
        ),
    ),
    _one(
        "bs",
        "another-model",
        "the model of the largest batch size is evaluated for all rows, trained or not",
        ("models[size].evaluate", "models[2048].evaluate"),
        variant="callbacks_in_advance",
    ),
    *_both("sum-of-hits", "the number of hits instead of their share", ("np.mean(y_hat == yts)", "np.sum(y_hat == yts)"), variant="deque_of_last_values"),
    *_both("argmax-over-notes", "the mean of the labels found instead of the share of hits", ("np.mean(y_hat == yts)", "np.mean(y_hat)"), variant="deque_of_last_values"),
]

EPOCHS_TRAINED = [
    *_both("epochs-cap", "the limit of 500 instead of the number of epochs", (EPOCHS, '"epochs": 500')),
    *_both("epochs-asked-for", "the number of epochs asked for", (EPOCHS, '"epochs": hist.params["epochs"]')),
    *_both("epochs-less-one", "one epoch too few", (EPOCHS, '"epochs": len(hist.history["loss"]) - 1')),
    *_both("epochs-last-index", "the index of the last epoch", (EPOCHS, '"epochs": hist.epoch[-1]')),
    *_both("epochs-list", "the list of epochs", (EPOCHS, '"epochs": hist.epoch')),
    *_both("epochs-to-best", "the epoch with the best validation accuracy", (EPOCHS, '"epochs": int(np.argmax(hist.history["val_accuracy"])) + 1')),
    *_both("epochs-kinds-of-values", "the number of columns of the history", (EPOCHS, '"epochs": len(hist.history)')),
    *_both("epochs-as-text", "the number of epochs as a text", (EPOCHS, '"epochs": str(len(hist.epoch)) + " epochs"')),
    *_both(
        "epochs-cumulative",
        "the epochs of all trainings so far",
        (LOOP, "total = 0\n" + LOOP),
        (APPEND, '    total += len(hist.history["loss"])\n' + APPEND),
        (EPOCHS, '"epochs": total'),
    ),
    *_both("epochs-above-threshold", "only the epochs above the threshold", (EPOCHS, '"epochs": sum(v > 0.95 for v in hist.history["val_accuracy"])')),
    *_both("epochs-to-first-hit", "the epochs before the streak", (EPOCHS, '"epochs": len(hist.history["loss"]) - 3')),
]

TRAIN_TIME = [
    *_both("window-includes-evaluate", "the window ends after evaluate", (END, ""), (EVALUATE, EVALUATE + END)),
    *_both("window-is-evaluate", "the window is around evaluate", (BEGIN, ""), (END, BEGIN), (EVALUATE, EVALUATE + END)),
    *_both("window-after-fit", "the window begins after fit", (BEGIN, ""), (END, BEGIN + END)),
    *_both("window-before-fit", "the window ends before fit", (END, ""), (BEGIN, BEGIN + END)),
    *_both("window-includes-model", "the window begins before the model is made", (BEGIN, ""), ("    model = get_model()\n", BEGIN + "    model = get_model()\n")),
    *_both("window-includes-predict", "the window ends after predict", ("    w = monitor.end_window('w')\n", ""), ("    y_hat = np.argmax(model.predict(Xts_scale, verbose=0), axis=1)\n", "    y_hat = np.argmax(model.predict(Xts_scale, verbose=0), axis=1)\n    w = monitor.end_window('w')\n"), variant="deque_of_last_values"),
    *_both("milliseconds", "time in milliseconds", (TIME, '"train_time": 1000 * measurement.time')),
    *_both("minutes", "time in minutes", (TIME, '"train_time": measurement.time / 60')),
    *_both("time-per-epoch", "time for each epoch", (TIME, '"train_time": measurement.time / len(hist.epoch)')),
    *_both("clock-includes-evaluate", "the clock is stopped after evaluate", ("    train_time=time.time()-start\n", ""), ("    score=model.evaluate(Xts_scale, yts)\n", "    score=model.evaluate(Xts_scale, yts)\n    train_time=time.time()-start\n"), variant="clock_only"),
    *_both("clock-never-restarted", "the clock is started once before the loop", ("    start=time.time()\n", ""), ("=[]\nfor", "=[]\nstart=time.time()\nfor"), variant="clock_only"),
    *_both("clock-started-after-fit", "the clock is started after fit", ("    start=time.time()\n", ""), ("    train_time=time.time()-start\n", "    start=time.time()\n    train_time=time.time()-start\n"), variant="clock_only"),
    *_both("clock-reading", "the time of day at the end of fit", ("train_time=time.time()-start", "train_time=time.time()"), variant="clock_only"),
    *_both("clock-negative", "start minus end", ("train_time=time.time()-start", "train_time=start-time.time()"), variant="clock_only"),
    *_both("nanoseconds-kept", "nanoseconds instead of seconds", ("(stop - start)", "(stop - start) * 1e9"), variant="nanoseconds"),
    *_both("microseconds", "microseconds instead of seconds", ("(after - before).total_seconds()", "(after - before).total_seconds() * 1e6"), variant="datetime_clock"),
]

TOTAL_ENERGY = [
    *_both("kilojoules", "energy in kilojoules", (ENERGY, '"total_energy": measurement.total_energy / 1000')),
    *_both("watt-hours", "energy in watt-hours", (ENERGY, '"total_energy": measurement.total_energy / 3600')),
    *_both("power", "mean power instead of energy", (ENERGY, '"total_energy": measurement.total_energy / measurement.time')),
    *_both("energy-per-epoch", "energy for each epoch", (ENERGY, '"total_energy": measurement.total_energy / len(hist.epoch)')),
    *_both("energy-is-time", "seconds in the place of joules", (ENERGY, '"total_energy": measurement.time')),
    *_both("time-and-energy-swapped", "time and energy in each other's place", (ENERGY, '"total_energy": measurement.time'), (TIME, '"train_time": measurement.total_energy')),
    *_both(
        "energy-of-evaluate",
        "the energy is that of evaluate, the time is right",
        (EVALUATE, f'    monitor.begin_window("test")\n{EVALUATE}    test_window = monitor.end_window("test")\n'),
        (ENERGY, '"total_energy": test_window.total_energy'),
    ),
    *_both("energy-made-up", "an energy worked out from the clock and a supposed power", ("'total_energy':None", "'total_energy':70*(e-s)"), variant="star_imports"),
    *_both("window-of-first-fit", "time and energy are those of the first window of the notebook", ("    measurement = monitor", "    mine = monitor")),
]

SETTINGS_RECORDED = [
    *_both("swept-value-constant", "every row holds the same value of what was varied", ('"SWEPT": VARIABLE', '"SWEPT": [VALUES][0]')),
    *_both("swept-value-as-text", "the value of what was varied is a text", ('"SWEPT": VARIABLE', '"SWEPT": "value " + str(VARIABLE)')),
    *_both("swept-index", "the index in place of the value", ('"SWEPT": VARIABLE', '"SWEPT": len(metrics_vs_SWEEP)')),
    _one("lr", "batch-size-recorded-wrong", "the batch size recorded is not the one trained with", ('"batch_size": batch_size', '"batch_size": 32')),
    _one("bs", "rate-recorded-wrong", "the learning rate recorded is not the one trained with", ('"learning_rate": lr', '"learning_rate": 0.01')),
    *_both("settings-swapped", "learning rate and batch size in each other's place", ('"batch_size": batch_size', '"batch_size": lr'), ('"learning_rate": lr', '"learning_rate": batch_size')),
    *_both("fixed-value-missing", "the value that was not varied is missing", (('            "FIXED": '), '            # "FIXED": ')),
]

ROWS = [
    *_both("time-missing", "the time is missing", (f"            {TIME},\n", "")),
    *_both("epochs-missing", "the number of epochs is missing", (f"            {EPOCHS},\n", "")),
    *_both("epochs-key", "the key is epoch, in the plots too", ('"epochs":', '"epoch":'), plots=('m["epochs"]', 'm["epoch"]')),
    *_both("accuracy-key", "the key is test_acc, in the plots too", ('"test_accuracy":', '"test_acc":'), plots=('m["test_accuracy"]', 'm["test_acc"]')),
    *_both("time-key", "the key is training_time, in the plots too", ('"train_time":', '"training_time":'), plots=('m["train_time"]', 'm["training_time"]')),
    *_both("energy-key", "the key is energy, in the plots too", ('"total_energy":', '"energy":'), plots=('m["total_energy"]', 'm["energy"]')),
    *_both("epochs-key-alone", "the key is epoch, and the plots ask for epochs", ('"epochs":', '"epoch":')),
    *_both(
        "one-dictionary",
        "one dictionary, filled anew and appended again and again",
        (LOOP, "row = {}\n" + LOOP),
        ("    metrics_vs_SWEEP.append(\n        {", "    row.update(\n        {"),
        (APPENDED, f"{APPENDED}\n    metrics_vs_SWEEP.append(row)"),
    ),
    *_both("only-last-row", "only the last row is kept", (APPEND, "    metrics_vs_SWEEP = (\n        [{"), (APPENDED, "        }]\n    )")),
    *_both("appended-after-loop", "appended after the loop, once", (APPEND, "metrics_vs_SWEEP.append(\n        {")),
    *_both("list-emptied", "the list is emptied in each iteration", (LOOP, LOOP + "    metrics_vs_SWEEP = []\n")),
    *_both("last-row-dropped", "the last row is dropped", (APPENDED, f"{APPENDED}\nmetrics_vs_SWEEP.pop()")),
    *_both("rows-doubled", "every row is appended twice", (APPENDED, f"{APPENDED}\n    metrics_vs_SWEEP.append(dict(metrics_vs_SWEEP[-1]))")),
    *_both("rows-are-lists", "the rows are lists of one dictionary", (APPEND, "    metrics_vs_SWEEP.append(\n        [{"), (APPENDED, "        }]\n    )")),
    *_both("rows-are-tuples", "the rows are tuples", (APPENDED, "        }\n    )\nmetrics_vs_SWEEP = [tuple(m.values()) for m in metrics_vs_SWEEP]")),
    *_both("dictionary-of-lists", "one dictionary of lists", (APPENDED, f"{APPENDED}\nmetrics_vs_SWEEP = {{k: [m[k] for m in metrics_vs_SWEEP] for k in metrics_vs_SWEEP[0]}}")),
    *_both("dictionary-of-rows", "a dictionary of the rows", (APPENDED, f'{APPENDED}\nmetrics_vs_SWEEP = {{m["SWEPT"]: m for m in metrics_vs_SWEEP}}')),
    *_both(
        "accuracies-moved",
        "each row holds the accuracy of the next",
        (
            APPENDED,
            f'{APPENDED}\naccs = [m["test_accuracy"] for m in metrics_vs_SWEEP]\n'
            'for m, acc in zip(metrics_vs_SWEEP, accs[1:] + accs[:1]):\n    m["test_accuracy"] = acc',
        ),
    ),
    *in_both_sweeps(
        "other-name",
        "the list has another name, in the plots too",
        Edit(CELL, "metrics_vs_SWEEP", "results_SWEEP", 2),
        Edit("SWEEP-plots", "metrics_vs_SWEEP", "results_SWEEP", 5),
        items=ITEM,
    ),
    _one("bs", "appended-to-first-list", "the rows go into the list of the learning rates", ("    metrics_vs_bs.append", "    metrics_vs_lr.append")),
]

MUTANTS = [*TEST_ACCURACY, *EPOCHS_TRAINED, *TRAIN_TIME, *TOTAL_ENERGY, *SETTINGS_RECORDED, *ROWS]
