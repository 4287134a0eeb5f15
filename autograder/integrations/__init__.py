"""Integrations with other systems: nbgrader, Gradescope, Canvas and Moodle."""

from typing import Literal

Format = Literal["canvas", "moodle", "nbgrader"]
"""The systems for which tables of points can be written; here, because the command line must not import nbgrader."""
