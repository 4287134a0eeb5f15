# /// submission
# title = "Complete, train and evaluate in two cells"
# style = "models kept in lists, pandas bars, clock and energy window side by side"
# transforms = ["outputs kept"]
# ///

# %% data-details
n_tr = len(ytr)
n_ts = len(yts)
n_feat = Xtr_scale.shape[1]
n_class = int(ytr.max()) + 1

# %% callback
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.last_miss = -1

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_accuracy"] <= self.threshold:
            self.last_miss = epoch
        elif epoch - self.last_miss == self.patience:
            self.model.stop_training = True

# %% lr-loop
rates = [0.0001, 0.001, 0.01, 0.1, 1.0]
models, epochs, costs = [], [], []
for rate in rates:
    models.append(get_model())
    models[-1].compile(optimizer=optimizers.Adam(learning_rate=rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window(f"rate {rate}")
    h = models[-1].fit(Xtr_scale, ytr, epochs=500, batch_size=128, validation_split=0.2, verbose=0,
                       callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    costs.append(monitor.end_window(f"rate {rate}"))
    epochs.append(len(h.epoch))

# %% test set after="lr-loop"
metrics_vs_lr = []
for rate, model, n, cost in zip(rates, models, epochs, costs):
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": rate, "epochs": n,
                          "test_accuracy": model.evaluate(Xts_scale, yts, verbose=0)[1],
                          "train_time": cost.time, "total_energy": cost.total_energy})

# %% lr-plots
import pandas as pd

table = pd.DataFrame(metrics_vs_lr, index=rates)
fig, axes = plt.subplots(2, 2, figsize=(12, 9))
for ax, (column, label) in zip(axes.flat, [("train_time", "Time (s)"), ("total_energy", "Energy (J)"), ("test_accuracy", "Test accuracy"), ("epochs", "Epochs")]):
    table[column].plot.bar(ax=ax, rot=0)
    ax.set_xlabel("Learning rate")
    ax.set_ylabel(label)
axes[1, 0].set_ylim(table.test_accuracy.min() - 0.01, table.test_accuracy.max() + 0.01)
fig.tight_layout()

# %% lr-comment [markdown]
# 0.001, 0.01 and 0.1 need few epochs and little time and energy. 0.0001 needs three times as much, 1.0 twenty times as much. Test accuracy: 0.01 wins.

# %% bs-loop
sizes = [64, 128, 256, 512, 1024, 2048]
models, epochs, costs = [], [], []
for size in sizes:
    models.append(get_model())
    models[-1].compile(optimizer=optimizers.Adam(learning_rate=0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window(f"size {size}")
    h = models[-1].fit(Xtr_scale, ytr, epochs=500, batch_size=size, validation_split=0.2, verbose=0,
                       callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    costs.append(monitor.end_window(f"size {size}"))
    epochs.append(len(h.epoch))

# %% test set after="bs-loop"
metrics_vs_bs = []
for size, model, n, cost in zip(sizes, models, epochs, costs):
    metrics_vs_bs.append({"batch_size": size, "learning_rate": 0.001, "epochs": n,
                          "test_accuracy": model.evaluate(Xts_scale, yts, verbose=0)[1],
                          "train_time": cost.time, "total_energy": cost.total_energy})

# %% bs-plots
table = pd.DataFrame(metrics_vs_bs, index=sizes)
fig, axes = plt.subplots(2, 2, figsize=(12, 9))
for ax, (column, label) in zip(axes.flat, [("train_time", "Time (s)"), ("total_energy", "Energy (J)"), ("test_accuracy", "Test accuracy"), ("epochs", "Epochs")]):
    table[column].plot.bar(ax=ax, rot=0)
    ax.set_xlabel("Batch size")
    ax.set_ylabel(label)
axes[1, 0].set_ylim(table.test_accuracy.min() - 0.01, table.test_accuracy.max() + 0.01)
fig.tight_layout()

# %% bs-comment [markdown]
# Large batches: more epochs, but each one takes less time and energy. 2048 needs about three times the epochs of 64 and a tenth of
# the time per epoch. The accuracy on the test set does not depend on it much.
