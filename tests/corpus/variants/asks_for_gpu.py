# /// submission
# title = "Asks TensorFlow whether there is a GPU"
# style = "the CPU branch runs where the grading machine has no GPU; energy key is only there on a GPU"
# ///

# %% lr-loop
gpu = len(tf.config.list_physical_devices("GPU")) > 0
batch_size = 128
metrics_vs_lr = []

for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    model = get_model()
    model.compile(
        optimizer=optimizers.Adam(learning_rate=lr),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    if gpu:
        monitor.begin_window("train")
    start_time = time.time()
    history = model.fit(
        Xtr_scale, ytr, epochs=500, batch_size=batch_size, validation_split=0.2,
        callbacks=[TrainToAccuracy(patience=3, threshold=0.95)],
    )
    elapsed = time.time() - start_time
    result = {"batch_size": batch_size, "learning_rate": lr, "epochs": len(history.history["loss"]), "train_time": elapsed}
    if gpu:
        measured = monitor.end_window("train")
        result["train_time"] = measured.time
        result["total_energy"] = measured.total_energy
    result["test_accuracy"] = model.evaluate(Xts_scale, yts, return_dict=True)["accuracy"]
    metrics_vs_lr.append(result)

# %% lr-plots
columns = ["train_time", "test_accuracy", "epochs"]
if gpu:
    columns.insert(1, "total_energy")
labels = {"train_time": "TTA (s)", "total_energy": "ETA (J)", "test_accuracy": "test accuracy", "epochs": "epochs"}
plt.figure(figsize=(16, 4))
for i, c in enumerate(columns):
    plt.subplot(1, len(columns), i + 1)
    heights = np.array([row[c] for row in metrics_vs_lr])
    plt.bar(np.arange(len(heights)), heights)
    plt.xticks(np.arange(len(heights)), [row["learning_rate"] for row in metrics_vs_lr])
    if c == "test_accuracy":
        plt.ylim(0.98 * heights.min(), min(1, 1.02 * heights.max()))
    plt.xlabel("learning rate")
    plt.ylabel(labels[c])
plt.show()

# %% bs-loop
lr = 0.001
metrics_vs_bs = []

for batch_size in [64, 128, 256, 512, 1024, 2048]:
    model = get_model()
    model.compile(
        optimizer=optimizers.Adam(learning_rate=lr),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    if gpu:
        monitor.begin_window("train")
    start_time = time.time()
    history = model.fit(
        Xtr_scale, ytr, epochs=500, batch_size=batch_size, validation_split=0.2,
        callbacks=[TrainToAccuracy(patience=3, threshold=0.95)],
    )
    elapsed = time.time() - start_time
    result = {"batch_size": batch_size, "learning_rate": lr, "epochs": len(history.history["loss"]), "train_time": elapsed}
    if gpu:
        measured = monitor.end_window("train")
        result["train_time"] = measured.time
        result["total_energy"] = measured.total_energy
    result["test_accuracy"] = model.evaluate(Xts_scale, yts, return_dict=True)["accuracy"]
    metrics_vs_bs.append(result)

# %% bs-plots
plt.figure(figsize=(16, 4))
for i, c in enumerate(columns):
    plt.subplot(1, len(columns), i + 1)
    heights = np.array([row[c] for row in metrics_vs_bs])
    plt.bar(np.arange(len(heights)), heights)
    plt.xticks(np.arange(len(heights)), [row["batch_size"] for row in metrics_vs_bs])
    if c == "test_accuracy":
        plt.ylim(0.98 * heights.min(), min(1, 1.02 * heights.max()))
    plt.xlabel("batch size")
    plt.ylabel(labels[c])
plt.show()
