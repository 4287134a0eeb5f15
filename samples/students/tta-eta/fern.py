# /// submission
# title = "As released"
# style = "nothing was filled in"
# ///
