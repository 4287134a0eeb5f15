# /// submission
# title = "Downloaded from a hosted service"
# style = "no nbgrader metadata left, the service's own ids, two inserted cells, outputs kept"
# transforms = ["outputs kept", "hosted notebook"]
# ///

# %% drive before="data-details"
print("files mounted")

# %% data-details
n_tr = Xtr_scale.shape[0]
n_ts = Xts_scale.shape[0]
n_feat = Xtr_scale.shape[1]
n_class = len(np.unique(ytr))
print(n_tr, n_ts, n_feat, n_class)

# %% thoughts [markdown] after="lr-plots"
# The high rate took so long that I ran it twice.
