"""Applies the checks of an assignment to the evidence, item by item.

The checks are pytest modules. A pytest session takes longer than judging a submission, so each process has pytest
collect the checks once and then calls their functions for each submission.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from autograder.assignment.course import PACKAGE
from autograder.assignment.scenario import Scenario
from autograder.assignment.settings import Assignment, Item
from autograder.errors import AssignmentError
from autograder.execution.evidence import Evidence

from .case import Ask, Case, NotChecked, Undecided, Wrong, find_stop
from .verdict import ItemVerdict, PropertyVerdict

FOLDER = PACKAGE / "checks"
PLUGINS_OFF = ("cacheprovider", "terminal", "faulthandler", "unraisableexception", "threadexception", "logging")
OPTIONS = (
    *("--assert=plain", "--import-mode=importlib", "--capture=no", "--disable-plugin-autoload"),
    *(f"-pno:{name}" for name in PLUGINS_OFF),
)

MAX_JUDGING_SECONDS = 20.0
"""Seconds of processor time that judging one run may take."""


@dataclass(frozen=True)
class Check:
    """One sentence of the rubric, as pytest collected it, for one item."""

    item: str
    name: str
    rubric: str
    weight: float
    function: Callable[..., None]
    arguments: dict[str, Any]


class TooLong(BaseException):
    """Judging took more processor time than it may."""


@dataclass
class Judgement:
    """The verdict on every item of one run, and the figures that items were judged by, as numbers of the run's."""

    items: tuple[ItemVerdict, ...]
    figures: dict[str, int] = field(default_factory=dict)


def judge(assignment: Assignment, scenario: Scenario, evidence: Evidence, ask: Ask | None = None) -> Judgement:
    """Judge every item that the autograder gives points for, in the order of the assignment.

    Args:
        assignment: whose checks decide.
        scenario: what the notebook met.
        evidence: what it did.
        ask: asks the kernel a question; None where only recorded answers can be used.

    Raises:
        AssignmentError: the checks cannot be collected, or none judges an item.
    """
    ids = tuple(item.id for item in assignment.judged_items)
    memo: dict[str, Any] = {}
    by_item: dict[str, list[PropertyVerdict]] = defaultdict(list)
    is_late = False
    for check in collect(assignment.checks, ids):
        case = Case(assignment, assignment.item(check.item), scenario, evidence, memo, ask)
        error: BaseException | None = TooLong() if is_late else _call(check, case, memo)
        is_late = is_late or isinstance(error, TooLong)
        by_item[check.item].append(_property_verdict(check, error))
    items = tuple(_item_verdict(item, by_item[item.id], evidence) for item in assignment.judged_items)
    return Judgement(items, memo.get("figures", {}))


def _call(check: Check, case: Case, memo: dict[str, Any]) -> BaseException | None:
    """Call a check and return what it raises."""
    left = MAX_JUDGING_SECONDS - memo.get("seconds", 0.0)
    try:
        with _processor_limit(left) as spent:
            check.function(case=case, **check.arguments)
        return None
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        return error
    finally:
        memo["seconds"] = memo.get("seconds", 0.0) + spent()


@contextlib.contextmanager
def _processor_limit(seconds: float) -> Iterator[Callable[[], float]]:
    """Raise TooLong after so many seconds of processor time; only the main thread can be interrupted in this way.

    Yields:
        A function that returns the seconds that were spent, once the context is left.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGVTALRM"):
        yield lambda: 0.0
        return

    def stop(number: int, frame: Any) -> None:
        raise TooLong

    seconds = max(seconds, 0.001)
    spent = [0.0]
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield lambda: spent[0]
    finally:
        spent[0] = seconds - signal.setitimer(signal.ITIMER_VIRTUAL, 0)[0]
        signal.signal(signal.SIGVTALRM, before)


@cache
def collect(checks: str, ids: tuple[str, ...]) -> tuple[Check, ...]:
    """Have pytest collect the checks for some items, in the order of the modules.

    Args:
        checks: a folder of `autograder/checks/`.
        ids: the items.

    Raises:
        AssignmentError: pytest cannot collect them.
    """
    if not (FOLDER / checks).is_dir():
        raise AssignmentError(f"There is no folder of checks {checks!r}.")
    collector = _Collector(ids)
    arguments = [*OPTIONS, "-c", str(FOLDER / "pytest.ini"), "--rootdir", str(FOLDER), str(FOLDER / checks)]
    status = pytest.main([*arguments, "--collect-only"], plugins=[collector])
    if status != pytest.ExitCode.OK or collector.errors:
        _unload_modules(FOLDER / checks)
        reason = collector.errors[0] if collector.errors else f"pytest ended with {status!r}"
        raise AssignmentError(f"The checks in autograder/checks/{checks} could not be collected: {reason}.")
    return tuple(_describe(item) for item in collector.collected)


def _unload_modules(folder: Path) -> None:
    """Remove modules that may be half imported: the next collection would take them for modules without checks."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


