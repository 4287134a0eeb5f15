"""Faults in the figures; what they draw was recorded rightly."""

from __future__ import annotations

from ..mutant import Edit, Mutant, in_both_sweeps, in_sweep

CELL = "SWEEP-plots"
NAMES = 'names = [str(m["SWEPT"]) for m in metrics_vs_SWEEP]'
TIME_BARS = 'sns.barplot(x=names, y=[m["train_time"] for m in metrics_vs_SWEEP], ax=axes[0])'
ENERGY_BARS = 'sns.barplot(x=names, y=[m["total_energy"] for m in metrics_vs_SWEEP], ax=axes[1])'
ACCURACY_BARS = "sns.barplot(x=names, y=accuracies, ax=axes[2])"
EPOCH_BARS = 'sns.barplot(x=names, y=[m["epochs"] for m in metrics_vs_SWEEP], ax=axes[3])'
RANGE = "axes[2].set_ylim(max(0, min(accuracies) - margin), max(accuracies) + margin)"
X_LABELS = 'for ax in axes:\n    ax.set_xlabel("TITLE")\n'
SUBPLOTS = "fig, axes = plt.subplots(1, 4, figsize=(18, 4))"

Pair = tuple[str | None, str]


def _both(id_: str, fault: str, *edits: Pair, variant: str = "reference") -> list[Mutant]:
    return in_both_sweeps(f"plots-{id_}", fault, *(Edit(CELL, *edit) for edit in edits), items=CELL, variant=variant)


def _one(sweep: str, id_: str, fault: str, *edits: Pair, variant: str = "reference") -> Mutant:
    return in_sweep(sweep, f"plots-{id_}", fault, *(Edit(CELL, *edit) for edit in edits), items=CELL, variant=variant)


LABELS = [
    *_both("no-x-labels", "the horizontal axes have no label", (X_LABELS, "")),
    *_both("one-x-label", "only the last horizontal axis has a label", (X_LABELS, 'axes[3].set_xlabel("TITLE")\n')),
    *_both("no-y-labels", "no vertical axis has a label", ('axes[0].set_ylabel("Time to accuracy (s)")\n', ""), ('axes[1].set_ylabel("Energy to accuracy (J)")\n', ""), ('axes[2].set_ylabel("Test accuracy")\n', ""), ('axes[3].set_ylabel("Epochs")\n', "")),
    *_both("one-y-label-missing", "the axis of the test accuracy has no label", ('axes[2].set_ylabel("Test accuracy")\n', "")),
    *_both("epochs-label-missing", "the axis of the epochs has no label", ('axes[3].set_ylabel("Epochs")\n', "")),
    *_both("time-without-unit", "the label of the time has no unit", ("Time to accuracy (s)", "Time to accuracy")),
    *_both("energy-without-unit", "the label of the energy has no unit", ("Energy to accuracy (J)", "Energy to accuracy")),
    *_both("labels-swapped", "time and energy carry each other's label", ('axes[0].set_ylabel("Time to accuracy (s)")', 'axes[0].set_ylabel("Energy to accuracy (J)")'), ('axes[1].set_ylabel("Energy to accuracy (J)")', 'axes[1].set_ylabel("Time to accuracy (s)")')),
    _one("lr", "x-label-of-the-other", "the horizontal axes are said to be the batch size", ('ax.set_xlabel("Learning rate")', 'ax.set_xlabel("Batch size")')),
    _one("bs", "x-label-of-the-other", "the horizontal axes are said to be the learning rate", ('ax.set_xlabel("Batch size")', 'ax.set_xlabel("Learning rate")')),
    _one("lr", "titles-only", "the quantities stand in titles, the vertical axes have no label", ("    ax.set_ylabel(label)\n", "    ax.set_title(label)\n"), variant="pandas_bars"),
]

