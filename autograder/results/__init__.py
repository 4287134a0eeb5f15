"""The stored results of a class: verdicts and points on disk, and the lock for writing them."""
