"""The ways to and from other systems: nbgrader, Gradescope, Canvas and Moodle."""

from typing import Literal

Format = Literal["canvas", "moodle", "nbgrader"]
"""The systems that a table of points can be written for; here, so that the command line need not import nbgrader."""
