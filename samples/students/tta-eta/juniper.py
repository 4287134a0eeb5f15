# /// submission
# title = "Counts an accuracy equal to the threshold"
# style = ">= in the callback, all else right; one cell for both runtimes"
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
        self.epochs_above = 0

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_accuracy"] >= self.threshold:
            self.epochs_above += 1
        else:
            self.epochs_above = 0
        if self.epochs_above >= self.patience:
            self.model.stop_training = True

# %% lr-loop
def train(lr, bs):
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    begin = time.perf_counter()
    if monitor is not None:
        monitor.begin_window("train", sync_execution=False)
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=MAX_EPOCHS, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)])
    energy = None
    if monitor is not None:
        energy = monitor.end_window("train", sync_execution=False).total_energy
    end = time.perf_counter()
    _, accuracy = model.evaluate(Xts_scale, yts, verbose=0)
    return {"batch_size": bs, "learning_rate": lr, "epochs": len(hist.epoch), "test_accuracy": accuracy,
            "train_time": end - begin, "total_energy": energy}


metrics_vs_lr = []
for lr in LEARNING_RATES:
    metrics_vs_lr.append(train(lr, DEFAULT_BATCH_SIZE))

# %% lr-plots
def draw(metrics, swept):
    shown = [("train_time", "Time to accuracy (s)"), ("total_energy", "Energy to accuracy (J)"), ("test_accuracy", "Test accuracy"), ("epochs", "Epochs")]
    if monitor is None:
        shown.pop(1)
    fig, axes = plt.subplots(1, len(shown), figsize=(16, 4))
    for ax, (key, label) in zip(axes, shown):
        heights = [m[key] for m in metrics]
        ax.bar([str(m[swept]) for m in metrics], heights)
        ax.set_xlabel(swept.replace("_", " ").capitalize())
        ax.set_ylabel(label)
        if key == "test_accuracy":
            ax.set_ylim(0.99 * min(heights), 1.01 * max(heights))
    plt.tight_layout()
    plt.show()


draw(metrics_vs_lr, "learning_rate")

# %% lr-comment [markdown]
# Small steps need many epochs, large ones overshoot; in the middle three epochs are enough. Time and energy are nearly proportional to the
# number of epochs. The best test accuracy was that of 0.01, the worst that of 0.0001 and 1.0.

# %% bs-loop
metrics_vs_bs = []
for bs in BATCH_SIZES:
    metrics_vs_bs.append(train(DEFAULT_LEARNING_RATE, bs))

# %% bs-plots
draw(metrics_vs_bs, "batch_size")

# %% bs-comment [markdown]
# Per epoch, time and energy fall with the batch size (fewer, larger steps). The number of epochs rises. Up to 512 the first is stronger, above that
# they balance. Test accuracy: no trend that I would trust.
