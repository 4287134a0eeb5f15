"""What was submitted: found, read and repaired, so that it can be run."""
