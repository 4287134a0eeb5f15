"""The feedback page and the class report: everything is said, nothing can run, anybody can read it."""

from __future__ import annotations

import copy
import re
import time
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from statistics import correlation
from urllib.parse import unquote

import pytest
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.common.encoders import encode_path
from autograder.grading.grade import leave_ungraded, not_run
from autograder.grading.verdict import CurveChart, Finding, GradedSubmission, Stop
from autograder.reporting import answer_pages, charts, feedback
from autograder.reporting import class_report as report
from autograder.reporting.answers import Lost
from autograder.reporting.class_data import ClassData
from autograder.reporting.curve_chart import described, draw
from autograder.reporting.highlight import colour
from autograder.reporting.pages import TEMPLATES, hash_script
from autograder.reporting.worklist import ADVICE
from autograder.results.store import ResultStore
from autograder.submission.saved_outputs import SavedOutputs
from tests.made_pages import (
    CHART,
    CURVE,
    ENDED,
    HOSTILE,
    NO_MODEL,
    class_page,
    executed_notebook,
    own_run,
    rule,
    student_page,
    verdict_on,
)

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


def text_of(page: str) -> str:
    """What a page says, without its style."""
    return " ".join(re.sub(r"<[^>]*>", " ", page[page.find("<main>") + 1 :]).split())


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
    return executed_notebook(release)


@pytest.fixture
def page(assignment: Assignment, executed: NotebookNode) -> str:
    return student_page(assignment, executed)


@pytest.fixture
def class_report(assignment: Assignment) -> str:
    return class_page(assignment)


