"""The right to write results: one process at a time has it."""

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
    """Keep everybody else from writing into `store.out`; raises AutograderError where somebody does already.

    Nothing temporary is left behind, and results of an older edition lie where newer ones do.
    """
    with ExitStack() as stack:
        stack.enter_context(hold_lock(store.out))
        stack.enter_context(temporary_folder())
        remove_leftovers(store.out)
        stack.callback(remove_leftovers, store.out)
        adopt_earlier_results(store)
        yield
