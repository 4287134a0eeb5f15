# /// submission
# title = "Uses every helper that is given: progress line, rows kept on disk, several steps at a time"
# style = "The given lab_helpers.py beside the notebook; DRY_RUN left on by mistake"
# ///

# %% lr-loop
metrics_vs_lr = []
for lr in lab.remaining(LEARNING_RATES, metrics_vs_lr, "learning_rate"):
    model = get_model()
    model.compile(
        optimizer=optimizers.Adam(learning_rate=lr),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
        steps_per_execution=64,
    )
    monitor.begin_window("fit", sync_execution=False)
    hist = model.fit(
        Xtr_scale,
        ytr,
        batch_size=DEFAULT_BATCH_SIZE,
        epochs=MAX_EPOCHS,
        validation_split=0.2,
        callbacks=[TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE), lab.progress("learning rate", lr)],
        verbose=0,
    )
    measurement = monitor.end_window("fit", sync_execution=False)
    test_loss, test_accuracy = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_lr.append(
        {
            "batch_size": DEFAULT_BATCH_SIZE,
            "learning_rate": lr,
            "epochs": len(hist.epoch),
            "test_accuracy": test_accuracy,
            "total_energy": measurement.total_energy,
            "train_time": measurement.time,
        }
    )

# %% looks at it and begins anew after="lr-loop"
lab.check("lr-loop")
lab.forget()
DRY_RUN = True  # forgot to switch it off

# %% bs-loop
metrics_vs_bs = []
for batch_size in lab.remaining(BATCH_SIZES, metrics_vs_bs, "batch_size"):
    model = get_model()
    model.compile(
        optimizer=optimizers.Adam(learning_rate=DEFAULT_LEARNING_RATE),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=32,
    )
    start = time.perf_counter()
    hist = model.fit(
        Xtr_scale,
        ytr,
        batch_size=batch_size,
        epochs=MAX_EPOCHS,
        validation_split=0.2,
        callbacks=[TrainToAccuracy(THRESHOLD, PATIENCE), lab.progress("batch size", batch_size)],
        verbose=0,
    )
    train_time = time.perf_counter() - start
    metrics_vs_bs.append(
        {
            "batch_size": batch_size,
            "learning_rate": DEFAULT_LEARNING_RATE,
            "epochs": len(hist.epoch),
            "test_accuracy": model.evaluate(Xts_scale, yts, verbose=0)[1],
            "total_energy": None,
            "train_time": train_time,
        }
    )

# %% bs-plots
names = [str(m["batch_size"]) for m in metrics_vs_bs]
fig, axes = plt.subplots(1, 3, figsize=(14, 4))
for ax, key, label in zip(axes, ["train_time", "test_accuracy", "epochs"], ["Time (s)", "Test accuracy", "Epochs"]):
    heights = [m[key] for m in metrics_vs_bs]
    ax.bar(names, heights)
    ax.set_xlabel("Batch size")
    ax.set_ylabel(label)
    if key == "test_accuracy":
        ax.set_ylim(min(heights) - 0.02, max(heights) + 0.02)
plt.show()
