"""Work that several processes share is done for every item, whatever becomes of the processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from autograder.errors import AutograderError, PartlyWritten
from autograder.scheduling import parallel
from autograder.scheduling.parallel import parallel_map

CLASS = {f"s{number:02}": number for number in range(2 * parallel.MIN_ITEMS_PER_PROCESS + 5)}


@pytest.fixture(autouse=True)
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "count_processes", lambda: 2 if sys.platform == "linux" else 1)


def test_every_item_is_done_once_and_no_process_stays(tmp_path: Path) -> None:
    def work(name: str, number: int) -> None:
        with (tmp_path / name).open("a") as file:
            file.write(f"{number} {os.getpid()}\n")

    assert parallel_map(work, CLASS) == {}
    lines = [(tmp_path / name).read_text().splitlines() for name in CLASS]
    assert [len(each) for each in lines] == [1] * len(CLASS)
    done = [line.split() for (line,) in lines]
    assert [int(number) for number, _ in done] == list(CLASS.values())
    if sys.platform == "linux":
        assert str(os.getpid()) not in {process for _, process in done}
    assert not multiprocessing.active_children()


def test_few_items_are_done_in_this_process() -> None:
    processes = []
    assert parallel_map(lambda name, number: processes.append(os.getpid()), {"a": 1, "b": 2}) == {}
    assert processes == [os.getpid()] * 2
    assert parallel_map(lambda name, number: None, {}) == {}


def test_errors_have_the_same_words_wherever_they_were_raised() -> None:
    def work(name: str, number: int) -> None:
        if number in (3, 4):
            raise KeyError("no such cell")
        if number in (10, 11):
            raise AutograderError("The disk is full.")

    errors = parallel_map(work, CLASS)
    assert list(errors) == ["s03", "s04", "s10", "s11"]
    sentence = str(PartlyWritten.of("page", errors))
    assert sentence.count("KeyError: 'no such cell'") == 2
    assert sentence.count("(The disk is full)") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="there is one process")
def test_what_a_killed_process_left_undone_is_done_here(tmp_path: Path) -> None:
    ours = os.getpid()

    def work(name: str, number: int) -> None:
        if os.getpid() != ours and number > 10:
            os.kill(os.getpid(), signal.SIGKILL)
        (tmp_path / name).touch()

    assert parallel_map(work, CLASS) == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == list(CLASS)


@pytest.mark.skipif(sys.platform != "linux", reason="there is one process")
def test_an_interrupt_ends_all_processes() -> None:
    def interrupt(name: str, number: int) -> None:
        while number == 5:  # again and again: Python loses an interrupt that comes while it forks
            os.kill(os.getppid(), signal.SIGINT)
            time.sleep(1)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored where tests run in the background
    try:
        with pytest.raises(KeyboardInterrupt):
            parallel_map(interrupt, CLASS)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("items", [CLASS, {"s03": 3}])
def test_an_item_that_takes_too_long_is_given_up(items: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def work(name: str, number: int) -> None:
        while number == 3:
            pass

    monkeypatch.setattr(parallel, "MAX_SECONDS", 0.3)
    assert {name: str(error) for name, error in parallel_map(work, items).items()} == {
        "s03": "It took over 0.3 s of processor time"
    }