class _Collector:
    """A plugin that keeps what pytest collected; for its hooks see
    https://docs.pytest.org/en/stable/reference/reference.html."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        self.ids = ids
        self.collected: list[pytest.Function] = []
        self.errors: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "items(*ids): the items that the module judges")
        config.addinivalue_line("markers", "points(weight): what the property is worth")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            lines = [line for line in str(report.longrepr).splitlines() if line.strip()]
            self.errors.append(lines[-1].removeprefix("E").strip() if lines else "pytest gave no reason")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        marker = metafunc.definition.get_closest_marker("items")
        if marker is None or "case" not in metafunc.fixturenames:
            raise AssignmentError(f"{metafunc.function.__name__} names no items or asks for no case")
        known = [item_id for item_id in self.ids if item_id in marker.args]
        metafunc.parametrize("case", known, ids=known)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.collected = [item for item in session.items if isinstance(item, pytest.Function)]


def _describe(item: pytest.Function) -> Check:
    arguments = dict(item.callspec.params)
    markers = list(item.iter_markers("points"))
    if not markers:
        raise AssignmentError(f"{item.nodeid} does not say how many points it is worth: add @points(1).")
    return Check(
        item=str(arguments.pop("case")),
        name=item.originalname.removeprefix("test_"),
        rubric=" ".join((item.function.__doc__ or item.originalname).split()),
        weight=float(markers[0].args[0]),
        function=item.function,
        arguments=arguments,
    )


def _property_verdict(check: Check, error: BaseException | None) -> PropertyVerdict:
    status, message = _outcome(error)
    return PropertyVerdict(
        id=check.name,
        rubric=check.rubric,
        max_points=check.weight,
        points=check.weight * (error.share if isinstance(error, Wrong) else float(status == "passed")),
        status=status,  # type: ignore[arg-type]
        message=message,
        strip=error.strip if isinstance(error, Wrong) else None,
    )


def _outcome(error: BaseException | None) -> tuple[str, str]:
    if error is None:
        return "passed", ""
    if isinstance(error, Wrong):
        return "not checked" if isinstance(error, NotChecked) else "failed", str(error)
    if isinstance(error, Undecided):
        return "ungraded", str(error)
    if isinstance(error, TooLong):
        return "ungraded", f"Judging took more than {MAX_JUDGING_SECONDS:g} s of the processor: it needs review."
    return "ungraded", f"An error of the grader's own kept it from judging this ({type(error).__name__})."


def _item_verdict(item: Item, found: list[PropertyVerdict], evidence: Evidence) -> ItemVerdict:
    """Scale the weights to the item's points; one undecided property leaves the item to a person, and so does an error
    of the autograder's own in one of its cells."""
    total = sum(each.max_points for each in found)
    if not total:
        raise AssignmentError(f"No check judges the item {item.id}.")
    scale = item.points / total
    stop = find_stop(evidence, item.cell)
    found = _name_stop_first(found, str(stop or ""))
    properties = tuple(
        p.model_copy(update={"max_points": round(p.max_points * scale, 4), "points": round(p.points * scale, 4)})
        for p in found
    )
    undecided = [p.message for p in properties if p.status == "ungraded"]
    failed = [p.message for p in properties if p.status in ("failed", "not checked")]
    faults = [evidence.cells[number].fault for number in sorted(evidence.cells_of(item.cell))]
    if failed and any(faults):
        undecided.append(f"The autograder itself failed in the cell ({next(filter(None, faults))}).")
    message = " ".join(dict.fromkeys(undecided or failed)) or "Everything that was checked is right."
    return ItemVerdict(
        id=item.id,
        title=item.title,
        max_points=item.points,
        points=None if undecided else round(sum(p.points for p in properties), 2),
        status="ungraded" if undecided else "graded",
        message=message,
        properties=properties,
        stop=stop,
    )


def _name_stop_first(found: list[PropertyVerdict], stop: str) -> list[PropertyVerdict]:
    """Where a cell of the task stopped, the first message on what was missed begins with that."""
    missed = [place for place, each in enumerate(found) if each.status in ("failed", "not checked")]
    if not stop or not missed or any(stop in found[place].message for place in missed):
        return found
    first = found[missed[0]].message
    told = {"message": f"{stop} {first}"}
    return [each.model_copy(update=told) if each.message == first else each for each in found]
