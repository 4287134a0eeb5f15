"""A case of the corpora, and how the autograder graded it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from autograder.assignment.settings import Assignment
from autograder.assignment.source import refresh
from autograder.execution.kernels import Kernels
from autograder.execution.options import Options
from autograder.grading.grade import grade as grade_submission
from autograder.grading.verdict import ItemVerdict, Verdict
from autograder.submission.choosing import choose
from autograder.submission.prepare import load_release, prepare
from samples.filling import Description, fill, write_submission

from .build import LAB, variant, variant_names
from .mutants import MUTANTS_OF


@dataclass(frozen=True)
class Case:
    """A submission and the items in which it must lose points; none for a correct variant."""

    description: Description
    fault: str = ""
    items: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def is_mutant(self) -> bool:
        return bool(self.items)


@dataclass(frozen=True)
class Outcome:
    """The verdict on a case; an item that is marked for manual review counts as lost, because it was not decided."""

    case: Case
    verdict: Verdict

    @property
    def lost(self) -> frozenset[str]:
        return frozenset(item.id for item in self.verdict.items if item.points != item.max_points)

    @property
    def missed(self) -> frozenset[str]:
        return self.case.items - self.lost

    @property
    def undeserved(self) -> frozenset[str]:
        return self.lost - self.case.items

    @property
    def is_wrong(self) -> bool:
        return bool(self.missed or self.undeserved)

    def item(self, item_id: str) -> ItemVerdict:
        return next(item for item in self.verdict.items if item.id == item_id)


def cases(variants: bool = True, mutants: bool = True, assignment: str = LAB) -> list[Case]:
    found = [Case(variant(name, assignment)) for name in variant_names(assignment)] if variants else []
    if mutants:
        found += [Case(mutant.description(), mutant.fault, mutant.items) for mutant in MUTANTS_OF[assignment]]
    return found


def grade(case: Case, assignment: Assignment, kernels: Kernels, options: Options) -> Outcome:
    """Submit the case as a student would, as a file in a folder, and grade it."""
    with tempfile.TemporaryDirectory(prefix="fidelity-") as place:
        folder = Path(place)
        release = refresh(load_release(assignment), assignment)
        write_submission(fill(release, case.description), case.description, folder, assignment.name)
        chosen, _ = choose(folder, assignment, release)
        submission = prepare(case.name, chosen.parsed.notebook, release, assignment)
        return Outcome(case, grade_submission(assignment, submission, kernels, options).verdict)


def grader(assignment: Assignment, kernels: Kernels, options: Options) -> partial[Outcome]:
    """Return `grade` with all arguments except the case, to be sent to another process."""
    return partial(grade, assignment=assignment, kernels=kernels, options=options)
