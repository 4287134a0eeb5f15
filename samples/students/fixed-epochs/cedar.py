# /// submission
# title = "Trains half of the epochs, and counts them from 0"
# style = "the labels of the lines are missing"
# ///

# %% data-details
n_tr, n_feat = Xtr_scale.shape
n_ts = len(yts)
n_class = len(np.unique(ytr))

# %% training
model = get_model()
model.compile(
    optimizer=optimizers.Adam(LEARNING_RATE),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(),
    metrics=["accuracy"],
)
total_energy = None
if monitor:
    monitor.begin_window("fit")
start = time.perf_counter()
history = model.fit(
    Xtr_scale, ytr, epochs=EPOCHS // 2, batch_size=BATCH_SIZE, validation_split=VALIDATION_SPLIT, verbose=0
)
train_time = time.perf_counter() - start
if monitor:
    measured = monitor.end_window("fit")
    train_time, total_energy = measured.time, measured.total_energy

# %% record
history_rows = [
    {"epoch": number, "accuracy": train, "val_accuracy": validation}
    for number, (train, validation) in enumerate(zip(history.history["accuracy"], history.history["val_accuracy"]))
]
summary = {"epochs": len(history_rows), "train_time": train_time, "total_energy": total_energy}

# %% plot
epochs = [row["epoch"] for row in history_rows]
plt.plot(epochs, [row["accuracy"] for row in history_rows])
plt.plot(epochs, [row["val_accuracy"] for row in history_rows])
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.show()

# %% comment [markdown]
# Both accuracies rise steeply in the first epochs and hardly change after about twelve, so the last epochs buy little for
# their time. The training accuracy ends above the validation accuracy: the model begins to overfit.
