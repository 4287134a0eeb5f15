# /// submission
# title = "A careful beginner with a laptop without a graphics card, who checks every step by printing it"
# style = "long-winded: both loops and both figures written out and copied, clock only, energy always None, many prints, counter reset when training ends"
# expected = "all points"
# ///

# %% data-details
# the shape of the training data is (number of notes, number of features)
print("shape of the training data:", Xtr_scale.shape)
print("shape of the training labels:", ytr.shape)
print("shape of the test data:", Xts_scale.shape)
print("shape of the test labels:", yts.shape)

n_tr = Xtr_scale.shape[0]
n_ts = Xts_scale.shape[0]
n_feat = Xtr_scale.shape[1]

# every different label is one instrument
different_labels = np.unique(ytr)
print("the labels are:", different_labels)
n_class = len(different_labels)

# %% callback
class TrainToAccuracy(callbacks.Callback):
    """Stops training after `patience` epochs in a row with a validation accuracy above `threshold`."""

    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        # remember the two settings
        self.threshold = threshold
        self.patience = patience
        # how many good epochs in a row we have seen so far
        self.good_epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        # get the validation accuracy of this epoch (NOT the training accuracy)
        val_accuracy = logs["val_accuracy"]

        if val_accuracy > self.threshold:
            # one more good epoch
            self.good_epochs = self.good_epochs + 1
        else:
            # the row is broken, start again
            self.good_epochs = 0

        if self.good_epochs >= self.patience:
            print("Target reached, stopping after epoch", epoch + 1)
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        # so that the callback can be used again
        self.good_epochs = 0

# %% lr-loop
metrics_vs_lr = []

for learning_rate in LEARNING_RATES:
    print("----------------------------------------")
    print("Now training with learning rate", learning_rate)

    # Step 1: a new model for this learning rate
    model = get_model()
    optimizer = optimizers.Adam(learning_rate=learning_rate)
    loss = tf.keras.losses.SparseCategoricalCrossentropy()
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])

    # a new callback too
    stop_callback = TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)

    # Step 2: fit, with the clock read right before and right after
    start_time = time.perf_counter()
    history = model.fit(
        Xtr_scale,
        ytr,
        epochs=MAX_EPOCHS,
        batch_size=DEFAULT_BATCH_SIZE,
        validation_split=0.2,
        callbacks=[stop_callback],
        verbose=0,
    )
    end_time = time.perf_counter()
    train_time = end_time - start_time

    # how many epochs did it take?
    number_of_epochs = len(history.history["val_accuracy"])
    print("epochs:", number_of_epochs)
    print("seconds:", train_time)
    print("last validation accuracy:", history.history["val_accuracy"][-1])

    # Step 3: evaluate on the test data
    test_loss, test_accuracy = model.evaluate(Xts_scale, yts, verbose=0)
    print("test accuracy:", test_accuracy)

    # Step 4: save everything in a dictionary
    result = {}
    result["batch_size"] = DEFAULT_BATCH_SIZE
    result["learning_rate"] = learning_rate
    result["epochs"] = number_of_epochs
    result["test_accuracy"] = test_accuracy
    result["train_time"] = train_time
    result["total_energy"] = None  # my laptop has no GPU
    metrics_vs_lr.append(result)

print("----------------------------------------")
print("Done! Number of results:", len(metrics_vs_lr))

# %% lr-plots
# collect the values in lists
names = []
times = []
accuracies = []
epoch_numbers = []
colors = []
for result in metrics_vs_lr:
    names.append(str(result["learning_rate"]))
    times.append(result["train_time"])
    accuracies.append(result["test_accuracy"])
    epoch_numbers.append(result["epochs"])
    # red bars have not reached the target
    if result["epochs"] >= MAX_EPOCHS:
        colors.append("tab:red")
    else:
        colors.append("tab:blue")

print("times:", times)
print("accuracies:", accuracies)
print("epochs:", epoch_numbers)

plt.figure(figsize=(15, 4))

plt.subplot(1, 3, 1)
plt.bar(names, times, color=colors)
plt.xlabel("Learning rate")
plt.ylabel("Time to accuracy (s)")
plt.title("Time to accuracy")

plt.subplot(1, 3, 2)
plt.bar(names, accuracies, color=colors)
plt.xlabel("Learning rate")
plt.ylabel("Test accuracy")
plt.title("Test accuracy")
# zoom in, otherwise all the bars look the same
lowest = min(accuracies)
highest = max(accuracies)
space = 0.2 * (highest - lowest) + 0.001
plt.ylim(lowest - space, highest + space)

plt.subplot(1, 3, 3)
plt.bar(names, epoch_numbers, color=colors)
plt.xlabel("Learning rate")
plt.ylabel("Number of epochs")
plt.title("Number of epochs")

plt.suptitle("Effect of the learning rate (red = target not reached in " + str(MAX_EPOCHS) + " epochs)")
plt.tight_layout()
plt.show()

