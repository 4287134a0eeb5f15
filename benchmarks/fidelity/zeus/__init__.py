"""Stands in for the energy library where rivals grade: a machine without a GPU could not run most submissions."""
