# /// submission
# title = "Uses the named settings of the notebook"
# style = "LEARNING_RATES, THRESHOLD and so on instead of literals; sync_execution off; code for both runtimes"
# ///

# %% lr-loop
def seconds_and_joules(name, work):
    """Runs `work` and returns its result with the seconds and the joules (None on a CPU runtime) that it took."""
    if monitor is None:
        start = time.perf_counter()
        result = work()
        return result, time.perf_counter() - start, None
    monitor.begin_window(name, sync_execution=False)
    result = work()
    window = monitor.end_window(name, sync_execution=False)
    return result, window.time, window.total_energy


def train_one(learning_rate, batch_size):
    model = get_model()
    model.compile(
        optimizer=optimizers.Adam(learning_rate=learning_rate),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    history, seconds, joules = seconds_and_joules(
        "training",
        lambda: model.fit(
            Xtr_scale,
            ytr,
            batch_size=batch_size,
            epochs=MAX_EPOCHS,
            validation_split=0.2,
            callbacks=[TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)],
            verbose=0,
        ),
    )
    return {
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "epochs": len(history.epoch),
        "test_accuracy": model.evaluate(Xts_scale, yts, verbose=0)[1],
        "train_time": seconds,
        "total_energy": joules,
    }


metrics_vs_lr = []
for learning_rate in LEARNING_RATES:
    metrics_vs_lr.append(train_one(learning_rate, DEFAULT_BATCH_SIZE))

# %% bs-loop
metrics_vs_bs = []
for batch_size in BATCH_SIZES:
    metrics_vs_bs.append(train_one(DEFAULT_LEARNING_RATE, batch_size))
