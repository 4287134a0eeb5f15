"""Apply the checks of an assignment to the evidence, item by item.

The checks are pytest modules. A pytest session takes longer than judging a submission, so each process lets pytest
collect the checks once and then calls their functions for each submission.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from autograder.assignment.course import PACKAGE
from autograder.assignment.exercise import exercise_of
from autograder.assignment.scenario import Scenario
from autograder.assignment.settings import Assignment, Item
from autograder.common.processor_limit import TooLong, limit_processor
from autograder.errors import AssignmentError, KernelFailed, describe_error, describe_place, shorten_path, suggest
from autograder.execution.evidence import Evidence

from .case import Ask, Case, NeedsSamples, NotChecked, Undecided, Wrong, find_stop
from .notebook_tests import check_tests, describe_tests
from .sampling import Sample, Sampler
from .verdict import ItemVerdict, PropertyVerdict

PYTEST_INI = PACKAGE / "checks" / "pytest.ini"
PLUGINS_OFF = ("cacheprovider", "terminal", "faulthandler", "unraisableexception", "threadexception", "logging")
OPTIONS = (
    *("--assert=plain", "--import-mode=importlib", "--capture=no", "--disable-plugin-autoload", "--noconftest"),
    *(f"-pno:{name}" for name in PLUGINS_OFF),
)

MAX_JUDGING_SECONDS = 20.0
"""Maximum processor time in seconds for judging one run."""


@dataclass(frozen=True)
class Check:
    """One sentence of the rubric, as pytest collected it, for one item."""

    item: str
    name: str
    rubric: str
    weight: float
    function: Callable[..., None]
    arguments: dict[str, Any]


@dataclass
class Judgement:
    """The verdict on every item of one run, the numbers in that run of the figures by which items were judged, and the
    inputs that checks drew, by item and check."""

    items: tuple[ItemVerdict, ...]
    figures: dict[str, int] = field(default_factory=dict)
    samples: dict[str, list[Sample]] = field(default_factory=dict)


def judge(
    assignment: Assignment,
    scenario: Scenario,
    evidence: Evidence,
    ask: Ask | None = None,
    samples: Mapping[str, list[Sample]] = MappingProxyType({}),
    seconds_waited: Callable[[], float] = float,
) -> Judgement:
    """Judge every item that the autograder gives points for, in the order of the assignment.

    Args:
        assignment: the assignment whose checks are applied.
        scenario: the scenario under which the notebook was run.
        evidence: what the notebook did in that run.
        ask: asks the kernel a question; None if only recorded answers can be used.
        samples: recorded inputs that checks must use again.
        seconds_waited: returns for how long the kernel has waited for a processor.

    Raises:
        AssignmentError: the checks cannot be collected, or there is an item without a check.
    """
    ids = tuple(item.id for item in assignment.checked_items)
    memo: dict[str, Any] = {}
    by_item: dict[str, list[PropertyVerdict]] = defaultdict(list)
    is_late = False
    drawn: dict[str, list[Sample]] = {}
    checks = (*(collect(assignment.checks_folder, ids) if ids else ()), *make_checks(assignment))
    for check in checks:
        name = f"{check.item}/{check.name}"
        case = Case(
            assignment, assignment.item(check.item), scenario, evidence, memo, ask, name, seconds_waited=seconds_waited
        )
        error: BaseException | None = TooLong() if is_late else _call(check, case, memo, samples, drawn)
        is_late = is_late or isinstance(error, TooLong)
        by_item[check.item].append(_property_verdict(check, error))
    items = tuple(_item_verdict(item, by_item[item.id], evidence) for item in assignment.judged_items)
    return Judgement(items, memo.get("figures", {}), drawn)


def _call(
    check: Check,
    case: Case,
    memo: dict[str, Any],
    samples: Mapping[str, list[Sample]],
    drawn: dict[str, list[Sample]],
) -> BaseException | None:
    """Call a check, once for each sample if it draws some, and return what it raises."""
    left = MAX_JUDGING_SECONDS - memo.get("seconds", 0.0)
    try:
        with limit_processor(left) as spent:
            try:
                check.function(case=case, **check.arguments)
            except NeedsSamples:
                sampler = Sampler(case, lambda each: check.function(case=each, **check.arguments))
                if case.ask is not None and case.check not in samples:
                    drawn[case.check] = sampler.samples
                    sampler.judge()
                else:
                    sampler.judge_again(samples.get(case.check))
        return None
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        return error
    finally:
        memo["seconds"] = memo.get("seconds", 0.0) + spent()


def make_checks(assignment: Assignment) -> Iterator[Check]:
    """Yield a check for each item that is judged by a test cell of the notebook."""
    for name, source in assignment.read_tests().items():
        points = assignment.item(name).points
        yield Check(name, "tests", describe_tests(source), points, check_tests, {"source": source})


@cache
def collect(folder: Path, ids: tuple[str, ...]) -> tuple[Check, ...]:
    """Let pytest collect the checks for some items, in the order of the modules.

    Args:
        folder: the folder with the checks.
        ids: the ids of the items.

    Raises:
        AssignmentError: a check is invalid; the message says which one and why.
    """
    if not folder.is_dir():
        raise AssignmentError(f"The checks folder {shorten_path(folder)} does not exist.")
    collector = _Collector(ids, folder)
    arguments = [*OPTIONS, "-c", str(PYTEST_INI), "--rootdir", str(folder.parent), f"--ignore={folder / 'tests'}"]
    status = pytest.main([*arguments, "--collect-only", str(folder)], plugins=[collector])
    if status != pytest.ExitCode.OK or collector.errors:
        _unload_modules(folder)
        if status == pytest.ExitCode.NO_TESTS_COLLECTED and not collector.errors:
            collector.errors.append(
                f"There is no check in {shorten_path(folder)}: write one in a file named test_*.py."
            )
        raise AssignmentError(collector.errors[0] if collector.errors else f"pytest stopped with {status!r}.")
    for item in collector.collected:  # so that no folder of the same name gets these modules
        sys.modules.pop(item.function.__module__, None)
    return tuple(_describe(item) for item in collector.collected)


def forget(folder: Path) -> None:
    """Forget the checks and the exercise of a folder, so that edited ones are read again."""
    collect.cache_clear()
    exercise_of.cache_clear()
    _unload_modules(folder)


def _unload_modules(folder: Path) -> None:
    """Remove modules that may be partly imported: the next collection would treat them as modules without checks."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


