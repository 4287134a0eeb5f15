"""Work on many items in several processes, which are forks of this one and may only write files."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from autograder.common.processor_limit import TooLong, limit_processor
from autograder.errors import AutograderError
from autograder.execution.runtime.isolation import end_with

Item = TypeVar("Item")

MIN_ITEMS_PER_PROCESS = 10
"""Number of items for which starting one more process is worthwhile."""

MAX_PROCESSES = 8

MAX_SECONDS = 60.0
"""Maximum processor time for one item: what a notebook contains must not keep the results of a class from being
written."""


def parallel_map(work: Callable[[str, Item], None], items: Mapping[str, Item]) -> dict[str, Exception]:
    """Call `work` with each item and its name, in several processes.

    The work may only write files: changes in the memory of another process are lost.

    Returns:
        The errors that the work raised, by item name, in the order of the items.
    """
    processes = min(count_processes(), len(items) // MIN_ITEMS_PER_PROCESS)
    if processes < 2:
        outcomes = {name: _catch(work, name, item) for name, item in items.items()}
    else:
        outcomes = _map_in_forks(work, items, processes)
    return {name: error for name, error in outcomes.items() if error is not None}


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count_processes() -> int:
    """Return the maximum number of processes that share the work on this machine."""
    return min(count_cores(), MAX_PROCESSES) if sys.platform == "linux" else 1


def _map_in_forks(
    work: Callable[[str, Item], None], items: Mapping[str, Item], processes: int
) -> dict[str, Exception | None]:
    fork = multiprocessing.get_context("fork")  # passes work and items without pickling them
    outcomes: dict[str, Exception | None] = {}
    others = {*multiprocessing.active_children()}
    pool = ProcessPoolExecutor(processes, fork, _set_up_fork, (work, items, os.getpid()))
    try:
        outcomes.update(zip(items, pool.map(_work_in_fork, items), strict=True))
    except BrokenProcessPool:  # a process was killed: do the remaining items here
        outcomes |= {name: _catch(work, name, item) for name, item in items.items() if name not in outcomes}
    except BaseException:
        for process in {*multiprocessing.active_children()} - others:
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return outcomes


_inherited: tuple[Callable[[str, Any], None], Mapping[str, Any]]
"""The work and the items, in a forked process."""


def _set_up_fork(work: Callable[[str, Item], None], items: Mapping[str, Item], parent: int) -> None:
    global _inherited
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with(parent)
    _inherited = work, items


def _work_in_fork(name: str) -> Exception | None:
    work, items = _inherited
    error = _catch(work, name, items[name])
    if error is None or isinstance(error, AutograderError):
        return error
    return AutograderError(f"{type(error).__name__}: {error}")  # the error itself may not be picklable


def _catch(work: Callable[[str, Item], None], name: str, item: Item) -> Exception | None:
    try:
        with limit_processor(MAX_SECONDS):
            work(name, item)
    except TooLong:
        return AutograderError(f"It took over {MAX_SECONDS:g} s of processor time")
    except Exception as error:
        return error
    return None
