# /// submission
# title = "A class that runs the experiments"
# style = "methods, generator, while loop; EpochCounter inside the stopper"
# ///

# %% callback
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.run = 0
        self.epochs_seen = 0

    def is_hit(self, logs):
        return logs["val_accuracy"] > self.threshold

    def on_epoch_end(self, epoch, logs=None):
        self.epochs_seen += 1
        if not self.is_hit(logs):
            self.run = 0
            return
        self.run += 1
        if self.run < self.patience:
            return
        self.model.stop_training = True

# %% lr-loop
class Experiment:
    def __init__(self, lr, bs):
        self.lr, self.bs = lr, bs
        self.model = get_model()
        self.model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
        self.stopper = TrainToAccuracy(threshold=0.95, patience=3)

    def train(self):
        monitor.begin_window('experiment')
        self.model.fit(Xtr_scale, ytr, batch_size=self.bs, epochs=500, validation_split=0.2, callbacks=[self.stopper], verbose=0)
        self.cost = monitor.end_window('experiment')
        return self

    def result(self):
        _, acc = self.model.evaluate(Xts_scale, yts, verbose=0)
        return {'batch_size': self.bs, 'learning_rate': self.lr, 'epochs': self.stopper.epochs_seen, 'test_accuracy': acc,
                'total_energy': self.cost.total_energy, 'train_time': self.cost.time}


def results(settings):
    for lr, bs in settings:
        yield Experiment(lr, bs).train().result()


metrics_vs_lr = list(results((lr, 128) for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]))

# %% bs-loop
metrics_vs_bs = []
bs = 64
while bs <= 2048:
    metrics_vs_bs.append(Experiment(0.001, bs).train().result())
    bs *= 2
