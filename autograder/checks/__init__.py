"""The checks: a folder for each assignment, in it a pytest module for each kind of item.

A test is one sentence of the rubric (its docstring), worth points (`@points`), about one case.
"""
