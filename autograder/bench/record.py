"""The recorder: writes down what the notebook did, one JSON object a line, as soon as it is known."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np

LIMIT = 16_000_000
"""Bytes of evidence that one run may write; what comes after is dropped, and the loss is noted."""


class Recorder:
    """Writes events to the given file descriptor; what a kernel wrote before it died is kept."""

    def __init__(self, outlet: int, nonce: str) -> None:
        self._file = open(outlet, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the kernel
        self._encode = json.JSONEncoder(separators=(",", ":"), default=_plain).encode
        self._left = LIMIT
        self._lock = threading.Lock()
        self._nonce = nonce
        self.cell = -1
        self.sequence = 0
        self.muted = False

    def event(self, kind: str, **fields: Any) -> None:
        """Writes one event; the cell it belongs to and its place in the sequence are added."""
        with self._lock:
            if not self.muted:
                self._write(kind, fields)

    def _write(self, kind: str, fields: dict[str, Any]) -> None:
        self.sequence += 1
        line = self._encode({"kind": kind, "run": self._nonce, "cell": self.cell, "sequence": self.sequence, **fields})
        self._left -= len(line)
        if self._left < 0:
            line = self._encode({"kind": "overflow", "run": self._nonce, "cell": self.cell, "sequence": self.sequence})
            self.muted = True
        self._file.write(line + "\n")
        self._file.flush()

    def window(self, begin: float, end: float) -> None:
        """A measurement window of the energy monitor, in virtual seconds."""
        self.event("window", begin=begin, end=end)


def _plain(value: Any) -> Any:
    """What JSON cannot hold: NumPy scalars as numbers, of everything else the type."""
    return value.item() if isinstance(value, np.generic) else type(value).__name__
