"""Data of a class besides its verdicts: notebooks, saved outputs, remarks on written answers, and members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.results.store import ResultStore
from autograder.submission.saved_outputs import SavedOutputs

from . import answers, similarity
from .answers import Remarks


@dataclass(frozen=True)
class ClassData:
    """The data by student. `members` maps all students in the gradebook to the id with which the formgrader shows their
    submissions, "" if there is none."""

    notebooks: Mapping[str, NotebookNode | None] = field(default_factory=dict)
    own: Mapping[str, SavedOutputs] = field(default_factory=dict)
    remarks: Remarks = field(default_factory=dict)
    alike: tuple[similarity.Group, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, store: ResultStore, release: NotebookNode, notebooks: Mapping[str, NotebookNode | None]) -> ClassData:
        """Collect the data from the results and the executed notebooks."""
        return cls(
            notebooks=notebooks,
            own={student: store.read_saved_outputs(student) for student in notebooks},
            remarks=answers.remarks(store.assignment, release, notebooks),
            alike=tuple(similarity.groups(similarity.code_of_class(notebooks, release))),
        )

    def beside(self, assignment: Assignment) -> dict[str, dict[str, NotebookNode]]:
        """Return, for each student, the cells that the formgrader shows before the written answers."""
        rubrics = answers.rubrics(assignment)
        return {
            student: answers.beside(assignment, rubrics, self.own[student], self.remarks[student])
            for student in self.notebooks
        }
