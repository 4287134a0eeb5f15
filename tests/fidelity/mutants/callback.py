"""Faults in TrainToAccuracy. They cost nothing in the loops, which are judged by the student's own callback."""

from __future__ import annotations

from ..mutant import Edit, Mutant, mutant

CELL = "callback"
HIT = 'if logs["val_accuracy"] > self.threshold:'
RESET = "        else:\n            self.hits = 0\n"
ENOUGH = "if self.hits >= self.patience:"
STOP = "self.model.stop_training = True"
SIGNATURE = "def __init__(self, threshold=0.9, patience=3):"


def _stopper(id_: str, fault: str, *edits: tuple[str | None, str], variant: str = "reference") -> Mutant:
    return mutant(f"callback-{id_}", fault, *(Edit(CELL, *edit) for edit in edits), items=CELL, variant=variant)


COUNTING = [
    _stopper("late-by-one", "stops one epoch late", (ENOUGH, "if self.hits > self.patience:")),
    _stopper("early-by-one", "stops one epoch early", (ENOUGH, "if self.hits >= self.patience - 1:")),
    _stopper("count-begins-at-one", "the first streak counts one too many", ("= patience\n        self.hits = 0", "= patience\n        self.hits = 1")),
    _stopper("resets-to-one", "a miss sets the count to 1", (RESET, "        else:\n            self.hits = 1\n")),
    _stopper("never-resets", "hits are added up over misses", (RESET, "")),
    _stopper("miss-takes-one-off", "a miss takes one hit off", (RESET, "        else:\n            self.hits = max(0, self.hits - 1)\n")),
    _stopper("stops-at-first-hit", "the first hit stops the training", (ENOUGH, "if self.hits >= 1:")),
    _stopper("stops-after-first-epoch", "every training stops after one epoch", (ENOUGH, "if epoch >= 0:")),
    _stopper(
        "hit-after-patience-epochs",
        "any hit counts once `patience` epochs are over",
        (ENOUGH, "if self.hits > 0 and epoch + 1 >= self.patience:"),
    ),
    _stopper("waits-for-patience-misses", "counts the misses instead of the hits", (HIT, 'if logs["val_accuracy"] <= self.threshold:')),
    _stopper(
        "must-improve",
        "counts only epochs that are better than the one before",
        ("        self.hits = 0\n\n", "        self.hits = 0\n        self.last = 0\n\n"),
        (HIT, 'better = logs["val_accuracy"] > self.last\n        self.last = logs["val_accuracy"]\n        if better and self.last > self.threshold:'),
    ),
    _stopper(
        "best-so-far",
        "compares the best accuracy so far with the threshold",
        ("        self.hits = 0\n\n", "        self.hits = 0\n        self.best = 0\n\n"),
        (HIT, 'self.best = max(self.best, logs["val_accuracy"])\n        if self.best > self.threshold:'),
    ),
    _stopper("first-window-unchecked", "does not wait for `patience` epochs at the start", ("len(last) == self.patience and ", ""), variant="comprehension"),
    _stopper("any-instead-of-all", "one hit among the last epochs is enough", ("all(v > self.threshold", "any(v > self.threshold"), variant="comprehension"),
    _stopper("first-values", "looks at the first epochs instead of the last", ("self.seen[-self.patience:]", "self.seen[:self.patience]"), variant="comprehension"),
    _stopper(
        "mean-of-window",
        "compares the mean of the last epochs",
        ("all(v > self.threshold for v in last)", "np.mean(last) > self.threshold"),
        variant="comprehension",
    ),
    _stopper("window-too-long", "looks at one epoch more than it should", ("maxlen=patience", "maxlen=patience + 1"), variant="deque_of_last_values"),
    _stopper("streak-late-by-one", "the first epoch of a streak is not counted", ("epoch - self.start + 1", "epoch - self.start"), variant="streak_start"),
    _stopper("streak-early-by-one", "the first epoch of a streak is counted twice", ("epoch - self.start + 1", "epoch - self.start + 2"), variant="streak_start"),
    _stopper("streak-not-ended", "a miss does not end the streak", ("            self.start = None\n            return", "            return"), variant="streak_start"),
    _stopper("first-epoch-is-a-miss", "the first epoch is always taken for a miss", ("self.last_miss = -1", "self.last_miss = 0"), variant="metadata_lost"),
    _stopper("reset-each-epoch", "starts the count again at each epoch", ("def on_train_begin(self, logs=None)", "def on_epoch_begin(self, epoch, logs=None)"), variant="one_instance_that_resets"),
    _stopper("remaining-late-by-one", "stops one epoch late", ("self.remaining <= 0", "self.remaining < 0"), variant="callbacks_in_advance"),
    _stopper("remaining-not-restored", "a miss does not restore the count", ("        else:\n            self.remaining = self.patience\n", ""), variant="callbacks_in_advance"),
    _stopper(
        "text-of-two-hits",
        "two hits in a row are always enough",
        ('.endswith("+" * self.patience)', '.endswith("+" * min(self.patience, 2))'),
        variant="plain_script",
    ),
]

