# /// submission
# title = "The callback is a dataclass"
# style = "fields instead of __init__; a context manager for the clock; CPU runtime with perf_counter"
# ///

# %% callback
from dataclasses import dataclass, field

@dataclass(eq=False)
class TrainToAccuracy(callbacks.Callback):
    threshold: float = 0.9
    patience: int = 3
    values: list = field(default_factory=list)

    def __post_init__(self):
        super().__init__()

    def on_epoch_end(self, epoch, logs=None):
        self.values.append(logs['val_accuracy'])
        recent = np.array(self.values[-self.patience:])
        if recent.size == self.patience and np.all(recent > self.threshold):
            self.model.stop_training = True

# %% lr-loop
from contextlib import contextmanager

@contextmanager
def stopwatch(row):
    start = time.perf_counter()
    yield
    row['train_time'] = time.perf_counter() - start

metrics_vs_lr = []
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    row = dict(learning_rate=lr, batch_size=128)
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=row['learning_rate']), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    with stopwatch(row):
        hist = model.fit(Xtr_scale, ytr, batch_size=row['batch_size'], epochs=500, validation_split=0.2, verbose=0,
                         callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    row.update(epochs=len(hist.history['loss']), test_accuracy=model.evaluate(Xts_scale, yts, verbose=0)[1])
    metrics_vs_lr.append(row)

# %% lr-plots
fig, axes = plt.subplots(1, 3, figsize=(14, 4))
for ax, key in zip(axes, ['train_time', 'test_accuracy', 'epochs']):
    values = [r[key] for r in metrics_vs_lr]
    ax.bar(range(len(values)), values, tick_label=[r['learning_rate'] for r in metrics_vs_lr])
    ax.set(xlabel='learning rate', ylabel={'train_time': 'train time in s', 'test_accuracy': 'test accuracy', 'epochs': 'epochs'}[key])
axes[1].set_ylim(min(r['test_accuracy'] for r in metrics_vs_lr) - 0.01, max(r['test_accuracy'] for r in metrics_vs_lr) + 0.01)

# %% bs-loop
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    row = dict(learning_rate=0.001, batch_size=bs)
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=row['learning_rate']), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    with stopwatch(row):
        hist = model.fit(Xtr_scale, ytr, batch_size=row['batch_size'], epochs=500, validation_split=0.2, verbose=0,
                         callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    row.update(epochs=len(hist.history['loss']), test_accuracy=model.evaluate(Xts_scale, yts, verbose=0)[1])
    metrics_vs_bs.append(row)

# %% bs-plots
fig, axes = plt.subplots(1, 3, figsize=(14, 4))
for ax, key in zip(axes, ['train_time', 'test_accuracy', 'epochs']):
    values = [r[key] for r in metrics_vs_bs]
    ax.bar(range(len(values)), values, tick_label=[r['batch_size'] for r in metrics_vs_bs])
    ax.set(xlabel='batch size', ylabel={'train_time': 'train time in s', 'test_accuracy': 'test accuracy', 'epochs': 'epochs'}[key])
axes[1].set_ylim(min(r['test_accuracy'] for r in metrics_vs_bs) - 0.01, max(r['test_accuracy'] for r in metrics_vs_bs) + 0.01)