class _Collector:
    """A plugin that keeps what pytest collected, and a sentence on each problem with it; for its hooks see
    https://docs.pytest.org/en/stable/reference/reference.html."""

    def __init__(self, ids: tuple[str, ...], folder: Path) -> None:
        self.ids, self.folder = ids, folder
        self.collected: list[pytest.Function] = []
        self.errors: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "items(*ids): the items that the module judges")
        config.addinivalue_line("markers", "points(weight): what the property is worth")

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        report = yield
        if report.failed:
            error = report.longrepr
            self.errors.append(_describe_import_error(str(error), collector.path))
        return report

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        known = [item_id for item_id in self.ids if item_id in self._find_items(metafunc)]
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", known, ids=known)

    def _find_items(self, metafunc: pytest.Metafunc) -> tuple[str, ...]:
        """Return the items that a test judges, and note what is wrong with the test."""
        place = _locate(metafunc.function)
        name = metafunc.function.__name__
        items = metafunc.definition.get_closest_marker("items")
        if "case" not in metafunc.fixturenames:
            self.errors.append(f"{place}: {name} has no argument `case`: write `def {name}(case):`.")
        if items is None or not items.args:
            self.errors.append(f'{place}: {name} does not refer to an item: write `@item("...", points=1)` above it.')
            return ()
        for unknown in set(items.args) - set(self.ids):
            if near := suggest(unknown, self.ids):
                self.errors.append(f"{place}: {name} refers to the unknown item {unknown!r}{near}.")
        weights = [marker.args for marker in metafunc.definition.iter_markers("points")]
        if not weights or not weights[0]:
            self.errors.append(f"{place}: {name} does not say how many points it is worth: add `@points(1)`.")
        elif not isinstance(weight := weights[0][0], (int, float)) or isinstance(weight, bool) or not weight > 0:
            self.errors.append(f"{place}: {name} is worth {weight!r} points: write a number above 0.")
        return tuple(items.args)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.collected = [item for item in session.items if isinstance(item, pytest.Function)]


