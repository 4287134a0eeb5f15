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
# @LR5@

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
# @BS5@
