# /// submission
# title = "Figures in per cent, kilojoules and minutes"
# style = "recorded in the units of the lab, drawn in handier ones, and the labels say so"
# ///

# %% lr-plots
panels = [
    ("Time to accuracy (min)", [m["train_time"] / 60 for m in metrics_vs_lr]),
    ("Energy to accuracy (kJ)", [m["total_energy"] / 1000 for m in metrics_vs_lr]),
    ("Test accuracy (%)", [100 * m["test_accuracy"] for m in metrics_vs_lr]),
    ("Epochs", [m["epochs"] for m in metrics_vs_lr]),
]
fig, axes = plt.subplots(1, 4, figsize=(18, 4))
for ax, (label, values) in zip(axes, panels):
    ax.bar([str(m["learning_rate"]) for m in metrics_vs_lr], values)
    ax.set_xlabel("Learning rate")
    ax.set_ylabel(label)
    if "accuracy (%)" in label:
        ax.set_ylim(min(values) - 1, max(values) + 1)
plt.tight_layout()
plt.show()

# %% bs-plots
panels = [
    ("Time to accuracy (min)", [m["train_time"] / 60 for m in metrics_vs_bs]),
    ("Energy to accuracy (kJ)", [m["total_energy"] / 1000 for m in metrics_vs_bs]),
    ("Test accuracy (%)", [100 * m["test_accuracy"] for m in metrics_vs_bs]),
    ("Epochs", [m["epochs"] for m in metrics_vs_bs]),
]
fig, axes = plt.subplots(1, 4, figsize=(18, 4))
for ax, (label, values) in zip(axes, panels):
    ax.bar([str(m["batch_size"]) for m in metrics_vs_bs], values)
    ax.set_xlabel("Batch size")
    ax.set_ylabel(label)
    if "accuracy (%)" in label:
        ax.set_ylim(min(values) - 1, max(values) + 1)
plt.tight_layout()
plt.show()
