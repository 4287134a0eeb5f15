"""What students write in Markdown: ordinary text looks normal, nothing runs or loads, and all words can be read."""

from __future__ import annotations

import base64
import time
from html import unescape
from html.parser import HTMLParser

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from nbconvert.filters import markdown2html, strip_files_prefix

from autograder.reporting import markdown

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n and the rest of a picture, long enough").decode()
EMBEDDED = f"data:image/png;base64,{PIXEL}"
SVG = base64.b64encode(b"<svg onload='alert(1)'/>").decode()

HOSTILE = (
    "[numbers](javascript:alert(1))",
    "[numbers](JaVaScRiPt&colon;alert(1))",
    "[numbers](java\nscript:alert(1))",
    "[numbers](&#x6A;avascript:alert(1))",
    "[numbers](vbscript:x) [n](file:///etc/passwd) [n](data:text/html;base64,PHNjcmlwdD4=)",
    "[numbers][evil]\n\n[evil]: javascript:alert(1)",
    "[evil]\n\n[evil]: <javascript:alert(1)> 'title'",
    "<javascript:alert(1)> <https://evil.example>",
    "[page](/lab/tree?reset) [page](../formgrader) [page](//evil.example) [page](https://evil.example)",
    "![x](https://evil.example/x.png) ![x](/files/x.png) ![x](javascript:alert(1))",
    f"![x](data:image/svg+xml;base64,{SVG}) <img src='data:image/svg+xml;base64,{SVG}'>",
    '![x](x" onerror="alert(1)) ![" onerror="alert(1)](attachment:a.png)',
    "[![x](https://evil.example/x)](javascript:alert(1))",
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)> <IMG SRC=//evil.example/x>",
    "<svg onload=alert(1)><math href='javascript:alert(1)'><a xlink:href='javascript:alert(1)'>x</a></math></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<a href='javascript:alert(1)'>x</a> <a href=https://evil.example>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe><object data=x></object><embed src=x><base href=//evil>",
    "<form action=//evil.example><input name=x><button formaction=javascript:alert(1)>x</button></form>",
    "<style>@import '//evil.example'</style><link rel=stylesheet href=//evil.example><meta http-equiv=refresh>",
    "<div style='background:url(//evil.example);position:fixed' onclick=alert(1) id=notebook>x</div>",
    "<span class=tex2jax_process>$\\href{javascript:alert(1)}{x}$</span>",
    "<td background=//evil.example>x</td><video poster=//evil.example></video>",
    "<details ontoggle=alert(1) open>x</details>",
    "</div></div></section><p>after</p>",
    "$\\href{javascript:alert(1)}{x}$ $$\\href{https://evil.example}{x}$$",
    "\\begin{align}\\href{javascript:alert(1)}{x}\\end{align}",
    "$\\style{background:url(//evil.example)}{x}$ $\\class{tex2jax_process}{x}$ $\\cssId{notebook}{x}$",
    "$\\require{HTML}$ $\\def\\x{\\href}\\x{javascript:alert(1)}{x}$ $\\text{<img src=x onerror=alert(1)>}$",
    "\\\\(\\href{javascript:alert(1)}{x}\\\\) \\\\[\\href{javascript:alert(1)}{x}\\\\]",
    '```mermaid\n<img src=x onerror=alert(1)>\nclick A "javascript:alert(1)"\n```',
    "```html\n<script>alert(1)</script>\n```",
    "`<script>alert(1)</script>`\n\n    <script>alert(1)</script>",
    "<!-- --><script>alert(1)</script><!-- > <img src=x onerror=alert(1)> -->",
    "<![CDATA[<script>alert(1)</script>]]> <?x <script>alert(1)</script>?> <!DOCTYPE x [<!ENTITY y '<script>'>]>",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62;",
    "<p\n\n><script>alert(1)</script>\n\n<pre>\n\n<script>alert(1)</script>\n\n</pre>",
    "|a|\n|-|\n|<script>alert(1)</script>|",
    "# <img src=x onerror=alert(1)>\n\n- [ ] <script>alert(1)</script>",
    "\x00<script>alert(1)</script>\x1b[31m\u202e",
)


class Alive(HTMLParser):
    """What could run or load something in a piece of HTML, and the text that it shows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""
        self.feed(str(html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        allowed = markdown.TYPED | markdown.HEADINGS | markdown.MATHML | {"img", "caption"}
        self.found += [tag] if tag not in allowed else []
        for name, value in attrs:
            picture = (tag, name) == ("img", "src") and str(value).startswith("data:image/png;base64,")
            aligned = name == "style" and str(value).strip(";") in {
                f"text-align:{side}" for side in ("left", "right", "center")
            }
            ours = (name, value) in markdown.LOOK.get(tag, {"class": "tex2jax_ignore"}).items()
            plain = name in {"alt", "start", "colspan", "rowspan", "scope"} | markdown.MATHML_ATTRIBUTES
            self.found += [] if picture or aligned or ours or plain else [f"{tag} {name}={value}"]

    def handle_data(self, data: str) -> None:
        self.text += data


def render(text: str, **pictures: str) -> Markup:
    attachments = {name.replace("_", "."): {"image/png": content} for name, content in pictures.items()}
    return markdown.Renderer().render(text, attachments)


def in_formgrader(html: Markup) -> str:
    """What nbgrader's template makes of the cell that holds the HTML, and nbconvert of the page."""
    return str(BeautifulSoup(strip_files_prefix(markdown2html(markdown.protect(html))), features="html.parser"))


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_lives_on_any_page(text: str) -> None:
    html = render(text, a_png=PIXEL)
    assert Alive(html).found == []
    assert Alive(in_formgrader(html)).found == []


