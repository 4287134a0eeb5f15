"""Tests of the corpora: everything is valid Python, every fault applies, and the counts are right."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from autograder.assignment.settings import Assignment
from autograder.grading.verdict import ItemVerdict, Verdict

from .__main__ import result_line
from .build import notebook, variant, variant_names, variants_folder
from .mutant import Edit, mutant
from .mutants import MUTANTS_OF
from .outcome import Case, Outcome

ASSIGNMENTS = {name: Assignment.load(name) for name in MUTANTS_OF}
ITEMS = {name: {item.id for item in each.judged_items} for name, each in ASSIGNMENTS.items()}
VARIANTS = [(assignment, name) for assignment in MUTANTS_OF for name in variant_names(assignment)]
MUTANTS = [one for mutants in MUTANTS_OF.values() for one in mutants]
EACH_CORPUS = pytest.mark.parametrize("assignment", MUTANTS_OF)


def is_valid(source: str) -> bool:
    try:
        ast.parse(TransformerManager().transform_cell(source))
    except SyntaxError:
        return False
    return True


def code_of(cells: Mapping[str, str]) -> list[str]:
    return [source for cell, source in cells.items() if not cell.endswith("comment")]


@pytest.mark.parametrize(("assignment", "variants", "mutants"), [("tta-eta", 40, 150), ("features", 25, 80)])
def test_the_corpora_are_large(assignment, variants, mutants):
    assert len(variant_names(assignment)) >= variants
    assert len(MUTANTS_OF[assignment]) >= mutants


@pytest.mark.parametrize(("assignment", "name"), VARIANTS)
def test_variant_is_valid_python_and_fits_the_release(assignment, name):
    source = (variants_folder(assignment) / f"{name}.py").read_text(encoding="utf-8")
    compile(TransformerManager().transform_cell(source), name, "exec")
    release = ASSIGNMENTS[assignment].release_folder / ASSIGNMENTS[assignment].notebook_name
    filled = notebook(variant(name, assignment), release)
    assert not any("raise NotImplementedError" in cell.source for cell in filled.cells if cell.cell_type == "code")


@EACH_CORPUS
def test_variants_differ(assignment):
    described = [variant(name, assignment) for name in variant_names(assignment)]
    contents = Counter(str((each.cells, each.extras, each.header)) for each in described)
    assert max(contents.values()) == 1


@pytest.mark.parametrize("one", MUTANTS, ids=lambda one: f"{one.assignment}: {one.id}")
def test_mutant_applies_and_names_items(one):
    cells = one.description().cells
    assert one.items
    assert one.items <= ITEMS[one.assignment]
    assert all(map(is_valid, code_of(cells))) != one.id.endswith("syntax-error")


def test_mutants_differ_from_each_other():
    same = Counter((one.assignment, one.variant, *sorted(one.description().cells.items())) for one in MUTANTS)
    assert max(same.values()) == 1


@EACH_CORPUS
def test_every_item_has_mutants(assignment):
    assert {item for one in MUTANTS_OF[assignment] for item in one.items} == ITEMS[assignment]


def test_an_edit_that_does_not_apply_fails():
    lost = mutant("lost", "its snippet is not there", Edit("callback", "no such text", ""), items="callback")
    with pytest.raises(ValueError, match="occurs 0 times"):
        lost.description()


def test_a_mutant_without_a_change_fails():
    same = mutant("same", "nothing is changed", Edit("callback", "self.hits += 1", "self.hits += 1"), items="callback")
    with pytest.raises(ValueError, match="changes nothing"):
        same.description()


def outcome(should_lose: str, lost: str) -> Outcome:
    items = tuple(
        ItemVerdict(
            id=item.id,
            title=item.title,
            max_points=item.points,
            points=item.points - (item.id in lost.split()),
            status="graded",
            message="",
        )
        for item in ASSIGNMENTS["tta-eta"].judged_items
    )
    verdict = Verdict(assignment="tta-eta", student="x", state="graded", items=items)
    return Outcome(Case(variant("reference"), items=frozenset(should_lose.split())), verdict)


def test_the_three_numbers_count_items():
    outcomes = [
        outcome("", ""),
        outcome("", "lr-loop lr-plots"),
        outcome("callback", "callback"),
        outcome("callback", "lr-loop"),
        outcome("lr-loop lr-metrics", "lr-loop"),
    ]
    expected = "2 variants, 3 mutants, seed 7: 2 false deductions, 2 missed faults, 1 points taken from the wrong item"
    assert result_line(outcomes, 7).strip() == expected


def test_an_ungraded_item_counts_as_lost():
    graded = outcome("", "")
    first = graded.verdict.items[0].model_copy(update={"points": None, "status": "ungraded"})
    verdict = graded.verdict.model_copy(update={"items": (first, *graded.verdict.items[1:])})
    assert Outcome(graded.case, verdict).undeserved == {first.id}
