# /// submission
# title = "Did the batch sizes before the learning rates"
# style = "cells reordered; functional model, clone_model and from_config as ways to a new model"
# order = ["bs-loop", "bs-metrics", "bs-plots", "bs-comment", "lr-loop", "lr-metrics", "lr-plots", "lr-comment"]
# ///

# %% bs-loop
inputs = tf.keras.Input(shape=(n_feat,))
hidden = tf.keras.layers.Dense(256, activation="sigmoid")(inputs)
outputs = tf.keras.layers.Dense(n_class, activation="softmax")(hidden)
template = tf.keras.Model(inputs, outputs)

metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    model = tf.keras.models.clone_model(template)
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size=bs, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    used = monitor.end_window("fit")
    metrics_vs_bs.append({"batch_size": bs, "learning_rate": 0.001, "epochs": len(hist.history["loss"]),
                          "test_accuracy": model.evaluate(Xts_scale, yts, verbose=0)[1],
                          "total_energy": used.total_energy, "train_time": used.time})

# %% lr-loop
metrics_vs_lr = []
for lr in [0.0001, 0.001, 0.01, 0.1, 1.0]:
    inputs = Input((n_feat,))
    x = Dense(256, activation="sigmoid", name="hidden")(inputs)
    model = tf.keras.Model(inputs=inputs, outputs=Dense(n_class, activation="softmax", name="output")(x))
    model.compile(optimizer=optimizers.Adam(learning_rate=lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    monitor.begin_window("fit")
    hist = model.fit(Xtr_scale, ytr, batch_size=128, epochs=500, validation_split=0.2, verbose=0,
                     callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    used = monitor.end_window("fit")
    metrics_vs_lr.append({"batch_size": 128, "learning_rate": lr, "epochs": len(hist.history["loss"]),
                          "test_accuracy": model.evaluate(Xts_scale, yts, verbose=0)[1],
                          "total_energy": used.total_energy, "train_time": used.time})
