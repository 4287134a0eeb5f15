# /// submission
# title = "Labels in Japanese, models on a drive"
# style = "a subplot mosaic, the helpers of the lab, models and figures saved to a folder of a hosted service"
# ///

# %% drive before="data-details"
try:
    from google.colab import drive
    drive.mount("/content/drive")
    SAVE = "/content/drive/MyDrive/lab"
except ImportError:
    SAVE = "."
os.makedirs(SAVE, exist_ok=True)

# %% data-details
n_tr = len(Xtr_scale)
n_ts = len(Xts_scale)
n_feat = len(Xtr_scale[0])
n_class = np.bincount(ytr.astype(int)).size

# %% callback
class TrainToAccuracy(callbacks.Callback):
    """Stops training after `patience` epochs in a row with a validation accuracy above `threshold`."""

    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.left = patience

    def on_train_begin(self, logs=None):
        self.left = self.patience

    def on_epoch_end(self, epoch, logs=None):
        acc = logs.get("val_accuracy")
        if acc is None:
            return
        self.left = self.left - 1 if acc > self.threshold else self.patience
        self.model.stop_training = self.left <= 0

# %% lr-loop
#@title 学習率のループ
metrics_vs_lr = []
for lr in lab.remaining(LEARNING_RATES, metrics_vs_lr, "learning_rate"):
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"], steps_per_execution=64)
    stop = TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)
    bar = lab.progress("learning rate", lr)
    if monitor: monitor.begin_window("lr")
    start = time.time()
    history = model.fit(Xtr_scale, ytr, epochs=MAX_EPOCHS, batch_size=DEFAULT_BATCH_SIZE, validation_split=0.2, callbacks=[stop, bar], verbose=0)
    elapsed = time.time() - start
    window = monitor.end_window("lr") if monitor else None
    loss, accuracy = model.evaluate(Xts_scale, yts, verbose=0, batch_size=1024)
    metrics_vs_lr.append(dict(
        batch_size=DEFAULT_BATCH_SIZE, learning_rate=lr, epochs=len(history.history["loss"]), test_accuracy=accuracy,
        train_time=window.time if window else elapsed, total_energy=window.total_energy if window else None))
    model.save(f"{SAVE}/model_{lr}.keras")

# %% lr-plots
def draw(rows, key, label):
    fig, axd = plt.subplot_mosaic([["time", "energy"], ["acc", "epochs"]], figsize=(10, 7), layout="constrained")
    xs = [str(r[key]) for r in rows]
    axd["time"].bar(xs, [r["train_time"] for r in rows]);      axd["time"].set_ylabel("到達時間 [秒]")
    axd["energy"].bar(xs, [r["total_energy"] for r in rows]);  axd["energy"].set_ylabel("消費エネルギー [J]")
    axd["acc"].bar(xs, [r["test_accuracy"] for r in rows]);    axd["acc"].set_ylabel("テスト精度")
    axd["epochs"].bar(xs, [r["epochs"] for r in rows]);        axd["epochs"].set_ylabel("エポック数")
    a = [r["test_accuracy"] for r in rows]
    axd["acc"].set_ylim(bottom=min(a) - (max(a) - min(a)) / 2 - 1e-3)
    for ax in axd.values():
        ax.set_xlabel(label)
    fig.savefig(f"{SAVE}/{key}.png")
    plt.show()

draw(metrics_vs_lr, "learning_rate", "学習率")

# %% bs-loop
#@title バッチサイズのループ
metrics_vs_bs = []
for bs in lab.remaining(BATCH_SIZES, metrics_vs_bs, "batch_size"):
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=DEFAULT_LEARNING_RATE), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    stop = TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)
    if monitor: monitor.begin_window("bs")
    start = time.time()
    history = model.fit(Xtr_scale, ytr, epochs=MAX_EPOCHS, batch_size=bs, validation_split=0.2, callbacks=[stop, lab.progress("batch size", bs)], verbose=0)
    elapsed = time.time() - start
    window = monitor.end_window("bs") if monitor else None
    loss, accuracy = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_bs.append(dict(
        batch_size=bs, learning_rate=DEFAULT_LEARNING_RATE, epochs=len(history.history["loss"]), test_accuracy=accuracy,
        train_time=window.time if window else elapsed, total_energy=window.total_energy if window else None))

# %% bs-plots
draw(metrics_vs_bs, "batch_size", "バッチサイズ")
