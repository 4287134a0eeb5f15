"""Evidence of the declared form that no honest notebook leaves behind: a real record with some of it exchanged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st
from pydantic import TypeAdapter

from autograder.execution.evidence import AnyEvent, Evidence

EVENT: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)

STAMPS = frozenset({"kind", "cell", "sequence", "plan", "role", "index", "status", "training", "gpus", "stand_ins"})
"""What the grader itself writes; a notebook cannot choose it."""

NUMBERS: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([0, -1, 1, 0.0, -0.0, 0.5, 1e-320, 1e308, -1e308, 2**31, 2**63, -(2**63) - 1, 10**400]),
    st.sampled_from(["nan", "inf", "-inf"]),  # as numbers stand in JSON
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)
TEXTS = st.one_of(
    st.sampled_from([
        "", " ", "0", "1e999", "-1e-999", "nan", "inf", "$10^{99999}$", "$10^{-99999}$", "10^99999", "1e99999",
        "$\\mathdefault{10^{5}}$", "$\\frac{1}{0}$", "\N{MINUS SIGN}5", "\N{ARABIC-INDIC DIGIT THREE}",
        "\N{SUPERSCRIPT TWO}", "5" * 5000, "(" * 300, "1,000,000", "1/0", "0x1f", "\x00\x1b[2J", "Time (ms)",
        "Energy (kJ)", "Test accuracy (%)", "\N{MICRO SIGN}s", "float32", "list", "dict", "ndarray", "NoneType",
    ]),
    st.text(max_size=20),
    st.text("0123456789.,e+-^{}$\\ µmkMG%()[]", max_size=15),
)  # fmt: skip
VALUES = st.recursive(
    st.fixed_dictionaries({"type": TEXTS}, optional={"number": NUMBERS, "text": TEXTS, "length": st.integers()}),
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(["list", "tuple", "dict", "DataFrame", "ndarray", "set"])},
        optional={
            "items": st.lists(inner, max_size=4),
            "entries": st.dictionaries(TEXTS, inner, max_size=4),
            "length": st.integers(),
        },
    ),
    max_leaves=8,
)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
ARRAYS = st.fixed_dictionaries(
    {
        "array": st.lists(PLAIN, max_size=4) | PLAIN,
        "dtype": st.sampled_from(["float32", "int64", "U5", "O", "nothing", "M8[s]"]),
        "shape": st.lists(st.integers(-2, 2**40), max_size=3),
    }
)
RETURNED = st.fixed_dictionaries({}, optional={"data": PLAIN | ARRAYS, "returned": VALUES, "printed": TEXTS | PLAIN})
ANSWERS = st.one_of(
    st.fixed_dictionaries({"value": PLAIN | RETURNED | st.fixed_dictionaries({"error": TEXTS, "message": TEXTS})}),
    st.fixed_dictionaries({"error": TEXTS, "message": PLAIN}),
    st.dictionaries(TEXTS, PLAIN, max_size=3),
)
"""What a kernel may answer to the question of a check."""

Draw = Callable[[st.SearchStrategy[Any]], Any]
Place = tuple[list[Any] | dict[str, Any], Any]
"""A container and the index or key of a part in it."""


def draw_evidence(draw: Draw, base: Evidence) -> Evidence:
    """Draw a record like `base`: some events are left out or repeated, and some values are others of their kind.

    No part of the record is put into a strategy: Hypothesis would write it out, which takes long.
    """
    events = list(base.events)
    for number in draw(st.lists(st.integers(0, len(events) - 1), max_size=3)):
        if number < len(events):
            events[number : number + 1] = [events[number]] * draw(st.sampled_from([0, 2]))
    for number in draw(st.lists(st.integers(0, len(events) - 1), min_size=1, max_size=4, unique=True)):
        events[number] = _change(draw, events[number])
    return base.model_copy(update={"events": tuple(events)})


def _change(draw: Draw, event: AnyEvent) -> AnyEvent:
    """The event as it could have been, in up to three places."""
    document = event.model_dump(mode="json")
    for _ in range(draw(st.integers(1, 3))):
        if places := list(_places(document)):
            _exchange(draw, *places[draw(st.integers(0, len(places) - 1))])
    try:
        return EVENT.validate_json(json.dumps(document))
    except ValueError:  # not of the schema: it would have been refused
        return event


def _places(part: Any) -> Iterator[Place]:
    """Every part of an event that the notebook may have chosen."""
    entries = list(part.items() if isinstance(part, dict) else enumerate(part))
    for key, value in entries:
        if key in STAMPS:
            continue
        yield part, key
        if isinstance(value, (dict, list)):
            yield from _places(value)


def _exchange(draw: Draw, container: list[Any] | dict[str, Any], key: Any) -> None:
    """Put another value of the same kind in the place of one."""
    old = container[key]
    if key == "value" and isinstance(old, dict):
        container[key] = draw(VALUES)
    elif isinstance(old, list) and key not in ("xlim", "ylim"):
        container[key] = ([], old[:1], old * 2, old[::-1])[draw(st.integers(0, 3))]
    elif isinstance(old, str):
        container[key] = draw(TEXTS if old not in ("nan", "inf", "-inf") else NUMBERS)
    elif isinstance(old, bool):
        container[key] = not old
    elif isinstance(old, (int, float)):
        container[key] = draw(NUMBERS)
