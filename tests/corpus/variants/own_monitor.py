# /// submission
# title = "Makes a monitor of its own for the loops"
# style = "imports ZeusMonitor again; sums the energy of the GPUs itself; a window name for each setting"
# ///

# %% lr-loop
from zeus.monitor import ZeusMonitor

my_monitor = ZeusMonitor()
metrics_vs_lr = []
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    window = "lr=" + str(lr)
    my_monitor.begin_window(window)
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    measurement = my_monitor.end_window(window)
    score = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": lr, "epochs": len(hist.history["loss"]), "test_accuracy": score[1],
                          "total_energy": sum(measurement.gpu_energy.values()), "train_time": measurement.time})

# %% bs-loop
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    window = "bs=" + str(bs)
    my_monitor.begin_window(window)
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    measurement = my_monitor.end_window(window)
    score = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": 0.001, "epochs": len(hist.history["loss"]), "test_accuracy": score[1],
                          "total_energy": sum(measurement.gpu_energy.values()), "train_time": measurement.time})
