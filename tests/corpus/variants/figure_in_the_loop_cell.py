# /// submission
# title = "Draws at the end of the loop's cell"
# style = "the cell meant for the plots only says where they are"
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
    score = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": lr, "epochs": len(hist.history["loss"]), "test_accuracy": score[1],
                          "total_energy": measurement.total_energy, "train_time": measurement.time})

fig, axes = plt.subplots(1, 4, figsize=(18, 4))
for ax, key, label in zip(axes, ["train_time", "total_energy", "test_accuracy", "epochs"], ["time (s)", "energy (J)", "test accuracy", "epochs"]):
    values = [m[key] for m in metrics_vs_lr]
    sns.barplot(x=[m["learning_rate"] for m in metrics_vs_lr], y=values, ax=ax)
    ax.set_xlabel("learning rate")
    ax.set_ylabel(label)
    if key == "test_accuracy":
        ax.set_ylim(min(values) - 0.01, max(values) + 0.01)
plt.show()

# %% lr-plots
# see the figure above

# %% bs-loop
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    measurement = monitor.end_window("fit")
    score = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": 0.001, "epochs": len(hist.history["loss"]), "test_accuracy": score[1],
                          "total_energy": measurement.total_energy, "train_time": measurement.time})

fig, axes = plt.subplots(1, 4, figsize=(18, 4))
for ax, key, label in zip(axes, ["train_time", "total_energy", "test_accuracy", "epochs"], ["time (s)", "energy (J)", "test accuracy", "epochs"]):
    values = [m[key] for m in metrics_vs_bs]
    sns.barplot(x=[m["batch_size"] for m in metrics_vs_bs], y=values, ax=ax)
    ax.set_xlabel("batch size")
    ax.set_ylabel(label)
    if key == "test_accuracy":
        ax.set_ylim(min(values) - 0.01, max(values) + 0.01)
plt.show()

# %% bs-plots
# see the figure above
