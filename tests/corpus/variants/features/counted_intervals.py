# /// submission
# title = "Intervals as categories"
# style = "pd.cut and value_counts, bars at 0, 1, 2, … with the intervals below them"
# ///

# %% histogram
intervals = pd.cut(notes["level"], bins=10)
counts = intervals.value_counts().sort_index()
ax = counts.plot.bar(rot=60)
ax.set_xlabel("Level (dB)")
ax.set_ylabel("Number of notes")
plt.tight_layout()
