# /// submission
# title = "Counted by NumPy, drawn as stairs"
# style = "np.histogram and Axes.stairs"
# ///

# %% histogram
counts, edges = np.histogram(notes["level"], bins=np.linspace(-36, 0, 19))
fig, ax = plt.subplots()
ax.stairs(counts, edges, fill=True)
ax.set_xlabel("Level (dB)")
ax.set_ylabel("Notes per bin")