# %% lr-comment [markdown]
# The number of epochs is large at the smallest learning rate (10 epochs at 0.0001), then it falls to 3 epochs at 0.001 and 0.01, and then it grows again: 5 epochs at 0.1 and 69 epochs at 1.0. No bar is red, so every model reached the target in the end.
#
# The time to accuracy looks nearly the same as the number of epochs (4.9 s, 2.0 s, 1.9 s, 2.6 s, 35 s). I think this is because one epoch costs about the same with every learning rate: the amount of calculation does not change. I have no GPU, so I did not measure the energy.
#
# The test accuracy is highest in the middle (0.986 at 0.001 and 0.997 at 0.01) and lower at both ends (0.965 at 0.0001 and 0.950 at 1.0).
#
# Why: with a very small learning rate every step is tiny, so it takes many steps to get there, and training stops when the model is only just above 0.95. With a very big learning rate the steps jump over the minimum and the accuracy goes up and down, so three good epochs in a row are rare. In the middle the model is already far above 0.95 after three epochs, and three is the smallest possible number because of the patience.

# %% bs-loop
metrics_vs_bs = []

for batch_size in BATCH_SIZES:
    print("----------------------------------------")
    print("Now training with batch size", batch_size)

    # Step 1: a new model for this batch size
    model = get_model()
    optimizer = optimizers.Adam(learning_rate=DEFAULT_LEARNING_RATE)
    loss = tf.keras.losses.SparseCategoricalCrossentropy()
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])

    # a new callback too
    stop_callback = TrainToAccuracy(threshold=THRESHOLD, patience=PATIENCE)

    # Step 2: fit, with the clock read right before and right after
    start_time = time.perf_counter()
    history = model.fit(
        Xtr_scale,
        ytr,
        epochs=MAX_EPOCHS,
        batch_size=batch_size,
        validation_split=0.2,
        callbacks=[stop_callback],
        verbose=0,
    )
    end_time = time.perf_counter()
    train_time = end_time - start_time

    # how many epochs did it take?
    number_of_epochs = len(history.history["val_accuracy"])
    print("epochs:", number_of_epochs)
    print("seconds:", train_time)
    print("seconds per epoch:", train_time / number_of_epochs)
    print("last validation accuracy:", history.history["val_accuracy"][-1])

    # Step 3: evaluate on the test data
    test_loss, test_accuracy = model.evaluate(Xts_scale, yts, verbose=0)
    print("test accuracy:", test_accuracy)

    # Step 4: save everything in a dictionary
    result = {}
    result["batch_size"] = batch_size
    result["learning_rate"] = DEFAULT_LEARNING_RATE
    result["epochs"] = number_of_epochs
    result["test_accuracy"] = test_accuracy
    result["train_time"] = train_time
    result["total_energy"] = None  # my laptop has no GPU
    metrics_vs_bs.append(result)

print("----------------------------------------")
print("Done! Number of results:", len(metrics_vs_bs))

# %% bs-plots
# collect the values in lists (same as for the learning rate)
names = []
times = []
accuracies = []
epoch_numbers = []
colors = []
for result in metrics_vs_bs:
    names.append(str(result["batch_size"]))
    times.append(result["train_time"])
    accuracies.append(result["test_accuracy"])
    epoch_numbers.append(result["epochs"])
    # red bars have not reached the target
    if result["epochs"] >= MAX_EPOCHS:
        colors.append("tab:red")
    else:
        colors.append("tab:blue")

print("times:", times)
print("accuracies:", accuracies)
print("epochs:", epoch_numbers)

plt.figure(figsize=(15, 4))

plt.subplot(1, 3, 1)
plt.bar(names, times, color=colors)
plt.xlabel("Batch size")
plt.ylabel("Time to accuracy (s)")
plt.title("Time to accuracy")

plt.subplot(1, 3, 2)
plt.bar(names, accuracies, color=colors)
plt.xlabel("Batch size")
plt.ylabel("Test accuracy")
plt.title("Test accuracy")
# zoom in, otherwise all the bars look the same
lowest = min(accuracies)
highest = max(accuracies)
space = 0.2 * (highest - lowest) + 0.001
plt.ylim(lowest - space, highest + space)

plt.subplot(1, 3, 3)
plt.bar(names, epoch_numbers, color=colors)
plt.xlabel("Batch size")
plt.ylabel("Number of epochs")
plt.title("Number of epochs")

plt.suptitle("Effect of the batch size (red = target not reached in " + str(MAX_EPOCHS) + " epochs)")
plt.tight_layout()
plt.show()

# %% bs-comment [markdown]
# The number of epochs grows with the batch size: 3 at 64 and 128, then 4, 5, 7 and 11 at 2048. A bigger batch means fewer updates of the weights in one epoch, so more epochs are needed.
#
# The time to accuracy first falls, from 3.4 s at 64 to about 1.4 s at 256, 512 and 1024, and then rises a bit to 1.8 s at 2048.
#
# The time per epoch (I printed it in the loop) falls all the time: 1.14 s, 0.56 s, 0.36 s, 0.27 s, 0.20 s, 0.17 s. At first doubling the batch size halves the time, because there are half as many steps and each step has a fixed cost. Later it falls less, because then the calculation itself takes the time.
#
# So the two parts work against each other: more epochs but cheaper epochs. In the middle the product is smallest. Energy was not measured, because my laptop has no GPU.
#
# The test accuracy falls with the batch size, from 0.991 at 64 to 0.964 at 2048. The models with big batches learn slowly and are stopped when they are only just above the threshold.
