"""How similar submissions are, whatever they contain."""

from __future__ import annotations

import time

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.reporting import formgrader, similarity

LINES = [f"value_{n} = math.sqrt({n}) + numbers[{n}] - max({n}, table['{n}'])" for n in range(40)]
RELEASE = new_notebook(cells=[new_code_cell("import math")])


def sequences(code: str) -> frozenset[str]:
    return similarity.code_of_class({"ada": new_notebook(cells=[new_code_cell(code)])}, RELEASE).get("ada", frozenset())


def test_texts_and_comments_are_not_compared() -> None:
    plain = "\n".join(LINES)
    assert sequences(plain)
    assert sequences(plain.replace("'3", "'other 3").replace("\n", "  # it's a comment\n")) == sequences(plain)


@pytest.mark.parametrize("odd", ['"unfinished', "'''unfinished\n\n", '"it\\', "!echo don't"])
def test_a_text_that_does_not_end_hides_nothing_before_it(odd: str) -> None:
    plain = sequences("\n".join(LINES))
    assert len(sequences("\n".join([*LINES, odd])) - plain) <= similarity.LENGTH
    assert plain <= sequences("\n".join([*LINES, odd]))


@pytest.mark.parametrize("part", ['\\"', "\\'", '"""', "'''a", '"', "#'", "<!--", "a "])
def test_no_text_is_long_work(part: str) -> None:
    text = part * (2_000_000 // len(part))
    started = time.process_time()
    sequences(text)
    similarity.words(text)
    formgrader.fingerprint(text)
    assert time.process_time() - started < 5


def test_no_answer_takes_much_memory() -> None:
    text = " ".join(f"{number:x}" for number in range(500_000))
    assert len(similarity.words(text)) < similarity.MAX_ANSWER
