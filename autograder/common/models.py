"""The base class of data that is written to a file or read from one."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Immutable data; unknown fields are not accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid")
