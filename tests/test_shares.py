"""Work that several processes share is done for everybody, whatever becomes of the processes."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from autograder.errors import AutograderError, PartlyWritten
from autograder.scheduling import parallel as shares

CLASS = {f"s{number:02}": number for number in range(shares.FEW + 5)}


@pytest.fixture(autouse=True)
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "_processes", lambda: 2 if sys.platform == "linux" else 1)


def test_it_is_done_for_each_by_two(tmp_path: Path) -> None:
    def work(name: str, number: int) -> None:
        (tmp_path / name).write_text(f"{number} {os.getpid()}")

    assert shares.each(work, CLASS) == {}
    told = [(tmp_path / name).read_text().split() for name in CLASS]
    assert [int(number) for number, _ in told] == list(CLASS.values())
    assert len({process for _, process in told}) == (2 if sys.platform == "linux" else 1)


def test_few_are_done_here(tmp_path: Path) -> None:
    processes = []
    assert shares.each(lambda name, number: processes.append(os.getpid()), {"a": 1, "b": 2}) == {}
    assert processes == [os.getpid()] * 2
    assert shares.each(lambda name, number: None, {}) == {}


def test_what_fails_is_told_in_the_same_words_wherever_it_was() -> None:
    def work(name: str, number: int) -> None:
        if number in (3, 4):
            raise KeyError("no such cell")
        if number in (10, 11):
            raise AutograderError("The disk is full.")

    failed = shares.each(work, CLASS)
    assert list(failed) == ["s03", "s04", "s10", "s11"]
    sentence = str(PartlyWritten.of("page", failed))
    assert sentence.count("KeyError: 'no such cell'") == 2
    assert sentence.count("(The disk is full)") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="there is one process")
def test_the_share_of_one_that_dies_is_done_again(tmp_path: Path) -> None:
    ours = os.getpid()

    def work(name: str, number: int) -> None:
        if os.getpid() != ours and number > 10:
            os.kill(os.getpid(), signal.SIGKILL)
        (tmp_path / name).touch()

    assert shares.each(work, CLASS) == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == list(CLASS)


@pytest.mark.skipif(sys.platform != "linux", reason="there is one process")
def test_who_is_stopped_leaves_nobody_at_work() -> None:
    ours = os.getpid()

    def work(name: str, number: int) -> None:
        if os.getpid() == ours:
            raise KeyboardInterrupt
        signal.pause()

    with pytest.raises(KeyboardInterrupt):
        shares.each(work, CLASS)
    assert not [each for each in psutil.Process().children() if each.cmdline() == psutil.Process().cmdline()]