@pytest.fixture(params=["page", "class_report"])
def either(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


class TestBothPages:
    def test_nothing_runs_and_nothing_is_loaded(self, either: str) -> None:
        parsed = Page(either)
        tags = {tag for tag, _ in parsed.elements}
        assert not tags & {"iframe", "object", "embed", "link", "base", "form", "audio", "video"}
        for tag, attributes in parsed.elements:
            assert not [name for name in attributes if name.startswith("on")], tag
            assert attributes.get("src", "data:image/").startswith("data:image/")
            target = attributes.get("href", "").lower().removeprefix("http://localhost:8888/formgrader/submissions/")
            assert not target.startswith(("http", "javascript", "data", "//", "file"))
        assert "url(" not in either
        assert "@import" not in either
        policy = next(meta["content"] for meta in parsed.all("meta") if "content-security-policy" in str(meta).lower())
        assert "default-src 'none'" in policy
        scripts = re.findall(r"<script>(.*?)</script>", either, re.DOTALL)
        assert scripts in ([], [(TEMPLATES / "sort.js").read_text(encoding="utf-8")])
        allowed = hash_script(scripts[0]) if scripts else "'none'"
        assert f"script-src {allowed};" in policy

    def test_nothing_of_a_student_becomes_markup_or_template(self, either: str) -> None:
        assert "<script>alert" not in either
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
        table = page[page.index("<h2>Points</h2>") : page.index("</table>")]
        assert HREF.findall(table) == [f"#item-{item.id}" for item in assignment.items]
        assert 'class="score">44 ' in page, "88 - 7.5 - 7 - 14 - 6 - 4 + 4.5 - 10"
        late = "Late penalty −10 You submitted after the due date. Total so far 44 / 80 20 points pending"
        assert late in text_of(page)

    def test_a_reason_that_several_rules_share_is_said_once(self, page: str) -> None:
        assert page.count(NO_MODEL) == 2, "in the table of points, and at the item"
        assert all(f"Rule {number}." in page for number in range(4))

    def test_missed_rules_say_what_was_seen(self, page: str) -> None:
        assert "Rule other." in page
        assert "What was seen." in page
        assert ENDED.format("") in page
        assert CURVE not in page, "the values stand in the picture"
        drawing = page[page.index("<svg") : page.index("</svg>")]
        assert "Stopped after epoch 3; should have continued." in drawing
        assert page.count("<svg") == 1, "only what a check drew; what a message makes look like a curve is not drawn"
        assert "No file x.npy" in page

    def test_a_hint_is_kept_beside_a_picture(self, assignment: Assignment) -> None:
        hint = "Your callback never stopped the training. It must set stop_training of the model."
        verdict = verdict_on(
            assignment, "ada", {"callback": [rule("a", hint, chart=CHART.model_copy(update={"caption": ""}))]}
        )
        page = feedback.feedback_page(assignment, verdict, None, {})
        assert hint in text_of(page)
        assert "<svg" in page

    def test_what_to_look_at_after_a_correction_is_named(self, assignment: Assignment) -> None:
        verdict = verdict_on(assignment, "ada", {"lr-metrics": [rule("a", "Wrong."), rule("b")]})
        page = text_of(feedback.feedback_page(assignment, verdict, None, {}))
        again = re.findall(r"run the notebook again from the top, and look again at: (.*?) \.", page)
        assert again == ["Learning rates: plots , Learning rates: written answer"]

    def test_an_open_item_waits_for_a_person(self, page: str) -> None:
        open_items = "Batch sizes: how each model was trained ; Batch sizes: written answer ."
        reason = "(one written answer and one item to review)"
        assert f"20 points pending , of 100 in all {reason}: {open_items}" in text_of(page)
        assert 'class="tag needs-review">needs review' in page
        assert 'class="tag to-be-graded">to be graded' in page
        assert "Could not be observed." in page

    def test_findings_are_for_those_they_are_for(self, page: str) -> None:
        assert "For you" in page
        assert "For the grader alone." not in page

    def test_the_graders_comment_is_shown(self, page: str) -> None:
        assert "Good.\nSay why." in page

    def test_figures_stand_with_their_items_and_once(self, page: str) -> None:
        sources = [image["src"] for image in Page(page).all("img")]
        assert [source.split(",")[0] for source in sources] == ["data:image/png;base64"] * 3
        for item, source in (("lr-plots", sources[0]), ("bs-plots", sources[1])):
            section = page[page.index(f'id="item-{item}"') :]
            assert source in section[: section.index("</section>")]

    def test_outputs_are_text(self, page: str) -> None:
        outputs = Page(page).said("pre")
        assert "a <b>table</b>" in outputs
        assert "red" not in outputs
        assert "3/3 done\nnext" in outputs, "as a terminal would leave it"
        assert any("characters omitted" in text and len(text) < 5_000 for text in outputs)
        assert any(text == "File keras/x.py:1\ny.py" for text in outputs)
        assert "no picture" in outputs
        assert "no picture either" in outputs
        assert "nothing encoded" in outputs
        assert {"<Drawing>", "<Photo>"} <= set(outputs), "PNG alone is passed on"
        assert "shown 50" in outputs
        assert "shown 90" not in outputs
        assert "44 more outputs of this cell are not shown." in page

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
        assert (
            Page(feedback.feedback_page(assignment, verdict, None, {})).said("td").count("1 of 2 checks failed.") == 1
        )
        text = feedback.feedback_page(assignment, verdict, None, {"callback": (15.0, "Right after all.")})
        assert "1 of 2 checks failed." not in Page(text).said("td")
        assert "Right after all." in text

    def test_given_text_is_not_repeated_and_given_code_is_folded(self, page: str, release: NotebookNode) -> None:
        given = next(cell for cell in release.cells if cell.cell_type == "markdown" and "callback-text" in str(cell))
        assert given.source.split("\n")[0] not in page
        folded = page[page.index('<details class="cell given">') :]
        assert "provided: <code>imports</code>" in folded[: folded.index("</details>")]
        assert "mine = 1" in text_of(page)

    def test_given_text_that_lost_its_id_is_not_repeated(
        self, assignment: Assignment, executed: NotebookNode, release: NotebookNode
    ) -> None:
        for cell in executed.cells:
            if cell.cell_type == "markdown":
                cell.metadata = {}
        text = feedback.feedback_page(assignment, verdict_on(assignment, "ada"), executed, {}, release)
        assert Page(text).said("p").count("In two parts " + HOSTILE) == 1
        assert "**How to work.**" not in text

    def test_markdown_is_rendered_and_inert(self, page: str) -> None:
        answer = page[page.rindex('aria-label="Your text"') :]
        answer = answer[: answer.index('<div class="cell"')]
        for part in ("<h3>Findings</h3>", "<strong>fastest</strong>", "<td>300</td>", "<h4>Energy</h4>", "<math "):
            assert part in answer
        assert "[numbers](javascript:alert(1))" in answer
        assert "Keras (<code>https://keras.io/api/</code>)" in answer
        assert "<code>\\href{javascript:alert(1)}{x}</code>" in answer
        assert 'alt="loss"' in answer
        assert "[picture not shown: tracker, " in answer

    def test_where_nothing_ran_the_reason_is_said(self, assignment: Assignment) -> None:
        verdict = verdict_on(assignment, "ada", state="failed to run", reason="There is no notebook.")
        text = feedback.feedback_page(assignment, verdict, None, {})
        assert "There is no notebook." in text
        assert "Your notebook as it ran" not in text

    def test_a_file_that_is_no_notebook_is_one_banner(self, assignment: Assignment) -> None:
        text = feedback.feedback_page(assignment, not_run(assignment, "ada", "It is a web page."), None, {})
        parsed = Page(text)
        assert parsed.said("h2") == ["Your file could not be graded"]
        assert not parsed.all("table")
        assert text.count("It is a web page.") == 1

    def test_a_cell_that_stopped_is_one_card_and_its_rules_are_folded(
        self, assignment: Assignment, executed: NotebookNode
    ) -> None:
        place = [feedback.grade_id(cell) for cell in executed.cells].index("lr-loop") + 1
        stop = Stop(
            cell="lr-loop", number=place, why="error", error="KeyError", text="'<acc>'", line="line 8", code="x < y"
        )
        rules = [rule("a", f"{stop} There is no list.", "not checked"), rule("b", f"{stop} Seen.")]
        stopped = {"lr-loop": rules, "lr-metrics": rules[:1]}
        verdict = verdict_on(assignment, "ada", stopped)
        items = [item.model_copy(update={"stop": stop if item.id in stopped else None}) for item in verdict.items]
        text = feedback.feedback_page(assignment, verdict.model_copy(update={"items": tuple(items)}), executed, {})
        assert text.count('class="card"') == 1
        card = text[text.index('class="card"') : text.index("<h2>Points")]
        for part in ("KeyError: &#39;&lt;acc&gt;&#39;", "line 8", "x &lt; y", f'href="#cell-{place}"', "Next:"):
            assert part in card
        assert text.count("stopped with KeyError") == 0, "the sentence is not said again"
        section = text[text.index('id="item-lr-loop"') :]
        section = section[: section.index("</section>")]
        assert "1 check not run, because the cell raised an error" in section
        assert "Seen." in section[: section.index("<details")], "what was checked is not folded"

    def test_a_cell_that_was_stopped_is_told_of_once_and_in_the_same_words(
        self, assignment: Assignment, executed: NotebookNode
    ) -> None:
        stop = Stop(cell="lr-loop", number=9, why="time limit")
        finding = Finding(kind=stop.why, text=f"The cell {stop.end}.", cell="lr-loop", audience="both")
        other = finding.model_copy(update={"cell": "number 3"})
        verdict = verdict_on(assignment, "ada", {"lr-loop": [rule("a", str(stop), "not checked")]})
        items = [item.model_copy(update={"stop": stop if item.id == "lr-loop" else None}) for item in verdict.items]
        told = verdict.model_copy(update={"items": tuple(items), "findings": (finding, other)})
        text = text_of(feedback.feedback_page(assignment, told, executed, {}))
        assert f"Cell number 9 (lr-loop) {stop.end}" in text
        assert f"1 of 1 checks not run because cell number 9 {stop.end}." in text
        assert "The cell ran longer than its time limit and was stopped. (cell lr-loop)" not in text
        assert "The cell ran longer than its time limit and was stopped. (cell number 3)" in text

    def test_an_item_says_in_which_run_it_was_judged(self, assignment: Assignment, executed: NotebookNode) -> None:
        verdict = verdict_on(assignment, "ada")
        first = Stop(cell="lr-loop", number=9, why="error", error="KeyError", text="'acc'")
        told = {"stand_ins": ("callback",), "first_stop": first}
        items = [item.model_copy(update=told if item.id == "lr-loop" else {}) for item in verdict.items]
        text = text_of(
            feedback.feedback_page(assignment, verdict.model_copy(update={"items": tuple(items)}), executed, {})
        )
        assert "we replaced your callback with a working version" in text
        assert (
            "graded in a later run in which our version replaced your callback . In our first run, with your own "
            "version, it raised KeyError." in text
        )
        assert text.count("graded as you submitted it") == len(verdict.items) - 1

    def test_points_that_wait_are_not_counted_as_lost(self, assignment: Assignment, executed: NotebookNode) -> None:
        text = text_of(feedback.feedback_page(assignment, verdict_on(assignment, "ada"), executed, {}))
        assert "88 of 88 points so far" in text
        assert "12 points pending , of 100 in all (two written answers)" in text
        assert "Graded by" not in text

    def test_a_file_without_results_of_a_full_run_is_told_so(
        self, assignment: Assignment, executed: NotebookNode
    ) -> None:
        def page(own: SavedOutputs) -> str:
            return text_of(feedback.feedback_page(assignment, verdict_on(assignment, "ada"), executed, {}, own=own))

        dry = own_run(0.5).loops["lr"].model_copy(update={"dry": True})
        assert "Your file shows the results of a dry run" in page(SavedOutputs(loops={"lr": dry}))
        assert "Your file shows no results of your own run." in page(SavedOutputs())
        assert "Your file shows" not in page(own_run(0.5))

    def test_an_answer_that_was_not_written_is_called_so(self, assignment: Assignment, release: NotebookNode) -> None:
        given = {"lr-comment": (0.0, "No response.")}
        text = feedback.feedback_page(assignment, verdict_on(assignment, "ada"), release, given, release)
        assert text.count('class="tag no-answer"') == 4, "twice for each comment"
        assert "Graded by" not in text

    def test_a_saved_figure_stands_where_none_was_drawn(self, assignment: Assignment, executed: NotebookNode) -> None:
        cells = {feedback.grade_id(cell): cell for cell in executed.cells}
        cells["lr-plots"].outputs = []
        own = own_run(0.5)
        text = feedback.feedback_page(assignment, verdict_on(assignment, "ada"), executed, {}, None, own)
        section = text[text.index('id="item-lr-plots"') :]
        section = section[: section.index("</section>")]
        assert own.pictures("lr")[0] in section
        assert "Your own figure, as saved in the file that you submitted." in section

    def test_code_has_colours_and_stays_text(self) -> None:
        assert str(colour("def f():  # <b>")) == (
            '<span class="word">def</span> <span class="named">f</span>():  <span class="remark"># &lt;b&gt;</span>'
        )
        assert "<span" not in colour("x = 1\n" * 10_000)

    def test_every_student_gets_a_page(
        self, tmp_path: Path, assignment: Assignment, executed: NotebookNode, release: NotebookNode
    ) -> None:
        results = [GradedSubmission(verdict_on(assignment, student), executed=executed) for student in ("ada", "bob")]
        store = ResultStore(tmp_path, assignment)
        feedback.write_feedback(store, results, {"ada": {"lr-comment": (6.0, None)}}, release)
        assert "94" in (tmp_path / "tta-eta" / "students" / "ada" / "feedback.html").read_text(encoding="utf-8")
        assert "88" in (tmp_path / "tta-eta" / "students" / "bob" / "feedback.html").read_text(encoding="utf-8")


class TestReport:
    def test_what_is_to_be_done_comes_first(self, class_report: str) -> None:
        parsed = Page(class_report)
        assert parsed.said("h2")[:2] == ["What to do", "The class"]
        work = class_report[class_report.index("What to do</h2>") : class_report.index("</table>")]
        rows = work.split("<tr>")[2:]
        assert len(rows) == 2, "one that did not run, one with an item that waits"
        assert "failed to run</span>" in rows[0]
        assert "Ask the student for the notebook" in rows[0]
        assert "needs review</span>" in rows[1]
        assert "Could not be observed." in rows[1]
        links = HREF.findall(rows[1])
        assert links[-1] == "http://localhost:8888/formgrader/submissions/33cc/#bs-plots", (
            "to the item's box for points"
        )
        assert links[-2].endswith("#item-bs-plots")
        assert "Learning rates: written answer (3, " in class_report, "of five, one has points and one did not run"

    def test_means_are_of_what_ran_and_pending_points_stand_apart(self, class_report: str) -> None:
        said = text_of(class_report)
        assert re.search(r"Mean of submissions that ran \d+(\.\d)? of \d+(\.\d)? graded so far", said)
        assert "Points pending 50" in said, "seven comments of 6 and a plot of 8"

    def test_findings_are_grouped_by_kind_with_advice_and_many_are_folded(
        self, class_report: str, assignment: Assignment
    ) -> None:
        part = class_report[class_report.index(">Findings<") : class_report.index(">The class<")]
        assert "<h4>K " in part
        assert "Look at the submission before" in part, "a kind without advice"
        assert "<details" not in part
        several = [
            verdict_on(assignment, f"student {n}", findings=(Finding(kind="suspicious act", text="Read a file."),))
            for n in range(13)
        ]
        text = report.report_page(assignment, several, {})
        assert "<summary>In 13 submissions</summary>" in text
        assert text.count("Read a file.") == 13
        assert ADVICE["suspicious act"].split(".")[0] in text

    def test_findings_have_headings_in_plain_words(self, assignment: Assignment) -> None:
        kinds = ("task copied", "zero bytes", "given cell changed", "no sandbox")
        findings = tuple(Finding(kind=kind, text="What was seen.") for kind in kinds)
        text = report.report_page(assignment, [verdict_on(assignment, "ada", findings=findings)], {})
        headings = {text_of(part.partition("</h4>")[0]) for part in text.split("<h4>")[1:]}
        wanted = ("Several versions of a task", "NUL bytes", "Provided cell changed", "No sandbox")
        assert {f"{heading} (1)" for heading in wanted} <= headings

    def test_the_table_of_the_class_names_items_by_title(self, class_report: str, assignment: Assignment) -> None:
        table = class_report[class_report.index('<table class="class') :]
        heads = Page(table[: table.index("</thead>")]).said("th")
        assert heads == ["Student", *(item.title for item in assignment.items), "Total", "Pending", "State"]

    def test_items_that_wait_for_one_reason_stand_in_one_line(self, assignment: Assignment) -> None:
        waiting = leave_ungraded(assignment, "ada", "The kernel did not start.")
        text = report.report_page(assignment, [waiting], {})
        work = text[text.index("What to do</h2>") : text.index("</table>")]
        assert work.count("The kernel did not start.") == 1
        linked = [link.split("#item-")[1] for link in HREF.findall(work) if "#item" in link]
        assert linked == [item.id for item in assignment.judged_items]

    def test_a_large_class_has_a_page_of_some_megabytes(self, assignment: Assignment) -> None:
        one = verdict_on(assignment, "x", findings=(Finding(kind="missing cell ids", text="A cell lost its id."),))
        assert "this was repaired before the run" in report.report_page(assignment, [one], {})
        several = [one.model_copy(update={"student": f"student {number}"}) for number in range(5_000)]
        text = report.report_page(assignment, several, {})
        assert len(text.encode()) < 5_000_000
        assert "and 4,600 more" in text
        assert "<summary>All 5000 students</summary>" in text

    def test_links_lead_to_the_pages_of_the_students(self, class_report: str) -> None:
        links = {unquote(link["href"].split("#")[0]) for link in Page(class_report).all("a")} - {""}
        links = {link for link in links if "/formgrader/" not in link}
        assert {f"students/{encode_path(name)}/feedback.html" for name in ("ada", "b/ob #1", HOSTILE)} <= links
        assert all(link.endswith("/feedback.html") for link in links)

    def test_mistakes_are_counted_by_students(self, class_report: str, assignment: Assignment) -> None:
        part = class_report[
            class_report.index("Most frequent mistakes") : class_report.index("What the class measured")
        ]
        rows = [text for text in part.split("<tr>")[2:] if "<td" in text]
        assert len(rows) == 1
        assert "<td>2</td>" in rows[0]
        assert "Rule mean." in rows[0]
        assert "lr-metrics 2, bs-metrics 2" in rows[0]
        assert 'href="students/b~2Fob%20%231/feedback.html#item-lr-metrics"' in rows[0]
        assert "did not finish (1 student)" in text_of(part), "what was not done is no mistake"

    def test_a_mistake_is_shown_where_it_stands_alone_and_what_was_not_run_is_none(
        self, assignment: Assignment
    ) -> None:
        many = {"callback": [rule("mean", "A mean."), rule("b", "Another."), rule("c", "", "not checked")]}
        alone = {"callback": [rule("mean", "A mean."), rule("c", status="passed")]}
        verdicts = [verdict_on(assignment, "ada", many), verdict_on(assignment, "zoe", alone)]
        found = report.mistakes(assignment, verdicts)
        assert [(mistake.rubric, mistake.count, mistake.student) for mistake in found] == [
            ("Rule mean.", 2, "zoe"),
            ("Rule b.", 1, "ada"),
        ]
        assert report.count_not_done(verdicts) == 0

    def test_what_students_did_is_told_by_kind_the_most_frequent_first(self, assignment: Assignment) -> None:
        texts = {
            "ada": "Stopped after epoch 3; 'acc' is missing.",
            "bob": "Never stopped.",
            "zoe": "Stopped after epoch 12.5; 'auc' is missing.",
        }
        verdicts = [
            verdict_on(assignment, student, {"callback": [rule("mean", text), rule("b")]})
            for student, text in texts.items()
        ]
        (found,) = report.mistakes(assignment, verdicts)
        assert [(cause.message, cause.count, cause.student) for cause in found.causes] == [
            ("Stopped after epoch 3; 'acc' is missing.", 2, "ada"),
            ("Never stopped.", 1, "bob"),
        ]
        page = text_of(report.report_page(assignment, verdicts, {}))
        assert "is missing. ( ada and 1 more)" in page
        assert "Never stopped. ( bob )" in page

    def test_zeros_for_missing_answers_are_no_mean(self, assignment: Assignment) -> None:
        verdicts = [verdict_on(assignment, name) for name in ("ada", "idle")]
        text = report.report_page(assignment, verdicts, {"idle": {"lr-comment": (0.0, None)}})
        line = next(text_of(line) for line in text.split("<tr") if "Learning rates: written answer</th>" in line)
        assert "%" not in line

    def test_a_mean_of_some_is_called_so(self, class_report: str) -> None:
        lines = [text_of(line) for line in class_report.split("<tr") if "Batch sizes: plots</th>" in line]
        assert any(re.search(r"100 % so far", line) for line in lines)
        whole = next(text_of(line) for line in class_report.split("<tr") if "Size of the data</th>" in line)
        assert "so far" not in whole

    def test_the_histogram_holds_every_submission(self) -> None:
        drawn = str(report.histogram([0, 5, 9.99, 10, 99.5, 100, 104], 100))
        assert "0 to 10: 3; 10 to 20: 1; 90 to 100: 3" in drawn
        assert drawn.count("<rect") == 10

    def test_a_class_of_nobody_has_a_report(self, tmp_path: Path, assignment: Assignment) -> None:
        report.write_report(ResultStore(tmp_path, assignment), [], {}, ClassData())
        text = (tmp_path / "tta-eta" / "report.html").read_text(encoding="utf-8")
        assert "No submission has been graded yet." in text

    def test_a_persons_points_end_the_waiting(self, assignment: Assignment) -> None:
        verdict = verdict_on(assignment, "ada", {"callback": [rule("open", "Open.", "ungraded")]})
        assert "needs review</span>" in report.report_page(assignment, [verdict], {})
        decided = {"ada": {"callback": (9.0, None)}}
        assert "needs review</span>" not in report.report_page(assignment, [verdict], decided)


class TestTheReportOnAClass:
    """What it says beside the verdicts."""

    def test_who_is_missing_is_named_and_counted(self, class_report: str) -> None:
        said = text_of(class_report)
        assert "Missing 1 " in said
        assert "in the gradebook without a submission: yan " in said

    def test_answers_that_wait_lead_to_the_formgrader(self, class_report: str) -> None:
        part = class_report[class_report.index("Written answers to grade") : class_report.index("Unusual answers")]
        assert HREF.findall(part[part.index("Batch sizes: written answer") :])[:2] == [
            "http://localhost:8888/formgrader/submissions/11aa/#bs-comment",
            "http://localhost:8888/formgrader/submissions/33cc/#bs-comment",
        ], "those of which something is to be said come first"
        assert "ada (identical)" in text_of(part)

    def test_shared_and_empty_answers_stand_out(self, class_report: str) -> None:
        said = text_of(class_report[class_report.index("Unusual answers") :])
        assert "ada , Batch sizes: written answer: The answer is identical to that of" in said
        assert "eve , Learning rates: written answer: The answer is empty." in said

    def test_another_server_of_the_formgrader_can_be_named(
        self, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FORMGRADER", "https://hub.example.org/user/me/")
        known = ClassData(members={"ada": "11aa"})
        text = report.report_page(assignment, [verdict_on(assignment, "ada")], {}, known)
        assert 'href="https://hub.example.org/user/me/formgrader/submissions/11aa/#lr-comment"' in text

    def test_near_identical_submissions_are_grouped(self, class_report: str) -> None:
        assert "at least 93 % of their own code in common" in text_of(class_report)

    def test_times_are_drawn_by_setting_and_energies_only_if_there_are_any(self, class_report: str) -> None:
        drawn = [svg["aria-label"] for svg in Page(class_report).all("svg")]
        times = [label for label in drawn if label.startswith("Time to accuracy by learning rate.")]
        assert len(times) == 1
        assert "Learning rate 0.0001: median 7 s, middle half 6 to 11, 3 values" in times[0]
        assert not [label for label in drawn if label.startswith("Energy")]
        assert re.search(r'<g class="mark"><circle[^>]*/><text class="told"[^>]*>eve: 7 s</text>', class_report)
        assert "numbers shown in 3 of 5 submitted notebooks" in text_of(class_report)

    def test_without_own_runs_it_says_so(self, assignment: Assignment) -> None:
        text = report.report_page(assignment, [verdict_on(assignment, "ada")], {})
        assert "No submitted notebook shows readable numbers from the student's own run." in text_of(text).replace(
            "&#39;", "'"
        )


class TestDiscrimination:
    def test_it_is_the_correlation_with_all_other_items(self) -> None:
        points = [{"a": float(n), "b": float(n * n), "c": 5.0 - n} for n in range(6)]
        expected = correlation([p["a"] for p in points], [p["b"] + p["c"] for p in points])
        assert report.discrimination("a", points) == pytest.approx(expected)

    def test_it_is_not_told_where_it_cannot_be(self) -> None:
        assert report.discrimination("a", [{"a": float(n), "b": float(n)} for n in range(4)]) is None, "too few"
        assert report.discrimination("a", [{"a": 5.0, "b": float(n)} for n in range(9)]) is None, "all the same"

    def test_items_that_wait_for_some_are_no_part_of_the_rest(self) -> None:
        points = [{"a": float(n), "b": float(n), "c": None if n == 3 else -9.0 * n} for n in range(6)]
        assert report.discrimination("a", points) == pytest.approx(1)


class TestCharts:
    def test_a_box_shows_quartiles_and_every_value(self) -> None:
        drawn = str(charts.boxes({"1": [(str(n), float(n)) for n in range(1, 10)], "2": []}, "Rate", "Time", "s"))
        assert "Rate 1: median 5 s, middle half 3 to 7, 9 values" in drawn
        assert drawn.count("<circle") == 9
        assert drawn.count('class="box"') == 1

    def test_of_a_large_class_only_those_outside_are_dots(self) -> None:
        values = [(str(n), 10.0 + n / 100) for n in range(50)] + [("slow", 99.0)]
        drawn = str(charts.boxes({"1": values}, "Rate", "Time", "s"))
        assert drawn.count("<circle") == 1
        assert "slow: 99 s" in drawn

    @pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [1e-6, 1e6], [1.0, 500.0], [0.2, 0.3]])
    def test_every_mark_is_inside(self, values: list[float]) -> None:
        scale = charts.Scale.of(values)
        assert len(scale.ticks) >= 2
        for value in [*values, *scale.ticks]:
            assert charts.TOP - 1 <= scale.y(value) <= charts.HEIGHT - charts.BOTTOM + 1


