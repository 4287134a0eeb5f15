# /// submission
# title = "Saved by a hosted service"
# style = "its own ids, no nbgrader; installs a package and draws with seaborn"
# transforms = ["hosted notebook"]
# ///

# %% histogram
!pip install -q seaborn
import seaborn as sns
sns.set_theme()
ax = sns.histplot(notes, x="level", bins=12, kde=True)
ax.set_xlabel("Level (dB)")
plt.show()
