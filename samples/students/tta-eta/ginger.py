# /// submission
# title = "A running mean for the test accuracy"
# style = "one metric object for all iterations, never reset; everything else is right"
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
        self.counter = 0

    def on_epoch_end(self, epoch, logs=None):
        if logs.get("val_accuracy") > self.threshold:
            self.counter += 1
            if self.counter >= self.patience:
                self.model.stop_training = True
        else:
            self.counter = 0

# %% lr-loop
accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
metrics_vs_lr = []
for lr in LEARNING_RATES:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    used = monitor.end_window("fit")
    accuracy.update_state(yts, model.predict(Xts_scale, verbose=0))
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": lr, "epochs": len(hist.history["loss"]),
                          "test_accuracy": accuracy.result().numpy(), "train_time": used.time, "total_energy": used.total_energy})

# %% lr-plots
x = [str(m["learning_rate"]) for m in metrics_vs_lr]
fig, axes = plt.subplots(1, 4, figsize=(18, 4))
for ax, (key, label) in zip(axes, [("train_time", "time (s)"), ("total_energy", "energy (J)"), ("test_accuracy", "test accuracy"), ("epochs", "epochs")]):
    y = [m[key] for m in metrics_vs_lr]
    sns.barplot(x=x, y=y, ax=ax)
    ax.set_xlabel("learning rate")
    ax.set_ylabel(label)
    if key == "test_accuracy":
        ax.set_ylim(min(y) - 0.01, max(y) + 0.01)
plt.tight_layout()

# %% lr-comment [markdown]
# The learning rate changes how long it takes: best are 0.001 and 0.01, worst is 1.0. The energy follows the time. Surprisingly
# the test accuracy is nearly the same for all of them.

# %% bs-loop
accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
metrics_vs_bs = []
for bs in BATCH_SIZES:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    used = monitor.end_window("fit")
    accuracy.update_state(yts, model.predict(Xts_scale, verbose=0))
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": 0.001, "epochs": len(hist.history["loss"]),
                          "test_accuracy": accuracy.result().numpy(), "train_time": used.time, "total_energy": used.total_energy})

# %% bs-plots
x = [str(m["batch_size"]) for m in metrics_vs_bs]
fig, axes = plt.subplots(1, 4, figsize=(18, 4))
for ax, (key, label) in zip(axes, [("train_time", "time (s)"), ("total_energy", "energy (J)"), ("test_accuracy", "test accuracy"), ("epochs", "epochs")]):
    y = [m[key] for m in metrics_vs_bs]
    sns.barplot(x=x, y=y, ax=ax)
    ax.set_xlabel("batch size")
    ax.set_ylabel(label)
    if key == "test_accuracy":
        ax.set_ylim(min(y) - 0.01, max(y) + 0.01)
plt.tight_layout()

# %% bs-comment [markdown]
# More epochs for larger batches, less time and energy for each of them. The test accuracy does not depend on the batch size.
