# /// submission
# title = "One cell for both runtimes: `if monitor is None`"
# style = "energy None on a CPU runtime; the figure has as many subplots as there is something to show"
# ///

# %% lr-loop
metrics_vs_lr = []
batch_size = 128
for lr in [1e-4, 1e-3, 1e-2, 1e-1, 1.0]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss=tf.keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    stopper = TrainToAccuracy(threshold=0.95, patience=3)

    if monitor is not None:
        monitor.begin_window("lr")
    else:
        t0 = time.time()
    hist = model.fit(Xtr_scale, ytr, validation_split=0.2, batch_size=batch_size, epochs=500, callbacks=[stopper], verbose=0)
    if monitor is not None:
        window = monitor.end_window("lr")
        train_time, total_energy = window.time, window.total_energy
    else:
        train_time, total_energy = time.time() - t0, None

    loss, acc = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_lr.append(dict(batch_size=batch_size, learning_rate=lr, epochs=len(hist.epoch), test_accuracy=acc,
                              total_energy=total_energy, train_time=train_time))

# %% lr-plots
def bars(metrics, key, xlabel):
    quantities = [("train_time", "Time to accuracy [s]"), ("total_energy", "Energy to accuracy [J]"),
                  ("test_accuracy", "Test accuracy"), ("epochs", "Number of epochs")]
    if metrics[0]["total_energy"] is None:
        del quantities[1]
    fig, axes = plt.subplots(nrows=1, ncols=len(quantities), figsize=(5 * len(quantities), 4))
    for ax, (quantity, label) in zip(axes, quantities):
        values = [m[quantity] for m in metrics]
        ax.bar([str(m[key]) for m in metrics], values, color="tab:blue")
        low, high = min(values), max(values)
        if quantity == "test_accuracy":
            ax.set_ylim(low - 0.2 * (high - low) - 0.005, high + 0.2 * (high - low) + 0.005)
        ax.set(xlabel=xlabel, ylabel=label)
    fig.tight_layout()
    plt.show()

bars(metrics_vs_lr, "learning_rate", "Learning rate")

# %% bs-loop
metrics_vs_bs = []
lr = 1e-3
for batch_size in [64, 128, 256, 512, 1024, 2048]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss=tf.keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    stopper = TrainToAccuracy(threshold=0.95, patience=3)

    if monitor is not None:
        monitor.begin_window("bs")
    else:
        t0 = time.time()
    hist = model.fit(Xtr_scale, ytr, validation_split=0.2, batch_size=batch_size, epochs=500, callbacks=[stopper], verbose=0)
    if monitor is not None:
        window = monitor.end_window("bs")
        train_time, total_energy = window.time, window.total_energy
    else:
        train_time, total_energy = time.time() - t0, None

    loss, acc = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_bs.append(dict(batch_size=batch_size, learning_rate=lr, epochs=len(hist.epoch), test_accuracy=acc,
                              total_energy=total_energy, train_time=train_time))

# %% bs-plots
bars(metrics_vs_bs, "batch_size", "Batch size")