COMPARING = [
    _stopper("equal-is-a-hit", "an accuracy equal to the threshold counts", (HIT, 'if logs["val_accuracy"] >= self.threshold:')),
    _stopper("equal-goes-on", "an accuracy equal to the threshold goes on with the streak", ("<= self.threshold", "< self.threshold"), variant="streak_start"),
    _stopper("training-accuracy", "reads the training accuracy", (HIT, 'if logs["accuracy"] > self.threshold:')),
    _stopper("validation-loss", "reads the validation loss", (HIT, 'if logs["val_loss"] > self.threshold:')),
    _stopper("training-accuracy-by-monitor", "monitors the training accuracy", ('monitor="val_accuracy"', 'monitor="accuracy"'), variant="early_stopping_child"),
    _stopper("both-accuracies", "asks for both accuracies above the threshold", (HIT, 'if min(logs["val_accuracy"], logs["accuracy"]) > self.threshold:')),
    _stopper("better-accuracy", "is content with either of the two accuracies", (HIT, 'if max(logs["val_accuracy"], logs["accuracy"]) > self.threshold:')),
    _stopper("percent", "compares per cent with a fraction", (HIT, 'if 100 * logs["val_accuracy"] > self.threshold:')),
    _stopper("threshold-in-percent", "turns the threshold into per cent", ("self.threshold = threshold", "self.threshold = 100 * threshold")),
    _stopper("rounds", "rounds the accuracy to two decimals", (HIT, 'if round(logs["val_accuracy"], 2) > self.threshold:')),
    _stopper("no-validation-is-a-hit", "an epoch without validation data counts as a hit", (HIT, 'if (logs or {}).get("val_accuracy", 1.0) > self.threshold:')),
]

ARGUMENTS = [
    _stopper("patience-ignored", "patience is always 3", ("self.patience = patience", "self.patience = 3")),
    _stopper("threshold-ignored", "the threshold is always 0.95", ("self.threshold = threshold", "self.threshold = 0.95")),
    _stopper("threshold-default-used", "the threshold is always the default", ("self.threshold = threshold", "self.threshold = 0.9")),
    _stopper("default-threshold", "the default threshold is 0.95", (SIGNATURE, "def __init__(self, threshold=0.95, patience=3):")),
    _stopper("default-patience", "the default patience is 5", (SIGNATURE, "def __init__(self, threshold=0.9, patience=5):")),
    _stopper("no-defaults", "there are no defaults", (SIGNATURE, "def __init__(self, threshold, patience):")),
    _stopper("arguments-swapped", "patience is the first argument", (SIGNATURE, "def __init__(self, patience=3, threshold=0.9):")),
    _stopper(
        "attributes-swapped",
        "threshold and patience are stored in each other's place",
        ("self.threshold = threshold", "self.threshold = patience"),
        ("self.patience = patience", "self.patience = threshold"),
    ),
    _stopper(
        "arguments-renamed",
        "the first argument has another name",
        ("self, threshold=0.9", "self, target=0.9"),
        ("self.threshold = threshold", "self.threshold = target"),
        variant="names_in_another_language",
    ),
]

