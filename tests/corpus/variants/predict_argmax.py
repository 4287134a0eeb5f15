# /// submission
# title = "Predicts the classes of the test set and counts the hits"
# style = "predict and argmax with scikit-learn's accuracy_score; epochs counted by a second callback"
# ///

# %% lr-loop
from sklearn.metrics import accuracy_score


class EpochCounter(callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.count = 0

    def on_epoch_end(self, epoch, logs=None):
        self.count += 1


metrics_vs_lr = []
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    model = get_model(num_units=256)
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=False),
                  metrics=['accuracy'])
    counter = EpochCounter()
    monitor.begin_window('fit')
    model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0,
              callbacks=[TrainToAccuracy(threshold=0.95, patience=3), counter])
    used = monitor.end_window('fit')
    probabilities = model.predict(Xts_scale)
    metrics_vs_lr.append({'batch_size': 128, 'learning_rate': lr, 'epochs': counter.count,
                          'test_accuracy': accuracy_score(yts, probabilities.argmax(axis=-1)),
                          'total_energy': used.total_energy, 'train_time': used.time})

# %% bs-loop
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    model = get_model(num_units=256)
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=False),
                  metrics=['accuracy'])
    counter = EpochCounter()
    monitor.begin_window('fit')
    model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0,
              callbacks=[TrainToAccuracy(threshold=0.95, patience=3), counter])
    used = monitor.end_window('fit')
    y_hat = tf.argmax(model(Xts_scale), axis=1)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(y_hat, yts), tf.float32))
    metrics_vs_bs.append({'batch_size': bs, 'learning_rate': 0.001, 'epochs': counter.count,
                          'test_accuracy': accuracy.numpy(),
                          'total_energy': used.total_energy, 'train_time': used.time})
