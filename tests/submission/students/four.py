# /// submission
# title = "A hurried student who gets it running shortly before the deadline and skims the small print"
# style = "short and careless: short names, copy and paste, no comments, clock only"
# expected = "two rules broken. Task callback: an epoch exactly at the threshold is counted as good (>=), although exactly equal is not higher. Tasks lr-loop and bs-loop: train_time also holds the evaluation on the test data, although it is to end just after fit and hold nothing else. Everything else is right"
# ///

# %% data-details
n_tr = len(ytr)
n_ts = len(yts)
n_feat = Xtr_scale.shape[1]
n_class = len(set(ytr))

# %% callback
class TrainToAccuracy(callbacks.Callback):
    """Stops training after `patience` epochs in a row with a validation accuracy above `threshold`."""

    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.n = 0

    def on_train_begin(self, logs=None):
        self.n = 0

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_accuracy"] >= self.threshold:
            self.n += 1
        else:
            self.n = 0
        if self.n == self.patience:
            self.model.stop_training = True

# %% lr-loop
metrics_vs_lr = []
for lr in LEARNING_RATES:
    m = get_model()
    m.compile(optimizer=optimizers.Adam(lr), loss=tf.keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    t0 = time.perf_counter()
    h = m.fit(Xtr_scale, ytr, epochs=MAX_EPOCHS, batch_size=DEFAULT_BATCH_SIZE, validation_split=0.2,
              callbacks=[TrainToAccuracy(THRESHOLD, PATIENCE)], verbose=0)
    loss, acc = m.evaluate(Xts_scale, yts, verbose=0)
    t = time.perf_counter() - t0
    metrics_vs_lr.append({"batch_size": DEFAULT_BATCH_SIZE, "learning_rate": lr, "epochs": len(h.epoch),
                          "test_accuracy": acc, "train_time": t, "total_energy": None})
    print(lr, acc, t)

# %% lr-plots
x = [str(r["learning_rate"]) + ("\n(not reached)" if r["epochs"] == MAX_EPOCHS else "") for r in metrics_vs_lr]
f, a = plt.subplots(1, 3, figsize=(16, 4))
for i, (k, l) in enumerate([("train_time", "time (s)"), ("test_accuracy", "test accuracy"), ("epochs", "epochs")]):
    y = [r[k] for r in metrics_vs_lr]
    a[i].bar(x, y)
    a[i].set_xlabel("learning rate")
    a[i].set_ylabel(l)
    if k == "test_accuracy":
        a[i].set_ylim(min(y) - 0.01, max(y) + 0.01)
plt.show()

# %% lr-comment [markdown]
# Best are 0.001 and 0.01 with only 3 epochs and about 2.6 s. 0.0001 is slower (10 epochs, 6.8 s) because the steps are tiny, 0.1 similar (9 epochs). 1.0 is worst, 70 epochs and 42 s, because the steps are too big and it jumps around, but it got there too. Time goes with epochs since an epoch costs the same. Test accuracy best at 0.01 (0.998), lower at both ends (0.965 and 0.954). No energy, CPU.

# %% bs-loop
metrics_vs_bs = []
for bs in BATCH_SIZES:
    m = get_model()
    m.compile(optimizer=optimizers.Adam(DEFAULT_LEARNING_RATE), loss=tf.keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    t0 = time.perf_counter()
    h = m.fit(Xtr_scale, ytr, epochs=MAX_EPOCHS, batch_size=bs, validation_split=0.2,
              callbacks=[TrainToAccuracy(THRESHOLD, PATIENCE)], verbose=0)
    loss, acc = m.evaluate(Xts_scale, yts, verbose=0)
    t = time.perf_counter() - t0
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": DEFAULT_LEARNING_RATE, "epochs": len(h.epoch),
                          "test_accuracy": acc, "train_time": t, "total_energy": None})
    print(bs, acc, t)

# %% bs-plots
x = [str(r["batch_size"]) + ("\n(not reached)" if r["epochs"] == MAX_EPOCHS else "") for r in metrics_vs_bs]
f, a = plt.subplots(1, 3, figsize=(16, 4))
for i, (k, l) in enumerate([("train_time", "time (s)"), ("test_accuracy", "test accuracy"), ("epochs", "epochs")]):
    y = [r[k] for r in metrics_vs_bs]
    a[i].bar(x, y)
    a[i].set_xlabel("batch size")
    a[i].set_ylabel(l)
    if k == "test_accuracy":
        a[i].set_ylim(min(y) - 0.01, max(y) + 0.01)
plt.show()

# %% bs-comment [markdown]
# Bigger batch = more epochs (3 up to 11) since fewer updates per epoch. Time per epoch gets smaller: 3.75/3 = 1.25 s for 64, 1.9/5 = 0.38 s for 512, 3.0/11 = 0.27 s for 2048, because fewer steps. Together time is highest for 64, lowest at about 512 and goes up again a bit. Test accuracy goes down from 0.991 to 0.963, they get stopped right after the threshold. No energy, CPU.
