"""Exporters for `nbgrader export`, which write points into the tables that Canvas and Moodle import.

They take nbgrader's own options and two more::

    nbgrader export --exporter=autograder.integrations.nbgrader_exporters.CanvasExporter \\
        --assignment='["tta-eta"]' --CanvasExporter.roster=class.csv --to=canvas.csv

"""

from __future__ import annotations

import sys
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin
from traitlets import Unicode

from autograder.assignment.settings import Assignment
from autograder.common.encoders import encode_terminal
from autograder.errors import AutograderError
from autograder.reporting.gradebook import read_manual_scores
from autograder.results.files import write_text
from autograder.results.store import ResultStore

from . import Format
from .export import WRITERS, marks_of


class RosterExporter(ExportPlugin):
    """Writes the points of one assignment into a class list exported from another system."""

    out = Unicode("graded", help="The folder of the results, like OUT in `make autograde`.").tag(config=True)
    roster = Unicode("", help="The class list exported from the other system.").tag(config=True)
    column = Unicode("", help="The name of the assignment in the other system, if not its title.").tag(config=True)

    system: Format

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to `to`, by default `<system>.csv`; exit with an error message if that fails."""
        target = Path(self.to or f"{self.system}.csv")
        try:
            text, sentences = self._fill(gradebook)
            write_text(target, text)
        except AutograderError as error:
            sys.exit(encode_terminal(f"Error: {error}"))
        for sentence in sentences:
            self.log.warning(encode_terminal(sentence))
        self.log.info("Exported grades to %s", target)

    def _fill(self, gradebook: Gradebook) -> tuple[str, list[str]]:
        """Return the table, and sentences that the user should read about it."""
        names = self.assignment or [each.name for each in gradebook.assignments]
        if len(names) != 1:
            available = ", ".join(names) or "none"
            raise AutograderError(
                f"Specify one assignment with --assignment='[\"name\"]'. Available assignments: {available}."
            )
        if not self.roster:
            option = f"--{type(self).__name__}.roster=file.csv"
            raise AutograderError(f"Specify the class list that you exported from {self.system.title()}: {option}.")
        store = ResultStore(Path(self.out), Assignment.load(names[0]))
        verdicts = [v for v in store.read_verdicts() if not self.student or v.student in self.student]
        students = [verdict.student for verdict in verdicts]
        manual = read_manual_scores(gradebook, store.assignment, students)
        marks = marks_of(store.assignment, verdicts, manual)
        return WRITERS[self.system](store.assignment, Path(self.roster), marks, self.column or None)


class CanvasExporter(RosterExporter):
    """Exports Canvas's gradebook with this assignment only."""

    system = "canvas"


class MoodleExporter(RosterExporter):
    """Exports Moodle's grading worksheet or, for another table of the class, a table for Moodle's grade import."""

    system = "moodle"
