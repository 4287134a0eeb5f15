"""The package: its dependencies, its entry points, and the names that it gives to others."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from jupyter_client.provisioning import KernelProvisionerBase
from packaging.requirements import Requirement

import autograder
from tests.places import ROOT
from tests.test_environment import asked_for

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_it_asks_for_what_the_lock_is_made_from() -> None:
    listed = [Requirement(text) for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]]
    assert sorted(map(str, listed)) == sorted(map(str, asked_for()))


def test_its_command_is_the_command_line() -> None:
    from autograder.cli import app

    (name, target), *others = PROJECT["scripts"].items()
    main = EntryPoint(name, target, "console_scripts").load()
    assert (name, others) == ("autograder", [])
    assert main.__globals__["app"] is app


def test_jupyter_finds_its_provisioner() -> None:
    group = "jupyter_client.kernel_provisioners"
    for name, target in PROJECT["entry-points"][group].items():
        assert issubclass(EntryPoint(name, target, group).load(), KernelProvisionerBase)


@pytest.mark.parametrize("name", autograder.__all__)
def test_public_names_are_there_and_say_what_they_are(name: str) -> None:
    assert getattr(autograder, name).__doc__
    assert name in dir(autograder)


def test_a_name_that_is_not_there_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'grade_everything'"):
        autograder.grade_everything  # noqa: B018


@pytest.mark.parametrize("statement", ["import autograder.cli", "from autograder import Assignment, Course"])
def test_what_is_asked_first_imports_little(statement: str) -> None:
    heavy = ("tensorflow", "nbgrader", "nbformat", "pytest", "sqlalchemy", "matplotlib")
    code = f"{statement}\nimport sys\nprint([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
