# /// submission
# title = "A data scientist who puts everything into DataFrames and draws with seaborn"
# style = "pandas from the labels to the figures, one long table per figure, code for both runtimes chosen by whether there is a monitor"
# expected = "all points"
# ///

# %% data-details
n_tr, n_feat = pd.DataFrame(Xtr_scale).shape
n_ts = pd.DataFrame(Xts_scale).shape[0]
n_class = pd.Series(ytr).nunique()

# %% pandas before="data-details"
import pandas as pd

pd.set_option("display.precision", 4)

# %% callback
class TrainToAccuracy(callbacks.Callback):
    """Stops training after `patience` epochs in a row with a validation accuracy above `threshold`."""

    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.remaining = patience

    def on_train_begin(self, logs=None):
        self.remaining = self.patience

    def on_epoch_end(self, epoch, logs=None):
        if (logs or {}).get("val_accuracy", 0.0) > self.threshold:
            self.remaining -= 1
        else:
            self.remaining = self.patience
        if self.remaining <= 0:
            self.model.stop_training = True

# %% lr-loop
metrics_vs_lr = []

for lr in LEARNING_RATES:
    tf.keras.backend.clear_session()
    model = get_model()
    model.compile(
        optimizer=optimizers.Adam(learning_rate=lr),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    to_accuracy = TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)

    if monitor is not None:
        monitor.begin_window(f"lr {lr}", sync_execution=False)
    start = time.perf_counter()
    hist = model.fit(
        Xtr_scale, ytr, batch_size=DEFAULT_BATCH_SIZE, epochs=MAX_EPOCHS, validation_split=0.2, callbacks=[to_accuracy], verbose=0
    )
    seconds, joules = time.perf_counter() - start, None
    if monitor is not None:
        window = monitor.end_window(f"lr {lr}", sync_execution=False)
        seconds, joules = window.time, window.total_energy

    _, accuracy = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_lr.append(
        {
            "batch_size": DEFAULT_BATCH_SIZE,
            "learning_rate": lr,
            "epochs": len(pd.DataFrame(hist.history)),
            "test_accuracy": accuracy,
            "train_time": seconds,
            "total_energy": joules,
        }
    )

# %% lr table after="lr-loop"
df_lr = pd.DataFrame(metrics_vs_lr).assign(reached=lambda d: np.where(d["epochs"] < MAX_EPOCHS, "yes", "no"))
df_lr

# %% lr-plots
df_lr = pd.DataFrame(metrics_vs_lr)
df_lr["target reached"] = np.where(df_lr["epochs"] < MAX_EPOCHS, "yes", "no")
labels = {
    "train_time": "Time to accuracy [s]",
    "total_energy": "Energy to accuracy [J]",
    "test_accuracy": "Test accuracy",
    "epochs": "Number of epochs",
}
columns = [c for c in labels if df_lr[c].notna().all()]

fig, axes = plt.subplots(ncols=len(columns), figsize=(5 * len(columns), 4.5))
for ax, column in zip(axes, columns):
    sns.barplot(
        data=df_lr,
        x="learning_rate",
        y=column,
        hue="target reached",
        hue_order=["yes", "no"],
        dodge=False,
        ax=ax,
    )
    ax.set_xlabel("Learning rate")
    ax.set_ylabel(labels[column])
low, high = df_lr["test_accuracy"].agg(["min", "max"])
margin = max(0.1 * (high - low), 0.002)
axes[columns.index("test_accuracy")].set_ylim(low - margin, high + margin)
sns.despine()
fig.tight_layout()
plt.show()

# %% lr-comment [markdown]
# | learning rate | epochs | time | test accuracy |
# |---|---|---|---|
# | 0.0001 | 10 | 5.2 s | 0.966 |
# | 0.001 | 3 | 1.6 s | 0.985 |
# | 0.01 | 3 | 1.9 s | 0.998 |
# | 0.1 | 10 | 5.8 s | 0.964 |
# | 1.0 | 104 | 48 s | 0.962 |
#
# - **Epochs**: fewest for the medium rates, more when the rate is too small (slow steps) and many more when it is too large (the loss jumps around and the accuracy does not stay above the threshold for three epochs in a row). All five runs reached the target.
# - **Time to accuracy** follows the epochs, as the time per epoch is about 0.5 to 0.6 s whatever the learning rate.
# - **Energy** was not measured (CPU runtime).
# - **Test accuracy** is best at 0.01 and falls to both sides. The runs at the ends are stopped shortly after they cross 0.95, so they have not learned more than they had to.

