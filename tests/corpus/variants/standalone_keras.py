# /// submission
# title = "Standalone Keras, the model written out"
# style = "import keras instead of tf.keras; Sequential in the loop; SparseCategoricalAccuracy named accuracy"
# ///

# %% callback
import keras

class TrainToAccuracy(keras.callbacks.Callback):
    def __init__(self, threshold: float = 0.9, patience: int = 3) -> None:
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self._streak = 0

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        val_acc = (logs or {}).get("val_accuracy")
        if val_acc is None:
            return
        self._streak = (self._streak + 1) * int(val_acc > self.threshold)
        if self._streak >= self.patience:
            self.model.stop_training = True

# %% lr-loop
metrics_vs_lr = []
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    model = keras.Sequential([
        keras.Input(shape=(n_feat,)),
        keras.layers.Dense(256, activation="sigmoid"),
        keras.layers.Dense(n_class, activation="softmax"),
    ])
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=lr),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    monitor.begin_window("fit")
    hist = model.fit(x=Xtr_scale, y=ytr, batch_size=128, epochs=500, verbose=0, validation_split=0.2,
                     callbacks=TrainToAccuracy(threshold=0.95, patience=3))
    measured = monitor.end_window("fit")
    test = model.evaluate(x=Xts_scale, y=yts, verbose=0, return_dict=True)
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": lr, "epochs": len(hist.history["loss"]),
                          "test_accuracy": test["accuracy"], "total_energy": measured.total_energy, "train_time": measured.time})

# %% bs-loop
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    model = keras.Sequential()
    model.add(keras.Input(shape=(n_feat,)))
    model.add(keras.layers.Dense(units=256, activation=keras.activations.sigmoid))
    model.add(keras.layers.Dense(units=n_class, activation=keras.activations.softmax))
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.001),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    monitor.begin_window("fit")
    hist = model.fit(x=Xtr_scale, y=ytr, batch_size=bs, epochs=500, verbose=0, validation_split=0.2,
                     callbacks=TrainToAccuracy(threshold=0.95, patience=3))
    measured = monitor.end_window("fit")
    test = model.evaluate(x=Xts_scale, y=yts, verbose=0, return_dict=True)
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": 0.001, "epochs": len(hist.history["loss"]),
                          "test_accuracy": test["accuracy"], "total_energy": measured.total_energy, "train_time": measured.time})
