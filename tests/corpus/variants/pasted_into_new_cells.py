# /// submission
# title = "Solutions in cells of their own, the released ones deleted"
# style = "check cells deleted as well; the rest of the metadata is there"
# transforms = ["pasted into new cells", "check cells deleted"]
# ///
