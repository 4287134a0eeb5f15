"""Render students' Markdown as HTML in which nothing can run and nothing is loaded.

The HTML is sanitised with an allow-list. Links are shown as text followed by their address, pictures only if they are
part of the notebook, and formulas as MathML, so that no MathJax command of a student is executed. Everything else stays
readable as text.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import nh3
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from autograder.common.images import picture

MAX_CHARACTERS, MAX_TOTAL = 20_000, 200_000
"""Maximum number of characters rendered per text, and per notebook; further texts are shown as typed."""

MAX_TAGS, MAX_TOTAL_TAGS = 10_000, 50_000
"""Tags of one text or output, and of all HTML outputs of a notebook, that are rendered: parsing deeply nested elements
takes time that grows with the square of their number."""

MAX_REOPENED = 200_000
"""Elements that may arise because a parser opens unclosed formatting elements again in each paragraph, see
https://html.spec.whatwg.org/multipage/parsing.html#reconstruct-the-active-formatting-elements. At most three with equal
attributes count."""

FORMATTING = re.compile(r"<(?:b|big|code|em|font|i|s|small|strike|strong|tt|u)[\s/]", re.IGNORECASE)
"""Tags of formatting elements with attributes."""

MAX_PICTURES = 8_000_000
"""Characters of all pictures in the texts of a notebook; a picture counts each time it is shown."""

MAX_FORMULA = 2_000
"""Maximum number of characters of a formula that is rendered."""

MAX_NESTING = 40
"""Maximum depth of nested lists and quotations."""

MAX_ADDRESS = 300
"""Maximum number of characters of an address that are shown."""

HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
TYPED = {
    *("b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "hr", "i", "ins", "kbd", "li"),
    *("mark", "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td"),
    *("tfoot", "th", "thead", "tr", "tt", "u", "ul", "var"),
}
"""HTML tags that students may type into a text; any other is shown as text."""

MATHML = {
    *("math", "menclose", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mprescripts"),
    *("mroot", "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr"),
    *("munder", "munderover", "none"),
}
MATHML_ATTRIBUTES = {
    *("accent", "accentunder", "align", "columnalign", "columnlines", "columnspacing", "display", "displaystyle"),
    *("fence", "form", "frame", "height", "largeop", "linethickness", "lspace", "mathcolor", "mathsize", "mathvariant"),
    *("maxsize", "minsize", "movablelimits", "notation", "rowlines", "rowspacing", "rspace", "scriptlevel"),
    *("separator", "stretchy", "voffset", "width"),
}
ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),  # instead of the sanitiser's default, `title` and `lang`
    "img": {"src", "alt"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "style"},
    "th": {"colspan", "rowspan", "scope", "style"},
    **{tag: set(MATHML_ATTRIBUTES) for tag in MATHML},
}

LOOK = {"table": {"class": "table-condensed"}, "img": {"class": "img-responsive"}}
"""The Bootstrap classes of tables and pictures for the formgrader; our own pages do not need them."""

RAW_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][\w-]*)(?P<rest>[^<>]*)>|<")
SOURCE = re.compile(r"""\bsrc\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
ALTERNATIVE = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
EMBEDDED = re.compile(r"data:image/png;base64,([A-Za-z0-9+/]+=*)")
"""A picture that is contained in the text itself."""

DEFINITION = re.compile(r"\\(?:def|let|g?def|edef|xdef|(?:re)?newcommand|newenvironment|require)\b")
"""Commands that redefine others, with which a short formula could become endless."""

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"

log = logging.getLogger(__name__)

Attachments = Mapping[str, Mapping[str, Any]]
"""The data of pictures that were pasted into a cell, by file name and MIME type."""


class Renderer:
    """Renders the texts of one notebook, up to a maximum total length."""

    def __init__(self) -> None:
        self._left, self._tags_left = MAX_TOTAL, MAX_TOTAL_TAGS
        self._pictures_left = [MAX_PICTURES]

    def render(self, source: str, attachments: Attachments | None = None) -> Markup:
        """Return Markdown as sanitised HTML; `attachments` are the attachments of its cell.

        A text that cannot be rendered is returned as it was typed, in a `pre` element.
        """
        pictures = dict(attachments or {})
        text = EMBEDDED.sub(lambda found: _attach(found[1], pictures), source)
        self._left -= len(text)
        if len(text) > MAX_CHARACTERS or self._left < 0:
            return render_plain(source)
        try:
            return _render(text, {"attachments": pictures, "left": self._pictures_left}) or render_plain(source)
        except Exception as error:  # the libraries declare no common base of their errors
            log.warning("A text is shown as it was typed: it could not be rendered (%s).", type(error).__name__)
            return render_plain(source)

    def clean(self, html: str) -> Markup:
        """Return the HTML of an output, sanitised; empty if it is too complex."""
        self._tags_left -= html.count("<")
        try:
            return sanitize(html) if self._tags_left >= 0 else Markup()
        except ValueError:
            return Markup()


