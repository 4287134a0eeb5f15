# /// submission
# title = "range(len(...)), monotonic clock, bars set by position"
# style = "arrays filled by index, then put together; CPU runtime"
# ///

# %% data-details
n_tr = Xtr_scale.shape[0]
n_ts = Xts_scale.shape[0]
n_feat = Xtr_scale.shape[1]
n_class = np.unique(ytr).size

# %% lr-loop
learning_rates = np.logspace(-4, 0, 5)
batch_size = 128
epochs = np.zeros(len(learning_rates), dtype=int)
times = np.zeros(len(learning_rates))
accs = np.zeros(len(learning_rates))
for i in range(len(learning_rates)):
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=learning_rates[i]), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    t1 = time.monotonic()
    hist = model.fit(Xtr_scale, ytr, batch_size=batch_size, epochs=500, verbose=0, validation_split=0.2,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    t2 = time.monotonic()
    times[i] = t2 - t1
    epochs[i] = len(hist.history['accuracy'])
    accs[i] = model.evaluate(Xts_scale, yts, verbose=0)[1]

metrics_vs_lr = []
for i in range(len(learning_rates)):
    metrics_vs_lr.append({'batch_size': batch_size, 'learning_rate': learning_rates[i], 'epochs': epochs[i],
                          'test_accuracy': accs[i], 'train_time': times[i]})

# %% lr-plots
pos = np.arange(len(metrics_vs_lr))
fig, ax = plt.subplots(3, 1, figsize=(6, 12))
ax[0].bar(pos, times, width=0.6)
ax[0].set_ylabel('time to accuracy, seconds')
ax[1].bar(pos, accs, width=0.6, color='green')
ax[1].set_ylabel('test accuracy')
ax[1].set_ylim([accs.min() - 0.01, accs.max() + 0.01])
ax[2].bar(pos, epochs, width=0.6, color='orange')
ax[2].set_ylabel('epochs')
for a in ax:
    a.set_xticks(pos)
    a.set_xticklabels(learning_rates)
    a.set_xlabel('learning rate')
plt.show()

# %% bs-loop
batch_sizes = [2**k for k in range(6, 12)]
lr = 0.001
epochs = np.zeros(len(batch_sizes), dtype=int)
times = np.zeros(len(batch_sizes))
accs = np.zeros(len(batch_sizes))
for i in range(len(batch_sizes)):
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    t1 = time.monotonic()
    hist = model.fit(Xtr_scale, ytr, batch_size=batch_sizes[i], epochs=500, verbose=0, validation_split=0.2,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    t2 = time.monotonic()
    times[i] = t2 - t1
    epochs[i] = len(hist.history['accuracy'])
    accs[i] = model.evaluate(Xts_scale, yts, verbose=0)[1]

metrics_vs_bs = []
for i in range(len(batch_sizes)):
    metrics_vs_bs.append({'batch_size': batch_sizes[i], 'learning_rate': lr, 'epochs': epochs[i],
                          'test_accuracy': accs[i], 'train_time': times[i]})

# %% bs-plots
pos = np.arange(len(metrics_vs_bs))
fig, ax = plt.subplots(3, 1, figsize=(6, 12))
ax[0].bar(pos, times, width=0.6)
ax[0].set_ylabel('time to accuracy, seconds')
ax[1].bar(pos, accs, width=0.6, color='green')
ax[1].set_ylabel('test accuracy')
ax[1].set_ylim([accs.min() - 0.01, accs.max() + 0.01])
ax[2].bar(pos, epochs, width=0.6, color='orange')
ax[2].set_ylabel('epochs')
for a in ax:
    a.set_xticks(pos)
    a.set_xticklabels(batch_sizes)
    a.set_xlabel('batch size')
plt.show()
