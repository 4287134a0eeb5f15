"""The environments of `make test-versions` are those that requirements.in and the page promise."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.versions import __main__ as command
from tests.versions.environments import Environment, list_requirements, load_environments

ENVIRONMENTS = {environment.name: environment for environment in load_environments()}


def lower_bounds() -> dict[str, str]:
    """The lower bound of every package that requirements.in asks for, by name."""
    wanted = map(Requirement, list_requirements(Environment("none", "")))
    return {
        each.name: bound.version for each in wanted for bound in each.specifier if bound.operator in (">=", "==", "~=")
    }


def test_lowest_environment_has_the_lower_bounds() -> None:
    bounds = lower_bounds()
    for pin in map(Requirement, ENVIRONMENTS["lowest"].pins):
        assert str(pin.specifier) == f"=={bounds[pin.name]}.*"


def test_page_names_the_lower_bounds() -> None:
    page = command.PAGE.read_text(encoding="utf-8").casefold()
    for pin in map(Requirement, ENVIRONMENTS["lowest"].pins):
        name = pin.name.removesuffix("-cpu")
        assert f"| {name} | {lower_bounds()[pin.name]} |" in page


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_pins_lie_within_what_is_asked_for(environment: Environment) -> None:
    wanted = {each.name: each.specifier for each in map(Requirement, list_requirements(Environment("none", "")))}
    for pin in map(Requirement, environment.pins):
        assert wanted[pin.name].contains(str(pin.specifier).removeprefix("==").replace("*", "99"))


def test_zeus_is_exchanged_for_its_old_name() -> None:
    names = [Requirement(line).name for line in list_requirements(ENVIRONMENTS["zeus-ml"])]
    assert "zeus-ml" in names
    assert "zeus" not in names


def test_rows_of_other_environments_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "versions.md"
    page.write_text(f"before\n{command.BEGIN}\n{command.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(command, "PAGE", page)
    first, second = Environment("first", "one"), Environment("second", "two")
    passed = {"tta-eta": True, "fixed-epochs": True}
    command.write_table([command.Result(second, {"keras": "3.8.0"}, passed, (0, 0, 0))], ["first", "second"])
    command.write_table([command.Result(first, problem="failed", counts=(1, 0, 2))], ["first", "second"])
    lines = page.read_text(encoding="utf-8").splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    rows = [line for line in lines if line.startswith("| ")]
    assert [row.split(" | ")[:6] for row in rows[1:]] == [
        ["| first: one", "", "?", "1", "0", "2"],
        ["| second: two", "keras 3.8.0", "passes", "0", "0", "0"],
    ]


@pytest.mark.parametrize(("counts", "is_right"), [((0, 0, 0), True), ((0, 1, 0), False), ((), False)])
def test_nothing_but_zeros_is_right(counts: tuple[int, ...], is_right: bool) -> None:
    passed = dict.fromkeys(command.ASSIGNMENTS, True)
    assert command.Result(Environment("any", ""), passed=passed, counts=counts).is_right is is_right
