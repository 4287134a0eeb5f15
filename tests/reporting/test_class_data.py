"""What graders see beside the verdicts: own runs, shared answers and code, and what stands in the formgrader."""

from __future__ import annotations

import copy
import json
import random
import re
import time
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.assignment.source import source_path
from autograder.common.cells import grade_id
from autograder.grading.verdict import GradedSubmission
from autograder.reporting import answers, formgrader, gradebook, publish, similarity
from autograder.reporting import class_report as report
from autograder.reporting.answers import Lost, Remark
from autograder.reporting.class_data import ClassData
from autograder.reporting.database import open_gradebook
from autograder.results.store import SAVED_OUTPUTS, ResultStore, gradebook_url
from autograder.submission.limited import read_saved_outputs
from autograder.submission.saved_outputs import SavedOutputs, from_notebook
from samples.build import build, students
from samples.own_runs import own_runs
from tests.fidelity.build import notebook as filled
from tests.fidelity.build import variant
from tests.made_pages import HOSTILE, executed_notebook, figure, own_run, rule, verdict_on

ALIKE = ("amber", "basil", "hazel", "juniper", "tansy")

ROWS = [
    {"batch_size": 128, "learning_rate": 0.0001, "epochs": 10, "test_accuracy": 0.95, "train_time": 8.5},
    {"batch_size": 128, "learning_rate": 0.001, "epochs": 3, "test_accuracy": 0.98, "train_time": 2.5},
    {"batch_size": 128, "learning_rate": 1.0, "epochs": 500, "test_accuracy": 0.5, "train_time": 400.0},
]
ROWS = [{**row, "total_energy": None} for row in ROWS]


def told(rows: list[dict[str, Any]]) -> str:
    return "\n".join("   ".join(f"{key} {value}" for key, value in row.items()) for row in rows)


def as_table(rows: list[dict[str, Any]]) -> str:
    """As pandas and the helper of the lab show them, the helper with units in the head."""
    head = "".join(f"<th>{key} (s)</th>" if key == "train_time" else f"<th>{key}</th>" for key in rows[0])
    lines = "".join("<tr><th>0</th>" + "".join(f"<td>{v}</td>" for v in row.values()) + "</tr>" for row in rows)
    return f"<style>td {{}}</style><table><thead><tr><th></th>{head}</tr></thead><tbody>{lines}</tbody></table>"


def as_frame(rows: list[dict[str, Any]]) -> str:
    lines = ["   " + "  ".join(rows[0])]
    return "\n".join(lines + [f"{n}  " + "  ".join(str(v) for v in row.values()) for n, row in enumerate(rows)])


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}


def shown(kind: str, content: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {kind: content}, "metadata": {}}


def document(*outputs: dict[str, Any], name: str = "", source: str = "") -> dict[str, Any]:
    metadata = {"nbgrader": {"grade_id": name}} if name else {}
    return {"cells": [{"cell_type": "code", "source": source, "metadata": metadata, "outputs": list(outputs)}]}


