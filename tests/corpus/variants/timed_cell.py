# /// submission
# title = "Cell magics and unrelated work in between"
# style = "%%time at the head of the loops; own imports repeated; exploratory plots and prints in extra cells"
# ///

# %% a histogram after="data-details"
plt.hist(ytr, bins=n_class)
plt.xlabel("instrument")
plt.show()

# %% lr-loop
# %%time
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.callbacks import Callback
from tensorflow.keras.optimizers import Adam

metrics_vs_lr = []
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    model = get_model()
    model.compile(optimizer=Adam(learning_rate=lr), loss=keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    measurement = monitor.end_window("fit")
    score = model.evaluate(Xts_scale, yts)
    print("test loss", score[0], "test accuracy", score[1])
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": lr, "epochs": len(hist.history["val_accuracy"]), "test_accuracy": score[1],
                          "total_energy": measurement.total_energy, "train_time": measurement.time})

# %% the last training after="lr-loop"
plt.plot(hist.history["val_accuracy"])
plt.axhline(0.95)
plt.show()

# %% bs-loop
# %%time
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    model = get_model()
    model.compile(optimizer=Adam(learning_rate=0.001), loss=keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    measurement = monitor.end_window("fit")
    score = model.evaluate(Xts_scale, yts)
    print("test loss", score[0], "test accuracy", score[1])
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": 0.001, "epochs": len(hist.history["val_accuracy"]), "test_accuracy": score[1],
                          "total_energy": measurement.total_energy, "train_time": measurement.time})
