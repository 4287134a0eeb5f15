"""As much of a model as a callback needs that watches the validation accuracy."""

from __future__ import annotations

from typing import Any


class PlainModel:
    """Has `stop_training`, and `history` where a callback asks for one."""

    def __init__(self) -> None:
        self.stop_training = False
        self.history: Any = None