QUANTITIES = [
    *_both("epochs-twice", "the epochs are drawn twice, the test accuracy not at all", (ACCURACY_BARS, 'sns.barplot(x=names, y=[m["epochs"] for m in metrics_vs_SWEEP], ax=axes[2])'), (RANGE + "\n", "")),
    *_both("time-twice", "the time is drawn in the place of the energy", (ENERGY_BARS, 'sns.barplot(x=names, y=[m["train_time"] for m in metrics_vs_SWEEP], ax=axes[1])')),
    *_both("same-everywhere", "all four subplots draw the time", (ENERGY_BARS, TIME_BARS.replace("axes[0]", "axes[1]")), (ACCURACY_BARS, TIME_BARS.replace("axes[0]", "axes[2]")), (RANGE + "\n", ""), (EPOCH_BARS, TIME_BARS.replace("axes[0]", "axes[3]"))),
    *_both(
        "energy-missing",
        "the energy was measured but is not drawn",
        (SUBPLOTS, "fig, axes = plt.subplots(1, 3, figsize=(14, 4))"),
        (ENERGY_BARS + '\naxes[1].set_ylabel("Energy to accuracy (J)")\n', ""),
        (ACCURACY_BARS, ACCURACY_BARS.replace("axes[2]", "axes[1]")),
        ('axes[2].set_ylabel("Test accuracy")', 'axes[1].set_ylabel("Test accuracy")'),
        (RANGE, RANGE.replace("axes[2]", "axes[1]")),
        (EPOCH_BARS, EPOCH_BARS.replace("axes[3]", "axes[2]")),
        ('axes[3].set_ylabel("Epochs")', 'axes[2].set_ylabel("Epochs")'),
    ),
    *_both(
        "epochs-missing",
        "the epochs are not drawn",
        (SUBPLOTS, "fig, axes = plt.subplots(1, 3, figsize=(14, 4))"),
        (EPOCH_BARS + '\naxes[3].set_ylabel("Epochs")\n', ""),
    ),
    *_both("one-empty", "the subplot of the epochs is empty", (EPOCH_BARS + "\n", "")),
    *_both(
        "cpu-only-time",
        "on a CPU runtime, only the time is drawn",
        ("{'train_time': 'time to accuracy (s)', 'test_accuracy': 'test accuracy', 'epochs': 'epochs'}", "{'train_time': 'time to accuracy (s)'}"),
        variant="nanoseconds",
    ),
    *_both(
        "cpu-accuracy-missing",
        "on a CPU runtime, the test accuracy is not drawn",
        ("'test_accuracy': 'test accuracy', ", ""),
        variant="nanoseconds",
    ),
    *_both(
        "cpu-epochs-missing",
        "on a CPU runtime, the epochs are not drawn",
        ("{'train_time': 'time to accuracy (s)', 'test_accuracy': 'test accuracy', 'epochs': 'epochs'}", "{'train_time': 'time to accuracy (s)', 'test_accuracy': 'test accuracy'}"),
        variant="nanoseconds",
    ),
    *_both("validation-accuracy", "the validation accuracy of the last training is drawn as the test accuracy", ("y=accuracies", 'y=[hist.history["val_accuracy"][-1]] * len(names)')),
    *_both("time-per-epoch", "time per epoch under the label of the whole time", ('m["train_time"] for m', 'm["train_time"] / m["epochs"] for m')),
    *_both("milliseconds", "milliseconds under the label of seconds", ('m["train_time"] for m', '1000 * m["train_time"] for m')),
]

VALUES = [
    *_both("typed-in", "values from another run are typed in", (TIME_BARS, "sns.barplot(x=names, y=[11.2, 4.1, 3.9, 9.6, 71.3, 5.5][: len(names)], ax=axes[0])")),
    *_both("last-measurement", "every bar is the time of the last training", ('y=[m["train_time"] for m in metrics_vs_SWEEP]', "y=[measurement.time] * len(names)")),
    *_both("sorted", "the bars are sorted by height, the names are not", (TIME_BARS, 'sns.barplot(x=names, y=sorted([m["train_time"] for m in metrics_vs_SWEEP]), ax=axes[0])'), (EPOCH_BARS, 'sns.barplot(x=names, y=sorted([m["epochs"] for m in metrics_vs_SWEEP]), ax=axes[3])')),
    *_both("names-reversed", "the names stand in the reverse order", (NAMES, NAMES + "[::-1]")),
    _one("bs", "names-sorted-as-text", "the names are sorted as text, the bars are not", (NAMES, NAMES.replace("[str", "sorted([str") + ")")),
    *_both("first-rows", "only the first three rows are drawn", (NAMES, "metrics = metrics_vs_SWEEP[:3]\n" + NAMES.replace("metrics_vs_SWEEP", "metrics")), ('accuracies = [m["test_accuracy"] for m in metrics_vs_SWEEP]', 'accuracies = [m["test_accuracy"] for m in metrics]'), ('m["train_time"] for m in metrics_vs_SWEEP', 'm["train_time"] for m in metrics'), ('m["total_energy"] for m in metrics_vs_SWEEP', 'm["total_energy"] for m in metrics'), ('m["epochs"] for m in metrics_vs_SWEEP', 'm["epochs"] for m in metrics')),
    *_both("share-of-highest", "times are drawn as shares of the longest", ('y=[m["train_time"] for m in metrics_vs_SWEEP]', 'y=[m["train_time"] / max(n["train_time"] for n in metrics_vs_SWEEP) for m in metrics_vs_SWEEP]')),
    *_both("mean-of-all", "one bar with the mean of all trainings", (TIME_BARS, 'sns.barplot(y=[m["train_time"] for m in metrics_vs_SWEEP], ax=axes[0])')),
    _one("lr", "other-list", "draws the list of the other loop, which does not exist yet", ('m["train_time"] for m in metrics_vs_lr', 'm["train_time"] for m in metrics_vs_bs')),
    *in_both_sweeps("plots-not-done", "the cell was left as released", Edit(CELL, None, "# YOUR CODE HERE\nraise NotImplementedError()"), items=CELL),
    in_sweep("bs", "plots-first-list", "copied from the first figure: draws the list of the learning rates", Edit(CELL, "metrics_vs_bs", "metrics_vs_lr", 5), Edit(CELL, 'm["batch_size"]', 'm["learning_rate"]'), items=CELL),
    *_both("error-in-last-panel", "stops with a KeyError before the epochs are drawn", ('m["epochs"]', 'm["n_epochs"]')),
]

