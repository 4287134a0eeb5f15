# /// submission
# title = "Copied into a new file, all metadata lost"
# style = "callback kept as a list of hits; instructions deleted, so that only code is left to find the tasks by"
# transforms = ["instructions deleted", "metadata lost", "cell ids lost"]
# ///

# %% callback
class TrainToAccuracy(callbacks.Callback):

    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold = threshold
        self.patience = patience
        self.last_miss = -1

    def on_epoch_end(self, epoch, logs=None):
        if not logs["val_accuracy"] > self.threshold:
            self.last_miss = epoch
        if epoch - self.last_miss >= self.patience:
            self.model.stop_training = True
