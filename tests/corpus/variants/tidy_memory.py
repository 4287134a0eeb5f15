# /// submission
# title = "Clears the session, sets seeds, prints as it goes"
# style = "clear_session and gc before each model; a LambdaCallback beside the stopper; a magic and a shell line"
# ///

# %% machine before="data-details"
# %matplotlib inline
# !nvidia-smi

# %% lr-loop
import gc

metrics_vs_lr = []
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    tf.keras.backend.clear_session()
    gc.collect()
    np.random.seed(1)
    tf.random.set_seed(1)
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr, beta_1=0.9, beta_2=0.999), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    dots = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(".", end=""))
    monitor.begin_window("fit", sync_execution=False)
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0, shuffle=True,
                     callbacks=[dots, TrainToAccuracy(threshold=0.95, patience=3)])
    measurement = monitor.end_window("fit", sync_execution=False)
    print()
    test_loss, test_acc = model.evaluate(Xts_scale, yts, batch_size=1024, verbose=0)
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": lr, "epochs": len(hist.history["loss"]), "test_accuracy": test_acc,
                          "total_energy": measurement.total_energy, "train_time": measurement.time})
    del model

# %% bs-loop
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    tf.keras.backend.clear_session()
    gc.collect()
    np.random.seed(1)
    tf.random.set_seed(1)
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    dots = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(".", end=""))
    monitor.begin_window("fit", sync_execution=False)
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0, shuffle=True,
                     callbacks=[dots, TrainToAccuracy(threshold=0.95, patience=3)])
    measurement = monitor.end_window("fit", sync_execution=False)
    print()
    test_loss, test_acc = model.evaluate(Xts_scale, yts, batch_size=1024, verbose=0)
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": 0.001, "epochs": len(hist.history["loss"]), "test_accuracy": test_acc,
                          "total_energy": measurement.total_energy, "train_time": measurement.time})
    del model
