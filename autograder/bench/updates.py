"""What a cell shows and then changes again and again, like a line of progress, is sent as it stands at the cell's end.

An epoch takes no time here, and a progress bar that is drawn anew after each one takes longer than everything else.
"""

from __future__ import annotations

import contextlib
from typing import Any

MOST = 1_000
"""Displays of one cell that are kept back; those beyond it are sent at once."""


class Updates:
    """Keeps back the updates of displays until `send`; of each display the last one counts, as it would on a page."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[Any, dict[str, Any]]] = {}
        self._publish: Any = None

    def install(self, publisher: Any) -> None:
        self._publish = publisher.publish
        publisher.publish = self.publish

    def publish(self, data: Any, *args: Any, **kwargs: Any) -> None:
        """Takes the place of the publisher's own; see `IPython.core.displaypub.DisplayPublisher.publish`."""
        name = (kwargs.get("transient") or {}).get("display_id") if kwargs.get("update") else None
        if args or not isinstance(name, str) or len(self._latest) >= MOST:
            self._publish(data, *args, **kwargs)
        else:
            self._latest[name] = (data, kwargs)

    def send(self) -> None:
        for data, kwargs in self._latest.values():
            with contextlib.suppress(Exception):
                self._publish(data, **kwargs)
        self._latest.clear()