AXIS = [
    *_both("positions", "the horizontal axis shows 0, 1, 2 and not the values", (NAMES, 'names = list(range(len(metrics_vs_SWEEP)))')),
    _one("lr", "tick-labels-gone", "bars by position, which are never named", ("    a.set_xticks(pos)\n    a.set_xticklabels(learning_rates)\n", ""), variant="index_loops"),
    _one("bs", "tick-labels-gone", "bars by position, which are never named", ("    a.set_xticks(pos)\n    a.set_xticklabels(batch_sizes)\n", ""), variant="index_loops"),
    *_both("against-epochs", "the horizontal axis shows the epochs", (NAMES, 'names = [str(m["epochs"]) for m in metrics_vs_SWEEP]')),
    *_both("against-fixed-value", "the horizontal axis shows the value that was not varied", (NAMES, 'names = [str(m["FIXED"]) for m in metrics_vs_SWEEP]')),
    *_both("other-values", "the names of the bars are typed in wrongly", (NAMES, 'names = ["a", "b", "c", "d", "e", "f"][: len(metrics_vs_SWEEP)]')),
]

KIND = [
    *in_both_sweeps("plots-lines", "lines instead of bars", Edit(CELL, "sns.barplot(", "sns.lineplot(", 4), items=CELL),
    *in_both_sweeps("plots-points", "points instead of bars", Edit(CELL, "sns.barplot(", "sns.scatterplot(", 4), items=CELL),
    *in_both_sweeps(
        "plots-boxes",
        "boxes instead of bars",
        Edit(CELL, "sns.barplot(", "sns.boxplot(", 4),
        items=CELL,
    ),
    *_both("one-line", "the accuracy is a line", (ACCURACY_BARS, "axes[2].plot(names, accuracies)")),
    *_both("histogram", "a histogram of the times", (TIME_BARS, 'axes[0].hist([m["train_time"] for m in metrics_vs_SWEEP])')),
    *in_both_sweeps(
        "plots-four-figures",
        "four figures instead of one",
        Edit(CELL, SUBPLOTS, "axes = [plt.figure(figsize=(5, 4)).add_subplot() for _ in range(4)]"),
        items=CELL,
    ),
    *_both(
        "table-only",
        "a table is printed, nothing is drawn",
        (None, "for m in metrics_vs_SWEEP:\n    print(m)"),
    ),
    *_both(
        "one-axes",
        "all four quantities share one pair of axes",
        (SUBPLOTS, "fig, ax0 = plt.subplots(figsize=(18, 4))\naxes = [ax0] * 4"),
    ),
]

RANGES = [
    *_both("accuracy-default-range", "the accuracy axis begins at 0, as seaborn has it", (RANGE + "\n", "")),
    *_both("accuracy-range-0-1", "an accuracy axis from 0 to 1", (RANGE, "axes[2].set_ylim(0, 1)")),
    _one("lr", "accuracy-range-of-pandas", "the accuracy axis begins at 0, as pandas has it", ('axes[2].set_ylim(df["test_accuracy"].min() - 0.01, df["test_accuracy"].max() + 0.01)\n', ""), variant="pandas_bars"),
    *_both("accuracy-range-0-10", "an accuracy axis up to 10", (RANGE, "axes[2].set_ylim(0, 10)")),
    *_both("accuracy-range-0-100", "an accuracy axis up to 100", (RANGE, "axes[2].set_ylim(0, 100)")),
    *_both("accuracy-cut-off", "an accuracy axis that cuts off all bars at the same height", (RANGE, "axes[2].set_ylim(0, 0.01)")),
    *_both("accuracy-out-of-view", "an accuracy axis on which no bar is seen", (RANGE, "axes[2].set_ylim(1.5, 2)")),
    *_both("epochs-cut-off", "an axis that cuts off all bars of the epochs at 2", (EPOCH_BARS, EPOCH_BARS + "\naxes[3].set_ylim(0, 2)")),
    *_both("time-range-huge", "an axis up to ten million seconds, on which no bar can be seen", (TIME_BARS, TIME_BARS + "\naxes[0].set_ylim(0, 1e7)")),
    *_both("shared-range", "all four axes share one range", (SUBPLOTS, "fig, axes = plt.subplots(1, 4, figsize=(18, 4), sharey=True)"), (RANGE, "axes[2].set_ylim(0, None)")),
]

MUTANTS = [*LABELS, *QUANTITIES, *VALUES, *AXIS, *KIND, *RANGES]