STATE = [
    _stopper(
        "count-in-the-class",
        "all instances share one count",
        ("    def __init__(self, threshold", "    hits = 0\n\n    def __init__(self, threshold"),
        ("        self.patience = patience\n        self.hits = 0\n", "        self.patience = patience\n"),
        ("self.hits += 1", "TrainToAccuracy.hits += 1"),
        ("            self.hits = 0", "            TrainToAccuracy.hits = 0"),
    ),
    _stopper(
        "list-in-the-class",
        "all instances share one list of values",
        ("    def __init__(self, threshold", "    seen = []\n\n    def __init__(self, threshold"),
        ("        self.seen = []\n\n", "\n"),
        variant="comprehension",
    ),
    _stopper(
        "mutable-default",
        "the list of values is a default argument, shared by all instances",
        ("threshold=0.9, patience=3):", "threshold=0.9, patience=3, seen=[]):"),
        ("self.seen = []", "self.seen = seen"),
        variant="comprehension",
    ),
    _stopper(
        "global-count",
        "the count is a global variable that no instance resets",
        ("class TrainToAccuracy", "hits = 0\n\nclass TrainToAccuracy"),
        ("        self.hits = 0\n\n", "\n"),
        ("        if logs", "        global hits\n        if logs"),
        ("self.hits += 1", "hits += 1"),
        ("            self.hits = 0", "            hits = 0"),
        (ENOUGH, "if hits >= self.patience:"),
    ),
]

STOPPING = [
    _stopper("never-stops", "counts but never stops", (STOP, "pass")),
    _stopper("returns", "returns True instead of stopping", (STOP, "return True")),
    _stopper("own-attribute", "sets its own attribute stop_training", (STOP, "self.stop_training = True")),
    _stopper("compares", "compares where it should assign", (STOP, "self.model.stop_training == True")),
    _stopper("misspelt-attribute", "sets an attribute that Keras does not know", (STOP, "self.model.stop_train = True")),
    _stopper("global-model", "stops the notebook's global model, not its own", (STOP, "model.stop_training = True")),
    _stopper("only-prints", "prints that the target was reached and goes on", (STOP, 'print("target reached")')),
    _stopper(
        "stops-by-exception",
        "ends the training with an exception",
        (STOP, 'raise StopIteration("target reached")'),
    ),
]

BROKEN = [
    _stopper("misspelt-count", "stops with an AttributeError at the first hit or miss", ("self.hits = 0\n\n", "self.hit = 0\n\n"), (RESET, "        else:\n            self.hits -= self.hits\n")),
    _stopper("wrong-log", "asks for val_acc, which the logs do not hold", (HIT, 'if logs["val_acc"] > self.threshold:')),
    _stopper("epoch-begin", "runs at the beginning of an epoch, when there are no values", ("def on_epoch_end", "def on_epoch_begin")),
    _stopper("batch-end", "counts batches, whose logs hold no validation accuracy", ("def on_epoch_end(self, epoch,", "def on_train_batch_end(self, batch,")),
    _stopper("misspelt-method", "has a method that Keras never calls", ("def on_epoch_end", "def on_epochs_end")),
    _stopper("not-a-callback", "does not inherit from Callback", ("class TrainToAccuracy(callbacks.Callback):", "class TrainToAccuracy:")),
    _stopper("misspelt-class", "the class has another name", ("class TrainToAccuracy(", "class TrainToAcuracy(")),
    _stopper(
        "not-done",
        "the cell was left as released",
        (
            None,
            "class TrainToAccuracy(callbacks.Callback):\n"
            "    def __init__(self, threshold=0.9, patience=3):\n"
            "        super().__init__()\n"
            "        # YOUR CODE HERE\n"
            "        raise NotImplementedError()\n\n"
            "    def on_epoch_end(self, epoch, logs=None):\n"
            "        # YOUR CODE HERE\n"
            "        raise NotImplementedError()",
        ),
    ),
    _stopper("syntax-error", "the cell is not valid Python", ("def on_epoch_end(self, epoch, logs=None):", "def on_epoch_end(self, epoch, logs=None)")),
]

MUTANTS = [*COUNTING, *COMPARING, *ARGUMENTS, *STATE, *STOPPING, *BROKEN]
