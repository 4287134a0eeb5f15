"""The comparison of graders: a fixed choice of submissions, fair hidden tests, numbers counted right, and a page."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib
import pytest
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.common.cells import cells_by_id
from benchmarks import record
from benchmarks.fidelity import __main__ as comparison
from benchmarks.fidelity import asserts, graders, lab, page, results, sample
from tests.fidelity.build import variant, variant_names
from tests.fidelity.mutants import MUTANTS
from tests.fidelity.outcome import Case

ITEMS = ["data-details", "callback", "lr-loop", "lr-metrics", "lr-plots", "bs-loop", "bs-metrics", "bs-plots"]

CASES: dict[str, Any] = {
    "plain": {"title": "Plain", "items": [], "reshaped": False},
    "script": {"title": "A script", "items": [], "reshaped": True},
    "late": {"title": "stops late", "items": ["callback"], "reshaped": False},
    "sgd": {"title": "SGD | momentum", "items": ["lr-loop"], "reshaped": False},
    "worked": {"title": "two mistakes", "items": ["bs-loop", "bs-metrics"], "reshaped": False},
}


def result(*lost: str, problem: str = "") -> dict[str, Any]:
    return {"lost": {item: f"about {item}" for item in lost}, "problem": problem}


KIT = {
    "plain": result(),
    "script": result(),
    "late": result("callback"),
    "sgd": result("lr-loop"),
    "worked": result("bs-loop", "bs-metrics"),
}
NBGRADER = {
    "plain": result("bs-plots"),
    "script": result(*ITEMS, problem="KeyError: 'nbgrader'"),
    "late": result("callback", "lr-loop", "bs-loop"),
    "sgd": result(),
    "worked": result("bs-loop"),
}
FOUND = {
    "cases": CASES,
    "results": {"kit": KIT, "nbgrader": NBGRADER, "otter": KIT | {"plain": result(), "late": result()}},
    "seconds": {"kit": [1.0, 2.0, 4.0], "nbgrader": [20.0], "otter": [30.0]},
    "settings": {"curves": 77, "seed": 17, **lab.SETTINGS, **lab.SIZES},
}


def test_the_choice_is_large_enough_and_always_the_same() -> None:
    chosen = sample.choose()
    wrong = [case for case in chosen if case.is_mutant]
    assert len(chosen) - len(wrong) >= 40
    assert len(wrong) >= 100
    assert [case.name for case in chosen] == [case.name for case in sample.choose()]
    assert len({case.name for case in chosen}) == len(chosen)
    assert {case.is_mutant for case in chosen[:4]} == {True, False}


def test_the_wrong_ones_are_spread_over_all_items() -> None:
    counted = Counter(item for case in sample.choose() for item in case.items)
    assert set(counted) == set(ITEMS)
    assert min(counted.values()) >= 12


def test_a_sample_takes_what_there_is() -> None:
    few = [Case(variant("reference"), items=frozenset({item})) for item in ("a", "a", "a", "b")]
    assert Counter(min(case.items) for case in sample.spread(few, 3, 0)) == {"a": 2, "b": 1}
    assert len(sample.spread(few, 9, 0)) == 4


def test_files_of_another_form_are_told_apart() -> None:
    reshaped = {name for name in variant_names() if sample.is_reshaped(Case(variant(name)))}
    assert {"metadata_lost", "percent_script", "batch_size_first", "hosted_notebook"} <= reshaped
    assert "reference" not in reshaped


def test_the_settings_change_in_the_submissions_too(assignment: Assignment) -> None:
    small = lab.small(assignment).parameters
    assert (small.max_epochs, len(small.learning_rates), len(small.batch_sizes)) == (60, 3, 4)
    adapted = [lab.adapt(case).description for case in sample.choose()]
    texts = {own.name: "\n".join(map(str, [*own.cells.values(), *own.extras])) for own in adapted}
    for left in (r"epochs ?= ?500\b", r"512, ?1024", r"0\.01, ?0\.1", r"range\(6, 12\)", r"\(-4, 0, 5\)", r"\] \* 6"):
        assert not [name for name, text in texts.items() if re.search(left, text)]
    assert "epochs=60" in adapted[0].cells["lr-loop"]


def test_results_are_counted() -> None:
    counted = results.count(CASES, NBGRADER)
    assert (counted.right, counted.wrong) == (2, 3)
    assert counted.unfair == ("plain", "script")
    assert counted.reshaped == ("script",)
    assert counted.unfair_items == 9
    assert counted.unnoticed == ("sgd",)
    assert counted.missed_items == 2
    assert counted.elsewhere == ("late",)
    assert counted.elsewhere_items == 2


def test_only_graded_submissions_count() -> None:
    counted = results.count(CASES, {"sgd": KIT["sgd"]})
    assert (counted.right, counted.wrong, counted.unnoticed) == (0, 1, ())
    assert results.count(CASES, {}).right == 0


def test_a_result_is_kept_as_long_as_submission_and_grader_stay(tmp_path: Path) -> None:
    case, path = Case(variant("reference")), tmp_path / "kit" / "reference.json"
    key = results.fingerprint(case, "1")
    assert results.load(key, path) is None
    results.save(results.Result(1.234, {"callback": "x" * 1000}), key, path)
    assert results.load(key, path) == {"lost": {"callback": "x" * results.MESSAGE}, "problem": ""}
    assert results.load(results.fingerprint(case, "2"), path) is None
    assert results.load(results.fingerprint(Case(variant("rounded")), "1"), path) is None


def test_the_page_shows_counts_and_examples(tmp_path: Path) -> None:
    record.keep("comparison", FOUND, (0.5, 0.5, 0.5), tmp_path / "fidelity.json")
    page.write(tmp_path / "page.md", record.load(tmp_path / "fidelity.json")["comparison"])
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert "| correct submissions that lose points, of 2 | 0 | 2 | 0 |" in lines
    assert "| incorrect submissions whose mistake is not detected, of 3 | 0 | 1 | 1 |" in lines
    assert "| seconds per submission, median | 2.0 | 20.0 | 30.0 |" in lines
    assert "| seconds per submission, longest | 4.0 | 20.0 | 30.0 |" in lines
    assert "| `callback` | 1 | 0 (0) | 0 (1) | 1 (0) |" in lines
    assert "| Plain (`plain`) | nothing | right | loses bs-plots: about bs-plots | right |" in lines
    assert "There is no such submission." not in text.split("### Otter")[1]
    assert "{{" not in text
    rows = [place for place, line in enumerate(lines) if line.startswith("|---")]
    assert len(rows) == 4
    assert all(lines[place - 1].startswith("|") and lines[place + 1].startswith("|") for place in rows)


def test_examples_are_of_different_kinds_and_those_against_the_kit_come_first() -> None:
    assert page.examples(FOUND, "kit")[0] == "late"
    assert len(page.examples(FOUND, "kit")) == 3
    assert page.examples(FOUND, "nbgrader") == []
    worse = FOUND | {"results": FOUND["results"] | {"kit": KIT | {"sgd": result()}}}
    assert page.examples(worse, "otter")[0] == "sgd"


def test_a_verdict_is_said_in_a_few_words() -> None:
    assert page.verdict(CASES["late"], KIT["late"]) == "right"
    assert page.verdict(CASES["late"], result("lr-loop")) == "keeps callback; loses lr-loop: about lr-loop"
    assert page.verdict(CASES["script"], NBGRADER["script"]) == "not graded: KeyError: 'nbgrader'"
    assert page.verdict(CASES["plain"], result("a", "b")) == "loses a: about a; and b"


def test_the_reason_is_the_last_exception_of_a_log() -> None:
    log = (
        "[INFO] begins\nKeyError: 'a'\n\n    nbclient.exceptions.DeadKernelError: Kernel died\n[ERROR] See the above.\n"
    )
    assert graders.find_reason(log) == "nbclient.exceptions.DeadKernelError: Kernel died"
    assert graders.find_reason("[ERROR] No notebooks.\n[ERROR] See the above.\n\n") == "No notebooks."
    assert graders.find_reason("\nNothing.\n\n") == "Nothing."


def test_times_are_measured_in_turn_and_in_separate_folders(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graded: list[tuple[str, str]] = []

    @contextlib.contextmanager
    def prepare(_assignment: Assignment, work: Path) -> Iterator[SimpleNamespace]:
        def grade(case: Case) -> results.Result:
            graded.append((work.name, case.name))
            return results.Result(1.5, {})

        yield SimpleNamespace(grade=grade)

    monkeypatch.setattr(graders, "PREPARE", {"kit": prepare, "otter": prepare})
    cases = [Case(variant(name)) for name in ("reference", "rounded", "catplot")]
    assert comparison._measure(assignment, cases, tmp_path) == {"kit": [1.5, 1.5], "otter": [1.5, 1.5]}
    assert graded == [(name, case.name) for case in cases for name in ("kit", "otter")]


# The two assignments


@pytest.fixture(scope="module")
def source(assignment: Assignment) -> NotebookNode:
    return lab.nbgrader_source(lab.small(assignment))


def test_nbgrader_has_a_locked_test_for_each_item(assignment: Assignment, source: NotebookNode) -> None:
    cells = cells_by_id(source)
    for item in assignment.judged_items:
        about = cells[f"{item.id}-tests"].metadata.nbgrader
        assert (about["grade"], about["locked"], about["points"]) == (True, True, item.points)
        assert not cells[item.cell].metadata.nbgrader["grade"]
    about = [cell.metadata.get("nbgrader", {}) for cell in source.cells if cell.cell_type == "code"]
    graded = [each for each in about if each.get("grade")]
    assert len(graded) == len(assignment.judged_items)


def test_tests_come_after_their_task_and_in_order(source: NotebookNode) -> None:
    names = [cell.metadata.nbgrader["grade_id"] for cell in source.cells if "nbgrader" in cell.metadata]
    assert [name.removesuffix("-tests") for name in names if name.endswith("-tests")] == list(asserts.CHECKS)


def test_otter_checks_each_item(assignment: Assignment) -> None:
    code = "\n".join(cell.source for cell in lab.otter_release(assignment).cells if cell.cell_type == "code")
    assert all(f'grader.check("{item}")' in code for item in ITEMS)
    for item in assignment.judged_items:
        compile(lab.otter_test(item), item.id, "exec")


def test_all_submissions_can_be_filled_in_and_tests_move_with_their_task(assignment: Assignment) -> None:
    release = lab.otter_release(lab.small(assignment))
    filled = {case.name: lab.fill_in(release, assignment, case.description) for case in sample.choose()}
    names = list(cells_by_id(filled["batch_size_first"]))
    moved = ("bs-loop", "bs-loop-tests", "bs-metrics-tests", "bs-plots-tests", "lr-loop", "lr-metrics-tests")
    assert sorted(moved, key=names.index) == list(moved)


def test_rivals_know_no_more_than_a_notebook() -> None:
    assert "autograder" not in lab.ASSERTS


# The hidden tests


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Names of a notebook that has run as far as the callback."""
    monkeypatch.chdir(tmp_path)  # figures may be saved
    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    import numpy as np
    import seaborn as sns
    from tensorflow.keras import callbacks

    plt.close("all")
    settings = {"LEARNING_RATES": [1e-4, 1e-3, 0.01, 0.1, 1.0], "BATCH_SIZES": [64, 128, 256, 512, 1024, 2048]}
    settings |= {"DEFAULT_BATCH_SIZE": 128, "DEFAULT_LEARNING_RATE": 0.001, "MAX_EPOCHS": 120}
    drawn = SimpleNamespace(_figures=lambda task: [plt.figure(number) for number in plt.get_fignums()])
    data = {"Xtr_scale": np.zeros((30, 4)), "ytr": np.arange(30) % 3, "Xts_scale": np.zeros((10, 4))}
    found = {"np": np, "plt": plt, "sns": sns, "callbacks": callbacks, "lab": drawn, **settings, **data}
    for loop in ("lr", "bs"):
        asserts.provide_rows(found, loop)
    yield found
    plt.close("all")


