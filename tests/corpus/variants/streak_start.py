# /// submission
# title = "Keeps the epoch in which the streak began"
# style = "the callback thinks in epoch numbers; evaluate with return_dict; seaborn over a DataFrame with hue"
# ///

# %% callback
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.start = None

    def on_epoch_end(self, epoch, logs=None):
        if logs.get("val_accuracy") <= self.threshold:
            self.start = None
            return
        if self.start is None:
            self.start = epoch
        if epoch - self.start + 1 >= self.patience:
            self.model.stop_training = True

# %% lr-loop
import pandas as pd

batch_size = 128
metrics_vs_lr = list()
for lr in 10.0 ** np.arange(-4, 1):
    model = get_model()
    model.compile(optimizers.Adam(lr), "sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size, 500, 0, [TrainToAccuracy(0.95, 3)], 0.2)
    measurement = monitor.end_window("fit")
    scores = model.evaluate(Xts_scale, yts, verbose=0, return_dict=True)
    metrics_vs_lr += [{
        "batch_size": batch_size, "learning_rate": lr, "epochs": len(hist.history["val_loss"]),
        "test_accuracy": scores["accuracy"], "total_energy": measurement.total_energy, "train_time": measurement.time,
    }]

# %% lr-plots
df_lr = pd.DataFrame(metrics_vs_lr)
fig, axs = plt.subplots(2, 2, figsize=(12, 8))
for ax, col, title in zip(axs.ravel(), ["train_time", "total_energy", "test_accuracy", "epochs"],
                          ["Time to accuracy (s)", "Energy to accuracy (J)", "Test accuracy", "Epochs"]):
    sns.barplot(data=df_lr, x="learning_rate", y=col, hue="learning_rate", palette="viridis", legend=False, ax=ax)
    ax.set_title(title + " against learning rate")
    ax.set_xlabel("Learning rate")
    ax.set_ylabel(title)
axs[1, 0].set_ylim(df_lr.test_accuracy.min() * 0.99, df_lr.test_accuracy.max() * 1.01)
plt.tight_layout()
plt.show()

# %% bs-loop
lr = 0.001
metrics_vs_bs = list()
for batch_size in 2 ** np.arange(6, 12):
    model = get_model()
    model.compile(optimizers.Adam(lr), "sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, int(batch_size), 500, 0, [TrainToAccuracy(0.95, 3)], 0.2)
    measurement = monitor.end_window("fit")
    scores = model.evaluate(Xts_scale, yts, verbose=0, return_dict=True)
    metrics_vs_bs += [{
        "batch_size": batch_size, "learning_rate": lr, "epochs": len(hist.history["val_loss"]),
        "test_accuracy": scores["accuracy"], "total_energy": measurement.total_energy, "train_time": measurement.time,
    }]

# %% bs-plots
df_bs = pd.DataFrame(metrics_vs_bs)
fig, axs = plt.subplots(2, 2, figsize=(12, 8))
for ax, col, title in zip(axs.ravel(), ["train_time", "total_energy", "test_accuracy", "epochs"],
                          ["Time to accuracy (s)", "Energy to accuracy (J)", "Test accuracy", "Epochs"]):
    sns.barplot(data=df_bs, x="batch_size", y=col, hue="batch_size", palette="viridis", legend=False, ax=ax)
    ax.set_title(title + " against batch size")
    ax.set_xlabel("Batch size")
    ax.set_ylabel(title)
axs[1, 0].set_ylim(df_bs.test_accuracy.min() * 0.99, df_bs.test_accuracy.max() * 1.01)
plt.tight_layout()
plt.show()
