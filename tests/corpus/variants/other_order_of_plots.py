# /// submission
# title = "The quantities in another order, two by two"
# style = "accuracy and epochs above, time and energy below; every axis says what it shows"
# ///

# %% lr-plots
def panel(ax, rows, swept, quantity, ylabel, xlabel):
    ax.bar([str(r[swept]) for r in rows], [r[quantity] for r in rows], edgecolor="black", alpha=0.8)
    ax.set_ylabel(ylabel)
    ax.set_xlabel(xlabel)
    ax.grid(axis="y")


def figure(rows, swept, xlabel):
    fig, ((a, b), (c, d)) = plt.subplots(2, 2, figsize=(12, 8), constrained_layout=True)
    panel(a, rows, swept, "test_accuracy", "Test accuracy", xlabel)
    low = min(r["test_accuracy"] for r in rows)
    a.set_ylim(low - 0.01, max(r["test_accuracy"] for r in rows) + 0.01)
    panel(b, rows, swept, "epochs", "Epochs", xlabel)
    panel(c, rows, swept, "train_time", "Time to accuracy (seconds)", xlabel)
    panel(d, rows, swept, "total_energy", "Energy to accuracy (joules)", xlabel)
    return fig


figure(metrics_vs_lr, "learning_rate", "Learning rate");

# %% bs-plots
figure(metrics_vs_bs, "batch_size", "Batch size");
