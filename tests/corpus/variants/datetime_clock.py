# /// submission
# title = "CPU runtime, times from datetime"
# style = "datetime.now differences; collects columns first and zips them to rows"
# ///

# %% lr-loop
from datetime import datetime

rates = [0.0001, 0.001, 0.01, 0.1, 1.0]
n_epochs, seconds, test_accs = [], [], []
for rate in rates:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=rate), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    before = datetime.now()
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    after = datetime.now()
    seconds.append((after - before).total_seconds())
    n_epochs.append(len(hist.history['loss']))
    test_accs.append(model.evaluate(Xts_scale, yts, verbose=0)[1])

keys = ['batch_size', 'learning_rate', 'epochs', 'test_accuracy', 'train_time']
metrics_vs_lr = [dict(zip(keys, row)) for row in zip([128] * 5, rates, n_epochs, test_accs, seconds)]

# %% lr-plots
fig, (ax1, ax2, ax3) = plt.subplots(1, 3, figsize=(15, 4))
labels = [str(r) for r in rates]
ax1.bar(labels, seconds); ax1.set_xlabel('learning rate'); ax1.set_ylabel('time to accuracy (s)')
ax2.bar(labels, test_accs); ax2.set_xlabel('learning rate'); ax2.set_ylabel('test accuracy')
ax2.set_ylim(min(test_accs) - 0.005, max(test_accs) + 0.005)
ax3.bar(labels, n_epochs); ax3.set_xlabel('learning rate'); ax3.set_ylabel('epochs')
plt.tight_layout(); plt.show()

# %% bs-loop
sizes = [64, 128, 256, 512, 1024, 2048]
n_epochs, seconds, test_accs = [], [], []
for size in sizes:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    before = datetime.now()
    hist = model.fit(Xtr_scale, ytr, batch_size=size, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    after = datetime.now()
    seconds.append((after - before).total_seconds())
    n_epochs.append(len(hist.history['loss']))
    test_accs.append(model.evaluate(Xts_scale, yts, verbose=0)[1])

metrics_vs_bs = [dict(zip(keys, row)) for row in zip(sizes, [0.001] * 6, n_epochs, test_accs, seconds)]

# %% bs-plots
fig, (ax1, ax2, ax3) = plt.subplots(1, 3, figsize=(15, 4))
labels = [str(s) for s in sizes]
ax1.bar(labels, seconds); ax1.set_xlabel('batch size'); ax1.set_ylabel('time to accuracy (s)')
ax2.bar(labels, test_accs); ax2.set_xlabel('batch size'); ax2.set_ylabel('test accuracy')
ax2.set_ylim(min(test_accs) - 0.005, max(test_accs) + 0.005)
ax3.bar(labels, n_epochs); ax3.set_xlabel('batch size'); ax3.set_ylabel('epochs')
plt.tight_layout(); plt.show()
