"""The kit as an autograder for Gradescope: pack it into one archive, and run it there on one submission.

The locations of files and the format of the results are Gradescope's
(https://gradescope-autograders.readthedocs.io/en/latest/specs/ and .../submission_metadata/).
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import AwareDatetime, BaseModel, ValidationError

from autograder.assignment.archive import write_archive
from autograder.assignment.course import PACKAGE
from autograder.assignment.graded_cells import without_solutions
from autograder.assignment.settings import Assignment
from autograder.assignment.source import dumps
from autograder.errors import AutograderError
from autograder.execution.kernels import kernels
from autograder.execution.options import Options
from autograder.grading.grade import leave_ungraded
from autograder.grading.verdict import Verdict
from autograder.reporting.feedback import without_folders
from autograder.results.files import write_text
from autograder.results.gradescope_json import build_results
from autograder.results.store import ResultStore
from autograder.scheduling import memory
from autograder.scheduling.task import Task, grade_task
from autograder.submission.prepare import load_release

TEMPLATES = Path(__file__).resolve().parent / "templates" / "gradescope"
SCRIPTS = ("setup.sh", "run_autograder")
UV = re.compile(r"^UV := (\S+)$", re.MULTILINE)
LOOK = "There are no points yet. This item needs review."


class Deadline(BaseModel):
    due_date: AwareDatetime | None = None


class Metadata(BaseModel):
    """The part of Gradescope's metadata of a submission that is used."""

    id: int | None = None
    created_at: AwareDatetime | None = None
    assignment: Deadline = Deadline()

    @property
    def seconds_late(self) -> float:
        due = self.assignment.due_date
        if self.created_at is None or due is None:
            return 0.0
        return max(0.0, (self.created_at - due).total_seconds())


def pack(assignment: Assignment) -> Path:
    """Write `release/<assignment>-gradescope.zip`, reproducibly; raise ReleaseError if there is no release.

    It does not contain the solution, because submissions are run next to its contents.
    """
    load_release(assignment)
    package = assignment.course.release / f"{assignment.name}-gradescope.zip"
    nothing = leave_ungraded(assignment, "", "The autograder could not grade this submission.")
    contents = {name: text.encode() for name, text in _scripts(assignment).items()}
    contents["ungraded.json"] = json.dumps(results(assignment, nothing), indent=1).encode()
    contents |= {name: path.read_bytes() for name, path in _files(assignment).items()}
    if assignment.test_cells:
        notebook = assignment.source_folder / assignment.notebook_name
        name = notebook.relative_to(assignment.course.root).as_posix()
        contents[name] = dumps(without_solutions(notebook)).encode()
    write_archive(package, contents, executable=SCRIPTS)
    return package


def _scripts(assignment: Assignment) -> dict[str, str]:
    pinned = UV.search((assignment.course.root / "Makefile").read_text(encoding="utf-8"))
    if pinned is None:
        raise AutograderError("The Makefile does not contain the version of uv (UV := uv==...), which setup.sh needs.")
    loader = FileSystemLoader(TEMPLATES)
    templates = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)
    return {name: templates.get_template(name).render(assignment=assignment.name, uv=pinned[1]) for name in SCRIPTS}


def _files(assignment: Assignment) -> dict[str, Path]:
    """Return the files of this package and of the course that grading needs, by name in the archive.

    They include the checks of the assignment and the modules that all checks share, but not the tests of the checks.
    The checks may be in the course; in the archive they are in the package.
    """
    root = assignment.course.root
    settings = assignment.source_folder / "assignment.toml"
    course = [*assignment.release_folder.rglob("*"), settings, root / "requirements.lock", root / "LICENSE"]
    files = {path.relative_to(root).as_posix(): path for path in course}
    files |= {path.relative_to(PACKAGE.parent).as_posix(): path for path in PACKAGE.rglob("*")}
    checks = assignment.checks_folder
    files |= {f"{PACKAGE.name}/checks/{checks.name}/{path.relative_to(checks)}": path for path in checks.rglob("*")}
    left_out = {checks / "tests", *(path for path in (PACKAGE / "checks").iterdir() if path.is_dir())} - {checks}
    return {
        name: path
        for name, path in files.items()
        if path.is_file()
        and "/." not in f"/{name}"
        and "__pycache__" not in path.parts
        and not left_out & {*path.parents}
    }


def run(assignment: Assignment, place: Path) -> dict[str, Any]:
    """Grade `place/submission` and write `place/results/results.json`; what cannot be graded is marked for manual
    review.

    Return the results, with additional parts that only instructors should see.
    """
    metadata = _metadata(place / "submission_metadata.json")
    student = f"submission {metadata.id}" if metadata.id is not None else "the submission"
    note = ""
    try:
        with kernels() as source, tempfile.TemporaryDirectory() as scratch:
            store = ResultStore(Path(scratch), assignment)
            task = Task(store, student, place / "submission", source, Options(), "")
            note = source.note
            with memory.limit_memory():
                verdict = grade_task(task).verdict
    except MemoryError:
        verdict = leave_ungraded(assignment, student, memory.MESSAGE)
    except AutograderError as error:
        verdict = leave_ungraded(assignment, student, str(error))
    found = results(assignment, verdict, metadata)
    write_text(place / "results" / "results.json", json.dumps(found, indent=1))
    return found | {"findings": [finding.text for finding in verdict.findings], "note": note}


def _metadata(path: Path) -> Metadata:
    """Read Gradescope's metadata of a submission; empty if the file is missing or has another format."""
    try:
        return Metadata.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return Metadata()


def results(assignment: Assignment, verdict: Verdict, metadata: Metadata | None = None) -> dict[str, Any]:
    """Return the results as elsewhere, but without a score for items without points, so that Gradescope does not show 0
    points. There is no leaderboard."""
    found = build_results(assignment, verdict)
    for test in found["tests"]:
        if test["extra_data"]["state"] == "ungraded":
            del test["score"], test["max_score"]
            test["output"] = without_folders(test["output"])
    known = metadata or Metadata()
    by_hand = [f'"{item.title}" ({item.points:g} points)' for item in assignment.items if item.graded_by == "person"]
    scored = any("score" in test for test in found["tests"])
    lines = ["" if scored else LOOK, without_folders(found["output"])]
    lines += [f"Graded manually: {', '.join(by_hand)}."] if by_hand else []
    found["output"] = "\n".join(filter(None, lines))
    found["extra_data"] |= {"submission": known.id, "seconds_late": known.seconds_late}
    return found
