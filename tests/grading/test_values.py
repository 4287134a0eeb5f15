"""Values go to the notebook and back as plain data; what cannot be sent is named."""

from __future__ import annotations

import json
import types
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.execution.runtime.code_values import make_runner
from autograder.execution.runtime.values import decode, encode
from autograder.grading.code import Code
from autograder.grading.rules import equal_to, show


def send(value: Any, attributes: tuple[str, ...] = ()) -> Any:
    return decode(json.loads(json.dumps(encode(value, attributes), allow_nan=False)))


TABLE = pd.DataFrame(
    {
        "name": ["a", None],
        "level": [1.5, np.nan],
        "n": np.array([1, 2], "int8"),
        "day": pd.to_datetime(["2026-01-02"] * 2),
    },
    index=pd.Index([3, 7], name="id"),
)


@pytest.mark.parametrize(
    "value",
    [
        TABLE,
        TABLE.astype({"name": "category"}),
        TABLE.astype({"n": "int64"}).set_index(["n", "level"]),
        TABLE.iloc[:0],
        TABLE["level"],
        TABLE["n"].rename(("a", 1)),
        pd.DataFrame({("a", 1): [1]}),
        np.arange(6, dtype="int16").reshape(2, 3),
        np.linspace(0, 1, 200_000),
        np.array([1.0, np.nan, -np.inf], "float32"),
        np.array(["x", "yy"]),
        np.array([], "float64").reshape(0, 4),
        {1: "a", (2, 3): {"array": [1], "dtype": "x", "shape": []}},
        (1, [2.5, None, True], {"three"}),
    ],
    ids=str,
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    again = send(value)
    assert equal_to(value).complain(again) == ""
    assert type(again) is type(value)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4) | st.tuples(inner)
    ),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(plain)
def test_plain_data_come_back_as_they_were(value: Any) -> None:
    assert send(value) == value


def test_of_objects_the_attributes_come_that_were_asked_for() -> None:
    thing = types.SimpleNamespace(coef_=np.array([1.0, 2.0]), n=3, other="x")
    found = send(thing, ("coef_", "n", "absent"))
    assert vars(found).keys() == {"coef_", "n"}
    assert found.coef_.tolist() == [1.0, 2.0]
    assert send(thing).opaque == "SimpleNamespace"


def test_what_is_too_large_is_named_and_not_sent() -> None:
    assert send(np.zeros(1_000_000)).opaque == "ndarray"
    assert send(list(range(50_000))).opaque == "list"
    assert send([object])[0].opaque == "type"


@pytest.mark.parametrize(
    "data",
    [
        {"array": [1], "dtype": "U999999999", "shape": [1]},
        {"array": [1], "dtype": "float64", "shape": [10**12]},
        {"frame": 3},
        {"odd": 1},
        {"float": "1e999"},
        {"code": "", "given": {}, "expression": "1"},
    ],
)
def test_what_is_not_of_the_declared_form_is_refused(data: Any) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        decode(data)


def test_values_of_the_same_code_come_from_one_namespace() -> None:
    script = Code("calls = []\ndef note(x): calls.append(x + table['n'].sum())", table=TABLE)
    data = json.loads(json.dumps(encode({"functions": (script["note"], [script["calls"]])})))
    run = make_runner()
    note, [calls] = decode(data, run)["functions"]
    note(1)
    assert calls == [4]
    assert decode(encode(script["len(calls)"]), run) == 1
    assert decode(encode(Code("calls = [7]")["calls"]), run) == [7]
    assert decode(encode(script["calls"]), make_runner()) == []


def test_code_is_checked_before_it_is_sent_and_shown_by_its_expression() -> None:
    assert show(Code("def f(): pass")["f"]) == "f"
    with pytest.raises(SyntaxError):
        Code("def f(:")
    with pytest.raises(SyntaxError):
        Code("")["a b"]
