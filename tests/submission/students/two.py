# /// submission
# title = "An experienced engineer on a GPU runtime who writes as little code as possible"
# style = "compact and functional: one helper for both loops, one for both figures, list comprehensions, time and energy from the monitor's window only"
# expected = "all points on a GPU runtime (the code relies on the monitor and is not meant for a CPU runtime)"
# ///

# %% data-details
(n_tr, n_feat), n_ts, n_class = Xtr_scale.shape, len(Xts_scale), np.unique(ytr).size

# %% callback
class TrainToAccuracy(callbacks.Callback):
    """Stops training after `patience` epochs in a row with a validation accuracy above `threshold`."""

    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold, self.patience, self.streak = threshold, patience, 0

    def on_train_begin(self, logs=None):
        self.streak = 0

    def on_epoch_end(self, epoch, logs=None):
        self.streak = self.streak + 1 if logs["val_accuracy"] > self.threshold else 0
        self.model.stop_training |= self.streak >= self.patience

# %% run and show after="callback"
def run(*, batch_size=DEFAULT_BATCH_SIZE, learning_rate=DEFAULT_LEARNING_RATE):
    (model := get_model()).compile(
        optimizers.Adam(learning_rate), tf.keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"]
    )
    options = dict(
        batch_size=batch_size,
        epochs=MAX_EPOCHS,
        validation_split=0.2,
        callbacks=[TrainToAccuracy(THRESHOLD, PATIENCE)],
        verbose=0,
    )
    window = f"bs={batch_size} lr={learning_rate} @{time.time_ns()}"
    monitor.begin_window(window, sync_execution=False)
    try:
        fitted = model.fit(Xtr_scale, ytr, **options)
    finally:
        cost = monitor.end_window(window, sync_execution=False)
    return dict(
        batch_size=batch_size,
        learning_rate=learning_rate,
        epochs=len(fitted.epoch),
        test_accuracy=model.evaluate(Xts_scale, yts, verbose=0, return_dict=True)["accuracy"],
        train_time=cost.time,
        total_energy=cost.total_energy,
    )


PANELS = {
    "train_time": "Time to accuracy (s)",
    "total_energy": "Energy to accuracy (J)",
    "test_accuracy": "Test accuracy",
    "epochs": "Epochs",
}


def show(rows, by):
    fig, axes = plt.subplots(1, len(PANELS), figsize=(4.5 * len(PANELS), 4), layout="constrained")
    ticks = [f"{r[by]:g}" for r in rows]
    late = [r["epochs"] >= MAX_EPOCHS for r in rows]
    for ax, (key, label) in zip(axes, PANELS.items()):
        values = [r[key] for r in rows]
        bars = ax.bar(ticks, values, color="C0")
        for bar in (b for b, l in zip(bars, late) if l):
            bar.set(facecolor="lightgray", hatch="//", edgecolor="black")
        ax.set(xlabel=by.replace("_", " ").capitalize(), ylabel=label)
        if key == "test_accuracy":
            pad = 0.15 * (max(values) - min(values)) or 0.01
            ax.set_ylim(min(values) - pad, max(values) + pad)
    if any(late):
        fig.suptitle(f"hatched: target not reached within {MAX_EPOCHS} epochs")
    plt.show()

# %% lr-loop
metrics_vs_lr = [run(learning_rate=lr) for lr in LEARNING_RATES]

# %% lr-plots
show(metrics_vs_lr, by="learning_rate")

# %% lr-comment [markdown]
# U-shaped. Epochs, time and energy are lowest at 0.001 and 0.01, where training ends after about as many epochs as the patience demands, higher at 0.0001 and by far highest at 1.0. Cost per epoch does not depend on the learning rate (same arithmetic, same number of steps), so time and energy are simply proportional to the epochs.
#
# Test accuracy is the mirror image, with its peak at 0.01. At 0.0001 the steps are too small: the model creeps over the threshold and is stopped right there. At 1.0 they are too large: Adam overshoots and oscillates, `val_accuracy` keeps dropping below the threshold, the streak is reset, and what finally stops is a lucky streak rather than a good model.

# %% bs-loop
metrics_vs_bs = [run(batch_size=bs) for bs in BATCH_SIZES]

# %% bs-plots
show(metrics_vs_bs, by="batch_size")

# %% per epoch after="bs-plots"
for r in metrics_vs_bs:
    print(f"{r['batch_size']:5d}: {1e3 * r['train_time'] / r['epochs']:7.1f} ms/epoch {r['total_energy'] / r['epochs']:7.2f} J/epoch")

# %% bs-comment [markdown]
# Epochs rise monotonically with the batch size, from 3 to 10 or so: an epoch has `n/batch_size` updates, so larger batches make fewer of them per epoch and need more epochs for the same progress.
#
# Time and energy **per epoch** (printed above) fall: roughly by half for each doubling at first, since launching a step is a fixed overhead, then less and less once the arithmetic dominates.
#
# Time and energy to accuracy are the product of the two: high at 64, a shallow minimum at the medium sizes, and slightly up again at 2048, where extra epochs outweigh the cheaper ones. The differences around the minimum are noise.
#
# Test accuracy falls steadily with the batch size, because the small-batch models overshoot the target within the patience epochs, whereas the large-batch ones are stopped just above it.
