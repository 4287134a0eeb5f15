# /// submission
# title = "Handed in as the plain script that notebooks export"
# style = "`# In[ ]:` between the cells; np.diff of booleans"
# file = "plain script"
# ///

# %% zero-crossings
def zero_crossing_rate(x):
    return np.diff(x < 0).sum() / (len(x) - 1)

# %% histogram
plt.figure()
plt.hist(notes["level"].values, bins="auto")
plt.xlabel("Level, dB")
plt.ylabel("Frequency")
plt.savefig("levels.png")
