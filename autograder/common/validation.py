"""Describe what is wrong with a setting, in plain words: pydantic's messages are meant for programmers."""

from __future__ import annotations

import math
from typing import Any

from pydantic import ValidationError

from autograder.common.encoders import one_line

MAX_SHOWN = 40
"""Maximum number of characters that are quoted of a value."""

SENTENCES = {
    "missing": "is missing",
    "string_type": "must be a string in quotes, not {value}",
    "string_too_short": "must not be empty",
    "float_type": "must be a number, not {value}",
    "float_parsing": "must be a number, not {value}",
    "int_type": "must be a whole number, not {value}",
    "int_parsing": "must be a whole number, not {value}",
    "int_parsing_size": "is too large a number",
    "int_from_float": "must be a whole number, not {value}",
    "bool_type": "must be true or false, not {value}",
    "bool_parsing": "must be true or false, not {value}",
    "finite_number": "must be a finite number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}, not {value}",
    "enum": "must be {expected}, not {value}",
    "too_short": "must have at least {min_length} values, not {actual_length}",
    "too_long": "must have at most {max_length} values, not {actual_length}",
    "tuple_type": "must be a list in brackets, not {value}",
    "list_type": "must be a list in brackets, not {value}",
    "dict_type": "must be a table, not {value}",
    "model_type": "must be a table, not {value}",
    "model_attributes_type": "must be a table, not {value}",
    "extra_forbidden": "is not known",
    "value_error": "{error}",
}
"""What a value must be, by pydantic's name for the kind of error."""


def first_error(error: ValidationError) -> Any:
    """Return the error to report if there are several, in pydantic's form.

    An unknown key comes first, because it may be the reason why another one is missing.
    """
    errors = error.errors()
    return next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])


def describe_invalid(error: ValidationError) -> str:
    """Return what is wrong with a value, such as "must be a number, not 'x'", without its name."""
    first = first_error(error)
    sentence = SENTENCES.get(first["type"], "cannot be {value}")
    context = {key: _plain(value) for key, value in first.get("ctx", {}).items()}
    return sentence.format_map({**context, "value": _show(first["input"])})


def _plain(value: Any) -> Any:
    """Write 3.0 as 3; leave everything else unchanged."""
    return f"{value:g}" if isinstance(value, float) and math.isfinite(value) else value


def _show(value: Any) -> str:
    """Write a value as in a settings file."""
    if isinstance(value, bool):
        return str(value).lower()
    text = one_line(repr(value))
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
