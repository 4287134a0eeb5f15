"""Data of a class besides its points: notebooks, saved outputs, what to know about written answers, and members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.grading.verdict import GradedSubmission
from autograder.results.points import Manual
from autograder.results.store import ResultStore
from autograder.submission.saved_outputs import SavedOutputs

from . import answers, similarity
from .answers import Lost, Remarks


@dataclass(frozen=True)
class ClassData:
    """The data by student. `lost` are the items that lost points, by the written answer that is about them. `members`
    maps all students in the gradebook to the id with which the formgrader shows their submissions, "" if there is none.
    """

    notebooks: Mapping[str, NotebookNode | None] = field(default_factory=dict)
    own: Mapping[str, SavedOutputs] = field(default_factory=dict)
    remarks: Remarks = field(default_factory=dict)
    lost: Mapping[str, Mapping[str, tuple[Lost, ...]]] = field(default_factory=dict)
    alike: tuple[similarity.Group, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, store: ResultStore, release: NotebookNode, results: Sequence[GradedSubmission], manual: Manual
    ) -> ClassData:
        """Collect the data from the results of a class, with the executed notebooks; `manual` are points that were
        entered earlier."""
        notebooks = {graded.student: graded.executed for graded in results}
        return cls(
            notebooks=notebooks,
            own={student: store.read_saved_outputs(student) for student in notebooks},
            remarks=answers.remarks(store.assignment, release, notebooks),
            lost={
                graded.student: answers.lost_points(store.assignment, graded.verdict, manual.get(graded.student, {}))
                for graded in results
            },
            alike=tuple(similarity.groups(similarity.code_of_class(notebooks, release))),
        )

    def beside(self, assignment: Assignment) -> dict[str, dict[str, NotebookNode]]:
        """Return, for each student, the cells that the formgrader shows before the written answers."""
        rubrics = answers.rubrics(assignment)
        return {
            student: answers.beside(
                assignment, rubrics, self.own[student], self.remarks[student], self.lost.get(student, {})
            )
            for student in self.notebooks
        }
