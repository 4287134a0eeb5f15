"""What is known of a class beside its verdicts: notebooks, saved outputs, written answers, who belongs to it."""

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
    """By student; `members` are all whom the gradebook knows, with the id under which the formgrader shows what they
    submitted, "" for nothing."""

    notebooks: Mapping[str, NotebookNode | None] = field(default_factory=dict)
    own: Mapping[str, SavedOutputs] = field(default_factory=dict)
    remarks: Remarks = field(default_factory=dict)
    alike: tuple[similarity.Group, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, store: ResultStore, release: NotebookNode, notebooks: Mapping[str, NotebookNode | None]) -> ClassData:
        """From the results and the notebooks as they were run."""
        return cls(
            notebooks=notebooks,
            own={student: store.read_saved_outputs(student) for student in notebooks},
            remarks=answers.remarks(store.assignment, release, notebooks),
            alike=tuple(similarity.groups(similarity.code_of_class(notebooks, release))),
        )

    def beside(self, assignment: Assignment) -> dict[str, dict[str, NotebookNode]]:
        """For each student the cells that the formgrader shows before the written answers."""
        rubrics = answers.rubrics(assignment)
        return {
            student: answers.beside(assignment, rubrics, self.own[student], self.remarks[student])
            for student in self.notebooks
        }
