"""What nbgrader needs to make the release of this example; the file in the root of the kit has all settings."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (nbgrader provides it)
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "assignment.toml"]
