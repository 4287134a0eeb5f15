# /// submission
# title = "try/except around the energy windows"
# style = "a runtime without a monitor raises, then the clock is used; NaN for the energy"
# ///

# %% lr-loop
metrics_vs_lr = []
for lr in (0.0001, 0.001, 0.01, 0.1, 1.0):
    model = get_model()
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizers.Adam(lr), metrics=["accuracy"])
    t = time.perf_counter()
    try:
        monitor.begin_window(f"lr {lr}")
    except Exception as e:
        print("no energy here:", e)
    h = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, callbacks=[TrainToAccuracy(0.95, 3)], verbose=2)
    try:
        m = monitor.end_window(f"lr {lr}")
        t, e = m.time, m.total_energy
    except Exception:
        t, e = time.perf_counter() - t, float("nan")
    metrics_vs_lr.append({
        "batch_size": 128,
        "learning_rate": lr,
        "epochs": h.epoch[-1] + 1,
        "test_accuracy": model.evaluate(Xts_scale, yts, verbose=0)[1],
        "total_energy": e,
        "train_time": t,
    })

# %% bs-loop
metrics_vs_bs = []
for bs in (64, 128, 256, 512, 1024, 2048):
    model = get_model()
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizers.Adam(0.001), metrics=["accuracy"])
    t = time.perf_counter()
    try:
        monitor.begin_window(f"bs {bs}")
    except Exception as e:
        print("no energy here:", e)
    h = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, callbacks=[TrainToAccuracy(0.95, 3)], verbose=2)
    try:
        m = monitor.end_window(f"bs {bs}")
        t, e = m.time, m.total_energy
    except Exception:
        t, e = time.perf_counter() - t, float("nan")
    metrics_vs_bs.append({
        "batch_size": bs,
        "learning_rate": 0.001,
        "epochs": h.epoch[-1] + 1,
        "test_accuracy": model.evaluate(Xts_scale, yts, verbose=0)[1],
        "total_energy": e,
        "train_time": t,
    })
