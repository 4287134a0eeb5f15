# /// submission
# title = "Logarithmic axes"
# style = "log y for time, energy and epochs; log x with widths that grow with the value"
# ///

# %% lr-plots
x = np.array([m["learning_rate"] for m in metrics_vs_lr])
fig, axes = plt.subplots(1, 4, figsize=(20, 4))
for ax, key, label in zip(axes, ["train_time", "total_energy", "test_accuracy", "epochs"],
                          ["Time to accuracy (s)", "Energy to accuracy (J)", "Test accuracy", "Epochs"]):
    y = np.array([m[key] for m in metrics_vs_lr])
    ax.bar(x, y, width=x / 2)
    ax.set_xscale("log")
    if key == "test_accuracy":
        ax.set_ylim(y.min() - 0.01, y.max() + 0.01)
    else:
        ax.set_yscale("log")
    ax.set_xlabel("Learning rate (log scale)")
    ax.set_ylabel(label)
fig.tight_layout()
fig.savefig("learning-rate.png")

# %% bs-plots
x = np.array([m["batch_size"] for m in metrics_vs_bs])
fig, axes = plt.subplots(1, 4, figsize=(20, 4))
for ax, key, label in zip(axes, ["train_time", "total_energy", "test_accuracy", "epochs"],
                          ["Time to accuracy (s)", "Energy to accuracy (J)", "Test accuracy", "Epochs"]):
    y = np.array([m[key] for m in metrics_vs_bs])
    ax.bar(x, y, width=x / 2)
    ax.set_xscale("log", base=2)
    if key == "test_accuracy":
        ax.set_ylim(y.min() - 0.01, y.max() + 0.01)
    else:
        ax.set_yscale("log")
    ax.set_xlabel("Batch size (log scale)")
    ax.set_ylabel(label)
fig.tight_layout()
fig.savefig("batch-size.png")
