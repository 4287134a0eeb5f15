# /// submission
# title = "A copy of juniper's with other names"
# style = "the same code and comments, renamed; the mistake has come along"
# ///

# %% data-details
n_tr = Xtr_scale.shape[0]
n_ts = Xts_scale.shape[0]
n_feat = Xtr_scale.shape[1]
n_class = np.unique(ytr).size

# %% callback
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.hits = 0

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_accuracy"] >= self.threshold:
            self.hits += 1
        else:
            self.hits = 0
        if self.hits >= self.patience:
            self.model.stop_training = True

# %% lr-loop
def fit_one(lr, bs):
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    t0 = time.perf_counter()
    if monitor is not None:
        monitor.begin_window("train", sync_execution=False)
    result = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=MAX_EPOCHS, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)])
    joules = None
    if monitor is not None:
        joules = monitor.end_window("train", sync_execution=False).total_energy
    t1 = time.perf_counter()
    _, acc = model.evaluate(Xts_scale, yts, verbose=0)
    return {"batch_size": bs, "learning_rate": lr, "epochs": len(result.epoch), "test_accuracy": acc,
            "train_time": t1 - t0, "total_energy": joules}


metrics_vs_lr = []
for lr in LEARNING_RATES:
    metrics_vs_lr.append(fit_one(lr, DEFAULT_BATCH_SIZE))

# %% lr-plots
def bars(rows, swept):
    panels = [("train_time", "Time to accuracy (s)"), ("total_energy", "Energy to accuracy (J)"), ("test_accuracy", "Test accuracy"), ("epochs", "Epochs")]
    if monitor is None:
        panels.pop(1)
    fig, axes = plt.subplots(1, len(panels), figsize=(16, 4))
    for ax, (key, label) in zip(axes, panels):
        ys = [m[key] for m in rows]
        ax.bar([str(m[swept]) for m in rows], ys)
        ax.set_xlabel(swept.replace("_", " ").capitalize())
        ax.set_ylabel(label)
        if key == "test_accuracy":
            ax.set_ylim(0.99 * min(ys), 1.01 * max(ys))
    plt.tight_layout()
    plt.show()


bars(metrics_vs_lr, "learning_rate")

# %% lr-comment [markdown]
# Small steps need many epochs, large ones overshoot; in the middle three epochs are enough. Time and energy are nearly proportional to the
# number of epochs. The best test accuracy was that of 0.01, the worst that of 0.0001 and 1.0.

# %% bs-loop
metrics_vs_bs = []
for bs in BATCH_SIZES:
    metrics_vs_bs.append(fit_one(DEFAULT_LEARNING_RATE, bs))

# %% bs-plots
bars(metrics_vs_bs, "batch_size")

# %% bs-comment [markdown]
# Per epoch, time and energy fall with the batch size (fewer, larger steps). The number of epochs rises. Up to 512 the first is stronger, above that
# they balance. Test accuracy: no trend that I would trust.
