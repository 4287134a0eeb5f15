# /// submission
# title = "One callback instance for all trainings, reset in on_train_begin"
# style = "sharing the instance is right here, because every fit starts the count again"
# ///

# %% callback
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience

    def on_train_begin(self, logs=None):
        self.good_epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        if not logs or 'val_accuracy' not in logs:
            raise ValueError('TrainToAccuracy needs validation data')
        self.good_epochs = self.good_epochs + 1 if logs['val_accuracy'] > self.threshold else 0
        self.model.stop_training = self.good_epochs >= self.patience

# %% lr-loop
target = TrainToAccuracy(threshold=0.95, patience=3)
metrics_vs_lr = []
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    monitor.begin_window('one training')
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, callbacks=[target], verbose=0)
    m = monitor.end_window('one training')
    metrics_vs_lr.append({'batch_size': 128, 'learning_rate': lr, 'epochs': len(hist.history['loss']),
                          'test_accuracy': model.evaluate(Xts_scale, yts, verbose=0)[1],
                          'total_energy': m.total_energy, 'train_time': m.time})

# %% bs-loop
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    monitor.begin_window('one training')
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, callbacks=[target], verbose=0)
    m = monitor.end_window('one training')
    metrics_vs_bs.append({'batch_size': bs, 'learning_rate': 0.001, 'epochs': len(hist.history['loss']),
                          'test_accuracy': model.evaluate(Xts_scale, yts, verbose=0)[1],
                          'total_energy': m.total_energy, 'train_time': m.time})