class TestTheCurveChart:
    def test_it_shows_each_epoch_and_both_ends(self) -> None:
        drawn = str(draw(CHART.model_copy(update={"due": 4})))
        assert drawn.count("<circle") == 4
        assert drawn.count('class="hit"') == 3
        assert drawn.count('class="miss"') == 1
        assert drawn.index(">stopped here<") < drawn.index(">should stop here<")
        places = {kind: int(x) for kind, x in re.findall(r'<line class="(stopped|due)" x1="(\d+)"', drawn)}
        dots = [int(x) for x in re.findall(r'<circle class="\w+" cx="(\d+)"', drawn)]
        assert dots[2] < places["stopped"] < dots[3] < places["due"]

    def test_an_end_that_did_not_come_has_words_and_no_bar(self) -> None:
        drawn = str(draw(CHART.model_copy(update={"stopped": None, "due": None})))
        assert '<line class="stopped"' not in drawn
        assert '<line class="due"' not in drawn
        assert ">did not stop<" in drawn
        assert ">should have continued<" in drawn

    def test_a_value_next_to_the_threshold_is_told_from_one_on_it(self) -> None:
        chart = CurveChart(threshold=0.95, patience=1, val_accuracy=(0.55, 0.9499, 0.95, 0.9501), stopped=3, due=4)
        heights = [float(y) for y in re.findall(r'<circle [^>]*cy="([\d.]+)"', str(draw(chart)))]
        assert all(after < before - 6 for before, after in pairwise(heights))
        assert "epoch 2 0.9499 (below), epoch 3 0.95 (equal), epoch 4 0.9501 (above)" in described(chart)

    @pytest.mark.parametrize("length", [1, 2, 12, 40])
    def test_everything_is_inside_the_picture(self, length: int) -> None:
        for end in {1, length}:
            chart = CurveChart(threshold=0.9, patience=1, val_accuracy=(0.95,) * length, stopped=end, due=1)
            drawn = str(draw(chart))
            width = int(re.findall(r'viewBox="0 0 (\d+)', drawn)[0])
            assert all(0 <= float(x) <= width for x in re.findall(r' (?:x|x1|x2|cx)="([-\d.]+)"', drawn))
            words = re.findall(r'<text class="(?:stopped|due)" x="(\d+)" y="\d+" text-anchor="(\w+)">([^<]*)', drawn)
            for x, anchor, text in words:
                reach = 7 * len(text)
                assert int(x) - reach >= -4 if anchor == "end" else int(x) + reach <= width, text


