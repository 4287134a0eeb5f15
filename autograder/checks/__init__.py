"""The checks: one folder per assignment, with a pytest module for each kind of item.

Each test function is one check: its docstring is the text in the rubric, and `@points` or `@item` sets its points.
"""
