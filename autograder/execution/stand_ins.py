"""Stand-ins as plain data, to be sent to the kernel and stored with the record of a run."""

from __future__ import annotations

from typing import Any

from autograder.errors import AssignmentError

from .runtime.values import CodeValue, decode, encode

StandIns = dict[str, dict[str, Any]]
"""For each cell that can be replaced, the names that it should have defined and their values."""


def encode_stand_ins(stand_ins: StandIns) -> StandIns:
    """Encode the values as plain data.

    Raises:
        AssignmentError: a value cannot be sent into the notebook.
    """
    encoded = {cell: {name: encode(value) for name, value in values.items()} for cell, values in stand_ins.items()}
    for cell, values in encoded.items():
        for name, data in values.items():
            if kind := _find_opaque(data):
                raise AssignmentError(
                    f"The stand-in for {name!r} of the cell {cell!r} cannot be sent into the notebook: it is too "
                    f"large, or contains a value of type {kind}. Pass it as code, with `autograder.rubric.Code`."
                )
    return encoded


def decode_stand_ins(data: StandIns) -> StandIns:
    """Decode what `encode_stand_ins` returned; code is not executed.

    Raises:
        ValueError: the data do not have the expected form.
    """
    try:
        return {
            str(cell): {str(name): decode(value, keep_code) for name, value in values.items()}
            for cell, values in data.items()
        }
    except (AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"the stand-ins do not have the expected form ({error!r})") from None


def keep_code(data: dict[str, Any]) -> CodeValue:
    """Create a value that is given as code, from its data and without executing it; an argument for `decode`."""
    given = {str(name): decode(value, keep_code) for name, value in data["given"].items()}
    return CodeValue(source=str(data["code"]), given=given, expression=str(data["expression"]))


def _find_opaque(data: Any) -> str:
    """Find the type of a value that could not be encoded in plain data; empty if there is none."""
    if isinstance(data, dict):
        return str(data["opaque"]) if "opaque" in data else _find_opaque(list(data.values()))
    return next(filter(None, map(_find_opaque, data)), "") if isinstance(data, list) else ""