class TestSavedOutputs:
    @pytest.mark.parametrize(
        "output",
        [
            stream(told(ROWS)),
            stream(str(ROWS)),
            stream("\n".join(map(str, ROWS))),
            stream(repr(ROWS).replace("0.95", "np.float64(0.95)")),
            shown("text/plain", repr(ROWS).replace(", 'epochs'", ",\n  'epochs'")),
            stream(json.dumps(ROWS)),
            shown("text/html", as_table(ROWS)),
            stream(as_frame(ROWS)),
        ],
        ids=["lines", "list", "dictionaries", "numpy", "pretty", "json", "table", "frame"],
    )
    def test_rows_are_read_however_they_are_shown(self, assignment: Assignment, output: dict[str, Any]) -> None:
        loops = from_notebook(document(output), assignment).loops
        keys = ("learning_rate", "epochs", "test_accuracy", "train_time")
        read = [tuple(row[key] for key in keys) for row in loops["lr"].rows]
        assert read == [(0.0001, 10, 0.95, 8.5), (0.001, 3, 0.98, 2.5), (1.0, 500, 0.5, 400.0)]
        assert all(row["total_energy"] is None for row in loops["lr"].rows)
        assert not loops["bs"].rows

    def test_each_loop_gets_its_own_rows(self, assignment: Assignment) -> None:
        sizes = [{**ROWS[1], "batch_size": size} for size in (64, 128, 2048)]
        both = from_notebook(document(stream(told(ROWS + sizes))), assignment).loops
        assert [row["learning_rate"] for row in both["lr"].rows] == [0.0001, 0.001, 1.0]
        assert [row["batch_size"] for row in both["bs"].rows] == [64, 128, 2048]

    def test_the_last_complete_run_counts(self, assignment: Assignment) -> None:
        later = [{**row, "epochs": 7} for row in ROWS]
        cells = [document(stream(told(rows)))["cells"][0] for rows in (ROWS, later, ROWS[:2])]
        loops = from_notebook({"cells": cells}, assignment).loops
        assert [row["epochs"] for row in loops["lr"].rows] == [7, 7, 7]

    def test_a_dry_run_is_told_from_a_real_one(self, assignment: Assignment) -> None:
        """By what the lab's own cell prints, which holds for all that follows, or by the line below a check."""
        few = [{**row, "epochs": 4} for row in ROWS]
        sample = document(stream("Dry run: 6000 training notes, at most 4 epochs.\n"))["cells"]
        dry, real = (document(stream(told(rows)))["cells"] for rows in (few, ROWS))
        checked = document(shown("text/html", as_table(few)), stream(f"{told([])}DRY_RUN is on: the numbers.\n"))[
            "cells"
        ]
        for cells in (sample + dry, checked):
            found = from_notebook({"cells": cells}, assignment)
            assert found.loops["lr"].dry
            assert len(found.loops["lr"].rows) == 3
            assert found.measured("lr") == ()
        for cells in (real, checked + real, real + checked):
            found = from_notebook({"cells": cells}, assignment)
            assert not found.dry
            assert [row["epochs"] for row in found.measured("lr")] == [10, 3, 500]

    def test_the_lab_says_what_tells_a_dry_run(self, assignment: Assignment) -> None:
        helper = (source_path(assignment).parent / "lab_helpers.py").read_text(encoding="utf-8")
        said = re.search(r'print\(f"(Dry run: )', helper)
        below = re.search(r'^DRY = "(.+)"$', helper, re.MULTILINE)
        assert said is not None
        assert below is not None
        dry_run = assignment.exercise.dry_run
        assert dry_run is not None
        assert said[1] == dry_run.sampled
        assert below[1].startswith(dry_run.marked)

    def test_figures_are_those_of_the_plots(self, assignment: Assignment) -> None:
        png = shown("image/png", figure("png"))
        named = from_notebook(document(png, name="lr-plots"), assignment).loops
        assert [picture[:22] for picture in named["lr"].pictures] == ["data:image/png;base64,"]
        nameless = from_notebook(document(png, source="bars(metrics_vs_bs)"), assignment).loops
        assert len(nameless["bs"].pictures) == 1
        assert not nameless["lr"].pictures
        svg = shown("image/svg+xml", figure("svg"))
        assert not from_notebook(document(svg, name="lr-plots"), assignment).loops["lr"].pictures

    @pytest.mark.parametrize(
        "broken",
        [
            {},
            {"cells": 3},
            {"cells": [7, {"outputs": "x"}, {"outputs": [None, {"data": []}, {"text": [1]}], "metadata": []}]},
            document(stream("{" * 50_000)),
            document(shown("text/html", "<table>" + "<tr><td>" * 20_000)),
            document(stream("learning_rate " * 5_000)),
            document(stream("learning_rate 1e999 batch_size nan epochs 3")),
            document(shown("image/png", "no picture"), name="lr-plots"),
        ],
    )
    def test_whatever_is_there_is_only_read(self, assignment: Assignment, broken: dict[str, Any]) -> None:
        started = time.process_time()
        found = from_notebook(broken, assignment)
        assert time.process_time() - started < 2
        assert not any(loop.rows or loop.pictures for loop in found.loops.values())

    def test_a_flood_of_outputs_is_not_long_work(self, assignment: Assignment) -> None:
        cell = document(*[stream(told(ROWS) + "x" * 49_000)] * 50)["cells"][0]
        started = time.process_time()
        found = from_notebook({"cells": [cell] * 200}, assignment)
        assert time.process_time() - started < 5
        assert len(found.loops["lr"].rows) == 3, "what comes first is read"

    def test_it_is_kept_beside_the_verdict_and_goes_with_the_outputs(
        self, tmp_path: Path, assignment: Assignment
    ) -> None:
        folder = tmp_path / "submitted" / "ada" / "tta-eta"
        folder.mkdir(parents=True)
        cell = nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("stream", text=told(ROWS))])
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "tta-eta.ipynb")
        store = ResultStore(tmp_path, assignment)
        verdict = verdict_on(assignment, "ada")
        store.write(GradedSubmission(verdict, saved_outputs=read_saved_outputs(folder, assignment)))
        assert len(store.read_saved_outputs("ada").loops["lr"].rows) == 3
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("")]), folder / "tta-eta.ipynb")
        store.write(GradedSubmission(verdict, saved_outputs=read_saved_outputs(folder, assignment)))
        assert not (store.student_folder("ada") / SAVED_OUTPUTS).exists()
        assert store.read_saved_outputs("ada").loops == {}


