# /// submission
# title = "Reference: energy windows, one counter, seaborn"
# style = "The plainest full solution for a GPU runtime; the other variants take from it what they do not bring."
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
        self.hits = 0

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_accuracy"] > self.threshold:
            self.hits += 1
        else:
            self.hits = 0
        if self.hits >= self.patience:
            self.model.stop_training = True

# %% lr-loop
metrics_vs_lr = []
batch_size = 128
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    model = get_model()
    model.compile(
        optimizer=optimizers.Adam(learning_rate=lr),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    monitor.begin_window("fit")
    hist = model.fit(
        Xtr_scale,
        ytr,
        batch_size=batch_size,
        epochs=500,
        validation_split=0.2,
        callbacks=[TrainToAccuracy(threshold=0.95, patience=3)],
        verbose=0,
    )
    measurement = monitor.end_window("fit")
    test_loss, test_accuracy = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_lr.append(
        {
            "batch_size": batch_size,
            "learning_rate": lr,
            "epochs": len(hist.history["loss"]),
            "test_accuracy": test_accuracy,
            "total_energy": measurement.total_energy,
            "train_time": measurement.time,
        }
    )

# %% lr-plots
names = [str(m["learning_rate"]) for m in metrics_vs_lr]
accuracies = [m["test_accuracy"] for m in metrics_vs_lr]
margin = 0.02 + 0.1 * (max(accuracies) - min(accuracies))

fig, axes = plt.subplots(1, 4, figsize=(18, 4))
sns.barplot(x=names, y=[m["train_time"] for m in metrics_vs_lr], ax=axes[0])
axes[0].set_ylabel("Time to accuracy (s)")
sns.barplot(x=names, y=[m["total_energy"] for m in metrics_vs_lr], ax=axes[1])
axes[1].set_ylabel("Energy to accuracy (J)")
sns.barplot(x=names, y=accuracies, ax=axes[2])
axes[2].set_ylabel("Test accuracy")
axes[2].set_ylim(max(0, min(accuracies) - margin), max(accuracies) + margin)
sns.barplot(x=names, y=[m["epochs"] for m in metrics_vs_lr], ax=axes[3])
axes[3].set_ylabel("Epochs")
for ax in axes:
    ax.set_xlabel("Learning rate")
plt.tight_layout()
plt.show()

# %% lr-comment [markdown]
# At 0.0001 the target takes about ten epochs, in the middle three; at 1.0 the accuracy jumps up and down and it takes
# dozens. Time and energy follow the number of epochs. The test accuracy is best at 0.01 and lowest at the two ends.

# %% bs-loop
metrics_vs_bs = []
lr = 0.001
for batch_size in [64, 128, 256, 512, 1024, 2048]:
    model = get_model()
    model.compile(
        optimizer=optimizers.Adam(learning_rate=lr),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    monitor.begin_window("fit")
    hist = model.fit(
        Xtr_scale,
        ytr,
        batch_size=batch_size,
        epochs=500,
        validation_split=0.2,
        callbacks=[TrainToAccuracy(threshold=0.95, patience=3)],
        verbose=0,
    )
    measurement = monitor.end_window("fit")
    test_loss, test_accuracy = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_bs.append(
        {
            "batch_size": batch_size,
            "learning_rate": lr,
            "epochs": len(hist.history["loss"]),
            "test_accuracy": test_accuracy,
            "total_energy": measurement.total_energy,
            "train_time": measurement.time,
        }
    )

# %% bs-plots
names = [str(m["batch_size"]) for m in metrics_vs_bs]
accuracies = [m["test_accuracy"] for m in metrics_vs_bs]
margin = 0.02 + 0.1 * (max(accuracies) - min(accuracies))

fig, axes = plt.subplots(1, 4, figsize=(18, 4))
sns.barplot(x=names, y=[m["train_time"] for m in metrics_vs_bs], ax=axes[0])
axes[0].set_ylabel("Time to accuracy (s)")
sns.barplot(x=names, y=[m["total_energy"] for m in metrics_vs_bs], ax=axes[1])
axes[1].set_ylabel("Energy to accuracy (J)")
sns.barplot(x=names, y=accuracies, ax=axes[2])
axes[2].set_ylabel("Test accuracy")
axes[2].set_ylim(max(0, min(accuracies) - margin), max(accuracies) + margin)
sns.barplot(x=names, y=[m["epochs"] for m in metrics_vs_bs], ax=axes[3])
axes[3].set_ylabel("Epochs")
for ax in axes:
    ax.set_xlabel("Batch size")
plt.tight_layout()
plt.show()

# %% bs-comment [markdown]
# A larger batch makes each epoch cheaper but more epochs are needed, because there are fewer steps in each. The total
# time falls up to about 512 and hardly changes after that; so does the energy. The test accuracy stays about the same.
