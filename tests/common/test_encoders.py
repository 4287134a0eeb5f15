"""Names that others chose, in a terminal, a table, a page and a path: nothing of them acts, and no two become one."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.common import encoders

ODD = (
    "grades.csv",
    "report.html",
    ".ada",
    "con",
    "NUL.txt",
    "ada.",
    " ada ",
    "a\nb",
    "a\\nb",
    "\x1b[31mred",
    "\x9b31m",
    "\u202eexe.ada",
    "\u2066ada",
    "\ufeff=1+1",
    "x;=1+1",
    "\t=1+1",
    "<img src=x onerror=alert(1)>",
    '"><b>',
    "&lt;b&gt;",
    "$\\href{javascript:alert(1)}{x}$",
    "~2Eada",
    "~",
    "a" * 255,
    "a" * 254 + "b",
    "ä" * 120,
    "\n" * 255,
)
"""Names that a folder may have on Linux."""

names = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=80)


@pytest.mark.parametrize(
    "name", ["ada", "Müller, Jörg", "Bo Boole_502_assignsubmission_file_", "o'neil@uni.edu", "李 雷", "Zoe\u0301 (2)"]
)
def test_ordinary_names_stay(name: str) -> None:
    assert encoders.encode_path(name) == name
    assert encoders.encode_terminal(name) == name
    assert encoders.encode_csv(name) == name


@given(names)
def test_a_path_is_safe_anywhere(name: str) -> None:
    encoded = encoders.encode_path(name)
    assert encoded
    assert len(encoded.encode()) <= encoders.MAX_PATH_BYTES
    assert not re.search(r'[\x00-\x1f/\\:*?"<>|&$`]|^[. ]|[. ]$', encoded)
    assert not encoders.RESERVED.fullmatch(encoded)


@given(names, names)
def test_two_names_have_two_paths(one: str, other: str) -> None:
    assert (encoders.encode_path(one) == encoders.encode_path(other)) == (one == other)


def test_odd_names_have_paths_of_their_own() -> None:
    encoded = [encoders.encode_path(name) for name in ODD]
    assert len(set(encoded)) == len(ODD)


@given(st.text())
def test_a_terminal_gets_one_line_without_controls(text: str) -> None:
    shown = encoders.encode_terminal(text)
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufeff")


def test_joiners_that_scripts_and_emoji_need_stay() -> None:
    for name in ("نامه\u200cها", "👩\u200d🔬"):
        assert encoders.encode_terminal(name) == name


@pytest.mark.parametrize(
    "before", ["", " ", "\t", "\r", "\n", "\r\n", "\u00a0", "x;", "x; ", 'x;"', "x;'", "x\t", "x\n"]
)
@pytest.mark.parametrize("sign", list("=+-@＝＋－＠"))
def test_no_part_of_a_cell_is_a_formula(before: str, sign: str) -> None:
    for shown in (encoders.encode_csv(f"{before}{sign}1+1"), encoders.guard_formulas(f"{before}{sign}1+1")):
        for part in re.split(r"[;\t\r\n]", shown):
            assert not part.lstrip(" \u00a0\"'").startswith(tuple("=+-@＝＋－＠")) or "'" in part.partition(sign)[0], (
                shown
            )


def test_a_cell_shows_what_cannot_be_seen() -> None:
    assert encoders.encode_csv("a\nb") == "a\\nb"
    assert encoders.encode_csv("\ufeff=1") == "\\ufeff=1"


def test_html_is_apart_from_what_surrounds_it() -> None:
    assert encoders.encode_html("\u202e<b>") == "<bdi>\\u202e&lt;b&gt;</bdi>"


def test_a_long_line_is_cut() -> None:
    assert encoders.one_line(" a \n\t b  c ", 4) == "a b "
