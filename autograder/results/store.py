"""The results of an assignment as files: those of the class are in `OUT/<assignment>/`, those of each student in its
subfolder `students/<student>/`."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from autograder.assignment.settings import Assignment
from autograder.common.encoders import encode_path, one_line
from autograder.errors import AutograderError
from autograder.grading.verdict import GradedSubmission, Verdict
from autograder.submission.saved_outputs import SavedOutputs

from .files import remove, write_text
from .gradescope_json import build_results
from .points import LATE, Manual, format_grades

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from autograder.grading.saved_runs import SavedRuns

STUDENTS = "students"
"""The folder with one folder for each student, so that no student's name can be that of a file of the class."""

SAVED_OUTPUTS = "own-run.json"

LEFT_OUT = "left-out.txt"
"""The file with sentences on files that belong to no student and were not graded."""

log = logging.getLogger(__name__)


def gradebook_url(out: Path) -> str:
    """Return the address of the gradebook in a folder of results, in the form that nbgrader expects."""
    return f"sqlite:///{(out / 'gradebook.db').resolve()}"


@dataclass(frozen=True)
class ResultStore:
    """The results of one assignment in the folder `out`, which may contain those of several."""

    out: Path
    assignment: Assignment

    @property
    def folder(self) -> Path:
        """The folder with the results of this assignment."""
        return self.out / self.assignment.name

    @property
    def gradebook(self) -> Path:
        """nbgrader's gradebook, one for all assignments in `out`."""
        return self.out / "gradebook.db"

    @property
    def gradebook_url(self) -> str:
        """The address of the gradebook as a database."""
        return gradebook_url(self.out)

    @property
    def autograded(self) -> Path:
        """The notebooks that nbgrader's formgrader shows."""
        return self.out / "autograded"

    def student_folder(self, student: str) -> Path:
        """Return the folder with the results of a student."""
        return self.folder / STUDENTS / encode_path(student)

    def write(self, graded: GradedSubmission) -> None:
        """Write all files of one student; raise AutograderError if that fails.

        An older verdict is removed first and the new one is written last: if there is a verdict, the other files are
        complete and belong to it.
        """
        import nbformat  # here: commands that use no notebook need not wait for it

        folder = self.student_folder(graded.student)
        notebook = folder / self.assignment.notebook_name
        remove(folder / "verdict.json")
        if graded.saved_outputs is not None:
            self._write_saved_outputs(folder / SAVED_OUTPUTS, graded.saved_outputs)
        write_text(folder / "evidence.json", graded.record.model_dump_json() if graded.record is not None else "{}")
        if graded.executed is not None:
            write_text(notebook, nbformat.writes(graded.executed))
        else:
            remove(notebook)
        self.write_verdict(graded.verdict)

    def write_verdict(self, verdict: Verdict) -> None:
        """Write the results for other systems and then the verdict on one student."""
        folder = self.student_folder(verdict.student)
        remove(folder / "verdict.json")
        results = build_results(self.assignment, verdict)
        write_text(folder / "results.json", json.dumps(results, indent=1, ensure_ascii=False))
        write_text(folder / "verdict.json", verdict.model_dump_json(indent=1))

    def write_grades(self, verdicts: Iterable[Verdict], manual: Manual) -> None:
        """Write grades.csv, the table of the class; see `points.format_grades`."""
        write_text(self.folder / "grades.csv", format_grades(self.assignment, verdicts, manual))

    def read_points(self, verdicts: Iterable[Verdict]) -> dict[str, dict[str, float | None]]:
        """Return the points of students from grades.csv, by item; None if they are pending.

        Args:
            verdicts: the verdicts from which the table was written.
        """
        students = sorted(verdict.student for verdict in verdicts)
        table = csv.DictReader(io.StringIO((self.folder / "grades.csv").read_text(encoding="utf-8")))
        columns = [item.id for item in self.assignment.items]
        if LATE in (table.fieldnames or ()):
            columns.append(LATE)
        return {
            student: {column: float(row[column]) if row[column] else None for column in columns}
            for student, row in zip(students, table, strict=True)
        }

    def write_left_out(self, sentences: Iterable[str]) -> None:
        """Save sentences on files that belong to no student; write nothing if they are the same as before."""
        path, lines = self.folder / LEFT_OUT, list(sentences)
        if lines == self.read_left_out():
            return
        if lines:
            write_text(path, "".join(f"{line}\n" for line in lines))
        else:
            remove(path)

    def read_left_out(self) -> list[str]:
        """Return the sentences on files that belong to no student."""
        path = self.folder / LEFT_OUT
        return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []

    def read_verdicts(self) -> list[Verdict]:
        """Return all verdicts, by student.

        A verdict that cannot be read is ignored with a warning, as if its submission were not graded yet.
        """
        found = [self._read_verdict(path) for path in (self.folder / STUDENTS).glob("*/verdict.json")]
        return sorted((verdict for verdict in found if verdict is not None), key=lambda verdict: verdict.student)

    def read_executed(self, student: str) -> NotebookNode | None:
        """Return the executed notebook of a student, None if nothing could be executed."""
        import nbformat  # here, as above

        path = self.student_folder(student) / self.assignment.notebook_name
        try:
            return nbformat.reader.reads(path.read_text(encoding="utf-8"))  # it was validated when it was written
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise AutograderError(
                f"{path} cannot be read ({one_line(str(error), 120)}): remove the folder {path.parent} and run "
                "make autograde again."
            ) from None

    def read_record(self, student: str) -> SavedRuns | None:
        """Return the evidence of all runs of a student; None if there is none that this version can read."""
        from autograder.grading.saved_runs import (
            SavedRuns,  # here: it imports pytest, which is not needed to read a table
        )

        try:
            record = SavedRuns.model_validate_json((self.student_folder(student) / "evidence.json").read_bytes())
        except (OSError, ValidationError):
            return None
        return record if record.runs else None

    def read_saved_outputs(self, student: str) -> SavedOutputs:
        """Return the saved outputs of the student's own run; empty ones if there are none."""
        path = self.student_folder(student) / SAVED_OUTPUTS
        try:
            return SavedOutputs.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return SavedOutputs()
        except (OSError, ValidationError) as error:
            log.warning("%s is ignored (%s).", path, one_line(str(error), 120))
            return SavedOutputs()

    def _write_saved_outputs(self, path: Path, saved: SavedOutputs) -> None:
        if any(loop.rows or loop.pictures for loop in saved.loops.values()):
            write_text(path, saved.model_dump_json())
        else:
            remove(path)

    def _read_verdict(self, path: Path) -> Verdict | None:
        try:
            verdict = Verdict.model_validate_json(path.read_bytes())
        except OSError as error:
            reason = str(error.strerror)
        except ValidationError:
            reason = "it is damaged or was written by another version"
        else:
            if (verdict.assignment, encode_path(verdict.student)) == (self.assignment.name, path.parent.name):
                return verdict
            reason = f"it is the verdict on {verdict.student}'s submission for {verdict.assignment}"
        log.warning("%s is ignored (%s); `make autograde` will grade that submission again.", path, reason)
        return None
