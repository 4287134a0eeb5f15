# /// submission
# title = "Complete, downloaded from a hosted service"
# style = "all nbgrader metadata lost; a function called in a list comprehension; code for both runtimes"
# transforms = ["outputs kept", "hosted notebook"]
# ///

# %% data-details
n_tr, n_feat = Xtr_scale.shape
n_ts, _ = Xts_scale.shape
n_class = np.unique(ytr).shape[0]

# %% callback
class TrainToAccuracy(callbacks.Callback):
  def __init__(self, threshold=0.9, patience=3):
    super().__init__()
    self.threshold = threshold
    self.patience = patience
    self.streak = 0

  def on_epoch_end(self, epoch, logs=None):
    val_acc = logs.get('val_accuracy')
    self.streak = self.streak + 1 if val_acc is not None and val_acc > self.threshold else 0
    if self.streak >= self.patience:
      print(f'\nReached {self.threshold:.0%} for {self.patience} epochs, stopping.')
      self.model.stop_training = True

# %% lr-loop
def run(lr, bs):
  model = get_model()
  model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss=tf.keras.losses.SparseCategoricalCrossentropy(), metrics=['accuracy'])
  cb = TrainToAccuracy(threshold=0.95, patience=3)
  if monitor is not None:
    monitor.begin_window('run', sync_execution=False)
  t0 = time.time()
  hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, callbacks=[cb], verbose=0)
  seconds, joules = time.time() - t0, None
  if monitor is not None:
    m = monitor.end_window('run', sync_execution=False)
    seconds, joules = m.time, m.total_energy
  return {'batch_size': bs, 'learning_rate': lr, 'epochs': len(hist.history['loss']),
          'test_accuracy': model.evaluate(Xts_scale, yts, verbose=0, return_dict=True)['accuracy'],
          'train_time': seconds, 'total_energy': joules}

metrics_vs_lr = [run(lr, 128) for lr in LEARNING_RATES]

# %% results so far after="lr-loop"
import pandas as pd
pd.DataFrame(metrics_vs_lr)

# %% lr-plots
def show(metrics, key, name):
  df = pd.DataFrame(metrics)
  columns = {'train_time': 'Time to accuracy (s)', 'total_energy': 'Energy to accuracy (J)', 'test_accuracy': 'Test accuracy', 'epochs': 'Epochs'}
  if df['total_energy'].isna().all():
    columns.pop('total_energy')
  fig, axes = plt.subplots(1, len(columns), figsize=(4.5 * len(columns), 4))
  for ax, (column, label) in zip(axes, columns.items()):
    sns.barplot(data=df, x=key, y=column, ax=ax)
    ax.set(xlabel=name, ylabel=label)
    if column == 'test_accuracy':
      ax.set_ylim(df[column].min() - 0.01, df[column].max() + 0.01)
  plt.tight_layout()
  plt.show()

show(metrics_vs_lr, 'learning_rate', 'Learning rate')

# %% lr-comment [markdown]
# The curve of time, energy and epochs is a valley: slow for 0.0001, fast for 0.001 to 0.1, very slow for 1.0, where every step
# is too long and the accuracy never stays above the target. The best test accuracy is in the valley, too.

# %% bs-loop
metrics_vs_bs = [run(0.001, bs) for bs in BATCH_SIZES]

# %% bs-plots
show(metrics_vs_bs, 'batch_size', 'Batch size')

# %% bs-comment [markdown]
# Epochs rise from 3 to 9, while the time and the energy of one epoch shrink, strongly at first. So the totals go down until 512 and are
# flat from there. There is no clear effect on the test accuracy.
