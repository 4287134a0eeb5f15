# /// submission
# title = "A Keras metric object, made anew in each iteration"
# style = "the pattern of the classic mistake done right: new metric in one loop, reset_state in the other"
# ///

# %% lr-loop
metrics_vs_lr = []
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    measurement = monitor.end_window("fit")
    acc = tf.keras.metrics.SparseCategoricalAccuracy()
    acc.update_state(yts, model.predict(Xts_scale, verbose=0))
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": lr, "epochs": len(hist.history["loss"]),
                          "test_accuracy": float(acc.result()),
                          "total_energy": measurement.total_energy, "train_time": measurement.time})

# %% bs-loop
acc = tf.keras.metrics.SparseCategoricalAccuracy()
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    measurement = monitor.end_window("fit")
    acc.reset_state()
    acc.update_state(yts, model.predict(Xts_scale, verbose=0))
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": 0.001, "epochs": len(hist.history["loss"]),
                          "test_accuracy": acc.result().numpy(),
                          "total_energy": measurement.total_energy, "train_time": measurement.time})
