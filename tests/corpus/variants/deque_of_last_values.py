# /// submission
# title = "A deque of the last values"
# style = "bounded deque with all(); model.predict and argmax; records from a DataFrame"
# ///

# %% callback
from collections import deque

class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.window = deque(maxlen=patience)

    def on_epoch_end(self, epoch, logs=None):
        self.window.append(logs['val_accuracy'] > self.threshold)
        if len(self.window) == self.window.maxlen and all(self.window):
            self.model.stop_training = True

# %% lr-loop
import pandas as pd

rows = pd.DataFrame(columns=['batch_size', 'learning_rate', 'epochs', 'test_accuracy', 'total_energy', 'train_time'], dtype=object)
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    monitor.begin_window('w')
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    w = monitor.end_window('w')
    y_hat = np.argmax(model.predict(Xts_scale, verbose=0), axis=1)
    rows.loc[len(rows)] = [128, lr, len(hist.history['loss']), np.mean(y_hat == yts), w.total_energy, w.time]
metrics_vs_lr = rows.to_dict('records')

# %% lr-plots
df = pd.DataFrame(metrics_vs_lr)
x = df.learning_rate.astype(str)
fig = plt.figure(figsize=(20, 4))
for i, (col, label) in enumerate([('train_time', 'time to accuracy (s)'), ('total_energy', 'energy to accuracy (J)'),
                                  ('test_accuracy', 'test accuracy'), ('epochs', 'epochs')]):
    ax = fig.add_subplot(1, 4, i + 1)
    sns.barplot(x=x, y=df[col].astype(float), ax=ax, color='steelblue')
    if col == 'test_accuracy':
        ax.set_ylim(df[col].min() - 0.01, df[col].max() + 0.01)
    ax.set_xlabel('learning rate')
    ax.set_ylabel(label)
fig.tight_layout()

# %% bs-loop
rows = pd.DataFrame(columns=['batch_size', 'learning_rate', 'epochs', 'test_accuracy', 'total_energy', 'train_time'], dtype=object)
for bs in [64, 128, 256, 512, 1024, 2048]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    monitor.begin_window('w')
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    w = monitor.end_window('w')
    y_hat = np.argmax(model.predict(Xts_scale, verbose=0), axis=1)
    rows.loc[len(rows)] = [bs, 0.001, len(hist.history['loss']), np.mean(y_hat == yts), w.total_energy, w.time]
metrics_vs_bs = rows.to_dict('records')

# %% bs-plots
df = pd.DataFrame(metrics_vs_bs)
x = df.batch_size.astype(str)
fig = plt.figure(figsize=(20, 4))
for i, (col, label) in enumerate([('train_time', 'time to accuracy (s)'), ('total_energy', 'energy to accuracy (J)'),
                                  ('test_accuracy', 'test accuracy'), ('epochs', 'epochs')]):
    ax = fig.add_subplot(1, 4, i + 1)
    sns.barplot(x=x, y=df[col].astype(float), ax=ax, color='steelblue')
    if col == 'test_accuracy':
        ax.set_ylim(df[col].min() - 0.01, df[col].max() + 0.01)
    ax.set_xlabel('batch size')
    ax.set_ylabel(label)
fig.tight_layout()
