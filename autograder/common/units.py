"""Units in which limits are given."""

MB = 1_000_000
"""Bytes, or characters of a text."""
