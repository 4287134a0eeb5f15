"""Messages of kernels are read as jupyter_client and nbformat read them, whatever is in them."""

from __future__ import annotations

from typing import Any

import pytest
from jupyter_client import jsonutil
from nbformat import v4
from nbformat.validator import NotebookValidationError

from autograder.execution.messages import read_plainly

OUTPUTS: list[tuple[str, dict[str, Any]]] = [
    ("stream", {"name": "stderr", "text": "told"}),
    ("stream", {"text": ["two\n", "lines"]}),
    ("stream", {"text": 5}),
    ("stream", {"name": None}),
    ("display_data", {"data": {"text/plain": "x", "image/png": "aaaa"}, "metadata": {"image/png": {"width": 3}}}),
    ("display_data", {"data": {"application/json": {"a": [1, None]}}}),
    ("display_data", {"data": "text"}),
    ("display_data", {"data": {"text/plain": 7}}),
    ("display_data", {"transient": {"display_id": "x"}}),
    ("execute_result", {"data": {"text/plain": "x"}, "execution_count": 3}),
    ("execute_result", {"execution_count": "three"}),
    ("execute_result", {"execution_count": -1}),
    ("error", {"ename": "E", "evalue": "", "traceback": ["a", "b"]}),
    ("error", {"traceback": "a"}),
    ("unheard of", {}),
]


def made(kind: str, values: dict[str, Any]) -> Any:
    try:
        return v4.new_output(kind, **values)
    except Exception as error:
        return type(error), str(error)


def test_some_fit_and_some_do_not() -> None:
    kinds = {isinstance(made(kind, values), tuple) for kind, values in OUTPUTS}
    assert kinds == {True, False}
    assert made("stream", {"text": 5})[0] is NotebookValidationError


@pytest.mark.parametrize(("kind", "values"), OUTPUTS)
def test_outputs_fit_or_are_refused_as_before(kind: str, values: dict[str, Any]) -> None:
    plain = made(kind, values)
    with read_plainly():
        assert made(kind, values) == plain
    assert made(kind, values) == plain


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-26T20:01:02.123456Z",
        "2026-11-26T20:01:02Z",
        "2026-11-26T20:01:02.5+01:00",
        "2026-11-26T20:01:02.25-0330",
        "2026-11-26T20:01:02",
        "2026-13-26T20:01:02Z",
        "2026-11-26",
        "no date",
        "",
    ],
)
def test_dates_are_the_same(text: str) -> None:
    def read() -> Any:
        try:
            return jsonutil.extract_dates({"header": [text, None, 5]})
        except Exception as error:
            return type(error)

    plain = read()
    with read_plainly():
        assert read() == plain