@pytest.mark.parametrize("name", ["reference", "streak_start", "early_stopping_child", "dataclass_callback"])
def test_a_right_callback_keeps_its_points(names: dict[str, Any], name: str) -> None:
    exec(variant(name).cells["callback"], names)
    own = names["TrainToAccuracy"]
    asserts.check_callback(names)
    assert names["TrainToAccuracy"] is own


@pytest.mark.parametrize(
    "mutant", [one for one in MUTANTS if one.id.startswith("callback-") and "reference" in one.variant][:12]
)
def test_a_wrong_callback_loses_points_and_is_replaced(names: dict[str, Any], mutant: Any) -> None:
    exec(mutant.description().cells["callback"], names)
    with pytest.raises((AssertionError, AttributeError, LookupError, TypeError)):
        asserts.check_callback(names)
    asserts.check_callback(names)


def test_wrong_numbers_lose_points_and_are_replaced(names: dict[str, Any]) -> None:
    names |= {"n_tr": 30, "n_ts": 10, "n_feat": 120, "n_class": 3}
    with pytest.raises(AssertionError, match="n_feat is 120"):
        asserts.check_data_details(names)
    asserts.check_data_details(names)


@pytest.mark.parametrize("name", ["reference", "catplot", "log_axes", "scaled_units", "pandas_bars"])
def test_a_right_figure_keeps_its_points(names: dict[str, Any], name: str) -> None:
    exec(variant(name).cells["lr-plots"], names)
    asserts.check_plots(names, "lr")


@pytest.mark.parametrize(
    ("id_", "problem"),
    [
        ("no-x-labels", "no horizontal label"),
        ("time-without-unit", "names no unit"),
        ("milliseconds", "not recorded values"),
        ("names-reversed", "not recorded values"),
        ("accuracy-range-0-1", "cannot be told apart"),
        ("four-figures", "1 bar plots"),
        ("lines", "no figure with bars"),
    ],
)
def test_a_wrong_figure_loses_points(names: dict[str, Any], id_: str, problem: str) -> None:
    mutant = next(one for one in MUTANTS if one.id == f"lr-plots-{id_}")
    exec(mutant.description().cells["lr-plots"], names)
    with pytest.raises(AssertionError, match=problem):
        asserts.check_plots(names, "lr")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.001", 0.001),
        (r"$\mathdefault{10^{-4}}$", 1e-4),
        ("$2^{6}$", 64),
        ("1e-03", 1e-3),
        ("2048", 2048),
        ("a", None),
    ],
)
def test_tick_labels_are_read(text: str, value: float | None) -> None:
    assert asserts.read_number(text) == pytest.approx(value)
