"""Find, read and repair what a student submitted, so that it can be run."""
