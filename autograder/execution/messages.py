"""Messages of kernels, as jupyter_client and nbformat read them, in a part of the time."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from unittest import mock

import fastjsonschema
from jupyter_client import jsonutil
from nbformat import current_nbformat, current_nbformat_minor
from nbformat.v4 import nbbase
from nbformat.validator import get_validator

OUTPUTS = ("stream", "display_data", "execute_result", "error")


@contextlib.contextmanager
def read_plainly() -> Iterator[None]:
    """Messages that are read meanwhile have their dates read by Python itself and their outputs checked by code that is
    made of the format's schema once; what that refuses is for nbformat to refuse."""
    original = nbbase.validate

    def validate(node: Any, ref: str | None = None) -> None:
        if ref not in OUTPUTS or not _fits(ref, node):
            original(node, ref)  # type: ignore[no-untyped-call]

    with (
        mock.patch.object(jsonutil, "_dateutil_parse", datetime.fromisoformat),
        mock.patch.object(nbbase, "validate", validate),
    ):
        yield


def _fits(kind: str, output: Any) -> bool:
    try:
        _checked(kind)(output)
    except fastjsonschema.JsonSchemaException:
        return False
    return True


@functools.cache
def _checked(kind: str) -> Callable[[Any], Any]:
    """Code that raises for an output that is none of this kind."""
    schema = get_validator(current_nbformat, current_nbformat_minor)._schema
    parts = {"$schema": schema["$schema"], "definitions": schema["definitions"]}
    return fastjsonschema.compile({**parts, "$ref": f"#/definitions/{kind}"})