@pytest.fixture(scope="module")
def solved() -> NotebookNode:
    """A notebook with a whole solution."""
    return filled(variant("reference"))


def renamed(notebook: NotebookNode) -> NotebookNode:
    """As a student would hide a copy: other names, other comments, other line breaks."""
    copied = copy.deepcopy(notebook)
    for cell in copied.cells:
        if cell.cell_type == "code":
            cell.source = "# my own work\n" + re.sub(r"\b(model|history|row|axes|values)\b", r"own_\1", cell.source)
    return copied


class TestSimilarity:
    def test_a_renamed_copy_is_found_and_another_solution_is_not(
        self, solved: NotebookNode, release: NotebookNode
    ) -> None:
        other = filled(variant("experiment_class"))
        class_of = {"ada": solved, "bob": renamed(solved), "eve": other, "idle": release, "none": None}
        found = similarity.groups(similarity.code_of_class(class_of, release))
        assert [group.students for group in found] == [("ada", "bob")]
        assert found[0].least >= similarity.NEAR

    def test_what_everybody_was_given_is_not_compared(self, release: NotebookNode) -> None:
        assert similarity.code_of_class({"ada": release, "bob": release}, release) == {}

    def test_groups_hang_together_by_pairs(self) -> None:
        words = [frozenset(map(str, range(start, start + 100))) for start in (0, 10, 20, 500)]
        (group,) = similarity.groups(dict(zip("abcd", words, strict=True)), near=0.75)
        assert group.students == ("a", "b", "c")
        assert group.least == pytest.approx(90 / 110)

    def test_every_pair_is_counted_exactly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(similarity, "BLOCK", 7)
        rng = random.Random(4)
        sets = [frozenset(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randrange(1, 40))) for _ in range(30)]
        expected = [[len(one & two) / len(one | two) for two in sets] for one in sets]
        assert similarity._compare(sets) == pytest.approx(np.array(expected))

    def test_a_group_is_as_close_as_its_weakest_link_needs(self) -> None:
        rng = random.Random(5)
        words = {f"s{number}": frozenset(rng.sample(range(60), 50)) for number in range(25)}
        sequences = {student: frozenset(map(str, own)) for student, own in words.items()}
        for near in (0.6, 0.7, 0.75, 0.8):
            for group in similarity.groups(sequences, near):
                closer = similarity.groups(sequences, group.least - 1e-6)
                assert any(set(group.students) <= set(each.students) for each in closer), "linked at this share"
                apart = similarity.groups(sequences, group.least + 1e-6)
                assert not any(set(group.students) <= set(each.students) for each in apart), "but not above it"

    def test_a_class_of_none_or_one_has_no_groups(self) -> None:
        assert similarity.groups({}) == similarity.groups({"ada": frozenset("abc")}) == []

    def test_the_same_work_has_everything_in_common(self) -> None:
        same = frozenset(map(str, range(70)))
        assert similarity.groups({"ada": same, "bob": same}) == [similarity.Group(("ada", "bob"), 1.0)]


