"""nbgrader's settings for this course; its commands and the formgrader read them when started in this folder."""

import os
import sys
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (nbgrader provides it)

# The folders of `make autograde`; OUT and SUBMITTED name others, as for make.
OUT = Path(os.environ.get("OUT") or "graded")
DATABASE = f"sqlite:///{(OUT / 'gradebook.db').resolve()}"

# The release holds everything in source/<assignment>/ but the settings.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "assignment.toml"]
c.CourseDirectory.db_url = DATABASE
c.CourseDirectory.submitted_directory = os.environ.get("SUBMITTED") or "submitted"
c.CourseDirectory.autograded_directory = str(OUT / "autograded")
c.CourseDirectory.feedback_directory = str(OUT / "feedback")


def announce(assignment: str, student: str, notebooks: list[str]) -> None:
    """A gradebook may be new; nbgrader grades only what is in it."""
    from autograder.integrations.nbgrader import announce

    announce(DATABASE, assignment)


# nbgrader's own `autograde`, and with it the formgrader's button, grades as `make autograde` does. The submission is
# repaired by the kit, which notes what was repaired, so nothing is to be repaired before.
sys.path.insert(0, str(Path(__file__).resolve().parent))
c.Autograde.pre_convert_hook = announce
c.Autograde.sanitize_preprocessors = []
c.Autograde.autograde_preprocessors = [
    "autograder.integrations.nbgrader.GradeSubmission",
    "nbgrader.preprocessors.AssignLatePenalties",
]
c.GradeSubmission.out = str(OUT)
c.RosterExporter.out = str(OUT)
if os.environ.get("SEED"):
    c.GradeSubmission.seed = int(os.environ["SEED"])
