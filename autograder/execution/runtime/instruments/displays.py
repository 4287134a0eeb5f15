"""Send displays that a cell updates repeatedly, such as a progress bar, only once, in their state when the cell ends.

A simulated epoch takes no time, so sending a progress bar after each one would take longer than everything else.

Events: none.
"""

from __future__ import annotations

import contextlib
from typing import Any

from ..seal import seal

MAX_WAITING = 1_000
"""Maximum number of displays of one cell that are kept back; further ones are sent at once."""


def install(session: Any) -> None:
    """Delay the updates of displays; see `IPython.core.displaypub.DisplayPublisher.publish`."""
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
