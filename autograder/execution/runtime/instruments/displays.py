"""What a cell shows and then updates again and again, like a progress bar, is sent once, as it is when the cell ends.

An epoch takes no time here, and to send a progress bar after each of them would take longer than everything else.

Events: none.
"""

from __future__ import annotations

import contextlib
from typing import Any

from ..seal import seal

MAX_WAITING = 1_000
"""Displays of one cell that wait; those beyond it are sent at once."""


def install(session: Any) -> None:
    """Keep back the updates of displays; see `IPython.core.displaypub.DisplayPublisher.publish`."""
    latest: dict[str, tuple[Any, dict[str, Any]]] = {}
    publisher = session.shell.display_pub
    original = publisher.publish

    def publish(data: Any, *args: Any, **kwargs: Any) -> None:
        name = (kwargs.get("transient") or {}).get("display_id") if kwargs.get("update") else None
        if args or not isinstance(name, str) or len(latest) >= MAX_WAITING:
            original(data, *args, **kwargs)
        else:
            latest[name] = (data, kwargs)

    def send() -> None:
        for data, kwargs in latest.values():
            with contextlib.suppress(Exception):
                original(data, **kwargs)
        latest.clear()

    publisher.publish = seal(publish, original)
    session.after_cell.insert(0, send)
