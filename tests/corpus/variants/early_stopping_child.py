# /// submission
# title = "A child of EarlyStopping"
# style = "reuses EarlyStopping's bookkeeping, overrides the rule; a factory makes the callbacks"
# ///

# %% callback
class TrainToAccuracy(callbacks.EarlyStopping):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__(monitor="val_accuracy", patience=patience, mode="max", verbose=0)
        self.threshold = threshold

    def on_epoch_end(self, epoch, logs=None):
        value = self.get_monitor_value(logs)
        if value is None:
            return
        self.wait = self.wait + 1 if value > self.threshold else 0
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

# %% lr-loop
make_callbacks = lambda: [TrainToAccuracy(threshold=0.95, patience=3)]
metrics_vs_lr = []
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window(str(lr))
    model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, callbacks=make_callbacks(), verbose=0)
    result = monitor.end_window(str(lr))
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": lr, "epochs": len(model.history.history["loss"]),
                          "test_accuracy": model.evaluate(Xts_scale, yts, verbose=0)[-1],
                          "total_energy": result.total_energy, "train_time": result.time})

# %% bs-loop
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window(str(bs))
    model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, callbacks=make_callbacks(), verbose=0)
    result = monitor.end_window(str(bs))
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": 0.001, "epochs": len(model.history.history["loss"]),
                          "test_accuracy": model.evaluate(Xts_scale, yts, verbose=0)[-1],
                          "total_energy": result.total_energy, "train_time": result.time})
