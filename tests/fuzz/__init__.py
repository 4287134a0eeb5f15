"""Bytes that nobody would write, for everything that reads them: `make fuzz` looks for inputs that end in an error.

What it finds is kept in `found/<target>/`, and `test_found.py` tries each of those files again.
"""
