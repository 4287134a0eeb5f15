# /// submission
# title = "Keyword dictionaries"
# style = "compile and fit arguments in dicts; itertools.product; dict union; batch size loop relies on Adam's default rate"
# ///

# %% lr-loop
from itertools import product

fit_args = dict(x=Xtr_scale, y=ytr, epochs=500, validation_split=0.2, verbose=0)
metrics_vs_lr = []
for setting in [dict(learning_rate=lr, batch_size=bs) for lr, bs in product([0.0001, 0.001, 0.01, 0.1, 1.0], [128])]:
    model = get_model()
    model.compile(optimizer=optimizers.Adam(**{k: v for k, v in setting.items() if k == "learning_rate"}),
                  loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    cb = TrainToAccuracy(**dict(threshold=0.95, patience=3))
    monitor.begin_window("fit")
    model.fit(**fit_args, batch_size=setting["batch_size"], callbacks=[cb])
    m = monitor.end_window("fit")
    result = model.evaluate(Xts_scale, yts, verbose=0, return_dict=True)
    metrics_vs_lr.append(setting | {"epochs": len(model.history.epoch), "test_accuracy": result["accuracy"]}
                         | {"train_time": m.time, "total_energy": m.total_energy})

# %% bs-loop
metrics_vs_bs = []
for bs in [64, 128, 256, 512, 1024, 2048]:
    model = get_model()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    cb = TrainToAccuracy(**dict(threshold=0.95, patience=3))
    monitor.begin_window("fit")
    model.fit(**fit_args, batch_size=bs, callbacks=[cb])
    m = monitor.end_window("fit")
    result = model.evaluate(Xts_scale, yts, verbose=0, return_dict=True)
    metrics_vs_bs.append({"learning_rate": 0.001, "batch_size": bs} | {"epochs": len(model.history.epoch), "test_accuracy": result["accuracy"]}
                         | {"train_time": m.time, "total_energy": m.total_energy})
