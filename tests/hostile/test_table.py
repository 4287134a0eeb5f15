"""Tests with some rows of the table of attacks and faults; `make hostile` tries all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from autograder.execution import sandbox
from autograder.execution.kernels import Kernels, kernels
from tests.fidelity.build import notebook, variant

from . import bait
from .row import FileRow, Row
from .table import rows, table
from .trial import Grounds, try_row
from .unguarded import unguarded_kernels

pytestmark = pytest.mark.skipif(bool(sandbox.missing()), reason=sandbox.missing())

SOME = (
    "reads-secret",
    "tcp",
    "kills",
    "full-disk",
    "os-exit",
    "forged-reports",
    "replaces-the-connection",
    "walks-through-closures",
    "patches-the-encoder",
    "audit-off-by-a-nested-cell",
    "replies-early",
    "pickle",
    "script-in-output",
    "merge-conflict",
)


@pytest.fixture(scope="module")
def laid() -> Iterator[bait.Bait]:
    with bait.laid() as found:
        yield found


@pytest.fixture(scope="module")
def grounds(laid: bait.Bait, warm_kernels: Kernels) -> Iterator[Grounds]:
    with kernels("auto", "none") as free, unguarded_kernels("bwrap") as unguarded:
        yield Grounds(laid, warm_kernels, free, unguarded)


@pytest.fixture(scope="module")
def by_podman(grounds: Grounds) -> Iterator[Grounds]:
    with kernels("auto", "podman") as sandboxed:
        yield replace(grounds, sandboxed=sandboxed)


@pytest.mark.parametrize("name", SOME)
def test_row_goes_as_it_must_and_works_unprotected(name: str, grounds: Grounds) -> None:
    outcome = try_row(grounds, name)
    assert outcome.is_right, outcome.told
    assert outcome.control, "the attack did not work without protection either"


@pytest.mark.skipif(bool(sandbox.missing("podman")), reason=sandbox.missing("podman"))
@pytest.mark.parametrize("name", SOME[:4])
def test_row_goes_as_it_must_by_podman(name: str, by_podman: Grounds) -> None:
    outcome = try_row(by_podman, name)
    assert outcome.is_right, outcome.told


def test_the_table_is_large_and_every_row_says_what_it_tries() -> None:
    assert len(rows()) >= 80
    assert all(row.tried for row in rows().values())
    assert all(table().values())


def test_controls_of_broken_files_are_quiet_on_a_sound_one(tmp_path: Path) -> None:
    """A control that fires for every file would prove nothing. Rows about archives are omitted: they need one."""
    (tmp_path / "tta-eta.ipynb").write_text(nbformat.writes(notebook(variant("reference"))), encoding="utf-8")
    files = [row for row in rows().values() if isinstance(row, FileRow) and "archive" not in row.tried]
    assert [row.id for row in files if not row.id.startswith("zip-") and row.control(tmp_path)] == []


def test_every_bait_that_an_attack_names_is_laid(laid: bait.Bait) -> None:
    for row in rows().values():
        if isinstance(row, Row):
            assert "@" not in laid.into(row.cell), row.id
