# /// submission
# title = "Helpers in a cell of their own"
# style = "inserted code and notes; the loops only call; enumerate and f-strings"
# ///

# %% what comes next [markdown] after="callback"
# ### Helpers
# Both loops do the same, so it is written once here.

# %% helpers after="callback"
def compiled_model(lr):
    m = get_model()
    m.compile(optimizer=optimizers.Adam(learning_rate=lr), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    return m

def fit_until_target(m, batch_size):
    monitor.begin_window('fit')
    hist = m.fit(Xtr_scale, ytr, batch_size=batch_size, epochs=500, validation_split=0.2, verbose=0,
                 callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    return hist, monitor.end_window('fit')

def row(m, hist, cost, lr, batch_size):
    return {'batch_size': batch_size, 'learning_rate': lr, 'epochs': len(hist.epoch),
            'test_accuracy': m.evaluate(Xts_scale, yts, verbose=0)[1],
            'total_energy': cost.total_energy, 'train_time': cost.time}

# %% just looking before="lr-loop"
print(Xtr_scale.dtype, ytr.dtype)
Xtr_scale[:2]

# %% lr-loop
learning_rates = [0.0001, 0.001, 0.01, 0.1, 1.0]
metrics_vs_lr = []
for i, lr in enumerate(learning_rates, start=1):
    print(f'{i}/{len(learning_rates)}: learning rate {lr}')
    model = compiled_model(lr)
    hist, cost = fit_until_target(model, 128)
    metrics_vs_lr.append(row(model, hist, cost, lr, 128))

# %% table after="lr-loop"
import pandas as pd
pd.DataFrame(metrics_vs_lr)

# %% bs-loop
batch_sizes = [64, 128, 256, 512, 1024, 2048]
metrics_vs_bs = []
for i, bs in enumerate(batch_sizes, start=1):
    print(f'{i}/{len(batch_sizes)}: batch size {bs}')
    model = compiled_model(0.001)
    hist, cost = fit_until_target(model, bs)
    metrics_vs_bs.append(row(model, hist, cost, 0.001, bs))

# %% table after="bs-loop"
pd.DataFrame(metrics_vs_bs)
