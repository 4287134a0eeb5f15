# /// submission
# title = "One catplot with a facet for each quantity"
# style = "melted DataFrame, seaborn figure-level function"
# ///

# %% lr-plots
import pandas as pd

long = pd.DataFrame(metrics_vs_lr).melt(
    id_vars="learning_rate", value_vars=["train_time", "total_energy", "test_accuracy", "epochs"], var_name="quantity")
g = sns.catplot(data=long, x="learning_rate", y="value", col="quantity", kind="bar", sharey=False, height=4)
for ax, label in zip(g.axes.flat, ["time to accuracy (s)", "energy to accuracy (J)", "test accuracy", "epochs"]):
    ax.set_xlabel("learning rate")
    ax.set_ylabel(label)
    ax.set_title("")
accuracy = long[long.quantity == "test_accuracy"]["value"].astype(float)
g.axes.flat[2].set_ylim(accuracy.min() - 0.01, accuracy.max() + 0.01)
plt.show()

# %% bs-plots
long = pd.DataFrame(metrics_vs_bs).melt(
    id_vars="batch_size", value_vars=["train_time", "total_energy", "test_accuracy", "epochs"], var_name="quantity")
g = sns.catplot(data=long, x="batch_size", y="value", col="quantity", kind="bar", sharey=False, height=4)
for ax, label in zip(g.axes.flat, ["time to accuracy (s)", "energy to accuracy (J)", "test accuracy", "epochs"]):
    ax.set_xlabel("batch size")
    ax.set_ylabel(label)
    ax.set_title("")
accuracy = long[long.quantity == "test_accuracy"]["value"].astype(float)
g.axes.flat[2].set_ylim(accuracy.min() - 0.01, accuracy.max() + 0.01)
plt.show()
