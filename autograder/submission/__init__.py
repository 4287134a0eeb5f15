"""What was handed in: found, read and repaired, so that it can be run."""