def _locate(function: Callable[..., Any]) -> str:
    """Return the file and line of a check."""
    code = inspect.unwrap(function).__code__
    return f"{shorten_path(Path(code.co_filename))}, line {code.co_firstlineno}"


def _describe_import_error(text: str, path: Path) -> str:
    """Describe, from pytest's report, why a module cannot be imported: its file, the line of it, and the error."""
    lines = [line for line in text.splitlines() if line.strip()]
    reasons = [line.removeprefix("E").strip() for line in lines if line.startswith("E ")]
    reason = next((line for line in reversed(reasons) if re.match(r"\w*(Error|Exception|Warning)\b", line)), "")
    numbers = re.findall(rf"{re.escape(path.name)}(?:\", line |:)(\d+)", text)
    place = f"{shorten_path(path)}{f', line {numbers[-1]},' if numbers else ''}"
    problem = f"raises {reason}" if reason else f"cannot be imported: {(reasons or lines or ['no reason given'])[-1]}"
    return f"{place} {problem}.".replace("..", ".")


def _describe(item: pytest.Function) -> Check:
    arguments = dict(item.callspec.params)
    return Check(
        item=str(arguments.pop("case")),
        name=item.originalname.removeprefix("test_"),
        rubric=" ".join((item.function.__doc__ or item.originalname).split()),
        weight=float(next(item.iter_markers("points")).args[0]),
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
        fault=_describe_fault(check, error) if status == "ungraded" else "",
        chart=error.chart if isinstance(error, Wrong) else None,
    )


def _describe_fault(check: Check, error: BaseException | None) -> str:
    """Describe an error of the check itself for its author; "" if the check left the item undecided on purpose."""
    if error is None or isinstance(error, (Undecided, KernelFailed, TooLong)):
        return ""
    return f"{describe_place(error, Path(inspect.getfile(check.function)))} {describe_error(error)}"


def _outcome(error: BaseException | None) -> tuple[str, str]:
    if error is None:
        return "passed", ""
    if isinstance(error, Wrong):
        return "not checked" if isinstance(error, NotChecked) else "failed", str(error)
    if isinstance(error, (Undecided, KernelFailed)):
        return "ungraded", str(error)
    if isinstance(error, TooLong):
        message = f"The check took more than {MAX_JUDGING_SECONDS:g} s of processor time. This item needs review."
    else:
        message = f"An internal error in the autograder prevented this check from running ({type(error).__name__})."
    return "ungraded", message


def find_unchecked(assignment: Assignment) -> list[str]:
    """Return the items that should have checks but have none. Raises the errors of `collect`."""
    ids = tuple(item.id for item in assignment.checked_items)
    checked = {check.item for check in collect(assignment.checks_folder, ids)} if ids else set()
    return [item_id for item_id in ids if item_id not in checked]


def describe_unchecked(item_id: str) -> str:
    """Return the message about an item that has no check."""
    return (
        f"There is no check for the item {item_id!r}: write one with `@item({item_id!r}, points=...)`, or remove the "
        "item from assignment.toml."
    )


def _item_verdict(item: Item, found: list[PropertyVerdict], evidence: Evidence) -> ItemVerdict:
    """Scale the weights to the item's points. One undecided property marks the item for manual review, and so does an
    internal error of the autograder in one of its cells, if points were lost."""
    total = sum(each.max_points for each in found)
    if not total:
        raise AssignmentError(describe_unchecked(item.id))
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
        undecided.append(
            f"An internal error in the autograder occurred while the cell was running ({next(filter(None, faults))})."
        )
    message = " ".join(dict.fromkeys(undecided or failed)) or "All checks passed."
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
    """If a cell of the task stopped, put that at the beginning of the first message about a failed check."""
    missed = [place for place, each in enumerate(found) if each.status in ("failed", "not checked")]
    if not stop or not missed or any(stop in found[place].message for place in missed):
        return found
    first = found[missed[0]].message
    message = {"message": f"{stop} {first}"}
    return [each.model_copy(update=message) if each.message == first else each for each in found]
