"""The base of all data that is written to a file or read from one."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Data that does not change and has no other fields than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")