@given(
    st.lists(st.sampled_from([*HOSTILE, "\n", "\n\n", "`", "$", "$$", "\\", "<", "-->", "    ", "> ", "|", "[", "]"]))
)
def test_nothing_lives_in_any_mixture(parts: list[str]) -> None:
    html = render("".join(parts), a_png=PIXEL)
    assert Alive(html).found == []
    assert Alive(in_formgrader(html)).found == []


@given(st.text(alphabet=st.sampled_from("<>/!-?&;:()[]{}$\\`'\"=# \n|*_~aimgscriptonerj"), max_size=60))
def test_nothing_lives_in_any_text(text: str) -> None:
    html = render(text)
    assert Alive(html).found == []
    assert Alive(in_formgrader(html)).found == []


@pytest.mark.parametrize("text", HOSTILE)
def test_other_renderers_leave_the_cell_as_it_is(text: str) -> None:
    html = render(text, a_png=PIXEL)
    cell = markdown.protect(html)
    assert not set("\n\r$\\") & set(cell)
    assert unescape(markdown2html(cell)).strip() == unescape(cell)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[numbers](javascript:alert(1))", "[numbers](javascript:alert(1))"),
        ("[numbers](https://x.example/a?b=1)", "numbers (https://x.example/a?b=1)"),
        ("<https://x.example>", "https://x.example"),
        ("![loss](https://x.example/loss.png)", "[picture not shown: loss, https://x.example/loss.png]"),
        ("![loss](attachment:gone.png)", "[picture not shown: loss, attachment:gone.png]"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("for all a <c and b> d", "for all a <c and b> d"),
        ("$\\href{javascript:alert(1)}{x}$", "\\href{javascript:alert(1)}{x}"),
        ("$\\frac{$", "\\frac{"),
        ("$$\\href{a}\n{b}$$", "\\href{a}\n{b}"),
        ("3 < 4 & 5 > 4, R&amp;D", "3 < 4 & 5 > 4, R&D"),
        ("it costs $5 or $10", "it costs $5 or $10"),
        ("- " * 60 + "deep", "- " * 60 + "deep"),
        ("> " * 60 + "deep", "> " * 60 + "deep"),
        ("[answer]: hidden", "[answer]: hidden"),
        ("<!-- never closed", "<!-- never closed"),
        ("x" * 30_000, "x" * 30_000),
    ],
)
def test_all_words_can_be_read(text: str, words: str) -> None:
    html = render(text)
    assert Alive(html).text.strip() == words
    assert Alive(in_formgrader(html)).text.strip() == words


