"""The templates of the HTML pages, and their filters."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from autograder.common.encoders import encode_html, encode_path, make_visible
from autograder.results.store import STUDENTS

from .highlight import colour
from .markdown import protect

TEMPLATES = Path(__file__).resolve().parent / "templates"


@cache
def environment() -> Environment:
    """Return the template environment; it escapes values, except our own markup, and shows invisible characters."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, finalize=_show
    )
    made.globals["css"] = Markup((TEMPLATES / "base.css").read_text(encoding="utf-8"))
    script = (TEMPLATES / "sort.js").read_text(encoding="utf-8")
    made.globals |= {"sort_script": Markup(script), "sort_hash": hash_script(script)}
    made.filters.update(points=points, prose=prose, link=link, name=encode_html, protect=protect_name, colour=colour)
    return made


def hash_script(script: str) -> str:
    """Return the hash of a script for a Content-Security-Policy, so that only this script may run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _show(value: Any) -> Any:
    """Make invisible characters in a value visible; line breaks and tabs are harmless in HTML."""
    return make_visible(value, keep="\n\t") if isinstance(value, str) and not isinstance(value, Markup) else value


def points(value: float) -> str:
    """Format points with as many decimals as needed, at most two."""
    return f"{round(value, 2):g}"


def prose(text: str) -> Markup:
    """Escape a text and mark `code` in it as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(_show(text)))))


def protect_name(text: str) -> Markup:
    """Escape a text that contains names for a Markdown cell, so that neither Markdown nor MathJax interprets it."""
    return Markup(protect(str(escape(make_visible(text)))))


def link(student: str) -> str:
    """Return the address of a student's page, relative to the class report."""
    return f"{STUDENTS}/{quote(encode_path(student))}/feedback.html"


def formgrader_page(key: str) -> str:
    """Return the formgrader's address of a submission. The environment variable FORMGRADER names another server."""
    return f"{os.environ.get('FORMGRADER', 'http://localhost:8888').rstrip('/')}/formgrader/submissions/{key}/"
