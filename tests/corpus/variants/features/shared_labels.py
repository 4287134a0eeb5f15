# /// submission
# title = "Labels of the figure"
# style = "supxlabel and supylabel; bars by bins that are aligned at their left edge, decibel in full"
# ///

# %% histogram
counts, edges = np.histogram(notes["level"], bins=9)
fig = plt.figure()
ax = fig.add_subplot()
ax.bar(edges[:-1], counts, width=edges[1] - edges[0], align="edge")
fig.supxlabel("Level in decibels")
fig.supylabel("Notes")
