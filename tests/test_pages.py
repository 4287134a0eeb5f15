"""The feedback page and the class report: everything is said, nothing can run, anybody can read it."""

from __future__ import annotations

import base64
import copy
import io
import re
import time
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import matplotlib.pyplot as plt
import nbformat
import pytest
from nbformat import NotebookNode

from autograder import books, feedback, report
from autograder.assignment import Assignment
from autograder.grading import for_a_person
from autograder.pages import TEMPLATES
from autograder.strip import described, draw
from autograder.verdict import Finding, ItemVerdict, PropertyVerdict, Strip, Verdict

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}'
CURVE = "threshold 0.95, patience 3: on val_accuracy 0.96 0.97 0.94 | 0.96 it stopped after epoch 3; not in a row."
STRIP = Strip(threshold=0.95, patience=3, val_accuracy=(0.96, 0.97, 0.94, 0.96), stopped=3, due=None)
NO_MODEL = "No model was trained: the cell stopped with ValueError."


HREF = re.compile(r'href="([^"]*)"')


class Page(HTMLParser):
    """The elements of a page, in order, with their attributes and the text that follows their start."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def said(self, tag: str) -> list[str]:
        return [text.strip() for (name, _), text in zip(self.elements, self.texts, strict=True) if name == tag]


def rule(name: str, message: str = "", status: str = "", strip: Strip | None = None) -> PropertyVerdict:
    status = status or ("failed" if message else "passed")
    points = 1.0 if status == "passed" else 0.0
    return PropertyVerdict(
        id=name, rubric=f"Rule {name}.", max_points=1.0, points=points, status=status, message=message, strip=strip
    )


def verdict_on(
    assignment: Assignment, student: str, rules: dict[str, list[PropertyVerdict]] | None = None, **changes: Any
) -> Verdict:
    """Every item full, but for those with rules: half the points, or none yet where a rule is open."""
    items = []
    for item in assignment.judged_items:
        known = (rules or {}).get(item.id, [rule("a"), rule("b")])
        points: float | None = item.points if all(r.status == "passed" for r in known) else item.points / 2
        points = None if any(r.status == "ungraded" for r in known) else points
        items.append(
            ItemVerdict(
                id=item.id,
                title=item.title,
                max_points=item.points,
                points=points,
                status="ungraded" if points is None else "graded",
                message=" ".join(r.message for r in known),
                properties=tuple(known),
            )
        )
    waits = any(item.points is None for item in items)
    state: dict[str, Any] = {"state": "needs a person", "reason": "Not graded yet."} if waits else {"state": "graded"}
    return Verdict(assignment=assignment.name, student=student, items=tuple(items), **(state | changes))


def figure(kind: str) -> str:
    """A bar plot as an output holds it."""
    drawn, axes = plt.subplots(figsize=(4, 1.5))
    axes.bar(["0.001", "0.01"], [3, 9])
    file = io.BytesIO()
    drawn.savefig(file, format=kind)
    plt.close(drawn)
    return file.getvalue().decode() if kind == "svg" else base64.b64encode(file.getvalue()).decode() + "\n"


def contrast(one: str, other: str) -> float:
    """How far the brightness of two colours is apart, from 1 to 21."""

    def brightness(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture
def executed(release: NotebookNode) -> NotebookNode:
    """A notebook that ran, with figures in three forms and with outputs of every other kind."""
    notebook = copy.deepcopy(release)
    cells = {feedback.grade_id(cell): cell for cell in notebook.cells}
    new = nbformat.v4.new_output
    cells["lr-plots"].outputs = [new("display_data", {"image/png": figure("png"), "text/plain": "<Figure>"})]
    cells["bs-plots"].outputs = [
        new("display_data", {"image/svg+xml": figure("svg"), "text/plain": "<Drawing>"}),
        new("display_data", {"image/jpeg": figure("jpeg"), "text/plain": "<Photo>"}),
        new("display_data", {"image/png": figure("png"), "text/plain": "<Figure>"}),
        new("display_data", {"image/png": "é", "text/plain": "nothing encoded"}),
        new("display_data", {"image/png": f'"{HOSTILE}', "text/plain": "no picture"}),
        new("display_data", {"image/png": base64.b64encode(b"<script>").decode(), "text/plain": "no picture either"}),
    ]
    cells["lr-loop"].source = f"# {HOSTILE}"
    cells["lr-loop"].outputs = [
        new(
            "display_data", {"text/html": HOSTILE, "application/javascript": "alert(1)", "text/plain": "a <b>table</b>"}
        ),
        new("stream", text="\x1b[31mred\x1b[0m\x1b]0;title\x07 1/3 \x08\x08\x08\r2/3\r3/3 done\r\nnext\n"),
        new("stream", text="x" * 10_000),
        new(
            "error", ename="E", evalue="v", traceback=["File /srv/a/python3/site-packages/keras/x.py:1", "/srv/k/y.py"]
        ),
        *(new("display_data", {"text/plain": f"shown {number}"}) for number in range(100)),
    ]
    cells["lr-comment"].source = f"An answer.\n\nIn two parts {HOSTILE}"
    notebook.cells.append(nbformat.v4.new_code_cell("mine = 1", metadata={"nbgrader": "broken"}))
    return notebook


@pytest.fixture
def page(assignment: Assignment, executed: NotebookNode) -> str:
    """The page of a student with mistakes of every kind and a hostile hand."""
    rules = {
        "callback": [rule("a"), rule("curve", CURVE, strip=STRIP), rule("other", "What was seen.")],
        "lr-loop": [rule(str(number), NO_MODEL) for number in range(4)],
        "bs-loop": [rule("open", "Could not be observed.", "ungraded"), rule("b")],
        "lr-metrics": [rule("path", f"No file /srv/grader/run/x.npy {HOSTILE}")],
        "lr-plots": [rule("forged", CURVE.replace("0.96", HOSTILE)), rule("b")],
    }
    findings = (
        Finding(kind="k", text=f"For you {HOSTILE}", cell="lr-loop", audience="both"),
        Finding(kind="k", text="For the grader alone."),
    )
    verdict = verdict_on(assignment, HOSTILE, rules, findings=findings)
    return feedback.feedback_page(assignment, verdict, executed, {"lr-comment": (4.5, f"Good.\nSay why. {HOSTILE}")})


@pytest.fixture
def class_report(assignment: Assignment) -> str:
    broken = {"lr-loop": [rule(str(number), NO_MODEL) for number in range(3)]}
    other = {"lr-metrics": [rule("mean", "A mean."), rule("b")], "bs-metrics": [rule("mean", "A mean."), rule("b")]}
    waiting = {"bs-plots": [rule("open", "Could not be observed.", "ungraded")]}
    verdicts = [
        verdict_on(assignment, "ada", findings=(Finding(kind="k", text=f"Renamed {HOSTILE}", cell="data"),)),
        verdict_on(assignment, "b/ob #1", other),
        verdict_on(assignment, HOSTILE, waiting, findings=(Finding(kind="k", text="A cell was renamed."),)),
        verdict_on(assignment, "eve", other | broken),
        verdict_on(assignment, "zed", state="failed to run", reason=f"No notebook in /srv/x/zed {HOSTILE}"),
    ]
    return report.report_page(assignment, verdicts, {"ada": {"lr-comment": (6.0, None)}})


@pytest.fixture(params=["page", "class_report"])
def either(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


class TestBothPages:
    def test_nothing_runs_and_nothing_is_loaded(self, either: str) -> None:
        parsed = Page(either)
        tags = {tag for tag, _ in parsed.elements}
        assert not tags & {"script", "iframe", "object", "embed", "link", "base", "form", "audio", "video"}
        for tag, attributes in parsed.elements:
            assert not [name for name in attributes if name.startswith("on")], tag
            assert attributes.get("src", "data:image/").startswith("data:image/")
            assert not attributes.get("href", "").lower().startswith(("http", "javascript", "data", "//", "file"))
        assert "url(" not in either
        assert "@import" not in either
        policy = next(meta["content"] for meta in parsed.all("meta") if "content-security-policy" in str(meta).lower())
        assert "default-src 'none'" in policy
        assert "script-src 'none'" in policy

    def test_nothing_of_a_student_becomes_markup_or_template(self, either: str) -> None:
        assert "<script" not in either
        assert "onerror=alert" in either, "as text"
        assert "49" not in Page(either).said("h1")[0]

    def test_headings_go_down_one_step_at_a_time(self, either: str) -> None:
        levels = [int(tag[1]) for tag, _ in Page(either).elements if tag in {"h1", "h2", "h3", "h4"}]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))

    def test_it_is_readable_for_everybody(self, either: str) -> None:
        parsed = Page(either)
        assert parsed.all("html") == [{"lang": "en"}]
        assert any(meta.get("name") == "viewport" for meta in parsed.all("meta"))
        assert parsed.said("title")[0]
        assert all(image.get("alt") for image in parsed.all("img"))
        assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in parsed.all("svg"))
        assert all(cell["scope"] in ("col", "row") for cell in parsed.all("th"))

    def test_ids_are_unique_and_links_within_the_page_arrive(self, either: str) -> None:
        parsed = Page(either)
        ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        inside = [link["href"][1:] for link in parsed.all("a") if link["href"].startswith("#")]
        assert set(inside) <= set(ids)

    def test_folders_of_the_machine_do_not_show(self, either: str) -> None:
        assert "/srv/" not in either
        assert "site-packages" not in either


class TestColours:
    """https://www.w3.org/TR/WCAG22/#contrast-minimum"""

    @pytest.fixture(scope="class")
    def schemes(self) -> dict[str, dict[str, str]]:
        light, dark = re.findall(r":root \{(.*?)\}", (TEMPLATES / "base.css").read_text(encoding="utf-8"), re.S)
        return {name: dict(re.findall(r"--(\w+): (#\w+)", text)) for name, text in (("light", light), ("dark", dark))}

    def test_both_schemes_name_the_same_colours(self, schemes: dict[str, dict[str, str]]) -> None:
        assert set(schemes["light"]) == set(schemes["dark"])

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_text_stands_out(self, schemes: dict[str, dict[str, str]], scheme: str) -> None:
        colours = schemes[scheme]
        for ground in ("paper", "wash", "urgent"):
            for ink in ("ink", "soft", "accent", "good", "bad", "open"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


class TestFeedback:
    def test_points_of_every_item_stand_in_the_table(self, page: str, assignment: Assignment) -> None:
        parsed = Page(page)
        linked = [link["href"] for link in parsed.all("a")]
        assert linked == [f"#item-{item.id}" for item in assignment.items]
        assert 'class="score">54 ' in page, "88 - 7.5 - 7 - 14 - 6 - 4 + 4.5"

    def test_a_reason_that_several_rules_share_is_said_once(self, page: str) -> None:
        assert page.count(NO_MODEL) == 1
        assert all(f"Rule {number}." in page for number in range(4))

    def test_missed_rules_say_what_was_seen(self, page: str) -> None:
        assert "Rule other." in page
        assert "What was seen." in page
        assert CURVE in page
        drawing = page[page.index("<svg") : page.index("</svg>")]
        assert "It stopped after epoch 3; it had to go on." in drawing
        assert page.count("<svg") == 1, "only what a check drew; what a message makes look like a curve is not drawn"
        assert "No file x.npy" in page

    def test_an_open_item_waits_for_a_person(self, page: str) -> None:
        assert "Still to come, from a person: Batch sizes: how each model was trained; Batch sizes: comment." in page
        assert "Could not be observed." in page

    def test_findings_are_for_those_they_are_for(self, page: str) -> None:
        assert "For you" in page
        assert "For the grader alone." not in page

    def test_the_graders_comment_is_shown(self, page: str) -> None:
        assert "Good.\nSay why." in page

    def test_figures_stand_with_their_items_and_once(self, page: str) -> None:
        sources = [image["src"] for image in Page(page).all("img")]
        assert [source.split(",")[0] for source in sources] == ["data:image/png;base64"] * 2
        for item, source in (("lr-plots", sources[0]), ("bs-plots", sources[1])):
            section = page[page.index(f'id="item-{item}"') :]
            assert source in section[: section.index("</section>")]

    def test_outputs_are_text(self, page: str) -> None:
        outputs = Page(page).said("pre")
        assert "a <b>table</b>" in outputs
        assert "red" not in outputs
        assert "3/3 done\nnext" in outputs, "as a terminal would leave it"
        assert any("characters left out" in text and len(text) < 5_000 for text in outputs)
        assert any(text == "File keras/x.py:1\ny.py" for text in outputs)
        assert "no picture" in outputs
        assert "no picture either" in outputs
        assert "nothing encoded" in outputs
        assert {"<Drawing>", "<Photo>"} <= set(outputs), "PNG alone is passed on"
        assert "shown 50" in outputs
        assert "shown 90" not in outputs
        assert "44 more outputs of this cell are left out." in page

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("error:/srv/g/x.npy", "error:x.npy"),
            ("file:///srv/g/y.py, line 3", "y.py, line 3"),
            ("/srv/lib/site-packages/keras/src/z.py", "keras/src/z.py"),
            ("https://keras.io/api/losses", "https://keras.io/api/losses"),
            ("12/50 2s/step, J/s", "12/50 2s/step, J/s"),
        ],
    )
    def test_files_keep_their_names(self, text: str, shown: str) -> None:
        assert feedback.cleaned(text) == shown

    @pytest.mark.parametrize("part", ["/a", " /a/b", "/-", "\x1b[", "\x1b]", "a\r"])
    def test_a_long_output_is_not_long_work(self, part: str) -> None:
        started = time.process_time()
        feedback.cleaned(part * 100_000)
        assert time.process_time() - started < 2

    def test_points_that_a_person_changed_are_a_persons(self, assignment: Assignment) -> None:
        verdict = verdict_on(assignment, "ada", {"callback": [rule("a", "Seen."), rule("b")]})
        assert Page(feedback.feedback_page(assignment, verdict, None, {})).said("td").count("1 of 2 rules missed.") == 1
        text = feedback.feedback_page(assignment, verdict, None, {"callback": (15.0, "Right after all.")})
        assert "1 of 2 rules missed." not in Page(text).said("td")
        assert "Right after all." in text

    def test_given_text_is_not_repeated_and_given_code_is_folded(self, page: str, release: NotebookNode) -> None:
        given = next(cell for cell in release.cells if cell.cell_type == "markdown" and "callback-text" in str(cell))
        assert given.source.split("\n")[0] not in page
        assert "Given cell <code>imports</code>" in page
        assert "mine = 1" in page

    def test_where_nothing_ran_the_reason_is_said(self, assignment: Assignment) -> None:
        verdict = verdict_on(assignment, "ada", state="failed to run", reason="There is no notebook.")
        text = feedback.feedback_page(assignment, verdict, None, {})
        assert "There is no notebook." in text
        assert "Your notebook as it ran" not in text

    def test_every_student_gets_a_page(self, tmp_path: Path, assignment: Assignment, executed: NotebookNode) -> None:
        for student in ("ada", "bob"):
            books.write_submission(tmp_path, assignment, verdict_on(assignment, student), "{}", executed)
        feedback.write_feedback(tmp_path, assignment, {"ada": {"lr-comment": (6.0, None)}})
        assert "94" in (tmp_path / "tta-eta" / "ada" / "feedback.html").read_text(encoding="utf-8")
        assert "88" in (tmp_path / "tta-eta" / "bob" / "feedback.html").read_text(encoding="utf-8")


