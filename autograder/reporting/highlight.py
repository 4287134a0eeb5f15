"""Syntax highlighting of Python code, as HTML with classes that the page's style sheet defines."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup, escape
from pygments.lexers.python import PythonLexer
from pygments.token import Token

from autograder.common.encoders import make_visible

LONGEST = 20_000
"""Maximum length of a highlighted cell in characters, so that nobody can make this slow."""

CLASSES = {
    Token.Keyword: "word",
    Token.Operator.Word: "word",
    Token.Literal.String: "string",
    Token.Literal.Number: "digit",
    Token.Comment: "remark",
    Token.Name.Class: "named",
    Token.Name.Function: "named",
    Token.Name.Decorator: "named",
}
"""The classes of the page's style sheet, by type of token; all others have the colour of text."""


@lru_cache(maxsize=512)
def colour(source: str) -> Markup:
    """Return code as escaped HTML, with a `span` around each token that has a colour."""
    shown = make_visible(source, keep="\n\t")
    if len(shown) > LONGEST:
        return escape(shown)
    tokens = PythonLexer(stripnl=False, ensurenl=False).get_tokens(shown)
    return Markup("").join(_colour_token(kind, text) for kind, text in tokens)


def _colour_token(kind: object, text: str) -> Markup:
    name = next((name for each, name in CLASSES.items() if kind in each), "")
    return Markup('<span class="{}">{}</span>').format(name, text) if name else escape(text)
