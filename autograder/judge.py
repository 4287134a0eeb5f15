"""Lets pytest decide over the evidence: the checks of the assignment, item by item."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Any, cast

import pytest

from .assignment import ROOT, Assignment, Item
from .case import Case, Undecided, Wrong
from .challenge import Challenge
from .errors import AssignmentError
from .evidence import Evidence
from .verdict import ItemVerdict, PropertyVerdict

OPTIONS = ("--assert=plain", "--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:terminal")


def judge(assignment: Assignment, challenge: Challenge, evidence: Evidence) -> tuple[ItemVerdict, ...]:
    """The verdict on every item that the autograder gives points for, in the order of the assignment."""
    folder = ROOT / "autograder" / "checks" / assignment.checks
    if not folder.is_dir():
        raise AssignmentError(
            f"There is no folder of checks {assignment.checks!r} for the assignment {assignment.name}."
        )
    bailiff = _Bailiff(assignment, challenge, evidence)
    arguments = [*OPTIONS, "-c", str(folder.parent / "pytest.ini"), "--rootdir", str(folder.parent), str(folder)]
    written = sys.dont_write_bytecode
    status = pytest.main(arguments, plugins=[bailiff])
    sys.dont_write_bytecode = written
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise AssignmentError(f"The checks in {assignment.checks} could not be run (pytest ended with {status!r}).")
    return tuple(_item_verdict(item, bailiff.found[item.id]) for item in assignment.judged_items)


class _Bailiff:
    """The pytest plugin: brings each test its case and takes down how it ends."""

    def __init__(self, assignment: Assignment, challenge: Challenge, evidence: Evidence) -> None:
        self.assignment, self.challenge, self.evidence = assignment, challenge, evidence
        self.memo: dict[str, Any] = {}
        self.found: dict[str, list[tuple[PropertyVerdict, float]]] = defaultdict(list)

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "items(*ids): the items that the module judges")
        config.addinivalue_line("markers", "points(weight): what the property is worth")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        marker = metafunc.definition.get_closest_marker("items")
        if marker is None or "case" not in metafunc.fixturenames:
            raise AssignmentError(f"{metafunc.function.__name__} names no items or asks for no case.")
        known = [item for item in self.assignment.judged_items if item.id in marker.args]
        cases = [Case(self.assignment, item, self.challenge, self.evidence, self.memo) for item in known]
        metafunc.parametrize("case", cases, ids=[item.id for item in known])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Function, call: pytest.CallInfo[None]) -> Any:
        report = yield
        if call.when == "call" or call.excinfo is not None:
            self._note(item, call.excinfo.value if call.excinfo else None)
        return report

    def _note(self, test: pytest.Function, error: BaseException | None) -> None:
        case = cast(Case, test.callspec.params["case"])
        weight = float(next(test.iter_markers("points")).args[0])
        status, message = _outcome(error)
        rubric = " ".join((test.function.__doc__ or test.originalname).split())
        passed = status == "passed"
        verdict = PropertyVerdict(
            id=test.originalname.removeprefix("test_"),
            rubric=rubric,
            max_points=weight,
            points=weight if passed else 0.0,
            status=status,  # type: ignore[arg-type]
            message=message,
        )
        self.found[case.item.id].append((verdict, weight))


def _outcome(error: BaseException | None) -> tuple[str, str]:
    if error is None:
        return "passed", ""
    if isinstance(error, Wrong):
        return "failed", str(error)
    if isinstance(error, Undecided):
        return "ungraded", str(error)
    return "ungraded", f"The check itself failed ({type(error).__name__}: {str(error)[:200]})."


def _item_verdict(item: Item, found: list[tuple[PropertyVerdict, float]]) -> ItemVerdict:
    """Scales the weights to the item's points; one undecided property leaves the item to a person."""
    total = sum(weight for _, weight in found)
    if not total:
        raise AssignmentError(f"No check judges the item {item.id}.")
    scale = item.points / total
    properties = tuple(
        p.model_copy(update={"max_points": round(p.max_points * scale, 4), "points": round(p.points * scale, 4)})
        for p, _ in found
    )
    undecided = [p.message for p in properties if p.status == "ungraded"]
    failed = [p.message for p in properties if p.status == "failed"]
    message = " ".join(dict.fromkeys(undecided or failed)) or "Everything that was checked is right."
    return ItemVerdict(
        id=item.id,
        title=item.title,
        max_points=item.points,
        points=None if undecided else round(sum(p.points for p in properties), 2),
        status="ungraded" if undecided else "graded",
        message=message,
        properties=properties,
    )
