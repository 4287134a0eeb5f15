# /// submission
# title = "Only the outline of the bars"
# style = "histtype=step"
# ///

# %% histogram
plt.hist(notes["level"], bins=15, histtype="step")
plt.xlabel("Level (dB)")
plt.ylabel("Notes")
plt.show()
