"""Judging: what a submission is worth, and why."""
