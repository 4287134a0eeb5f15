# /// submission
# title = "Trains one model on and on"
# style = "get_model is called once, before the loop"
# ///

# %% data-details
n_tr, n_feat = Xtr_scale.shape
n_ts = Xts_scale.shape[0]
n_class = len(np.unique(ytr))

# %% callback
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.count = 0

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_accuracy"] > self.threshold:
            self.count += 1
        else:
            self.count = 0
        if self.count >= self.patience:
            self.model.stop_training = True

# %% lr-loop
metrics_vs_lr = []
model = get_model()
for lr in LEARNING_RATES:
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size=DEFAULT_BATCH_SIZE, epochs=MAX_EPOCHS, validation_split=0.2,
                     callbacks=[TrainToAccuracy(THRESHOLD, PATIENCE)], verbose=0)
    m = monitor.end_window("fit")
    score = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_lr.append({"batch_size": DEFAULT_BATCH_SIZE, "learning_rate": lr, "epochs": len(hist.epoch), "test_accuracy": score[1],
                          "train_time": m.time, "total_energy": m.total_energy})

# %% lr-plots
x = [str(lr) for lr in LEARNING_RATES]
fig, axes = plt.subplots(1, 4, figsize=(18, 4))
axes[0].bar(x, [m["train_time"] for m in metrics_vs_lr])
axes[0].set_ylabel("Time to accuracy [s]")
axes[1].bar(x, [m["total_energy"] for m in metrics_vs_lr])
axes[1].set_ylabel("Energy to accuracy [J]")
axes[2].bar(x, [m["test_accuracy"] for m in metrics_vs_lr])
axes[2].set_ylabel("Test accuracy")
axes[2].set_ylim(min(m["test_accuracy"] for m in metrics_vs_lr) - 0.01, max(m["test_accuracy"] for m in metrics_vs_lr) + 0.01)
axes[3].bar(x, [m["epochs"] for m in metrics_vs_lr])
axes[3].set_ylabel("Epochs")
for ax in axes:
    ax.set_xlabel("Learning rate")
plt.tight_layout()

# %% lr-comment [markdown]
# Only the smallest learning rate takes long. All the others need exactly three epochs, so the learning rate does not matter much once it is large enough.

# %% bs-loop
metrics_vs_bs = []
model = get_model()
for bs in BATCH_SIZES:
    model.compile(optimizer=optimizers.Adam(learning_rate=DEFAULT_LEARNING_RATE), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=MAX_EPOCHS, validation_split=0.2,
                     callbacks=[TrainToAccuracy(THRESHOLD, PATIENCE)], verbose=0)
    m = monitor.end_window("fit")
    score = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": DEFAULT_LEARNING_RATE, "epochs": len(hist.epoch), "test_accuracy": score[1],
                          "train_time": m.time, "total_energy": m.total_energy})

# %% bs-plots
x = [str(bs) for bs in BATCH_SIZES]
fig, axes = plt.subplots(1, 4, figsize=(18, 4))
axes[0].bar(x, [m["train_time"] for m in metrics_vs_bs])
axes[0].set_ylabel("Time to accuracy [s]")
axes[1].bar(x, [m["total_energy"] for m in metrics_vs_bs])
axes[1].set_ylabel("Energy to accuracy [J]")
axes[2].bar(x, [m["test_accuracy"] for m in metrics_vs_bs])
axes[2].set_ylabel("Test accuracy")
axes[2].set_ylim(min(m["test_accuracy"] for m in metrics_vs_bs) - 0.01, max(m["test_accuracy"] for m in metrics_vs_bs) + 0.01)
axes[3].bar(x, [m["epochs"] for m in metrics_vs_bs])
axes[3].set_ylabel("Epochs")
for ax in axes:
    ax.set_xlabel("Batch size")
plt.tight_layout()

# %% bs-comment [markdown]
# The number of epochs is 3 for every batch size. The time and the energy of an epoch fall with the batch size, so large batches are best.