def _render(text: str, env: EnvType) -> Markup | None:
    """Return the text as HTML; None if a part of it would be lost."""
    tokens = _parser().parse(text, env)
    if max((token.level for token in tokens), default=0) >= MAX_NESTING - 2:
        return None
    made = sanitize(_parser().renderer.render(tokens, _parser().options, env))
    return made if made.strip() or not text.strip() else None


def _attach(content: str, pictures: dict[str, Mapping[str, Any]]) -> str:
    """Replace a picture in a text by a reference to an attachment, which keeps the text short."""
    name = f"picture-{len(pictures)}"
    pictures[name] = {"image/png": content}
    return f"attachment:{name}"


def render_plain(text: str) -> Markup:
    """Return text as HTML that shows it as it was typed."""
    return Markup("<pre>{}</pre>").format(text)


def render_formula(tex: str) -> Markup:
    """Return TeX, with or without the dollar signs around it, as sanitised HTML."""
    return sanitize(_formula(tex.strip().strip("$"), display=True))


def sanitize(html: str) -> Markup:
    """Return HTML with only the tags and attributes of the allow-list: no scripts, links, styles or remote pictures.

    Raises:
        ValueError: it is so complex that parsing it could take too much time or memory.
    """
    tags = html.count("<")
    if tags > MAX_TAGS or tags * len(FORMATTING.findall(html)) > MAX_REOPENED:
        raise ValueError("The HTML is too complex.")
    cleaned = nh3.clean(
        html,
        tags=TYPED | HEADINGS | MATHML | {"img", "caption"},
        clean_content_tags={"script", "style", "title", "template"},
        attributes=ATTRIBUTES,
        attribute_filter=_filter_attribute,
        filter_style_properties={"text-align"},
        set_tag_attribute_values=LOOK,
        url_schemes={"data"},
        link_rel=None,
    )
    return Markup(cleaned)


def protect(html: str) -> str:
    """Return sanitised HTML as one line that Markdown renderers and MathJax do not change.

    A block of HTML in Markdown ends at an empty line. MathJax ignores elements with this class; without dollar signs
    and backslashes, no Markdown renderer finds a formula in it either.
    """
    line = html.translate({ord("\n"): "&#10;", ord("\r"): "&#13;", ord("$"): "&#36;", ord("\\"): "&#92;"})
    return f'<div class="tex2jax_ignore">{line}</div>'


def _filter_attribute(tag: str, attribute: str, value: str) -> str | None:
    """Keep the source of a picture only if it contains the picture itself."""
    if (tag, attribute) == ("img", "src"):
        found = EMBEDDED.fullmatch(value)
        return picture({"image/png": found[1]}) if found is not None else None
    return value


@cache
def _parser() -> MarkdownIt:
    """Build a parser for what Jupyter renders: CommonMark with tables, struck-out text and formulas."""
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, allow_labels=False, allow_digits=False, double_inline=True, renderer=_render_dollars)
    parser.use(amsmath_plugin, renderer=lambda tex: _formula(tex, display=True))
    parser.core.ruler.push("inert_links", _replace_links)
    parser.core.ruler.push("ordered_headings", _order_headings)
    parser.core.ruler.push("table_heads", _name_table_heads)
    for kind, rule in (("html_inline", _raw_html), ("html_block", _raw_html), ("image", _image)):
        parser.add_render_rule(kind, rule)
    return parser


def _render_dollars(tex: str, options: Mapping[str, Any]) -> str:
    return _formula(tex, display=bool(options.get("display_mode")))


def _formula(tex: str, *, display: bool) -> str:
    """Return a formula as MathML, or as it was typed if it cannot be rendered or contains a forbidden command."""
    try:
        if len(tex) > MAX_FORMULA or DEFINITION.search(tex):
            return _code(tex)
        made = convert(tex, display="block" if display else "inline")
        parts = list(ElementTree.fromstring(made).iter())
    except Exception:  # the converter's errors have no common base class
        return _code(tex)
    harmless = all(
        part.tag.removeprefix(NAMESPACE) in MATHML and set(part.attrib) <= MATHML_ATTRIBUTES for part in parts
    )
    unknown = any((part.text or "").startswith("\\") and len(part.text or "") > 1 for part in parts)
    return made if harmless and not unknown else _code(tex)


