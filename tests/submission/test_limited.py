"""Submissions are read in another process, which may die of them; what is read is the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.errors import SubmissionError, Unreadable
from autograder.execution.options import Options
from autograder.grading.grade import grade_folder
from autograder.submission import limited
from autograder.submission.choosing import choose
from autograder.submission.limited import ReadingFailed, read_submission
from autograder.submission.prepare import prepare, prepare_folder
from tests.places import ROOT

NAME = "tta-eta.ipynb"


@pytest.fixture
def folder(tmp_path: Path, release: NotebookNode) -> Path:
    (tmp_path / NAME).write_text(nbformat.writes(release))
    return tmp_path


@pytest.fixture(autouse=True)
def fresh_reader() -> Iterator[None]:
    """A process that was started within the limits of the test."""
    limited._reader().stop()  # one that another test has started would count, too
    limited._reader.cache_clear()
    yield
    limited._reader().stop()
    limited._reader.cache_clear()


def write_values(folder: Path, value: str, count: int) -> None:
    """A notebook with so many values in its metadata."""
    document = json.dumps(
        {"nbformat": 4, "metadata": {"x": ["VALUES"]}, "cells": [{"cell_type": "raw", "source": "a"}]}
    )
    (folder / NAME).write_text(document.replace('"VALUES"', ",".join([value] * count)))


def readers(asking: int | None = None) -> list[psutil.Process]:
    """Those of this process, or of another one; workers that it started for other tests have their own."""
    children = psutil.Process(asking).children()
    return [child for child in children if "autograder.submission.reader" in child.cmdline()]


def test_what_is_read_is_the_same(folder: Path, assignment: Assignment, release: NotebookNode) -> None:
    (folder / "other.ipynb").write_text("{}")
    chosen, findings = choose(folder, assignment, release)
    here = prepare("ada", chosen.parsed.notebook, release, assignment)
    there = read_submission(folder, assignment, "ada")
    assert (there.student, there.notebook, there.roles) == ("ada", here.notebook, here.roles)
    assert there.findings == (*findings, *here.findings)
    assert isinstance(there.notebook.cells[0], NotebookNode)


def test_one_process_reads_all(folder: Path, assignment: Assignment) -> None:
    read_submission(folder, assignment, "ada")
    first = readers()
    for _ in range(20):
        read_submission(folder, assignment, "ada")
    assert readers() == first
    assert len(first) == 1


def test_the_memory_of_the_one_that_asks_does_not_count(folder: Path, assignment: Assignment) -> None:
    memory = bytearray(b"x") * 400_000_000
    for _ in range(2):
        read_submission(folder, assignment, "ada")
        assert len(readers()) == 1
    assert memory


def test_names_that_are_no_text_are_read(folder: Path, assignment: Assignment) -> None:
    (folder / NAME).rename(folder / os.fsdecode(b"a\xff.ipynb"))
    (finding,) = read_submission(folder, assignment, "ada").findings
    assert "\\udcff" in finding.text


def test_what_is_refused_is_refused_here(tmp_path: Path, assignment: Assignment) -> None:
    with pytest.raises(SubmissionError, match="There is no notebook in the folder"):
        read_submission(tmp_path, assignment, "ada")


def test_too_much_memory_is_a_verdict(folder: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (folder / NAME).read_bytes()
    monkeypatch.setattr(limited, "ADDRESS_SPACE", 400_000_000)
    write_values(folder, '"ab"', 6_000_000)
    verdict = grade_folder(assignment, folder, "ada", None, Options()).verdict  # type: ignore[arg-type]
    assert verdict.state == "failed to run"
    assert verdict.reason == f"{NAME} is too large to be read: clear its outputs, save it and submit that file."
    (folder / NAME).write_bytes(whole)
    assert read_submission(folder, assignment, "ada").roles


def test_too_much_memory_for_one_file_leaves_the_next(
    folder: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited, "ADDRESS_SPACE", 400_000_000)
    (folder / NAME).rename(folder / "tta-eta (1).ipynb")
    write_values(folder, '"ab"', 6_000_000)
    findings = {finding.kind: finding.text for finding in read_submission(folder, assignment, "ada").findings}
    assert "too large to be read" in findings["unreadable file"]


def test_too_much_processor_time_is_a_verdict(
    folder: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (folder / NAME).read_bytes()
    write_values(folder, '{"a":[1]}', 1_900_000)
    monkeypatch.setattr(limited, "PROCESSOR_SECONDS", 0)
    with pytest.raises(SubmissionError, match="too large to be read within 0 s of processor time: clear the outputs"):
        read_submission(folder, assignment, "ada")
    monkeypatch.undo()
    (folder / NAME).write_bytes(whole)
    assert read_submission(folder, assignment, "ada").roles


def test_processor_time_of_earlier_submissions_does_not_count(
    folder: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited, "PROCESSOR_SECONDS", 1)
    write_values(folder, "0.5", 500_000)
    read_submission(folder, assignment, "ada")
    (reader,) = readers()
    before = sum(reader.cpu_times()[:2])
    while sum(reader.cpu_times()[:2]) - before < 2.5:
        read_submission(folder, assignment, "ada")
    assert readers() == [reader]


def test_a_disk_that_does_not_answer_is_for_a_person(
    folder: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited, "WALL_SECONDS", 0.0)
    with pytest.raises(Unreadable, match="could not be read within 0 s"):
        read_submission(folder, assignment, "ada")
    monkeypatch.undo()
    assert read_submission(folder, assignment, "ada").roles


def test_a_process_that_was_ended_is_started_again(folder: Path, assignment: Assignment) -> None:
    for _ in range(3):
        read_submission(folder, assignment, "ada")
        (reader,) = readers()
        reader.kill()
        reader.wait(10)


def test_an_error_of_the_grader_is_no_fault_of_the_submission(folder: Path, assignment: Assignment) -> None:
    broken = assignment.model_copy(update={"checks": "nowhere"})
    with pytest.raises(ReadingFailed, match="checks folder autograder/checks/nowhere does not exist"):
        read_submission(folder, broken, "ada")


def test_threads_take_turns(tmp_path: Path, assignment: Assignment, release: NotebookNode) -> None:
    folders = [tmp_path / str(number) for number in range(8)]
    for number, place in enumerate(folders):
        place.mkdir()
        own = nbformat.v4.new_code_cell(f"x = {number}")
        (place / NAME).write_text(nbformat.writes(nbformat.v4.new_notebook(cells=[*release.cells, own])))
    with ThreadPoolExecutor(4) as threads:
        submissions = list(threads.map(lambda place: read_submission(place, assignment, place.name), folders))
    assert [s.notebook.cells[-1].source for s in submissions] == [f"x = {number}" for number in range(8)]
    assert len(readers()) == 1


def test_saved_outputs_are_of_the_file_that_is_graded(
    tmp_path: Path, assignment: Assignment, release: NotebookNode
) -> None:
    rates = assignment.parameters.learning_rates  # type: ignore[attr-defined]
    rows = [{"learning_rate": rate, "batch_size": 128, "epochs": 7} for rate in rates]
    shown = nbformat.v4.new_output("stream", text=str(rows))
    show = nbformat.v4.new_code_cell("print(metrics_vs_lr)", outputs=[shown])
    solution = nbformat.v4.new_code_cell("metrics_vs_lr = [1]")
    (tmp_path / NAME).write_text(nbformat.writes(release))
    finished = nbformat.v4.new_notebook(cells=[*release.cells, solution, show])
    (tmp_path / "tta-eta (1).ipynb").write_text(nbformat.writes(finished))
    own = read_submission(tmp_path, assignment, "ada").saved_outputs
    assert own == prepare_folder(tmp_path, assignment, "ada").saved_outputs
    assert [row["epochs"] for loop in own.loops.values() for row in loop.rows] == [7] * len(rates)


def test_the_process_ends_with_the_one_that_asks(folder: Path) -> None:
    code = "from autograder.submission import limited; limited.start(); print('started', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as asking:
        assert asking.stdout is not None
        assert asking.stdout.readline() == "started\n"
        started = time.monotonic()
        while not (found := readers(asking.pid)) and time.monotonic() < started + 20:
            time.sleep(0.05)  # a busy machine may not have started the program in it yet
        (reader,) = found
        asking.send_signal(signal.SIGKILL)
        reader.wait(20)