class TestReport:
    def test_what_needs_a_person_comes_first(self, class_report: str) -> None:
        parsed = Page(class_report)
        assert parsed.said("h2")[0] == "What needs a person"
        urgent = class_report[class_report.index("What needs a person") : class_report.index("Distribution")]
        assert urgent.index("needs a person</span>") < urgent.index("failed to run</span>")
        assert [link.split("#")[-1] for link in HREF.findall(urgent) if "#" in link] == ["item-bs-plots"]
        assert "Could not be observed." in urgent
        assert "A cell was renamed." in urgent
        assert len(Page(urgent).all("li")) == 4, "two students, one with an item that waits and a finding"
        assert "Learning rates: comment (3)" in urgent, "of five, one has points and one did not run"

    def test_items_that_wait_for_one_reason_stand_in_one_line(self, assignment: Assignment) -> None:
        waiting = for_a_person(assignment, "ada", "The kernel did not start.")
        text = report.report_page(assignment, [waiting], {})
        urgent = text[text.index("What needs a person") : text.index("Distribution")]
        assert urgent.count("The kernel did not start.") == 1
        assert len(Page(urgent).all("li")) == 2
        linked = [link.split("#item-")[1] for link in HREF.findall(urgent) if "#" in link]
        assert linked == [item.id for item in assignment.judged_items]

    def test_links_lead_to_the_pages_of_the_students(self, class_report: str) -> None:
        links = {unquote(link["href"].split("#")[0]) for link in Page(class_report).all("a")}
        assert {"ada/feedback.html", "b/ob #1/feedback.html", f"{HOSTILE}/feedback.html"} <= links
        assert all(link.endswith("/feedback.html") for link in links)

    def test_mistakes_are_counted_by_students(self, class_report: str, assignment: Assignment) -> None:
        part = class_report[class_report.index("Most frequent mistakes") : class_report.index("The class")]
        rows = [text for text in part.split("<tr>")[2:] if "<td" in text]
        assert len(rows) == 2
        assert "<td>2</td>" in rows[0]
        assert "Rule mean." in rows[0]
        assert "lr-metrics 2, bs-metrics 2" in rows[0]
        assert 'href="b/ob%20%231/feedback.html#item-lr-metrics"' in rows[0]
        assert "Nothing there to judge" in rows[1]

    def test_the_histogram_holds_every_submission(self) -> None:
        drawn = str(report.histogram([0, 5, 9.99, 10, 99.5, 100, 104], 100))
        assert "0 to 10: 3; 10 to 20: 1; 90 to 100: 3" in drawn
        assert drawn.count("<rect") == 10

    def test_a_class_of_nobody_has_a_report(self, tmp_path: Path, assignment: Assignment) -> None:
        report.write_report(tmp_path, assignment, {})
        text = (tmp_path / "tta-eta" / "report.html").read_text(encoding="utf-8")
        assert "No submission has been graded yet." in text

    def test_a_persons_points_end_the_waiting(self, assignment: Assignment) -> None:
        verdict = verdict_on(assignment, "ada", {"callback": [rule("open", "Open.", "ungraded")]})
        assert "needs a person</span>" in report.report_page(assignment, [verdict], {})
        decided = {"ada": {"callback": (9.0, None)}}
        assert "needs a person</span>" not in report.report_page(assignment, [verdict], decided)


