"""Grading many submissions at once, on this machine or on a cluster."""
