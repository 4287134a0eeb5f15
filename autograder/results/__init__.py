"""What is kept of a class: verdicts and points on disk, and who may write them."""