class TestTheStrip:
    def test_it_shows_each_epoch_and_both_ends(self) -> None:
        drawn = str(draw(STRIP.model_copy(update={"due": 4})))
        assert drawn.count("<circle") == 4
        assert drawn.count('class="hit"') == 3
        assert drawn.count('class="miss"') == 1
        assert drawn.index(">stopped here<") < drawn.index(">had to stop here<")
        places = {kind: int(x) for kind, x in re.findall(r'<line class="(stopped|due)" x1="(\d+)"', drawn)}
        dots = [int(x) for x in re.findall(r'<circle class="\w+" cx="(\d+)"', drawn)]
        assert dots[2] < places["stopped"] < dots[3] < places["due"]

    def test_an_end_that_did_not_come_has_words_and_no_bar(self) -> None:
        drawn = str(draw(STRIP.model_copy(update={"stopped": None, "due": None})))
        assert '<line class="stopped"' not in drawn
        assert '<line class="due"' not in drawn
        assert ">did not stop<" in drawn
        assert ">had to go on<" in drawn

    def test_a_value_next_to_the_threshold_is_told_from_one_on_it(self) -> None:
        strip = Strip(threshold=0.95, patience=1, val_accuracy=(0.55, 0.9499, 0.95, 0.9501), stopped=3, due=4)
        heights = [float(y) for y in re.findall(r'<circle [^>]*cy="([\d.]+)"', str(draw(strip)))]
        assert all(after < before - 6 for before, after in pairwise(heights))
        assert "epoch 2 0.9499 (below), epoch 3 0.95 (equal), epoch 4 0.9501 (above)" in described(strip)

    @pytest.mark.parametrize("length", [1, 2, 12, 40])
    def test_everything_is_inside_the_picture(self, length: int) -> None:
        for end in {1, length}:
            strip = Strip(threshold=0.9, patience=1, val_accuracy=(0.95,) * length, stopped=end, due=1)
            drawn = str(draw(strip))
            width = int(re.findall(r'viewBox="0 0 (\d+)', drawn)[0])
            assert all(0 <= float(x) <= width for x in re.findall(r' (?:x|x1|x2|cx)="([-\d.]+)"', drawn))
            words = re.findall(r'<text class="(?:stopped|due)" x="(\d+)" y="\d+" text-anchor="(\w+)">([^<]*)', drawn)
            for x, anchor, text in words:
                reach = 7 * len(text)
                assert int(x) - reach >= -4 if anchor == "end" else int(x) + reach <= width, text
