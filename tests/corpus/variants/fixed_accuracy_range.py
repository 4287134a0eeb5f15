# /// submission
# title = "Accuracy axis from 0.9 to 1, as fits the real data"
# style = "a range typed in after looking at the first figure; seaborn palette; titles"
# ///

# %% lr-plots
x = [str(m["learning_rate"]) for m in metrics_vs_lr]
plt.figure(figsize=(20, 5))

plt.subplot(1, 4, 1)
sns.barplot(x=x, y=[m["train_time"] for m in metrics_vs_lr], palette="Blues_d", hue=x, legend=False)
plt.title("TTA")
plt.xlabel("learning rate")
plt.ylabel("time to accuracy (s)")

plt.subplot(1, 4, 2)
sns.barplot(x=x, y=[m["total_energy"] for m in metrics_vs_lr], palette="Blues_d", hue=x, legend=False)
plt.title("ETA")
plt.xlabel("learning rate")
plt.ylabel("energy to accuracy (J)")

plt.subplot(1, 4, 3)
sns.barplot(x=x, y=[m["test_accuracy"] for m in metrics_vs_lr], palette="Blues_d", hue=x, legend=False)
plt.title("Test accuracy")
plt.ylim([0.9, 1.0])
plt.xlabel("learning rate")
plt.ylabel("test accuracy")

plt.subplot(1, 4, 4)
sns.barplot(x=x, y=[m["epochs"] for m in metrics_vs_lr], palette="Blues_d", hue=x, legend=False)
plt.title("Epochs")
plt.xlabel("learning rate")
plt.ylabel("epochs")

plt.tight_layout()
plt.show()

# %% bs-plots
x = [str(m["batch_size"]) for m in metrics_vs_bs]
plt.figure(figsize=(20, 5))

plt.subplot(1, 4, 1)
sns.barplot(x=x, y=[m["train_time"] for m in metrics_vs_bs], palette="Blues_d", hue=x, legend=False)
plt.title("TTA")
plt.xlabel("batch size")
plt.ylabel("time to accuracy (s)")

plt.subplot(1, 4, 2)
sns.barplot(x=x, y=[m["total_energy"] for m in metrics_vs_bs], palette="Blues_d", hue=x, legend=False)
plt.title("ETA")
plt.xlabel("batch size")
plt.ylabel("energy to accuracy (J)")

plt.subplot(1, 4, 3)
sns.barplot(x=x, y=[m["test_accuracy"] for m in metrics_vs_bs], palette="Blues_d", hue=x, legend=False)
plt.title("Test accuracy")
plt.ylim([0.9, 1.0])
plt.xlabel("batch size")
plt.ylabel("test accuracy")

plt.subplot(1, 4, 4)
sns.barplot(x=x, y=[m["epochs"] for m in metrics_vs_bs], palette="Blues_d", hue=x, legend=False)
plt.title("Epochs")
plt.xlabel("batch size")
plt.ylabel("epochs")

plt.tight_layout()
plt.show()
