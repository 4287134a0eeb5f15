"""nbgrader's settings for this course; its commands and the formgrader read them when started in this folder."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (nbgrader provides it)

# The release holds everything in source/<assignment>/ but the settings.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "assignment.toml"]
