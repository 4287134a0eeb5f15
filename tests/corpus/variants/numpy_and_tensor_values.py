# /// submission
# title = "NumPy scalars and tensors as values"
# style = "the rates are an array, the accuracy a tensor, the recorded rate is read back from the optimizer"
# ///

# %% data-details
n_tr = np.size(Xtr_scale, 0)
n_ts = np.size(Xts_scale, 0)
n_feat = np.size(Xtr_scale, 1)
n_class = len(np.bincount(ytr))

# %% lr-loop
metrics_vs_lr = []
for lr in np.array([0.0001, 0.001, 0.01, 0.1, 1.0]):
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("w")
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    w = monitor.end_window("w")
    y_hat = np.argmax(model.predict(Xts_scale, verbose=0), axis=1)
    metrics_vs_lr.append({
        "batch_size": np.int32(128),
        "learning_rate": model.optimizer.learning_rate.numpy(),
        "epochs": np.size(hist.history["loss"]),
        "test_accuracy": tf.reduce_mean(tf.cast(y_hat == yts, tf.float32)),
        "total_energy": np.float64(w.total_energy),
        "train_time": np.array(w.time),
    })

# %% bs-loop
metrics_vs_bs = []
for bs in np.array([64, 128, 256, 512, 1024, 2048]):
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=np.float64(0.001)), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("w")
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    w = monitor.end_window("w")
    y_hat = np.argmax(model.predict(Xts_scale, verbose=0), axis=1)
    metrics_vs_bs.append({
        "batch_size": bs,
        "learning_rate": model.optimizer.learning_rate.numpy(),
        "epochs": np.size(hist.history["loss"]),
        "test_accuracy": tf.reduce_mean(tf.cast(y_hat == yts, tf.float32)).numpy(),
        "total_energy": np.float64(w.total_energy),
        "train_time": np.array(w.time),
    })

# %% lr-plots
names = [f'{m["learning_rate"]:.4g}' for m in metrics_vs_lr]
accs = np.array([float(m["test_accuracy"]) for m in metrics_vs_lr])
fig, axes = plt.subplots(1, 4, figsize=(18, 4))
axes[0].bar(names, [float(m["train_time"]) for m in metrics_vs_lr])
axes[1].bar(names, [float(m["total_energy"]) for m in metrics_vs_lr])
axes[2].bar(names, accs)
axes[2].set_ylim(accs.min() - 0.01, accs.max() + 0.01)
axes[3].bar(names, [m["epochs"] for m in metrics_vs_lr])
for ax, label in zip(axes, ["time (s)", "energy (J)", "test accuracy", "epochs"]):
    ax.set_xlabel("learning rate")
    ax.set_ylabel(label)

# %% bs-plots
names = [str(m["batch_size"]) for m in metrics_vs_bs]
accs = np.array([float(m["test_accuracy"]) for m in metrics_vs_bs])
fig, axes = plt.subplots(1, 4, figsize=(18, 4))
axes[0].bar(names, [float(m["train_time"]) for m in metrics_vs_bs])
axes[1].bar(names, [float(m["total_energy"]) for m in metrics_vs_bs])
axes[2].bar(names, accs)
axes[2].set_ylim(accs.min() - 0.01, accs.max() + 0.01)
axes[3].bar(names, [m["epochs"] for m in metrics_vs_bs])
for ax, label in zip(axes, ["time (s)", "energy (J)", "test accuracy", "epochs"]):
    ax.set_xlabel("batch size")
    ax.set_ylabel(label)
