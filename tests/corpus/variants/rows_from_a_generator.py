# /// submission
# title = "Rows from a generator"
# style = "one function that yields, a window of truth values, minutes, kilojoules and percent in the plots"
# ///

# %% data-details
n_tr, n_ts = Xtr_scale.shape[0], Xts_scale.shape[0]
n_feat = sum(1 for _ in Xtr_scale[0])
n_class = len(dict.fromkeys(ytr.tolist()))
assert len(ytr) == n_tr and len(yts) == n_ts

# %% callback
from collections import deque
class _Window(deque):
    pass

class TrainToAccuracy(callbacks.Callback):
    """Stops training after `patience` epochs in a row with a validation accuracy above `threshold`."""

    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.window = _Window(maxlen=patience)

    def on_train_begin(self, logs=None):
        self.window = _Window(maxlen=self.patience)

    def on_epoch_end(self, epoch, logs=None):
        self.window.append((logs or {}).get("val_accuracy", 0) > self.threshold)
        if sum(self.window) == self.patience:
            self.model.stop_training = True

# %% lr-loop
metrics_vs_lr = []

def runs(settings):
    for lr, bs in settings:
        model = get_model()
        model.compile(optimizer=tf.optimizers.Adam(lr), loss=tf.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
        monitor.begin_window("fit " + str((lr, bs)))
        hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=MAX_EPOCHS, validation_split=.2, verbose=0, callbacks=[TrainToAccuracy(THRESHOLD, PATIENCE)])
        result = monitor.end_window("fit " + str((lr, bs)))
        _, acc = model.evaluate(Xts_scale, yts, verbose=0)
        yield {"batch_size": bs, "learning_rate": lr, "epochs": len(hist.epoch), "test_accuracy": acc,
               "train_time": result.time, "total_energy": result.total_energy}
        del model

metrics_vs_lr.extend(runs((lr, DEFAULT_BATCH_SIZE) for lr in LEARNING_RATES))

# %% lr-plots
def show(rows, x, xlabel):
    fig, axes = plt.subplots(nrows=1, ncols=4, figsize=(20, 4))
    labels = {"train_time": "Time to accuracy (min)", "total_energy": "Energy to accuracy (kJ)", "test_accuracy": "Test accuracy (%)", "epochs": "Epochs"}
    factor = {"train_time": 1 / 60, "total_energy": 1e-3, "test_accuracy": 100, "epochs": 1}
    for ax, key in zip(axes, labels):
        values = [factor[key] * row[key] for row in rows]
        sns.barplot(x=[str(row[x]) for row in rows], y=values, ax=ax, hue=[row["epochs"] == MAX_EPOCHS for row in rows], legend=False)
        ax.set(xlabel=xlabel, ylabel=labels[key])
        if key == "test_accuracy":
            ax.set_ylim(min(values) - 0.5, max(values) + 0.5)
    sns.despine()
    fig.suptitle("Orange: the target was not reached")
    fig.tight_layout()

show(metrics_vs_lr, "learning_rate", "Learning rate")

# %% bs-loop
metrics_vs_bs = [*runs((DEFAULT_LEARNING_RATE, bs) for bs in BATCH_SIZES)]

# %% bs-plots
show(metrics_vs_bs, "batch_size", "Batch size")