class TestAnswersByQuestion:
    @pytest.fixture
    def folder(self, tmp_path: Path, assignment: Assignment, release: NotebookNode) -> Path:
        """The pages of a class in which two wrote the same, one something hostile, one nothing, and one lost the
        cell."""
        texts = {"eve": HOSTILE, "ada": "The *same*.", "bob": "The same.", "zed": "", "gus": ""}
        notebooks = {student: copy.deepcopy(release) for student in texts}
        for student, text in texts.items():
            next(c for c in notebooks[student].cells if feedback.grade_id(c) == "lr-comment").source = text
        notebooks["gus"].cells = [c for c in notebooks["gus"].cells if feedback.grade_id(c) != "lr-comment"]
        lost = {"bob": {"lr-comment": (Lost(assignment.item("lr-plots"), 5.0),)}}
        known = ClassData(notebooks=notebooks, own={"bob": own_run(0.5)}, members={"ada": "11aa"}, lost=lost)
        store = ResultStore(tmp_path, assignment)
        store.folder.mkdir(parents=True)
        (store.folder / "answers-lr-comment-9.html").write_text("of a larger class", encoding="utf-8")
        manual = {"bob": {"lr-comment": (5.0, None)}}
        answer_pages.write_answer_pages(store, release, manual, known)
        return store.folder

    def test_answers_that_read_the_same_stand_together(self, folder: Path) -> None:
        text = (folder / "answers-lr-comment-1.html").read_text(encoding="utf-8")
        parsed = Page(text)
        assert [head.split(" (")[0].strip() for head in parsed.said("h2")] == [
            "Answer 1",
            "Answer 2",
            "No cell for the answer",
        ]
        assert "(2 students, identical wording)" in text
        assert re.search(r"ada \( feedback page of ada , pending\) , bob \(5 of 6\)", text_of(text))
        links = HREF.findall(text)
        assert "http://localhost:8888/formgrader/submissions/11aa/#lr-comment" in links
        assert "students/bob/feedback.html#item-lr-comment" in links

    def test_numbers_and_figure_stand_beside_the_answer(self, folder: Path) -> None:
        text = (folder / "answers-lr-comment-1.html").read_text(encoding="utf-8")
        first = text[text.index("<section") : text.index("</section>")]
        assert len(Page(first).all("tr")) == 6
        assert own_run(0.5).pictures("lr")[0] in first
        assert "Numbers from bob" in text_of(first), "ada saved none"
        assert "shows no figure from the student" in text

    def test_points_lost_in_what_the_answer_is_about_stand_with_it(self, folder: Path) -> None:
        text = (folder / "answers-lr-comment-1.html").read_text(encoding="utf-8")
        assert re.findall(r"(\w+) lost points in the tasks that this answer discusses: (.*?)\.", text_of(text)) == [
            ("bob", "Learning rates: plots (5 of 8)")
        ]
        assert "students/bob/feedback.html#item-lr-plots" in HREF.findall(text)

    def test_whose_cell_is_lost_is_named(self, folder: Path) -> None:
        text = (folder / "answers-lr-comment-1.html").read_text(encoding="utf-8")
        part = text[text.index("no longer contain the cell") :]
        assert "students/gus/feedback.html#item-lr-comment" in HREF.findall(part)

    def test_nothing_of_an_answer_runs_and_old_pages_go(self, folder: Path) -> None:
        text = (folder / "answers-lr-comment-1.html").read_text(encoding="utf-8")
        assert not Page(text).all("script")
        assert "script-src 'none'" in text
        names = {path.name for path in folder.glob("answers-*.html")}
        assert names == {"answers-lr-comment-1.html", "answers-bs-comment-1.html"}
        assert "There are no answers." in (folder / "answers-bs-comment-1.html").read_text(encoding="utf-8")
