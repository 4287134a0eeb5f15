"""The pages in Chromium: axe-core's rules hold, a phone needs no sideways scroll, paper shows all, nothing runs."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from playwright.sync_api import Browser, Page

from autograder.assignment.settings import Assignment
from tests.made_pages import class_page, executed_notebook, student_page
from tests.places import ROOT

pytestmark = pytest.mark.browser

AXE = Path(os.environ.get("AXE") or ROOT / ".tools" / "node_modules" / "axe-core" / "axe.min.js")

PAGES = ("feedback", "report")
PHONE, DESKTOP = {"width": 320, "height": 640}, {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, assignment: Assignment, release: NotebookNode) -> Path:
    """The pages as files, as students and graders open them."""
    made = tmp_path_factory.mktemp("pages")
    (made / "feedback.html").write_text(student_page(assignment, executed_notebook(release)), encoding="utf-8")
    (made / "report.html").write_text(class_page(assignment), encoding="utf-8")
    return made


def opened(browser: Browser, path: Path, **settings: Any) -> Page:
    page = browser.new_page(**{"viewport": DESKTOP, **settings})
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_nothing(browser: Browser, folder: Path, name: str, scheme: Any, viewport: dict[str, int]) -> None:
    """All rules of axe-core, those of good practice too (https://github.com/dequelabs/axe-core)."""
    if not AXE.is_file():
        pytest.skip("axe-core is not there: `make test-browser` fetches it with npm, or name axe.min.js in AXE.")
    page = opened(browser, folder / f"{name}.html", color_scheme=scheme, viewport=viewport)
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    said = [
        f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:150]} (of {len(v['nodes'])})" for v in found["violations"]
    ]
    assert not said
    assert len(found["passes"]) > 15, "the rules were tried"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [320, 360, 768])
def test_the_page_does_not_scroll_sideways(browser: Browser, folder: Path, name: str, width: int) -> None:
    page = opened(browser, folder / f"{name}.html", viewport={"width": width, "height": 640})
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_and_nothing_is_asked_for(browser: Browser, folder: Path, name: str) -> None:
    """Even where markup of a student's got through, the page's policy would keep it from running."""
    dialogs: list[str] = []
    asked: list[str] = []
    hostile = folder / f"hostile-{name}.html"
    text = (folder / f"{name}.html").read_text(encoding="utf-8")
    let_in = (
        '<script>window.ran = 1</script><img src="x" onerror="window.ran = 2"><iframe src="https://x.org"></iframe>'
    )
    hostile.write_text(text.replace("</main>", f"{let_in}</main>"), encoding="utf-8")
    page = browser.new_page()
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    for path in (folder / f"{name}.html", hostile):
        page.goto(path.as_uri())
        assert page.evaluate("window.ran") is None
    assert not dialogs
    assert [url for url in asked if not url.startswith(("data:image/png", "file:"))] == []


def test_paper_shows_what_is_folded_on_screen(browser: Browser, folder: Path) -> None:
    page = opened(browser, folder / "feedback.html")
    rule = page.locator("details.rest li").first
    assert not rule.is_visible()
    page.emulate_media(media="print")
    assert rule.is_visible()
    cut = "[...document.querySelectorAll('pre')].filter(part => part.scrollHeight > part.clientHeight + 2).length"
    assert page.evaluate(cut) == 0, "no output is cut off"


@pytest.mark.parametrize(("name", "width"), [("feedback", 690), ("report", 1010)])
def test_it_fits_on_paper(browser: Browser, folder: Path, name: str, width: int) -> None:
    """A4 between Chromium's own margins, across for the report, in pixels."""
    page = opened(browser, folder / f"{name}.html", viewport={"width": width, "height": 1000})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_strip_reads_its_text_alternative(browser: Browser, folder: Path) -> None:
    page = opened(browser, folder / "feedback.html")
    picture = page.get_by_role("img", name="Stopped after epoch 3; should have continued.")
    assert picture.count() == 1
    assert picture.bounding_box()["height"] > 150  # type: ignore[index]


def test_a_mark_that_is_pointed_at_can_be_read(browser: Browser, folder: Path) -> None:
    page = opened(browser, folder / "report.html")
    chart = page.get_by_role("img", name="Time to accuracy by learning rate.")
    whole, one = chart.get_by_text("Learning rate 0.001: median 2.1 s"), chart.get_by_text("eve: 2.1 s").first
    assert not whole.is_visible()
    chart.locator(".box").nth(1).hover(position={"x": 1, "y": 1})
    assert whole.is_visible()
    assert not one.is_visible()
    chart.locator(".mark", has=page.get_by_text("eve: 2.1 s")).first.locator(".dot").hover()
    assert one.is_visible()
    assert not whole.is_visible()


def test_a_figure_opens_at_full_size_and_closes_again(browser: Browser, folder: Path) -> None:
    page = opened(browser, folder / "feedback.html", viewport=PHONE)
    figure = page.locator("figure.zoom").first
    small = figure.locator("img").bounding_box()["width"]  # type: ignore[index]
    figure.locator("a[href^='#figure']").click()
    assert figure.locator("img").bounding_box()["width"] > 2 * small  # type: ignore[index]
    figure.get_by_role("link", name="Close the figure").click()
    assert figure.locator("img").bounding_box()["width"] == small  # type: ignore[index]


def test_the_class_sorts_by_any_column(browser: Browser, folder: Path) -> None:
    page = opened(browser, folder / "report.html")
    table = page.locator("table.class")
    totals = "[...document.querySelectorAll('table.class tbody tr')].map(row => Number(row.cells[11].textContent))"
    table.get_by_role("button", name="Total").click()
    assert page.evaluate(totals) == sorted(page.evaluate(totals))
    table.get_by_role("button", name="Total").click()
    assert page.evaluate(totals) == sorted(page.evaluate(totals), reverse=True)
    assert table.locator("th[aria-sort=descending]").inner_text() == "Total"


def test_a_student_prints_few_pages(browser: Browser, folder: Path) -> None:
    page = opened(browser, folder / "feedback.html")
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= 6
