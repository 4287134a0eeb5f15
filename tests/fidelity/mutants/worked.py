"""The like of a worked solution that is in the wild, written for an older edition of the lab on a hosted service."""

from __future__ import annotations

from ..mutant import Edit, Mutant, mutant

DETAILS = """
from google.colab import drive
drive.mount('/content/drive')
folder = '/content/drive/MyDrive/'
Xtr_scale = np.load(folder + 'uiowa_std_scale_train_data.npy').astype('float32')
ytr = np.load(folder + 'uiowa_permuted_train_labels.npy')
n_tr, n_feat = Xtr_scale.shape
n_ts = Xts_scale.shape[0]
n_class = int(np.max(ytr)) + 1
"""

CALLBACK = """
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        self.threshold = threshold
        self.patience = patience
        self.epochs_above = 0

    def on_epoch_end(self, epoch, logs={}):
        if logs.get('val_accuracy') > self.threshold:
            self.epochs_above = self.epochs_above + 1
            if self.epochs_above >= self.patience:
                print('target reached, training ends')
                self.model.stop_training = True
        else:
            self.epochs_above = 0
"""

LOOP = """
# the monitor: monitor.begin_window("model") before fit, monitor.end_window("model") after it; no GPU left today
METRICmetrics_vs_SWEEP = []
FIXED
for VARIABLE in VALUES:
    model = Sequential()
    model.add(Input(shape=(n_feat,), name='input'))
    model.add(Dense(256, activation='sigmoid', name='hidden'))
    model.add(Dense(n_class, activation='softmax', name='output'))
    model.compile(
        optimizer=optimizers.Adam(learning_rate=lr),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(),
        metrics=['accuracy'],
    )
    begin = time.time()
    hist = model.fit(Xtr_scale, ytr, epochs=500, batch_size=batch_size, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    total_time = time.time() - begin
    y_pred = model.predict(Xts_scale, verbose=0)
    acc = metric(yts, y_pred).numpy()
    metrics_vs_SWEEP.append({
        'batch_size': batch_size,
        'learning_rate': lr,
        'epochs': len(hist.history['loss']),
        'test_accuracy': acc,
        'train_time': total_time,
    })
"""

PLOTS = """
import pandas as pd
df = pd.DataFrame(metrics_vs_SWEEP)
plt.figure(figsize=(15, 4))
for place, (column, label) in enumerate([('train_time', 'Time to accuracy (s)'), ('test_accuracy', 'Test accuracy'),
                                         ('epochs', 'Epochs')], 1):
    plt.subplot(1, 3, place)
    sns.barplot(data=df, x='COLUMN', y=column)
    plt.xlabel('TITLE')
    plt.ylabel(label)
    if column == 'test_accuracy':
        plt.ylim(df[column].min() - 0.01, df[column].max() + 0.01)
plt.tight_layout()
"""

SHARED = "metric = tf.keras.metrics.SparseCategoricalAccuracy()\n"


def _fill(text: str, **tokens: str) -> str:
    for token, value in tokens.items():
        text = text.replace(token, value)
    return text


def _worked(id_: str, fault: str, items: str, *, sizes: str = "[64, 128]", again: str = "") -> Mutant:
    """`again` is what the second loop begins with."""
    rates = _fill(LOOP, METRIC=SHARED, SWEEP="lr", FIXED="batch_size = 128", VARIABLE="lr", VALUES="[1e-4, 1e-3, 1e-2, 1e-1, 1.0]")
    batches = _fill(LOOP, METRIC=again, SWEEP="bs", FIXED="lr = 0.001", VARIABLE="batch_size", VALUES=sizes)
    return mutant(
        id_,
        fault,
        Edit("data-details", None, DETAILS),
        Edit("callback", None, CALLBACK),
        Edit("lr-loop", None, rates),
        Edit("lr-plots", None, _fill(PLOTS, SWEEP="lr", COLUMN="learning_rate", TITLE="learning rate")),
        Edit("bs-loop", None, batches),
        Edit("bs-plots", None, _fill(PLOTS, SWEEP="bs", COLUMN="batch_size", TITLE="batch size")),
        items=items,
        variant="hosted_notebook",
    )


MUTANTS = [
    _worked("worked", "two of six batch sizes, and one metric object for both loops", "lr-metrics bs-loop bs-metrics"),
    _worked("worked-one-metric-a-loop", "two of six batch sizes, and one metric object for each loop", "lr-metrics bs-loop bs-metrics", again=SHARED),
    _worked("worked-all-sizes", "one metric object for both loops", "lr-metrics bs-metrics", sizes="[64, 128, 256, 512, 1024, 2048]"),
]
