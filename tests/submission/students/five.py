# /// submission
# title = "Someone who learned deep learning in another framework and does things in an own but right way"
# style = "a class for one experiment, a work list that is emptied, the callback keeps every epoch in a list and looks at its tail, numpy floats in the records, bare matplotlib with computed limits"
# expected = "all points"
# ///

# %% data-details
n_tr, n_ts = (int(np.size(labels, axis=0)) for labels in (ytr, yts))
n_feat = int(np.prod(Xtr_scale.shape[1:]))
n_class = int(np.count_nonzero(np.bincount(np.asarray(ytr, dtype=np.int64).ravel())))

# %% callback
class TrainToAccuracy(callbacks.Callback):
    """Stops training after `patience` epochs in a row with a validation accuracy above `threshold`."""

    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.trace = []

    def on_train_begin(self, logs=None):
        self.trace = []

    def on_epoch_end(self, epoch, logs=None):
        self.trace.append(logs["val_accuracy"])
        tail = self.trace[-self.patience :]
        if len(tail) == self.patience and min(tail) > self.threshold:
            self.model.stop_training = True

# %% experiment class before="lr-loop"
class Stopwatch:
    """Seconds, and joules if a monitor is there, of a with block."""

    def __enter__(self):
        self.joules = None
        if monitor is None:
            self.begin = time.perf_counter()
        else:
            self.name = f"stopwatch {id(self)}"
            monitor.begin_window(self.name, sync_execution=False)
        return self

    def __exit__(self, *problem):
        if monitor is None:
            self.seconds = np.float64(time.perf_counter() - self.begin)
        else:
            reading = monitor.end_window(self.name, sync_execution=False)
            self.seconds = np.float64(reading.time)
            self.joules = np.float64(reading.total_energy)
        return False


class Experiment:
    """One network, trained from scratch to the target."""

    def __init__(self, batch_size, learning_rate):
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.net = get_model()
        self.criterion = tf.keras.losses.SparseCategoricalCrossentropy()
        self.optimizer = optimizers.Adam(learning_rate=learning_rate)
        self.net.compile(optimizer=self.optimizer, loss=self.criterion, metrics=["accuracy"])
        self.stopper = TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)

    def train(self):
        with Stopwatch() as self.watch:
            self.net.fit(
                x=Xtr_scale,
                y=ytr,
                batch_size=self.batch_size,
                epochs=MAX_EPOCHS,
                validation_split=0.2,
                callbacks=[self.stopper],
                verbose=0,
            )
        return self

    def test(self):
        self.score = np.float64(self.net.evaluate(Xts_scale, yts, verbose=0)[1])
        return self

    def record(self):
        return {
            "batch_size": self.batch_size,
            "learning_rate": np.float64(self.learning_rate),
            "epochs": np.float64(len(self.stopper.trace)),
            "test_accuracy": self.score,
            "train_time": self.watch.seconds,
            "total_energy": self.watch.joules,
        }

# %% lr-loop
metrics_vs_lr = []
todo = [Experiment(DEFAULT_BATCH_SIZE, rate) for rate in LEARNING_RATES]
while todo:
    experiment = todo.pop(0)
    metrics_vs_lr.append(experiment.train().test().record())
    print(f"learning rate {experiment.learning_rate}: {len(experiment.stopper.trace)} epochs")

# %% lr-plots
def limits(values, zoom):
    """Bottom and top of the vertical axis: from zero, or around the values."""
    bottom, top = np.min(values), np.max(values)
    if not zoom:
        return 0, 1.15 * top
    room = max(0.25 * (top - bottom), 0.002)
    return bottom - room, top + room


def four_or_three(records, key, name):
    panels = [
        ("train_time", "time to accuracy / s", False),
        ("total_energy", "energy to accuracy / J", False),
        ("test_accuracy", "test accuracy", True),
        ("epochs", "number of epochs", False),
    ]
    panels = [panel for panel in panels if all(record[panel[0]] is not None for record in records)]
    position = np.arange(len(records))
    figure = plt.figure(figsize=(4.6 * len(panels), 4.2))
    for number, (value, title, zoom) in enumerate(panels, start=1):
        heights = np.array([record[value] for record in records], dtype=float)
        axes = figure.add_subplot(1, len(panels), number)
        axes.bar(position, heights, width=0.7, color="#4477aa")
        for where, height, record in zip(position, heights, records):
            if record["epochs"] >= MAX_EPOCHS:
                axes.text(where, height, "target\nnot reached", ha="center", va="bottom", fontsize=8, color="#bb2222")
        axes.set_xticks(position)
        axes.set_xticklabels([f"{record[key]:g}" for record in records])
        axes.set_xlabel(name)
        axes.set_ylabel(title)
        axes.set_ylim(*limits(heights, zoom))
    figure.tight_layout()
    plt.show()


four_or_three(metrics_vs_lr, "learning_rate", "learning rate")

# %% lr-comment [markdown]
# Read from left to right, the epochs go down, stay, and go up: 10, 3, 3, 7, 65. The step size explains both sides. Tiny steps need many of them. Huge steps do not settle: the accuracy keeps swinging across 0.95, and three epochs in a row above it are a rare event. Three is also the least that is possible, so 0.001 and 0.01 cannot be told apart by their epochs.
#
# The seconds (13, 7, 5, 10, 67) have the same shape, since the learning rate is one number in the update and does not alter the work of an epoch. Joules were not measured: there is no monitor on this machine.
#
# The test accuracy has its top at 0.01 (0.998) and goes down to 0.965 at 0.0001 and 0.960 at 1.0. Where learning is fast, the three epochs that are obligatory carry the model far beyond the target; where it is slow or unstable, training is cut off as soon as the target is touched.

# %% bs-loop
metrics_vs_bs = []
todo = [Experiment(size, DEFAULT_LEARNING_RATE) for size in BATCH_SIZES]
while todo:
    experiment = todo.pop(0)
    metrics_vs_bs.append(experiment.train().test().record())
    print(f"batch size {experiment.batch_size}: {len(experiment.stopper.trace)} epochs")

# %% bs-plots
four_or_three(metrics_vs_bs, "batch_size", "batch size")

# %% per epoch after="bs-plots"
for record in metrics_vs_bs:
    print(record["batch_size"], "seconds per epoch:", np.round(record["train_time"] / record["epochs"], 4))

# %% bs-comment [markdown]
# Two factors, and they run in opposite directions.
#
# 1. *How many epochs*: 3, 3, 4, 5, 7, 10. One epoch of batch size 2048 has 32 times fewer updates than one of batch size 64, and each update moves the weights by a similar amount, so more epochs are needed.
# 2. *What an epoch costs*: 3.0, 1.9, 1.2, 0.8, 0.7, 0.7 s. Every update has a fixed overhead; with fewer updates it vanishes, and what is left is the arithmetic, which is the same for all sizes. Therefore the curve flattens.
#
# The time to accuracy is their product: 9 s at 64, falling to about 4 s at 512, rising to 7 s at 2048. The minimum is where the saving per epoch no longer pays for the additional epochs. No energy was measured (CPU), neither in total nor per epoch.
#
# The test accuracy goes down evenly, from 0.992 to 0.960: large batches come to the target slowly and are stopped close to it.
