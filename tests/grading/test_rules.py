"""What rules say of values that break them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from autograder.grading.rules import MAX_SHOWN
from autograder.rubric import Rule, between, close_to, equal_to, satisfying, show

TABLE = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}, index=["x", "y"])
WORDS = pd.DataFrame({"word": ["u", "v"], "count": [1, 2]})


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (close_to(0.1 + 0.2), 0.3),
        (close_to(1), np.array(1.0)),
        (close_to(np.array([1.0, np.nan])), [1, float("nan")]),
        (close_to([1, 2]), np.array([1.0, 2.0])),
        (close_to({"a": [1.0], "b": "x"}), {"b": "x", "a": np.array([1 + 1e-9])}),
        (close_to(TABLE), TABLE.astype(float)),
        (close_to(WORDS), WORDS.astype("category")),
        (close_to(WORDS.astype("category")), WORDS),
        (close_to(WORDS["word"]), WORDS["word"].astype("category")),
        (close_to(WORDS.set_index("word")), WORDS.astype("category").set_index("word")),
        (close_to(TABLE), TABLE.astype({"a": "category"})),
        (equal_to(TABLE), TABLE.copy()),
        (equal_to([1, "a", None]), [1, "a", None]),
        (between(0, 1), np.array([0.0, 1.0])),
        (satisfying("even", lambda value: value % 2 == 0), 4),
    ],
)
def test_a_value_that_keeps_the_rule(rule: Rule, value: Any) -> None:
    assert rule.complain(value) == ""


@pytest.mark.parametrize(
    ("rule", "value", "sentence"),
    [
        (close_to(1.0), 1.1, " "),
        (close_to(1.0), None, " "),
        (close_to(1.0), "1.0", "The type of your value is str."),
        (close_to(1.0), True, "The type of your value is bool."),
        (close_to(np.zeros(3)), np.zeros((3, 1)), "Its shape is (3, 1), but it should be (3,)."),
        (close_to(np.zeros((2, 2))), np.eye(2), "At [0, 0], the value is 1, but it should be 0."),
        (close_to({"a": 1}), {}, "The key 'a' is missing."),
        (close_to({"a": 1}), {"a": 2}, "Under the key 'a': the value is 2, but it should be 1."),
        (close_to({}), {"b": 1}, "The key 'b' should not be there."),
        (equal_to([1, 2]), (1, 2), "The type of your value is tuple."),
        (equal_to(1), 1.0, "The type of your value is float."),
        (
            equal_to(np.zeros(1)),
            np.zeros(1, int),
            "Your value is an array of int64, but it should be an array of float64.",
        ),
        (equal_to(TABLE), TABLE.reset_index(drop=True), "Its index is [0, 1], but it should be ['x', 'y']."),
        (
            close_to(WORDS.astype("category")),
            WORDS.assign(word=["u", "w"]),
            "In column 'word', row 1, the value is 'w'",
        ),
        (equal_to(WORDS["word"]), WORDS["word"].astype("category"), "The type of the values is category"),
        (equal_to(TABLE), TABLE.astype(float), "The type of column 'a' is float64, but it should be int64."),
        (close_to(TABLE), TABLE[["b", "a"]], "The order of its columns is ['b', 'a'], but it should be ['a', 'b']."),
        (close_to(TABLE), TABLE[["a"]], "The column 'b' is missing."),
        (close_to(TABLE), TABLE.assign(c=1), "The column 'c' should not be there."),
        (close_to(TABLE), TABLE[:1], "It has 1 row, but it should have 2."),
        (
            close_to(TABLE),
            TABLE.assign(b=[0.5, np.nan]),
            "In column 'b', row 'y', the value is nan, but it should be 1.5.",
        ),
        (close_to(TABLE["a"]), TABLE["a"] + [0, 1], "In row 'y', the value is 3, but it should be 2."),
        (
            close_to(TABLE.set_index("a")),
            TABLE.set_index("a").assign(b=["u", None]),
            "In column 'b', row 1, the value is 'u'",
        ),
        (equal_to(TABLE["a"]), TABLE["a"].astype(float), "The type of the values is float64, but it should be int64."),
        (close_to([{"a": None}]), [{"a": "x"}], "At [0]: Under the key 'a': the value is 'x', but it should be None."),
        (equal_to(TABLE), TABLE.rename_axis("id"), "names"),
        (close_to(TABLE), TABLE.to_dict(), "The type of your value is dict."),
        (between(0, 1), 2, " "),
        (satisfying("even", lambda value: value % 2 == 0), 3, " "),
    ],
)
def test_a_value_that_breaks_the_rule(rule: Rule, value: Any, sentence: str) -> None:
    complaint = rule.complain(value)
    assert sentence in complaint
    assert complaint


def test_values_are_shown_in_one_short_line() -> None:
    assert show(1 / 3) == "0.3333333"
    assert show(np.arange(1000.0)).startswith("an array of shape (1000,): [")
    assert "\n" not in show(TABLE)
    assert len(show("x" * 1000)) == MAX_SHOWN
    assert show([np.int64(3), np.float64(0.5), np.bool_(True)]) == "[3, 0.5, True]"
