# /// submission
# title = "A histogram in per cent"
# style = "stat=percent of seaborn"
# ///

# %% histogram
import seaborn as sns
fig, ax = plt.subplots()
sns.histplot(data=notes, x="level", stat="percent", bins=10, ax=ax)
ax.set(xlabel="Level (dB)", ylabel="Notes (%)")
