# /// submission
# title = "CPU runtime, time_ns and perf_counter_ns"
# style = "nanoseconds turned into seconds; walrus; row built key by key"
# ///

# %% lr-loop
metrics_vs_lr = []
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    (model := get_model()).compile(optimizer=optimizers.Adam(learning_rate=lr), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    start = time.time_ns()
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    stop = time.time_ns()
    row = {}
    row['batch_size'] = 128
    row['learning_rate'] = lr
    row['epochs'] = len(hist.history['loss'])
    row['test_accuracy'] = (score := model.evaluate(Xts_scale, yts, verbose=0))[1]
    row['train_time'] = (stop - start) / 1e9
    row['total_energy'] = np.nan
    metrics_vs_lr.append(row)

# %% lr-plots
plt.figure(figsize=(14, 4))
names = [str(m['learning_rate']) for m in metrics_vs_lr]
for place, (key, label) in enumerate({'train_time': 'time to accuracy (s)', 'test_accuracy': 'test accuracy', 'epochs': 'epochs'}.items()):
    plt.subplot(131 + place)
    plt.bar(names, values := [m[key] for m in metrics_vs_lr], color=['C0', 'C1', 'C2', 'C3', 'C4'])
    if key == 'test_accuracy':
        plt.ylim(min(values) - 0.01, max(values) + 0.01)
    plt.xlabel('learning rate')
    plt.ylabel(label)
plt.tight_layout()

# %% bs-loop
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    (model := get_model()).compile(optimizer=optimizers.Adam(learning_rate=0.001), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    start = time.perf_counter_ns()
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    stop = time.perf_counter_ns()
    row = {}
    row['batch_size'] = bs
    row['learning_rate'] = 0.001
    row['epochs'] = len(hist.history['loss'])
    row['test_accuracy'] = (score := model.evaluate(Xts_scale, yts, verbose=0))[1]
    row['train_time'] = (stop - start) * 1e-9
    row['total_energy'] = np.nan
    metrics_vs_bs.append(row)

# %% bs-plots
plt.figure(figsize=(14, 4))
names = [str(m['batch_size']) for m in metrics_vs_bs]
for place, (key, label) in enumerate({'train_time': 'time to accuracy (s)', 'test_accuracy': 'test accuracy', 'epochs': 'epochs'}.items()):
    plt.subplot(131 + place)
    plt.bar(names, values := [m[key] for m in metrics_vs_bs])
    if key == 'test_accuracy':
        plt.ylim(min(values) - 0.01, max(values) + 0.01)
    plt.xlabel('batch size')
    plt.ylabel(label)
plt.tight_layout()
