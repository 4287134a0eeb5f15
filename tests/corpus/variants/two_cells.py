# /// submission
# title = "Trains in one cell, evaluates in the next"
# style = "models, histories and measurements kept in lists; the patience of 3 is the default; rows made in an inserted cell"
# ///

# %% lr-loop
lrs = [0.0001, 0.001, 0.01, 0.1, 1.0]
models, histories, measurements = [], [], []
for lr in lrs:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    monitor.begin_window('fit')
    histories.append(model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0,
                               callbacks=[TrainToAccuracy(threshold=0.95)]))
    measurements.append(monitor.end_window('fit'))
    models.append(model)

# %% and now the test set after="lr-loop"
metrics_vs_lr = []
for lr, model, hist, meas in zip(lrs, models, histories, measurements):
    loss, acc = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_lr.append({'batch_size': 128, 'learning_rate': lr, 'epochs': len(hist.history['loss']), 'test_accuracy': acc,
                          'total_energy': meas.total_energy, 'train_time': meas.time})
metrics_vs_lr

# %% bs-loop
bss = [64, 128, 256, 512, 1024, 2048]
models, histories, measurements = [], [], []
for bs in bss:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    monitor.begin_window('fit')
    histories.append(model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0,
                               callbacks=[TrainToAccuracy(threshold=0.95)]))
    measurements.append(monitor.end_window('fit'))
    models.append(model)

# %% and now the test set after="bs-loop"
metrics_vs_bs = []
for bs, model, hist, meas in zip(bss, models, histories, measurements):
    loss, acc = model.evaluate(Xts_scale, yts, verbose=0)
    metrics_vs_bs.append({'batch_size': bs, 'learning_rate': 0.001, 'epochs': len(hist.history['loss']), 'test_accuracy': acc,
                          'total_energy': meas.total_energy, 'train_time': meas.time})
metrics_vs_bs