def _code(text: str) -> str:
    tag = "pre" if "\n" in text.strip() else "code"
    return f"<{tag}>{escape(text)}</{tag}>"


def _replace_links(state: StateCore) -> None:
    """Replace each link by its text and its address, which cannot be clicked."""
    for token in state.tokens:
        if token.children:
            token.children = _without_links(token.children)


def _without_links(tokens: Sequence[Token]) -> list[Token]:
    made: list[Token] = []
    opened: list[tuple[str, bool]] = []
    for token in tokens:
        if token.type == "link_open":
            opened.append((str(token.attrs.get("href", "")), token.info == "auto"))
        elif token.type == "link_close":
            address, is_shown = opened.pop()
            if address and not is_shown:
                made += [_token("text", " ("), _token("code_inline", _short(address), "code"), _token("text", ")")]
        else:
            made.append(token)
    return made


def _token(kind: str, content: str, tag: str = "") -> Token:
    return Token(kind, tag, 0, content=content)


def _short(address: str) -> str:
    return address if len(address) <= MAX_ADDRESS else f"{address[:MAX_ADDRESS]}…"


def _order_headings(state: StateCore) -> None:
    """Let headings start at h3 and skip no level, because the page has its own headings above them."""
    above, tag = 0, ""
    for token in state.tokens:
        if token.type == "heading_open":
            above = min(int(token.tag[1]), above + 1)
            tag = f"h{min(above + 2, 6)}"
        if token.type in ("heading_open", "heading_close"):
            token.tag = tag


def _name_table_heads(state: StateCore) -> None:
    """Mark the heading cells of a table as headings of their columns, for screen readers."""
    for token in state.tokens:
        if token.type == "th_open":
            token.attrSet("scope", "col")


def _raw_html(renderer: RendererHTML, tokens: Sequence[Token], number: int, options: OptionsDict, env: EnvType) -> str:
    """Return HTML that was typed: allowed tags unchanged, all others as text, without comments."""
    return RAW_TAG.sub(lambda found: _raw_tag(found, env), remove_comments(tokens[number].content))


def remove_comments(text: str) -> str:
    """Return HTML without its comments."""
    kept, place = [], 0
    while (begin := text.find("<!--", place)) >= 0 and (end := text.find("-->", begin + 4)) >= 0:
        kept.append(text[place:begin])
        place = end + 3
    return "".join([*kept, text[place:]])


def _raw_tag(found: re.Match[str], env: EnvType) -> str:
    name, rest = (found["name"] or "").lower(), found["rest"] or ""
    if name in TYPED:
        kept = rest.strip().rstrip("/")  # the sanitiser checks each attribute
        return f"<{found['end']}{name}{' ' * bool(kept)}{kept}>"
    source, words = SOURCE.search(rest), ALTERNATIVE.search(rest)
    if name == "img" and source is not None and (shown := _attached(source[1], env)) is not None:
        return _picture(shown, (words[1] or words[2] or "") if words else "")
    return str(escape(found[0]))


def _image(renderer: RendererHTML, tokens: Sequence[Token], number: int, options: OptionsDict, env: EnvType) -> str:
    """Return a picture if it is part of the notebook, otherwise its alternative text and its address."""
    token = tokens[number]
    address = str(token.attrs.get("src", ""))
    words = renderer.renderInlineAsText(token.children or [], options, env)
    if (shown := _attached(address, env)) is not None:
        return _picture(shown, words)
    return f"[picture not shown: {f'{escape(words)}, ' if words else ''}{_code(_short(address))}]"


def _attached(address: str, env: EnvType) -> str | None:
    """Return an attached picture as a data URI; None if there is none, or if it may not be shown."""
    name = unquote(address.removeprefix("attachment:"))
    attached = env["attachments"].get(name) if "attachment:" in address[:11] else None
    shown = picture(attached) if isinstance(attached, Mapping) else None
    if shown is None or len(shown) > env["left"][0]:
        return None
    env["left"][0] -= len(shown)
    return shown


def _picture(shown: str, words: str) -> str:
    return f'<img src="{shown}" alt="{escape(words or "Picture in the answer")}">'
