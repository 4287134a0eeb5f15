"""Exclusive access to results: only one process at a time may write them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from .earlier_layout import adopt_earlier_results
from .files import remove_leftovers
from .lock import hold_lock
from .scratch import temporary_folder
from .store import ResultStore


@contextmanager
def exclusive(store: ResultStore) -> Iterator[None]:
    """Prevent other processes from writing to `store.out`; raise AutograderError if one is doing so already.

    Temporary files are removed at the end, and results of an older version are moved to their current place.
    """
    with ExitStack() as stack:
        stack.enter_context(hold_lock(store.out))
        stack.enter_context(temporary_folder())
        remove_leftovers(store.out)
        stack.callback(remove_leftovers, store.out)
        adopt_earlier_results(store)
        yield
