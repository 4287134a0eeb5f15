"""Assignments: their settings, their sources and their releases."""
