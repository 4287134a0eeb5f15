# /// submission
# title = "Submitted as the plain script that notebooks export"
# style = "`# In[ ]:` between the cells, markdown as comments, magics as get_ipython calls"
# file = "plain script"
# ///

# %% callback
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3, **kwargs):
        super().__init__(**kwargs)
        self.threshold = threshold
        self.patience = patience
        self.history_of_hits = ""

    def on_epoch_end(self, epoch, logs=None):
        self.history_of_hits += "+" if logs.get("val_accuracy", 0.0) > self.threshold else "-"
        if self.history_of_hits.endswith("+" * self.patience):
            print(f"\nepoch {epoch + 1}: {self.patience} in a row, stopping")
            self.model.stop_training = True
