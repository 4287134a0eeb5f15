# /// submission
# title = "A dataclass for each row"
# style = "asdict; type hints everywhere; subplot_mosaic"
# ///

# %% data-details
n_tr: int
n_feat: int
n_tr, n_feat = Xtr_scale.shape
n_ts: int = Xts_scale.shape[0]
n_class: int = int(np.unique(np.concatenate([ytr, yts])).shape[0])

# %% lr-loop
from dataclasses import dataclass, asdict
from typing import Any


@dataclass
class Run:
    batch_size: int
    learning_rate: float
    epochs: int
    test_accuracy: float
    total_energy: float
    train_time: float


def run(learning_rate: float, batch_size: int) -> Run:
    model: tf.keras.Model = get_model()
    model.compile(
        optimizer=optimizers.Adam(learning_rate=learning_rate),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    monitor.begin_window("run")
    hist: Any = model.fit(
        Xtr_scale, ytr, batch_size=batch_size, epochs=500, validation_split=0.2, verbose=0,
        callbacks=[TrainToAccuracy(threshold=0.95, patience=3)],
    )
    window = monitor.end_window("run")
    accuracy: float = float(model.evaluate(Xts_scale, yts, verbose=0)[1])
    return Run(batch_size, learning_rate, len(hist.epoch), accuracy, window.total_energy, window.time)


metrics_vs_lr: list[dict[str, Any]] = []
for rate in (0.0001, 0.001, 0.01, 0.1, 1.0):
    metrics_vs_lr.append(asdict(run(rate, 128)))

# %% lr-plots
def draw(rows: list[dict[str, Any]], swept: str, name: str) -> None:
    fig, axes = plt.subplot_mosaic([["train_time", "total_energy"], ["test_accuracy", "epochs"]], figsize=(11, 7), layout="constrained")
    labels = {"train_time": "time to accuracy (s)", "total_energy": "energy to accuracy (J)",
              "test_accuracy": "test accuracy", "epochs": "epochs"}
    for quantity, ax in axes.items():
        heights = [row[quantity] for row in rows]
        drawn = ax.bar([f"{row[swept]:g}" for row in rows], heights)
        ax.bar_label(drawn, fmt="%.3g")
        ax.set_ylabel(labels[quantity])
        ax.set_xlabel(name)
    lowest = min(row["test_accuracy"] for row in rows)
    axes["test_accuracy"].set_ylim(bottom=max(0.0, lowest - 0.03))
    fig.suptitle(f"The cost of training against {name}")


draw(metrics_vs_lr, "learning_rate", "learning rate")

# %% bs-loop
metrics_vs_bs: list[dict[str, Any]] = []
for size in (64, 128, 256, 512, 1024, 2048):
    metrics_vs_bs.append(asdict(run(0.001, size)))

# %% bs-plots
draw(metrics_vs_bs, "batch_size", "batch size")