# %% bs-loop
metrics_vs_bs = []

for bs in BATCH_SIZES:
    tf.keras.backend.clear_session()
    model = get_model()
    model.compile(
        optimizer=optimizers.Adam(learning_rate=DEFAULT_LEARNING_RATE),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    to_accuracy = TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)

    if monitor is not None:
        monitor.begin_window(f"bs {bs}", sync_execution=False)
    start = time.perf_counter()
    hist = model.fit(
        Xtr_scale, ytr, batch_size=bs, epochs=MAX_EPOCHS, validation_split=0.2, callbacks=[to_accuracy], verbose=0
    )
    seconds, joules = time.perf_counter() - start, None
    if monitor is not None:
        window = monitor.end_window(f"bs {bs}", sync_execution=False)
        seconds, joules = window.time, window.total_energy

    _, accuracy = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_bs.append(
        {
            "batch_size": bs,
            "learning_rate": DEFAULT_LEARNING_RATE,
            "epochs": len(pd.DataFrame(hist.history)),
            "test_accuracy": accuracy,
            "train_time": seconds,
            "total_energy": joules,
        }
    )

# %% bs table after="bs-loop"
df_bs = pd.DataFrame(metrics_vs_bs)
df_bs["s per epoch"] = df_bs["train_time"] / df_bs["epochs"]
df_bs["J per epoch"] = pd.to_numeric(df_bs["total_energy"]) / df_bs["epochs"]
df_bs.set_index("batch_size")

# %% bs-plots
df_bs = pd.DataFrame(metrics_vs_bs)
df_bs["target reached"] = np.where(df_bs["epochs"] < MAX_EPOCHS, "yes", "no")
columns = [c for c in labels if df_bs[c].notna().all()]

fig, axes = plt.subplots(ncols=len(columns), figsize=(5 * len(columns), 4.5))
for ax, column in zip(axes, columns):
    sns.barplot(
        data=df_bs,
        x="batch_size",
        y=column,
        hue="target reached",
        hue_order=["yes", "no"],
        dodge=False,
        ax=ax,
    )
    ax.set_xlabel("Batch size")
    ax.set_ylabel(labels[column])
low, high = df_bs["test_accuracy"].agg(["min", "max"])
margin = max(0.1 * (high - low), 0.002)
axes[columns.index("test_accuracy")].set_ylim(low - margin, high + margin)
sns.despine()
fig.tight_layout()
plt.show()

# %% bs-comment [markdown]
# | batch size | epochs | time | s per epoch | test accuracy |
# |---|---|---|---|---|
# | 64 | 3 | 3.0 s | 1.01 | 0.992 |
# | 128 | 3 | 1.6 s | 0.55 | 0.986 |
# | 256 | 4 | 1.4 s | 0.35 | 0.983 |
# | 512 | 5 | 1.4 s | 0.28 | 0.976 |
# | 1024 | 7 | 1.4 s | 0.19 | 0.970 |
# | 2048 | 11 | 1.8 s | 0.16 | 0.963 |
#
# - **Epochs** increase with the batch size: fewer gradient steps per epoch.
# - **Time per epoch** decreases, fast at the beginning and then flattening out: fewer steps with fixed overhead, and better use of the processor by large matrices.
# - **Time to accuracy** is the product. It drops from 64 to 256, is flat up to 1024 and goes up a little at 2048, when the additional epochs eat up what is saved per epoch.
# - **Energy**: not measured on this CPU runtime, so there is none per epoch either.
# - **Test accuracy** decreases from 0.992 to 0.963. Each run ends as soon as the target holds for three epochs; with small batches those epochs contain many updates, so the model ends up further above the target.
