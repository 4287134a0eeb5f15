"""Lets pytest decide over the evidence: the checks of the assignment, item by item."""

from __future__ import annotations

import queue
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import pytest

from autograder.assignment.scenario import Challenge
from autograder.assignment.settings import ROOT, Assignment, Item
from autograder.errors import AssignmentError
from autograder.execution.evidence import Evidence

from .case import Case, Undecided, Wrong
from .verdict import ItemVerdict, PropertyVerdict

FOLDER = ROOT / "autograder" / "checks"
# Nothing of pytest's own that looks at the process around it: it stays in a thread for as long as the process lives.
WITHOUT = ("cacheprovider", "terminal", "faulthandler", "unraisableexception", "threadexception", "logging")
OPTIONS = (
    *("--assert=plain", "--import-mode=importlib", "--capture=no", "--disable-plugin-autoload"),
    *(f"-pno:{name}" for name in WITHOUT),
)


def judge(assignment: Assignment, challenge: Challenge, evidence: Evidence) -> tuple[ItemVerdict, ...]:
    """The verdict on every item that the autograder gives points for, in the order of the assignment."""
    ids = tuple(item.id for item in assignment.judged_items)
    found = _court(assignment.checks, ids).hear(_Hearing(assignment, challenge, evidence))
    return tuple(_item_verdict(item, found[item.id]) for item in assignment.judged_items)


@dataclass(frozen=True)
class _Hearing:
    """One submission before the checks."""

    assignment: Assignment
    challenge: Challenge
    evidence: Evidence
    memo: dict[str, Any] = field(default_factory=dict)

    def case(self, item_id: str) -> Case:
        return Case(self.assignment, self.assignment.item(item_id), self.challenge, self.evidence, self.memo)


Found = dict[str, list[tuple[PropertyVerdict, float]]]


@cache
def _court(checks: str, ids: tuple[str, ...]) -> _Court:
    return _Court(checks, ids)


class _Court:
    """A pytest session that collects the checks once and runs them again for every submission.

    It is a plugin of its own session, which waits for hearings where pytest would run its tests once (see the hook
    `pytest_runtestloop`, https://docs.pytest.org/en/stable/reference/reference.html).
    """

    def __init__(self, checks: str, ids: tuple[str, ...]) -> None:
        self.folder, self.ids = FOLDER / checks, ids
        if not self.folder.is_dir():
            raise AssignmentError(f"There is no folder of checks {checks!r}.")
        self.hearing: _Hearing | None = None
        self.found: Found = {}
        self._calls: queue.SimpleQueue[_Hearing] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Found | Exception] = queue.SimpleQueue()
        self._turn = threading.Lock()
        threading.Thread(target=self._sit, name="checks", daemon=True).start()

    def hear(self, hearing: _Hearing) -> Found:
        """What each check says, by item."""
        with self._turn:
            self._calls.put(hearing)
            answer = self._answers.get()
        if isinstance(answer, Exception):
            _court.cache_clear()
            raise answer
        return answer

    def _sit(self) -> None:
        arguments = [*OPTIONS, "-c", str(FOLDER / "pytest.ini"), "--rootdir", str(FOLDER), str(self.folder)]
        try:
            status: Any = pytest.main(arguments, plugins=[self])
        except BaseException as error:
            status = error
        self._answers.put(AssignmentError(f"The checks in {self.folder.name} could not be run ({status!r})."))

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "items(*ids): the items that the module judges")
        config.addinivalue_line("markers", "points(weight): what the property is worth")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        marker = metafunc.definition.get_closest_marker("items")
        if marker is None or "case" not in metafunc.fixturenames:
            raise AssignmentError(f"{metafunc.function.__name__} names no items or asks for no case.")
        known = [item_id for item_id in self.ids if item_id in marker.args]
        metafunc.parametrize("case", known, ids=known, indirect=True)

    @pytest.fixture
    def case(self, request: pytest.FixtureRequest) -> Case:
        assert self.hearing is not None
        return self.hearing.case(request.param)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> object:
        if session.testsfailed:
            return None  # pytest says itself that the checks could not be collected
        for hearing in iter(self._calls.get, None):
            self.hearing, self.found = hearing, defaultdict(list)
            for item in session.items:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            self._answers.put(self.found)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Function, call: pytest.CallInfo[None]) -> Iterator[Any]:
        report = yield
        if call.when == "call" or call.excinfo is not None:
            self._note(item, call.excinfo.value if call.excinfo else None)
        return report

    def _note(self, test: pytest.Function, error: BaseException | None) -> None:
        weight = float(next(test.iter_markers("points")).args[0])
        status, message = _outcome(error)
        rubric = " ".join((test.function.__doc__ or test.originalname).split())
        verdict = PropertyVerdict(
            id=test.originalname.removeprefix("test_"),
            rubric=rubric,
            max_points=weight,
            points=weight if status == "passed" else 0.0,
            status=status,  # type: ignore[arg-type]
            message=message,
            strip=error.strip if isinstance(error, Wrong) else None,
        )
        self.found[cast(str, test.callspec.params["case"])].append((verdict, weight))


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