def with_answer(release: NotebookNode, text: str) -> NotebookNode:
    notebook = copy.deepcopy(release)
    next(cell for cell in notebook.cells if grade_id(cell) == "lr-comment").source = text
    return notebook


class TestRemarks:
    def test_empty_released_and_shared_answers_are_told(self, assignment: Assignment, release: NotebookNode) -> None:
        long = "Time and energy fall from ten epochs at the lowest rate to three, and rise again at the highest rate."
        notebooks = {
            "ada": with_answer(release, long),
            "bob": with_answer(release, long.upper().replace(" ", "\n") + "!"),
            "eve": with_answer(release, "Something of my own: small steps take long."),
            "mum": with_answer(release, " \n"),
            "idle": release,
            "none": None,
        }
        found = answers.remarks(assignment, release, notebooks)
        assert found["ada"]["lr-comment"] == Remark("identical", ("bob",))
        assert found["bob"]["lr-comment"].text == "The answer is identical to that of ada."
        assert "lr-comment" not in found["eve"]
        assert found["mum"]["lr-comment"].kind == "empty"
        assert found["idle"]["lr-comment"].kind == "as released"
        assert found["none"] == {}

    def test_an_answer_with_a_word_changed_is_nearly_the_same(
        self, assignment: Assignment, release: NotebookNode
    ) -> None:
        words = [f"word{number}" for number in range(60)]
        notebooks = {"ada": with_answer(release, " ".join(words))}
        notebooks["bob"] = with_answer(release, " ".join([*words[:30], "other", *words[31:]]))
        found = answers.remarks(assignment, release, notebooks)
        assert found["ada"]["lr-comment"] == Remark("nearly identical", ("bob",))


class TestBesideAnAnswer:
    @pytest.fixture
    def cells(self, assignment: Assignment, release: NotebookNode) -> list[NotebookNode]:
        executed = executed_notebook(release)
        remarks = {HOSTILE: {"lr-comment": Remark("identical", (HOSTILE,))}}
        lost = {HOSTILE: {"lr-comment": (Lost(assignment.item("lr-loop"), 8.5),)}}
        known = ClassData(notebooks={HOSTILE: executed}, own={HOSTILE: own_run(0.5)}, remarks=remarks, lost=lost)
        made = formgrader.build_notebook(executed, release, known.beside(assignment)[HOSTILE])
        nbformat.validate(made)
        return list(made.cells)

    def test_it_stands_right_before_the_answer(self, cells: list[NotebookNode]) -> None:
        places = [number for number, cell in enumerate(cells) if answers.MARK in cell.metadata.get("tags", [])]
        assert [grade_id(cells[place + 1]) for place in places] == ["lr-comment", "bs-comment"]
        assert all(not cells[place].metadata.editable for place in places)
        assert all(grade_id(cells[place]) == "" for place in places)

    def test_it_shows_numbers_figure_rubric_and_remark(self, cells: list[NotebookNode]) -> None:
        first, second = (cell.source for cell in cells if answers.MARK in cell.metadata.get("tags", []))
        numbers = re.findall(r"<td[^>]*>([^<]*)</td>", first)
        assert numbers[:5] == ["0.0001", "10", "0.9", "5", "0.5"], "rate, epochs, accuracy, seconds, seconds per epoch"
        assert "energy" not in first[first.index("<thead>") : first.index("</thead>")]
        assert "The student's own figure" in first.replace("&#39;", "'")
        assert "**For the grader.** Divide the" in first
        assert "SOLUTION" not in first
        assert "The answer is identical to that of" in first
        assert "Points lost in the tasks that this answer discusses:" in first
        assert "</strong> Learning rates: how each model was trained (8.5 of 14)." in first
        assert "Points lost" not in second
        assert "shows no readable numbers from the student's own run" in second
        assert "shows no figure from the student's own run" in second.replace("&#39;", "'")
        assert "<img" not in second, "the figure of the graded run shows other data"

    def test_a_dry_run_is_marked(self, assignment: Assignment, release: NotebookNode) -> None:
        own = SavedOutputs(loops={"lr": own_run(0.5).loops["lr"].model_copy(update={"dry": True})})
        known = ClassData(notebooks={"ada": release}, own={"ada": own}, remarks={"ada": {}})
        made = known.beside(assignment)["ada"]
        assert "This was a dry run" in made["lr-comment"].source
        assert "This was a dry run" not in made["bs-comment"].source
        page = report.report_page(assignment, [verdict_on(assignment, "ada")], {}, known)
        assert 'a dry run on a small sample: <a href="students/ada/feedback.html"><bdi>ada</bdi></a>.' in page
        assert 'aria-label="Time to accuracy' not in page

    def test_nothing_in_it_can_run(self, cells: list[NotebookNode]) -> None:
        for cell in cells:
            if answers.MARK in cell.metadata.get("tags", []):
                assert "<script" not in cell.source
                assert set(re.findall(r'src="([a-z]*:[a-z/]*)', cell.source)) <= {"data:image/png"}
                assert not re.findall(r"<img src=x", cell.source)


