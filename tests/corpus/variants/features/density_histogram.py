# /// submission
# title = "A density"
# style = "density=True, seaborn's displot, its label changed; a grid"
# ///

# %% histogram
import seaborn as sns
g = sns.displot(data=notes, x="level", bins=15, stat="density", height=4)
g.set_axis_labels("level in dB", "density")
