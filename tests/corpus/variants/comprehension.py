# /// submission
# title = "A function per training, called in a list comprehension"
# style = "the function is defined in the first loop's cell and used again in the second"
# ///

# %% callback
class TrainToAccuracy(callbacks.Callback):
    """Stops the training once the last `patience` epochs were all above the threshold."""

    def __init__(self, threshold=0.9, patience=3):
        super(TrainToAccuracy, self).__init__()
        self.threshold = threshold
        self.patience = patience
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        self.seen.append(logs.get("val_accuracy", 0))
        last = self.seen[-self.patience:]
        if len(last) == self.patience and all(v > self.threshold for v in last):
            self.model.stop_training = True

# %% lr-loop
def train(learning_rate, batch_size):
    """Trains a new model and returns what it cost."""
    model = get_model()
    model.compile(
        optimizer=optimizers.Adam(learning_rate=learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    monitor.begin_window("training")
    history = model.fit(
        Xtr_scale,
        ytr,
        batch_size=batch_size,
        epochs=500,
        verbose=0,
        validation_split=0.2,
        callbacks=[TrainToAccuracy(threshold=0.95, patience=3)],
    )
    cost = monitor.end_window("training")
    _, accuracy = model.evaluate(Xts_scale, yts, verbose=0)
    return {
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "epochs": len(history.history["loss"]),
        "test_accuracy": accuracy,
        "total_energy": cost.total_energy,
        "train_time": cost.time,
    }


metrics_vs_lr = [train(rate, 128) for rate in [0.0001, 0.001, 0.01, 0.1, 1.0]]

# %% bs-loop
metrics_vs_bs = [train(0.001, size) for size in [64, 128, 256, 512, 1024, 2048]]
