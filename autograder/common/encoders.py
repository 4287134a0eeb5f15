"""Encode names and texts that others chose, for a terminal, a table, a page or a path.

Names of folders and files come from students. They may contain line breaks, control characters, characters that change
the direction of writing, formulas, or the names of our own files. All code that shows or stores one encodes it here.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from markupsafe import Markup, escape

INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories of characters that change how others are shown and cannot be seen themselves."""

JOINERS = {"\u200c", "\u200d"}
"""Invisible characters that Persian, Indic scripts and emoji need."""

FORMULA = re.compile(r"""(^|[;\t\r\n])([\s"']*)(?=[=+\-@＝＋－＠])""")
"""Where a formula would begin in a spreadsheet: at the start of a cell, or after a character that some programs treat
as a separator although the file uses another one."""

INNER_SIGN = re.compile(r"""([;\t\r\n][\s"']*)([=+\-@＝＋－＠])""")
"""The same inside a cell, with the sign that begins the formula."""

RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
"""Names that mean a device on Windows (https://learn.microsoft.com/windows/win32/fileio/naming-a-file)."""

PLAIN = " .,@+=()!#'_-"
"""Characters that are kept in a path, besides letters, combining marks and digits."""

MAX_PATH_BYTES = 120
"""Maximum number of bytes of an encoded name; file systems allow 255, and nbgrader adds to some names."""


def one_line(text: str, limit: int | None = None) -> str:
    """Return the text with every run of whitespace as a single space, cut to `limit` characters."""
    return " ".join(text.split())[:limit]


def make_visible(text: str, keep: str = "") -> str:
    """Return the text with every invisible character escaped, such as `\\n`, except those in `keep`."""
    if text.isprintable():
        return text
    return "".join(char if char in keep or not _is_invisible(char) else _escape(char) for char in text)


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in INVISIBLE and char not in JOINERS


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def encode_terminal(text: str) -> str:
    """Return one line that is safe to show on a terminal, without control sequences."""
    return make_visible(text)


def encode_html(text: str) -> Markup:
    """Return a name as HTML: escaped, and isolated from the direction of the text around it."""
    return Markup("<bdi>{}</bdi>").format(escape(make_visible(text)))


def encode_csv(text: str) -> str:
    """Return a cell that no spreadsheet treats as a formula, whether it splits at commas, semicolons or tabs.

    See https://owasp.org/www-community/attacks/CSV_Injection. Line breaks and other invisible characters are escaped.
    """
    return guard_formulas(make_visible(text).strip())


def guard_formulas(text: str) -> str:
    """Put an apostrophe before every part of a cell that a spreadsheet would treat as a formula."""
    return FORMULA.sub(r"\1\2'", text)


def encode_html_signs(html: str) -> str:
    """Return equivalent HTML in which `guard_formulas` finds nothing, except at the very start.

    An entity such as `&gt;` ends with a semicolon, so that `&gt;=` would get an apostrophe that students see.
    """
    while (encoded := INNER_SIGN.sub(lambda found: f"{found[1]}&#{ord(found[2])};", html)) != html:
        html = encoded
    return html


def encode_path(name: str) -> str:
    """Return a folder name for a student: the same for ordinary names, safe on every file system for others.

    Distinct names stay distinct. An unsafe character becomes `~` and the hexadecimal digits of its bytes; a long name
    is cut and ends with `~~` and a part of its hash. The result never begins with a dot, so it is never hidden, and
    contains nothing that has a meaning in HTML: nbgrader's pages show it unescaped.
    """
    encoded = "".join(char if _is_plain(char) else _hex(char) for char in name)
    if encoded[:1] in (".", " ", "") or RESERVED.fullmatch(encoded):
        encoded = _hex(encoded[:1]) + encoded[1:]
    if encoded[-1:] in (".", " "):
        encoded = encoded[:-1] + _hex(encoded[-1:])
    if len(encoded.encode()) > MAX_PATH_BYTES:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        encoded = encoded.encode()[: MAX_PATH_BYTES - 18].decode(errors="ignore").rstrip("~") + f"~~{digest}"
    return encoded


def _is_plain(char: str) -> bool:
    return char in PLAIN or unicodedata.category(char)[0] in "LMN"


def _hex(char: str) -> str:
    return "".join(f"~{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
