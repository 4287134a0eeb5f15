# /// submission
# title = "Rounds what it records"
# style = "accuracy to four decimals, time and energy to two; the clock and the energy window side by side"
# ///

# %% lr-loop
metrics_vs_lr = []
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    t0 = time.time()
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    t1 = time.time()
    energy = monitor.end_window("fit").total_energy
    acc = model.evaluate(Xts_scale, yts, verbose=0)[1]
    print(f"lr={lr:<8} epochs={len(hist.epoch):>3}  acc={acc:.2%}  t={t1 - t0:.1f} s  E={energy:.0f} J")
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": lr, "epochs": len(hist.epoch), "test_accuracy": round(acc, 4),
                          "total_energy": round(energy, 2), "train_time": round(t1 - t0, 2)})

# %% bs-loop
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    t0 = time.time()
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    t1 = time.time()
    energy = monitor.end_window("fit").total_energy
    acc = model.evaluate(Xts_scale, yts, verbose=0)[1]
    print(f"bs={bs:<5} epochs={len(hist.epoch):>3}  acc={acc:.2%}  t={t1 - t0:.1f} s  E={energy:.0f} J")
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": 0.001, "epochs": len(hist.epoch), "test_accuracy": round(acc, 4),
                          "total_energy": round(energy, 2), "train_time": round(t1 - t0, 2)})
