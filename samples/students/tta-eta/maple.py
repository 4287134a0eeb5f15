# /// submission
# title = "A loop that never ends"
# style = "the index of the while loop is not moved on in the second loop; no callback was written"
# ///

# %% data-details
n_tr, n_feat = Xtr_scale.shape
n_ts = Xts_scale.shape[0]
n_class = len(np.unique(ytr))

# %% callback
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience

    def on_epoch_end(self, epoch, logs=None):
        # stop when the accuracy is high enough
        if logs['val_accuracy'] > self.threshold:
            self.model.stop_training = True

# %% lr-loop
metrics_vs_lr = []
i = 0
while i < len(LEARNING_RATES):
    lr = LEARNING_RATES[i]
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    t0 = time.perf_counter()
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0, callbacks=[TrainToAccuracy(0.95, 3)])
    t1 = time.perf_counter()
    acc = model.evaluate(Xts_scale, yts, verbose=0)[1]
    metrics_vs_lr.append({'batch_size': 128, 'learning_rate': lr, 'epochs': len(hist.epoch), 'test_accuracy': acc, 'train_time': t1 - t0, 'total_energy': None})
    i += 1

# %% lr-plots
x = [str(m['learning_rate']) for m in metrics_vs_lr]
fig, ax = plt.subplots(1, 3, figsize=(15, 4))
ax[0].bar(x, [m['train_time'] for m in metrics_vs_lr]); ax[0].set(xlabel='learning rate', ylabel='time (s)')
ax[1].bar(x, [m['test_accuracy'] for m in metrics_vs_lr]); ax[1].set(xlabel='learning rate', ylabel='test accuracy', ylim=(0.9, 1))
ax[2].bar(x, [m['epochs'] for m in metrics_vs_lr]); ax[2].set(xlabel='learning rate', ylabel='epochs')
plt.show()

# %% lr-comment [markdown]
# The higher the learning rate the fewer epochs, except for 1.0.

# %% bs-loop
metrics_vs_bs = []
i = 0
while i < len(BATCH_SIZES):
    bs = BATCH_SIZES[i]
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    t0 = time.perf_counter()
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0, callbacks=[TrainToAccuracy(0.95, 3)])
    t1 = time.perf_counter()
    acc = model.evaluate(Xts_scale, yts, verbose=0)[1]
    metrics_vs_bs.append({'batch_size': bs, 'learning_rate': 0.001, 'epochs': len(hist.epoch), 'test_accuracy': acc, 'train_time': t1 - t0, 'total_energy': None})

# %% bs-plots
x = [str(m['batch_size']) for m in metrics_vs_bs]
fig, ax = plt.subplots(1, 3, figsize=(15, 4))
ax[0].bar(x, [m['train_time'] for m in metrics_vs_bs]); ax[0].set(xlabel='batch size', ylabel='time (s)')
ax[1].bar(x, [m['test_accuracy'] for m in metrics_vs_bs]); ax[1].set(xlabel='batch size', ylabel='test accuracy', ylim=(0.9, 1))
ax[2].bar(x, [m['epochs'] for m in metrics_vs_bs]); ax[2].set(xlabel='batch size', ylabel='epochs')
plt.show()

# %% bs-comment [markdown]
# My computer did not get to the end of the loop.
