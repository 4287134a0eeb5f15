"""The values that the notebook returned, as a check sees them."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.execution.runtime.describe import describe
from autograder.execution.runtime.values import encode
from autograder.grading.case import Reply, Undecided, Wrong, _reply, quote_error
from autograder.rubric import show


class Model:
    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


def reply_with(value: Any, *attributes: str) -> Reply:
    answer = {"returned": describe(value), "data": encode(value, attributes), "printed": ""}
    return _reply(answer, lambda: "fit(3)", attributes)


def test_a_requested_attribute_is_returned() -> None:
    model = reply_with(Model(coef_=2.5, inner=Model(level=3)), "coef_", "inner.level").value
    assert (model.coef_, model.inner.level) == (2.5, 3)
    assert hasattr(model, "coef_")
    assert not hasattr(model, "classes_")


def test_an_object_without_the_attribute_fails_the_check() -> None:
    model = reply_with(Model(coef_=2.5), "coef_", "classes_", "inner.level").value
    with pytest.raises(
        Wrong, match=r"^`fit\(3\)` returned an object of type Model, which has no attribute `classes_`\.$"
    ):
        _ = model.classes_
    with pytest.raises(Wrong, match="no attribute `inner`"):
        _ = model.inner.level


def test_an_object_without_any_requested_attribute_fails_the_check() -> None:
    with pytest.raises(Wrong, match="type Model, which has no attribute `classes_`"):
        _ = reply_with(Model(), "classes_").value.classes_


@pytest.mark.parametrize(("value", "shown"), [(None, "None"), (3, "3"), ("ab", "'ab'")])
def test_a_value_that_is_no_such_object_fails_the_check(value: Any, shown: str) -> None:
    with pytest.raises(Wrong, match=rf"`fit\(3\)` returned {shown}, which has no attribute `coef_`\."):
        _ = reply_with(value, "coef_").value


def test_attributes_of_members_may_be_requested() -> None:
    first, _ = reply_with([Model(level=1), Model(level=2)], "level").value
    assert first.level == 1


def test_a_forged_answer_is_left_to_the_instructor() -> None:
    with pytest.raises(Undecided):
        _reply({"returned": {}, "data": {"frame": 3}}, str)


LONG = "This Pipeline instance is not fitted yet.\nCall 'fit' with appropriate arguments before using this estimator."


def fail_with(message: str, call: str) -> Reply:
    return _reply({"error": "NotFittedError", "message": message}, lambda: call)


def test_an_error_is_quoted_in_one_line_with_one_full_stop() -> None:
    with pytest.raises(
        Wrong, match=r"^`fit\(3\)` stopped with NotFittedError: This Pipeline instance is not fitted yet\.$"
    ):
        _ = fail_with(LONG, "fit(3)").value
    with pytest.raises(Wrong, match=r": x+…\.$"):
        _ = fail_with("x" * 500, "fit(3)").value


def test_a_long_call_follows_the_error() -> None:
    call = f"fit({', '.join(map(str, range(100)))})"
    with pytest.raises(Wrong) as raised:
        _ = fail_with("no", call).value
    assert str(raised.value) == f"`fit` stopped with NotFittedError: no. The call was `{call}`."


def test_a_long_input_follows_the_error() -> None:
    given = list(range(100))
    with pytest.raises(Wrong) as raised:
        fail_with("no", "fit([...])").require(given, "The result should be 3.")
    shown = show(given)
    expected = f"`fit` stopped with NotFittedError: no. The result should be 3. It was called with {shown}."
    assert str(raised.value) == expected


def test_an_expression_without_a_name_is_called_the_value() -> None:
    with pytest.raises(Wrong, match=r"^For 3, the value stopped with NotFittedError: no\."):
        fail_with("no", "(lambda x: fit(x))(3)").require(3)


def test_a_value_that_is_no_reply_can_be_named() -> None:
    assert Reply(3).describe_subject(named="the entry `size`") == "The entry `size`"
    assert Reply(3).describe_subject("k=2, n=5", "the shape") == "For k=2, n=5, the shape"
    assert Reply(3).describe_subject("two words") == "For 'two words', the value"


def test_an_error_is_quoted_without_the_name_of_a_graph_node() -> None:
    assert quote_error("{{function_node __wrapped__X_device_/job:0}} Received a label value of 5.\nMore") == (
        "Received a label value of 5"
    )
    assert quote_error("{{wrong}} braces") == "{{wrong}} braces"
