"""The ways to and from other systems: nbgrader, Gradescope, Canvas and Moodle."""
