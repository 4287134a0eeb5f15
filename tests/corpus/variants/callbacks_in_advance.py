# /// submission
# title = "Models and callbacks made before the loop, one for each setting"
# style = "zip over three lists; fresh objects all the same"
# ///

# %% callback
class TrainToAccuracy(callbacks.Callback):

    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold, self.patience = threshold, patience
        self.remaining = patience

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_accuracy"] > self.threshold:
            self.remaining -= 1
        else:
            self.remaining = self.patience
        if self.remaining <= 0:
            self.model.stop_training = True

# %% lr-loop
rates = [0.0001, 0.001, 0.01, 0.1, 1.0]
models = [get_model() for _ in rates]
stoppers = [TrainToAccuracy(threshold=0.95, patience=3) for _ in rates]
metrics_vs_lr = []
for lr, model, stopper in zip(rates, models, stoppers):
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, callbacks=[stopper], verbose=0)
    cost = monitor.end_window("fit")
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": lr, "epochs": len(hist.epoch),
                          "test_accuracy": model.evaluate(Xts_scale, yts, verbose=0)[1],
                          "total_energy": cost.total_energy, "train_time": cost.time})

# %% bs-loop
sizes = [64, 128, 256, 512, 1024, 2048]
models = {}
stoppers = {}
for size in sizes:
    models[size] = get_model()
    models[size].compile(optimizer=optimizers.Adam(learning_rate=0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    stoppers[size] = TrainToAccuracy(threshold=0.95, patience=3)
metrics_vs_bs = []
for size in sizes:
    monitor.begin_window("fit")
    hist = models[size].fit(Xtr_scale, ytr, batch_size=size, epochs=500, validation_split=0.2, callbacks=[stoppers[size]], verbose=0)
    cost = monitor.end_window("fit")
    metrics_vs_bs.append({"batch_size": size, "learning_rate": 0.001, "epochs": len(hist.epoch),
                          "test_accuracy": models[size].evaluate(Xts_scale, yts, verbose=0)[1],
                          "total_energy": cost.total_energy, "train_time": cost.time})
