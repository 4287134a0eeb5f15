"""nbgrader's settings for this course; its commands and the formgrader read them when started in this folder."""

import os
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (nbgrader provides it)

# The folder that `make autograde` writes; OUT names another one, as for make.
OUT = Path(os.environ.get("OUT", "graded"))

# The release holds everything in source/<assignment>/ but the settings.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "assignment.toml"]
c.CourseDirectory.db_url = f"sqlite:///{(OUT / 'gradebook.db').resolve()}"
c.CourseDirectory.autograded_directory = str(OUT / "autograded")
c.CourseDirectory.feedback_directory = str(OUT / "feedback")