def test_points_lost_in_what_an_answer_is_about_are_those_of_its_plots_and_what_they_need(
    assignment: Assignment,
) -> None:
    lacking = {item: [rule("a", "No."), rule("b")] for item in ("callback", "lr-metrics", "lr-plots", "bs-loop")}
    lost = answers.lost_points(assignment, verdict_on(assignment, "ada", lacking), {"lr-plots": (8.0, None)})
    assert {name: [(each.item.id, each.points) for each in items] for name, items in lost.items()} == {
        "lr-comment": [("callback", 7.5), ("lr-metrics", 6.0)],
        "bs-comment": [("callback", 7.5), ("bs-loop", 7.0)],
    }


def test_the_sample_class_has_something_of_everything(
    tmp_path: Path, assignment: Assignment, release: NotebookNode
) -> None:
    """Own runs, one of them dry, and a copy: what `make demo` is to show."""
    build(tmp_path)
    folders = {student: tmp_path / student / assignment.name for student in students()}
    own = {student: read_saved_outputs(folder, assignment) for student, folder in folders.items()}
    assert {student for student, run in own.items() if run.dry} == {"iris"}
    measured = {student: run for student, run in own.items() if run.measured("lr")}
    assert set(measured) == set(own_runs()) - {"iris"}
    assert all(len(run.measured("lr")) == 5 and len(run.measured("bs")) == 6 for run in measured.values())
    assert all(run.loops["lr"].pictures and run.loops["bs"].pictures for run in measured.values())
    notebooks = {student: nbformat.read(folders[student] / assignment.notebook_name, 4) for student in ALIKE}
    (group,) = similarity.groups(similarity.code_of_class(notebooks, release))
    assert group.students == ("juniper", "tansy")
    found = answers.remarks(assignment, release, notebooks)
    assert found["tansy"]["bs-comment"] == Remark("identical", ("juniper",))


def test_the_books_hold_it_all(tmp_path: Path, assignment: Assignment, release: NotebookNode) -> None:
    """From the folder of results to the report and the formgrader: who is missing, who shares an answer, what a student
    measured."""
    database = gradebook_url(tmp_path)
    with open_gradebook(database) as book:
        book.add_student("zoe")
    for student in ("ada", "bob"):
        verdict = verdict_on(assignment, student)
        saved = own_run(0.5) if student == "ada" else None
        executed = with_answer(release, "The same, word for word.")
        ResultStore(tmp_path, assignment).write(GradedSubmission(verdict, executed=executed, saved_outputs=saved))
    publish.publish(ResultStore(tmp_path, assignment))
    report = (tmp_path / "tta-eta" / "report.html").read_text(encoding="utf-8")
    keys = gradebook.members(database, assignment)
    assert set(keys) == {"ada", "bob", "zoe"}
    assert f"/formgrader/submissions/{keys['ada']}/" in report
    assert "in the gradebook without a submission: <bdi>zoe</bdi>." in report
    assert "The answer is identical to that of bob." in report
    assert "numbers shown in 1 of 2 submitted notebooks" in report
    shown = {
        student: formgrader.notebook_path(tmp_path / "autograded", student, assignment) for student in ("ada", "bob")
    }
    assert "time per epoch (s)" in shown["ada"].read_text(encoding="utf-8")
    assert "shows no readable numbers from the student" in shown["bob"].read_text(encoding="utf-8")