class TestOrdinaryText:
    @pytest.mark.parametrize(
        ("text", "html"),
        [
            ("**a** *b* ~~c~~ `d < e`", "<p><strong>a</strong> <em>b</em> <s>c</s> <code>d &lt; e</code></p>"),
            ("a<br>b <sub>2</sub> <b>c</b>", "<p>a<br>b <sub>2</sub> <b>c</b></p>"),
            ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
            ("2. a\n3. b", '<ol start="2">\n<li>a</li>\n<li>b</li>\n</ol>'),
            ("> a", "<blockquote>\n<p>a</p>\n</blockquote>"),
            ("```python\nif a:\n\n    b\n```", "<pre><code>if a:\n\n    b\n</code></pre>"),
            ("a <!-- aside --> b", "<p>a  b</p>"),
        ],
    )
    def test_it_is_rendered(self, text: str, html: str) -> None:
        assert render(text).strip() == html

    def test_tables_keep_their_alignment(self) -> None:
        html = render("|a|b|\n|-|-:|\n|1|2|")
        assert '<td style="text-align:right">2</td>' in html
        assert '<td style="text-align:right">2</td>' in in_formgrader(html)

    def test_empty_lines_in_code_survive_the_formgrader(self) -> None:
        html = render("```\na\n\n\nb\n```\n\nafter")
        assert "a\n\n\nb\n" in Alive(in_formgrader(html)).text

    def test_formulas_are_mathml(self) -> None:
        assert "<msup><mi>x</mi><mn>2</mn></msup>" in render("It is $x^2$.")
        assert '<math display="block">' in render("$$\\sum_{i=1}^n x_i$$")
        assert "<mtable" in render("\\begin{align}a &= b\\\\c &= d\\end{align}")
        assert "<code>\\unknowncommand x</code>" in render("$\\unknowncommand x$")

    def test_a_short_formula_is_not_long_work(self) -> None:
        laughs = "".join(f"\\def\\x{chr(97 + n)}{{\\x{chr(98 + n)}\\x{chr(98 + n)}}}" for n in range(24))
        started = time.process_time()
        assert "<code>" in render(f"$${laughs}\\xa$$")
        assert time.process_time() - started < 2

    def test_headings_go_down_one_step_at_a_time(self) -> None:
        html = render("### a\n\n###### b\n\n# c\n\n###### d")
        assert [line[:4] for line in html.strip().split("\n")] == ["<h3>", "<h4>", "<h3>", "<h4>"]

    @pytest.mark.parametrize(
        "text", [f"![loss]({EMBEDDED})", f"<img alt='loss' src='{EMBEDDED}'>", "![loss](attachment:a.png)"]
    )
    def test_pictures_of_the_notebook_are_shown(self, text: str) -> None:
        assert f'<img src="{EMBEDDED}" alt="loss" class="img-responsive">' in render(text, a_png=PIXEL)

    def test_a_large_picture_does_not_keep_the_text_from_being_rendered(self) -> None:
        large = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(300_000)).decode()
        assert "<strong>a</strong>" in render(f"**a** ![loss](data:image/png;base64,{large})")

    def test_an_attachment_that_is_no_picture_is_not_shown(self) -> None:
        assert "<img" not in render("![x](attachment:a.png)", a_png=SVG)
        assert "<img" not in markdown.Renderer().render("![x](attachment:a.png)", {"a.png": {"image/svg+xml": "<svg>"}})
        assert "<img" not in markdown.Renderer().render("![x](attachment:a.png)", {"a.png": "text"})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "part",
    [
        "[",
        "*a_ ",
        "`",
        "|a",
        "<b>",
        "$x",
        "![a](",
        "&",
        "<",
        "<!--",
        "a\n",
        "[a]: b\n",
        "$$",
        "<img src=",
        "\\begin{align}",
        "- ",
        "> ",
    ],
)
def test_no_text_is_long_work(part: str) -> None:
    started = time.process_time()
    render(part * (markdown.MAX_CHARACTERS // len(part)))
    render(part * 500_000)
    assert time.process_time() - started < 5


def test_a_notebook_full_of_long_texts_is_not_long_work() -> None:
    renderer = markdown.Renderer()
    pages = [renderer.render("*a*" + " b" * 9_000) for _ in range(20)]
    assert pages[0].startswith("<p><em>")
    assert pages[-1].startswith("<pre>*a*")


def test_html_of_outputs_keeps_tables_and_loses_all_that_acts() -> None:
    html = markdown.sanitize(
        "<style>td {background: url(//evil.example)}</style><table border=1 class=dataframe><thead><tr><th>a</th></tr>"
        '</thead><tr><td style="text-align: right; color: red">1</td></tr></table><a href=//evil.example>b</a>'
        '<img src="//evil.example/x"><script>alert(1)</script>'
    )
    assert Alive(html).found == []
    assert Alive(html).text == "a1b"
    assert "<th>a</th>" in html


@pytest.mark.parametrize("tex", ["$\\displaystyle x^2$", "$$x^2$$", "x^2"])
def test_formulas_of_outputs_are_mathml(tex: str) -> None:
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in markdown.render_formula(tex)


COMPLEX = {
    "nested elements": "<div>" * 190_000,
    "unclosed elements in many paragraphs": "".join(f"<b id={n}>" for n in range(1500)) + "<p>x" * 4000,
    "the same in capitals": "".join(f"<TT/title={n}>" for n in range(900)) + "<p>x" * 2300,
}


@pytest.mark.parametrize("html", COMPLEX.values(), ids=COMPLEX)
def test_html_that_takes_long_to_parse_is_not_shown(html: str) -> None:
    started = time.process_time()
    assert markdown.Renderer().clean(html) == ""
    markdown.Renderer().render(html[: markdown.MAX_CHARACTERS])
    assert time.process_time() - started < 5


def test_html_of_outputs_is_shown_up_to_a_limit_for_all_of_a_notebook() -> None:
    renderer = markdown.Renderer()
    table = "<table>" + "<tr><td>1</td></tr>" * 2000 + "</table>"
    assert "<td>1</td>" in renderer.clean(table)
    assert [bool(renderer.clean(table)) for _ in range(6)] == [True] * 5 + [False]


def test_a_picture_is_not_shown_any_number_of_times() -> None:
    large = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(1_000_000)).decode()
    html = markdown.Renderer().render("![a](attachment:a.png)\n" * 60, {"a.png": {"image/png": large}})
    assert 1 <= html.count("<img") <= 6
    assert "[picture not shown: " in html
