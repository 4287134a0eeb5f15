# /// submission
# title = "Half done"
# style = "sizes, callback and the first loop with its figure; the rest is as released"
# ///

# %% data-details
n_tr, n_feat = Xtr_scale.shape
n_ts = Xts_scale.shape[0]
n_class = len(set(ytr))

# %% callback
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.n = 0

    def on_epoch_end(self, epoch, logs=None):
        if logs['val_accuracy'] > self.threshold:
            self.n += 1
        else:
            self.n = 0
        if self.n == self.patience:
            self.model.stop_training = True

# %% lr-loop
metrics_vs_lr = []
for lr in LEARNING_RATES:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    start = time.perf_counter()
    hist = model.fit(Xtr_scale, ytr, batch_size=DEFAULT_BATCH_SIZE, epochs=MAX_EPOCHS, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)])
    stop = time.perf_counter()
    metrics_vs_lr.append({'batch_size': DEFAULT_BATCH_SIZE, 'learning_rate': lr, 'epochs': len(hist.epoch),
                          'test_accuracy': model.evaluate(Xts_scale, yts, verbose=0)[1],
                          'train_time': stop - start, 'total_energy': None})

# %% lr-plots
fig, ax = plt.subplots(1, 3, figsize=(15, 4))
for a, key in zip(ax, ['train_time', 'test_accuracy', 'epochs']):
    a.bar([str(m['learning_rate']) for m in metrics_vs_lr], [m[key] for m in metrics_vs_lr])
ax[1].set_ylim(0.9, 1)

# %% lr-comment [markdown]
# Not finished, sorry. The lr of 1.0 was the slowest.
