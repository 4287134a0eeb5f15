# /// submission
# title = "pandas draws the bars"
# style = "DataFrame.plot.bar with subplots and a layout; the index is the swept value"
# ///

# %% lr-plots
import pandas as pd

df = pd.DataFrame(metrics_vs_lr).set_index("learning_rate")
df = df[["train_time", "total_energy", "test_accuracy", "epochs"]]
axes = df.plot.bar(subplots=True, layout=(1, 4), figsize=(18, 4), legend=False, title=[""] * 4, rot=45)[0]
for ax, label in zip(axes, ["Time to accuracy (s)", "Energy to accuracy (J)", "Test accuracy", "Epochs"]):
    ax.set_xlabel("Learning rate")
    ax.set_ylabel(label)
axes[2].set_ylim(df["test_accuracy"].min() - 0.01, df["test_accuracy"].max() + 0.01)
plt.tight_layout()

# %% bs-plots
df = pd.DataFrame(metrics_vs_bs).set_index("batch_size")
fig, axes = plt.subplots(2, 2, figsize=(12, 9))
for column, label, ax in zip(["train_time", "total_energy", "test_accuracy", "epochs"],
                             ["Time to accuracy (s)", "Energy to accuracy (J)", "Test accuracy", "Epochs"], axes.flat):
    df[column].plot(kind="bar", ax=ax, title=label, xlabel="Batch size", ylabel=label)
axes[1, 0].set_ylim(df["test_accuracy"].min() - 0.01, df["test_accuracy"].max() + 0.01)
plt.tight_layout()
