# /// submission
# title = "Submitted as a percent-format script"
# style = "the .py download of an editor"
# file = "percent script"
# transforms = ["metadata lost"]
# ///

# %% lr-loop
metrics_vs_lr = []
for lr in LEARNING_RATES:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    history = model.fit(Xtr_scale, ytr, batch_size=DEFAULT_BATCH_SIZE, epochs=MAX_EPOCHS, validation_split=0.2,
                        callbacks=[TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)], verbose=2)
    train_time = time.perf_counter() - start
    loss, accuracy = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_lr.append({"batch_size": DEFAULT_BATCH_SIZE, "learning_rate": lr, "epochs": len(history.history["loss"]),
                          "test_accuracy": accuracy, "train_time": train_time, "total_energy": None})

# %% lr-plots
fig, axes = plt.subplots(1, 3, figsize=(16, 4))
names = [str(lr) for lr in LEARNING_RATES]
for ax, key, label in zip(axes, ["train_time", "test_accuracy", "epochs"], ["Time to accuracy (s)", "Test accuracy", "Epochs"]):
    values = [row[key] for row in metrics_vs_lr]
    sns.barplot(x=names, y=values, ax=ax)
    ax.set_xlabel("Learning rate")
    ax.set_ylabel(label)
    if key == "test_accuracy":
        ax.set_ylim(min(values) - 0.02, max(values) + 0.02)
plt.show()

# %% bs-loop
metrics_vs_bs = []
for bs in BATCH_SIZES:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=DEFAULT_LEARNING_RATE), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    history = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=MAX_EPOCHS, validation_split=0.2,
                        callbacks=[TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)], verbose=2)
    train_time = time.perf_counter() - start
    loss, accuracy = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": DEFAULT_LEARNING_RATE, "epochs": len(history.history["loss"]),
                          "test_accuracy": accuracy, "train_time": train_time, "total_energy": None})

# %% bs-plots
fig, axes = plt.subplots(1, 3, figsize=(16, 4))
names = [str(bs) for bs in BATCH_SIZES]
for ax, key, label in zip(axes, ["train_time", "test_accuracy", "epochs"], ["Time to accuracy (s)", "Test accuracy", "Epochs"]):
    values = [row[key] for row in metrics_vs_bs]
    sns.barplot(x=names, y=values, ax=ax)
    ax.set_xlabel("Batch size")
    ax.set_ylabel(label)
    if key == "test_accuracy":
        ax.set_ylim(min(values) - 0.02, max(values) + 0.02)
plt.show()
