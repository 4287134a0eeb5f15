# /// submission
# title = "Lines without labels, and the second loop stops with an error"
# style = "several smaller mistakes in one notebook"
# ///

# %% data-details
n_tr = Xtr_scale.shape[0]
n_ts = Xts_scale.shape[0]
n_feat = Xtr_scale.shape[1]
n_class = np.max(ytr)

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
        if self.hits >= self.patience:
            self.model.stop_training = True

# %% lr-loop
metrics_vs_lr = []
for lr in LEARNING_RATES:
    model = get_model()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.time()
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, callbacks=[TrainToAccuracy(0.95, 3)], verbose=0)
    end = time.time()
    loss, acc = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": lr, "epochs": 500, "test_accuracy": acc, "train_time": end - start})

# %% lr-plots
fig, ax = plt.subplots(1, 3, figsize=(15, 4))
ax[0].plot([m["learning_rate"] for m in metrics_vs_lr], [m["train_time"] for m in metrics_vs_lr])
ax[1].plot([m["learning_rate"] for m in metrics_vs_lr], [m["test_accuracy"] for m in metrics_vs_lr])
ax[2].plot([m["learning_rate"] for m in metrics_vs_lr], [m["epochs"] for m in metrics_vs_lr])
plt.show()

# %% lr-comment [markdown]
# There is no effect of the learning rate, all five take the same time.

# %% bs-loop
metrics_vs_bs = []
for bs in BATCH_SIZES:
    model = get_model()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.time()
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, callbacks=[TrainToAccuracy(0.95, 3)], verbose=0)
    end = time.time()
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": 0.001, "epochs": len(hist.history["acc"]), "test_accuracy": acc, "train_time": end - start})

# %% bs-plots
fig, ax = plt.subplots(1, 3, figsize=(15, 4))
ax[0].plot([m["batch_size"] for m in metrics_vs_bs], [m["train_time"] for m in metrics_vs_bs])
plt.show()
