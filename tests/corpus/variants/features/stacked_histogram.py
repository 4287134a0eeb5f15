# /// submission
# title = "Stacked by instrument"
# style = "all notes, in three colours, with a legend"
# ///

# %% histogram
fig, ax = plt.subplots()
by_instrument = notes.groupby("instrument")["level"]
ax.hist([levels for _, levels in by_instrument], bins=12, stacked=True, label=[name for name, _ in by_instrument])
ax.legend()
ax.set_xlabel("Level (dB)")
ax.set_ylabel("Notes")
