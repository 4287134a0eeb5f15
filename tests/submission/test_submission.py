"""Submissions are found and read, whatever happened to them on the way, and nothing else is."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import stat
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.checks.tta_eta.exercise import EXERCISE
from autograder.errors import AutograderError, SubmissionError, Unreadable
from autograder.execution.kernels import Kernels
from autograder.execution.options import Options
from autograder.grading.grade import grade_folder
from autograder.submission import archives, limited
from autograder.submission import files as handin
from autograder.submission.choosing import about_choice, candidates, choose
from autograder.submission.files import shown
from autograder.submission.findings import Finding
from autograder.submission.folders import contents, loose_notebooks, students
from autograder.submission.parsing import read as read_file
from autograder.submission.parsing import read_notebook
from autograder.submission.prepare import EXTRA, GIVEN, SHOWN, load_release, prepare
from autograder.submission.task_matching import task_of

NAME = "tta-eta.ipynb"


def read(path: Path) -> tuple[NotebookNode, list[Finding]]:
    parsed = read_file(path)
    return parsed.notebook, parsed.findings


def read_folder(folder: Path, assignment: Assignment) -> tuple[NotebookNode, list[Finding]]:
    chosen, findings = choose(folder, assignment, load_release(assignment))
    return chosen.parsed.notebook, findings


def copy(notebook: NotebookNode) -> NotebookNode:
    return nbformat.from_dict(json.loads(json.dumps(notebook)))


def cell(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


@pytest.fixture(scope="module")
def text(release: NotebookNode) -> str:
    return nbformat.writes(release)


@pytest.fixture(scope="module")
def sources(release: NotebookNode) -> list[str]:
    return [cell.source for cell in release.cells]


def kinds(findings: Any) -> set[str]:
    return {finding.kind for finding in findings}


def one_sentence(error: SubmissionError, folder: Path) -> None:
    """What every refusal must be: a sentence without the machine's folders and without signs that do something."""
    said = str(error)
    assert said.endswith(".")
    assert said.isprintable()
    assert ".." not in said
    assert "Error" not in said
    assert str(folder) not in said
    assert len(said) < 320


def refused(path: Path, content: bytes, sentence: str) -> None:
    path.write_bytes(content)
    with pytest.raises(SubmissionError, match=sentence) as caught:
        read(path)
    one_sentence(caught.value, path.parent)


def test_tasks_and_given_cells_are_found_by_id(assignment: Assignment, release: NotebookNode) -> None:
    submission = prepare("s", copy(release), release, assignment)
    assert set(assignment.cells) <= set(submission.roles)
    assert submission.roles.count(GIVEN) > 5
    assert not submission.findings


def test_changed_given_cell_is_restored(assignment: Assignment, release: NotebookNode) -> None:
    changed = copy(release)
    cell(changed, "model").source = "def get_model(): return 42"
    submission = prepare("s", changed, release, assignment)
    assert cell(submission.notebook, "model").source == cell(release, "model").source
    assert [finding.kind for finding in submission.findings] == ["provided cell changed"]


def test_tasks_are_found_by_what_they_define(assignment: Assignment, release: NotebookNode) -> None:
    bare = copy(release)
    cell(bare, "data-details").source = "n_tr, n_feat = Xtr_scale.shape\nn_ts = len(yts)\nn_class = 3"
    cell(bare, "callback").source = "class TrainToAccuracy(callbacks.Callback):\n    pass"
    cell(bare, "lr-loop").source = "metrics_vs_lr = []\nfor lr in [1]:\n    pass"
    cell(bare, "lr-plots").source = "plt.bar([1], [m['epochs'] for m in metrics_vs_lr])"
    cell(bare, "bs-loop").source = "metrics_vs_bs = [train(b) for b in [1]]"
    cell(bare, "bs-plots").source = "sns.barplot(data=pd.DataFrame(metrics_vs_bs))"
    for c in bare.cells:
        c.metadata = {}
    roles = prepare("s", bare, release, assignment).roles
    assert [r for r in roles if r not in (GIVEN, SHOWN, EXTRA)] == list(assignment.cells)


@pytest.mark.parametrize("source", ["", "def (", "%%bash\nls", "print(1)", "!pip install zeus"])
def test_other_code_is_no_task(source: str) -> None:
    assert task_of(source, EXERCISE.signatures) is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\x00" * 4096, "is empty"),
        (b" \r\n\t", "is empty"),
        (b"\xff\xfe\x00", "is not a text file"),
        (b"\x7fELF\x00\x01\xff\xfe", "is not a text file"),
        (b"Dear teacher, I am sorry.", "is not a notebook, because it is not JSON"),
        (b'{"cells": []}', "contains no cells"),
        (b'{"cells": 5, "nbformat": 4}', "contains no cells"),
        (b"{}", "is valid JSON but not a notebook"),
        (b"[1, 2]", "is valid JSON but not a notebook"),
        (b'{"a": "b"}', "is valid JSON but not a notebook"),
        (b"<!DOCTYPE html>\n<html>", r"is a web page \(HTML\)"),
        (b"\n  <html lang='en'>", r"is a web page \(HTML\)"),
        (b"%PDF-1.7\n\xff\xfe", "is a PDF"),
        (b"PK\x03\x04xxxx", "zip archive or an office document"),
        (gzip.compress(b"{}"), "compressed archive"),
        (b"\x89PNG\r\n", "a picture"),
        (b"\x80\x04\x95\x00\x00", "pickled"),
        (b'{"cells": [{}], "nbformat": 5, "nbformat_minor": 0}', "format 5, but only formats up to 4 are supported"),
        (b'{"cells": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"cells":' * 100_000, "nested too deeply"),
        (b'{"cells": [1, 2,, 3]}', "line 1, column 17"),
        (b'{"cells": [' + b"[]," * 4_000_001 + b"1]}", "far too many values"),
        (b'{"cells": [' + b"1," * 4_000_001 + b"1]}", "far too many values"),
        (b'{"cells": [' + b"{}," * 2_001 + b"{}]}", "has 2,002 cells; the limit is 2,000"),
        (b'{"cells": [{"source": "' + b"x" * 21_000_000 + b'"}]}', "more than 20 MB"),
    ],
    ids=range(26),
)
def test_what_is_no_notebook_is_refused_in_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    refused(tmp_path / NAME, content, sentence)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.99])
def test_half_a_file_is_said_to_end_in_the_middle(tmp_path: Path, text: str, share: float) -> None:
    refused(tmp_path / NAME, text[: int(share * len(text))].encode(), "is incomplete|at line")


def test_text_that_stops_within_a_string_is_incomplete(tmp_path: Path, text: str) -> None:
    part = text[: text.index("everything below runs")]
    refused(tmp_path / NAME, part.encode(), rf"after line {part.count(chr(10)) + 1}\), because only a part")


@pytest.mark.parametrize("line", [1, 7, 200])
def test_conflict_in_the_file_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    lines = text.splitlines()
    lines[line - 1 : line - 1] = ["<<<<<<< HEAD", lines[line - 1], "=======", lines[line - 1], ">>>>>>> mine"]
    refused(tmp_path / NAME, "\n".join(lines).encode(), f"merge conflict markers, the first on line {line}:")


def test_conflict_in_a_cell_is_a_finding(tmp_path: Path, release: NotebookNode) -> None:
    changed = copy(release)
    number = next(
        i for i, c in enumerate(changed.cells, 1) if c.metadata.get("nbgrader", {}).get("grade_id") == "bs-loop"
    )
    changed.cells[number - 1].source = "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> mine"
    (tmp_path / NAME).write_text(json.dumps(changed))
    (finding,) = read(tmp_path / NAME)[1]
    assert (finding.kind, finding.cell, finding.audience) == ("merge conflict", f"number {number}", "both")


ENCODED: dict[str, tuple[Callable[[str], bytes], set[str]]] = {
    "byte order mark": (lambda t: b"\xef\xbb\xbf" + t.encode(), set()),
    "Windows line ends": (lambda t: t.replace("\n", "\r\n").encode(), set()),
    "Windows line ends in cells": (lambda t: t.replace("\\n", "\\r\\n").encode(), set()),
    "UTF-16": (lambda t: t.encode("utf-16"), {"encoding"}),
    "UTF-16, other order": (lambda t: b"\xfe\xff" + t.encode("utf-16-be"), {"encoding"}),
    "UTF-16 without a mark": (lambda t: t.encode("utf-16-le"), {"encoding"}),
    "UTF-32": (lambda t: t.encode("utf-32"), {"encoding"}),
    "zero bytes at the end": (lambda t: t.encode() + bytes(4096), {"zero bytes"}),
    "zero bytes within": (lambda t: t.replace("\n", "\n\x00").encode(), {"zero bytes"}),
    "text behind it": (lambda t: t.encode() + b"\n}\n", {"text after the end"}),
}


@pytest.mark.parametrize(("encoded", "findings"), ENCODED.values(), ids=ENCODED)
def test_all_cells_are_read_from_odd_encodings(
    tmp_path: Path, text: str, sources: list[str], encoded: Callable[[str], bytes], findings: set[str]
) -> None:
    (tmp_path / NAME).write_bytes(encoded(text))
    notebook, found = read(tmp_path / NAME)
    assert [c.source for c in notebook.cells] == sources
    assert kinds(found) == findings


def test_latin_1_is_read(tmp_path: Path) -> None:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Übung für alle")])
    (tmp_path / NAME).write_bytes(json.dumps(made, ensure_ascii=False).encode("latin-1"))
    notebook, findings = read(tmp_path / NAME)
    assert notebook.cells[0].source == "Übung für alle"
    assert kinds(findings) == {"encoding"}


@pytest.mark.parametrize(("encoding", "name"), [("cp932", "Shift JIS"), ("euc_jp", "EUC-JP")])
def test_japanese_is_read(tmp_path: Path, encoding: str, name: str) -> None:
    source = "# 学習率を変えて、表の値をソートする\nx = 'ー能ソ'"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    (tmp_path / NAME).write_bytes(json.dumps(made, ensure_ascii=False).encode(encoding))
    notebook, (finding,) = read(tmp_path / NAME)
    assert notebook.cells[0].source == source
    assert f"read as {name}" in finding.text
    assert finding.text.endswith("Save it as UTF-8.")


def test_an_encoding_that_is_not_known_is_said_to_be_the_fault(tmp_path: Path) -> None:
    refused(tmp_path / NAME, '{"cells": [{"source": "功能"}]}'.encode("big5"), "not in UTF-8 or in any other encoding")


def versioned(minor: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(notebook: dict[str, Any]) -> dict[str, Any]:
        cells = [{k: v for k, v in c.items() if k != "id" or minor >= 5} for c in notebook["cells"]]
        return notebook | {"nbformat_minor": minor, "cells": cells}

    return change


def without(*keys: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda notebook: {key: value for key, value in notebook.items() if key not in keys}


def in_cells(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda notebook: notebook | {"cells": [c | changes for c in notebook["cells"]]}


def version_3(notebook: dict[str, Any]) -> dict[str, Any]:
    return json.loads(nbformat.writes(nbformat.convert(nbformat.from_dict(notebook), 3), version=3))


def as_lines(notebook: dict[str, Any]) -> dict[str, Any]:
    return notebook | {"cells": [c | {"source": c["source"].splitlines(True)} for c in notebook["cells"]]}


def kernel(**spec: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda notebook: notebook | {"metadata": {"kernelspec": spec}}


INVALID = "invalid notebook"
FORMS: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], set[str]]] = {
    **{f"4.{minor}": (versioned(minor), set()) for minor in (0, 1, 2, 3, 4, 5, 9)},
    "3": (version_3, set()),
    "no version": (without("nbformat", "nbformat_minor"), {INVALID}),
    "no minor version": (without("nbformat_minor"), set()),
    "version as text": (lambda n: n | {"nbformat": "4"}, {INVALID}),
    "no metadata": (without("metadata"), set()),
    "metadata as a list": (lambda n: n | {"metadata": []}, set()),
    "metadata of cells as text": (in_cells(metadata="none"), {INVALID}),
    "ids lost and metadata null": (in_cells(metadata=None), set()),
    "lines": (as_lines, set()),
    "extra fields": (lambda n: in_cells(colour="red")(n) | {"author": "me"}, set()),
    "outputs of no type": (in_cells(outputs=[1, {"output_type": "magic"}]), set()),
    "outputs null": (in_cells(outputs=None, execution_count="seven"), set()),
    "cells that are none": (lambda n: n | {"cells": [*n["cells"], 7, "x", None]}, {INVALID}),
    "same id": (in_cells(id="same"), {INVALID}),
    "ids that are none": (in_cells(id="a b/c"), {INVALID}),
    "ids as numbers": (in_cells(id=5), {INVALID}),
    "attachments": (in_cells(attachments={"a.png": {"image/png": "AAAA"}}), set()),
    "attachments that are none": (in_cells(attachments=[1]), {INVALID}),
    "widgets": (lambda n: n | {"metadata": {"widgets": {"state": {"x": [1] * 100_000}}}}, set()),
    "no kernel": (lambda n: n | {"metadata": {}}, set()),
    "own Python kernel": (kernel(name="conda-env-tf-py", language="python"), set()),
    "R": (kernel(name="ir", language="R", display_name="R"), {"other language"}),
    "R without its language": (kernel(name="ir"), {"other language"}),
    "Julia": (kernel(name="julia-1.10", language="julia"), {"other language"}),
    "kernel as a list": (lambda n: n | {"metadata": {"kernelspec": ["python"]}}, set()),
    "terminal codes in the kernel's name": (kernel(name="x", language="\x1b[31mred"), {"other language"}),
}


@pytest.mark.parametrize(("change", "findings"), FORMS.values(), ids=FORMS)
def test_all_cells_are_read_from_odd_forms(
    tmp_path: Path,
    release: NotebookNode,
    sources: list[str],
    change: Callable[[dict[str, Any]], dict[str, Any]],
    findings: set[str],
) -> None:
    (tmp_path / NAME).write_text(json.dumps(change(json.loads(json.dumps(release)))))
    notebook, found = read(tmp_path / NAME)
    assert [c.source for c in notebook.cells] == sources
    assert kinds(found) == findings
    assert all(finding.text.isprintable() for finding in found)
    nbformat.validate(notebook)


@pytest.mark.parametrize(
    ("raw", "source"),
    [
        ({"cell_type": "heading", "level": 2, "source": "A"}, "## A"),
        ({"cell_type": "heading", "level": "x", "source": ["A"]}, "# A"),
        ({"cell_type": "code", "input": "a = 1"}, "a = 1"),
        ({"cell_type": "cod", "outputs": [], "source": "a = 1"}, "a = 1"),
        ({"cell_type": "code", "source": ["a\n", 5, "b"]}, "a\nb"),
        ({"cell_type": "code", "source": None}, ""),
        ({"cell_type": "code", "source": {"a": 1}}, ""),
        ({"cell_type": "code", "source": "x = '\ud800'"}, "x = '\ufffd'"),
        ({"cell_type": ["code"], "source": "a"}, "a"),
        ({}, ""),
    ],
)
def test_odd_cells_keep_their_text(tmp_path: Path, raw: dict[str, Any], source: str) -> None:
    (tmp_path / NAME).write_text(json.dumps({"nbformat": 4, "cells": [raw]}))
    notebook, _ = read(tmp_path / NAME)
    assert notebook.cells[0].source == source
    nbformat.validate(notebook)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 5_000, "-" + "9" * 100_000, "0." + "1" * 5_000])
def test_numbers_that_json_does_not_know_are_told(tmp_path: Path, number: str) -> None:
    document = '{"nbformat": 4, "metadata": {"x": NUMBER}, "cells": [{"cell_type": "raw", "source": "a"}]}'
    (tmp_path / NAME).write_text(document.replace("NUMBER", number))
    assert kinds(read(tmp_path / NAME)[1]) == {INVALID}


def test_of_keys_that_stand_twice_the_last_counts(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"nbformat": 4, "cells": [{"cell_type": "code", "source": "a", "source": "b"}]}')
    notebook, findings = read(tmp_path / NAME)
    assert notebook.cells[0].source == "b"
    assert kinds(findings) == {INVALID}


def test_attachments_stay_with_text_and_leave_code(tmp_path: Path) -> None:
    picture = {"a.png": {"image/png": "AAAA"}}
    cells = [{"cell_type": kind, "source": "x", "attachments": picture} for kind in ("markdown", "code")]
    (tmp_path / NAME).write_text(json.dumps({"nbformat": 4, "cells": cells}))
    text, code = read(tmp_path / NAME)[0].cells
    assert text.attachments == picture
    assert "attachments" not in code


def test_outputs_are_dropped_and_what_is_too_large_is_refused(
    tmp_path: Path, release: NotebookNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = copy(release)
    cell(large, "try").outputs = [nbformat.v4.new_output("stream", text="x" * 20_000_000)]
    (tmp_path / NAME).write_text(json.dumps(large))
    began = time.process_time()
    notebook, findings = read(tmp_path / NAME)
    assert time.process_time() - began < 3
    assert not any(c.get("outputs") for c in notebook.cells)
    assert not findings
    monkeypatch.setattr(handin, "LARGEST", 1_000_000)
    with pytest.raises(SubmissionError, match="is 20 MB; the limit is 1 MB") as caught:
        read(tmp_path / NAME)
    one_sentence(caught.value, tmp_path)


@pytest.mark.parametrize("name", ["solution.py", "solution.PY", "solution.py.txt"])
def test_script_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("# %%\nn_tr = 1\n\n# %% [markdown]\n# Text\n")
    assert [c.cell_type for c in read_notebook(tmp_path / name).cells] == ["code", "markdown"]


def test_notebook_with_the_ending_of_a_script_is_a_notebook(tmp_path: Path, text: str, sources: list[str]) -> None:
    (tmp_path / "tta-eta.py").write_text(text)
    assert [c.source for c in read_notebook(tmp_path / "tta-eta.py").cells] == sources


HOSTILE = {
    "object in the header": "# ---\n# jupyter: !!python/object/apply:os.system ['touch pwned']\n# ---\nx = 1",
    "metadata nested": "# %% a=" + "[" * 50_000 + "\nx = 1",
    "quotes": "'''\n" * 4_999,
    "cells": "# %%\n" * 1_999,
    "empty lines": "\n" * 4_999 + "x",
    "one line": "x = " + "a," * 140_000,
    "zero bytes": "x = 1\x00\n",
    "brackets": "(\n\n" * 2_000,
    "many lines": "x\n" * 5_001,
    "many characters": "x" * 300_001,
}


@pytest.mark.parametrize("script", HOSTILE.values(), ids=HOSTILE)
def test_hostile_script_is_read_or_refused(tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tta-eta.py").write_text(script)
    began = time.process_time()
    try:
        read(tmp_path / "tta-eta.py")
    except SubmissionError as error:
        one_sentence(error, tmp_path)
    assert time.process_time() - began < 5
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "name",
    [
        "tta-eta (1).ipynb",
        "tta-eta-Copy1.ipynb",
        "TTA-ETA.IPYNB",
        "tta eta.ipynb",
        "Übung 4 – Müller.ipynb",
        "tta-eta.ipynb.txt",
        "tta-eta.ipynb.json",
        "tta-eta.json",
        "tta-eta.ipynb ",
        "sub/folder/tta_eta.ipynb",
        "__final.ipynb",
        "-rf.ipynb",
    ],
)
def test_other_names_are_graded_and_told(tmp_path: Path, assignment: Assignment, text: str, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    _, findings = read_folder(tmp_path, assignment)
    assert [(f.kind, f.audience) for f in findings] == [("file name", "both")]
    assert name in findings[0].text


@pytest.mark.parametrize(
    "name", ["a\x1b[31m.ipynb", "a\u202ebnypi.ipynb", "a\nb.ipynb", "a\u200b.ipynb", "a\udcff.ipynb"], ids=range(5)
)
def test_names_cannot_do_anything_to_a_terminal(tmp_path: Path, assignment: Assignment, text: str, name: str) -> None:
    (tmp_path / name).write_text(text)
    _, findings = read_folder(tmp_path, assignment)
    assert findings[0].text.isprintable()
    assert "\\" in findings[0].text


def test_a_shown_name_is_short_and_keeps_its_ending() -> None:
    assert shown("Müller 1.ipynb") == "Müller 1.ipynb"
    assert len(shown("\x1b" * 10_000)) <= 80
    assert shown("x" * 190 + ".ipynb").endswith(".ipynb")


@pytest.mark.parametrize(
    ("others", "chosen"),
    [
        ({"tta-eta (1).ipynb": 9, NAME: 1}, NAME),
        ({"tta-eta (1).ipynb": 1, "notes.ipynb": 9}, "tta-eta (1).ipynb"),
        ({"draft.ipynb": 1, "final.ipynb": 9}, "final.ipynb"),
        ({f"old/{NAME}": 9, NAME: 1}, NAME),
        ({"tta-eta.py": 9, "x.ipynb": 1}, "x.ipynb"),
        ({"data.json": 9, "x.ipynb": 1}, "x.ipynb"),
        ({"lab_helpers.py": 9, "mine.py": 1}, "mine.py"),
        ({".ipynb_checkpoints/tta-eta-checkpoint.ipynb": 9, f"__MACOSX/{NAME}": 9, "x.ipynb": 1}, "x.ipynb"),
        ({"._tta-eta.ipynb": 9, "x.ipynb": 1}, "x.ipynb"),
    ],
    ids=range(9),
)
def test_the_likeliest_of_several_files(
    tmp_path: Path, assignment: Assignment, others: dict[str, int], chosen: str
) -> None:
    for name, modified in others.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
        os.utime(tmp_path / name, (modified, modified))
    (file, *_), _ = candidates(tmp_path, assignment)
    assert file.name == chosen
    assert ("file name" in kinds(about_choice(file, [file], assignment))) == (chosen != NAME)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("doe_11_990017_tta-eta.ipynb", "doe_11_1000018_tta-eta-1.ipynb"), 1),
        (("doe_LATE_11_990017_tta-eta.ipynb", "doe_11_1000018_tta-eta.ipynb"), 1),
        (("doe_11_990017_tta-eta.ipynb", "doe_LATE_11_1000018_tta-eta-1.ipynb"), 1),
        (("tta-eta (9).ipynb", "tta-eta (10).ipynb"), 1),
        (("tta-eta-Copy9.ipynb", "tta-eta-Copy10.ipynb"), 1),
        (("tta-eta-9.ipynb", "tta-eta-10.ipynb"), 1),
        (("lab v9.ipynb", "lab v10.ipynb"), 1),
        (("attempt 9/tta-eta.ipynb", "attempt 10/tta-eta.ipynb"), 1),
        (("lab_doe_attempt_2026-05-30-09-00-00_tta-eta.ipynb", "lab_doe_attempt_2026-06-01-08-00-00_tta-eta.ipynb"), 1),
        (("lab 2026-05-30.ipynb", "lab 2026-06-01.ipynb"), 1),
        (("lab 30.05.2026.ipynb", "lab 1.6.2026.ipynb"), 1),
        (("lab 30-05-2026.ipynb", "lab 31-05-2026.ipynb"), 1),
        (("lab 20260530.ipynb", "lab 20260601.ipynb"), 1),
        (("1000018_notes.ipynb", "doe_11_990017_tta-eta.ipynb"), 1),
        (("tta-eta-final.ipynb", "tta-eta (2).ipynb"), 1),
    ],
)
@pytest.mark.parametrize("dates", [(5, 5), (9, 1)], ids=["same date", "dates the other way round"])
def test_numbers_in_names_tell_the_latest(
    tmp_path: Path, assignment: Assignment, names: tuple[str, ...], chosen: int, dates: tuple[int, int]
) -> None:
    for name, modified in zip(names, dates, strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
        os.utime(tmp_path / name, (modified, modified))
    assert candidates(tmp_path, assignment)[0][0].name == names[chosen]


def finished(release: NotebookNode) -> str:
    notebook = copy(release)
    cell(notebook, "callback").source = "class TrainToAccuracy(callbacks.Callback):\n    pass"
    return nbformat.writes(notebook)


def beside_its_stub(release: NotebookNode) -> str:
    notebook = copy(release)
    notebook.cells.append(nbformat.v4.new_code_cell("class TrainToAccuracy(callbacks.Callback):\n    pass"))
    return nbformat.writes(notebook)


def only_commented(release: NotebookNode) -> str:
    notebook = copy(release)
    cell(notebook, "lr-comment").source = "The higher, the faster."
    return nbformat.writes(notebook)


FILLED = {"finished": finished, "beside its stub": beside_its_stub, "only commented": only_commented}


@pytest.mark.parametrize("fill", FILLED.values(), ids=FILLED)
@pytest.mark.parametrize(
    "name",
    [
        "tta-eta (1).ipynb",
        "doe_11_1000018_tta-eta-1.ipynb",
        "work.ipynb",
        f"old/{NAME}",
        "tta-eta.ipynb.txt",
        "tta-eta.json",
        "tta-eta.zip",
        "tta-eta.tar.gz",
    ],
)
def test_an_untouched_notebook_gives_way_to_one_with_work(
    tmp_path: Path,
    assignment: Assignment,
    release: NotebookNode,
    text: str,
    name: str,
    fill: Callable[[NotebookNode], str],
) -> None:
    work = fill(release)
    pack = {".zip": zipped, ".gz": tar_zipped}.get(Path(name).suffix, lambda entries: entries[NAME])
    (tmp_path / NAME).write_text(text)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(pack({NAME: work.encode()}))
    os.utime(tmp_path / name, (1, 1))
    notebook, findings = read_folder(tmp_path, assignment)
    assert [c.source for c in notebook.cells] == [c.source for c in nbformat.reads(work, as_version=4).cells]
    assert {"left aside", "several files"} <= kinds(findings)


def test_a_script_with_work_is_taken_before_an_untouched_notebook(
    tmp_path: Path, assignment: Assignment, text: str
) -> None:
    (tmp_path / NAME).write_text(text)
    (tmp_path / "helper.py").write_text("x = 1\n")
    assert len(read_folder(tmp_path, assignment)[0].cells) > 20
    (tmp_path / "lab.py").write_text("# %%\nmetrics_vs_lr = [1]\n")
    assert len(read_folder(tmp_path, assignment)[0].cells) == 1


def test_an_untouched_notebook_among_others_is_graded_if_nothing_is_filled_in(
    tmp_path: Path, assignment: Assignment, text: str
) -> None:
    for name in (NAME, "a.ipynb", "b.ipynb"):
        (tmp_path / name).write_text(text)
    _, findings = read_folder(tmp_path, assignment)
    assert kinds(findings) == {"several files"}


def test_wrong_name_and_several_files_are_findings(tmp_path: Path, assignment: Assignment, text: str) -> None:
    (tmp_path / "TTA ETA (1).ipynb").write_text(text)
    (tmp_path / "other.ipynb").write_text(text)
    _, findings = read_folder(tmp_path, assignment)
    assert kinds(findings) == {"file name", "several files"}


def test_a_file_that_cannot_be_read_gives_way_to_the_next(tmp_path: Path, assignment: Assignment, text: str) -> None:
    (tmp_path / NAME).write_text("{")
    (tmp_path / "tta-eta (1).ipynb").write_text(text)
    notebook, findings = read_folder(tmp_path, assignment)
    assert len(notebook.cells) > 20
    assert kinds(findings) == {"unreadable file", "file name", "several files"}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (None, "no notebook in the folder: submit tta-eta.ipynb"),
        ("tta-eta.html", r"tta-eta.html \(a web page\)"),
        ("tta-eta.pdf", r"tta-eta.pdf \(a PDF\)"),
        ("Lab.DOCX", r"Lab.DOCX \(a text document\)"),
        ("tta-eta.7z", "archive of an unsupported type"),
        ("tta-eta.tar.xz", "archive of an unsupported type"),
        ("tta-eta.ipynb.gz", "archive of an unsupported type"),
        ("tta-eta.url", r"tta-eta.url \(a link, not the notebook itself\)"),
        ("notes.txt", "no notebook in the folder"),
        (".ipynb_checkpoints/tta-eta.ipynb", "no notebook in the folder"),
        ("lab_helpers.py", "no notebook in the folder"),
    ],
)
def test_a_folder_without_a_notebook(tmp_path: Path, assignment: Assignment, name: str | None, sentence: str) -> None:
    if name is not None:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    with pytest.raises(SubmissionError, match=sentence) as caught:
        read_folder(tmp_path, assignment)
    one_sentence(caught.value, tmp_path)


ADDRESS = "https://drive.google.com/file/d/1a2b3c/view?usp=sharing"
PROPERTY_LIST = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>URL</key><string>{ADDRESS}</string></dict></plist>
"""
LINKS = {
    "link.txt": f"My notebook: {ADDRESS}\n",
    "tta-eta.url": f"[InternetShortcut]\r\nURL={ADDRESS}\r\n",
    "tta-eta.webloc": PROPERTY_LIST,
    "tta-eta.desktop": f"[Desktop Entry]\nType=Link\nURL={ADDRESS}\n",
    "README.md": f"[notebook]({ADDRESS})",
    NAME: ADDRESS,
    "tta-eta.ipynb.txt": f"[InternetShortcut]\nURL={ADDRESS}\n",
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_is_named_and_not_followed(tmp_path: Path, assignment: Assignment, name: str) -> None:
    (tmp_path / name).write_text(LINKS[name])
    with pytest.raises(SubmissionError, match="link to drive.google.com.*: download the notebook from there") as caught:
        read_folder(tmp_path, assignment)
    assert name in str(caught.value)
    one_sentence(caught.value, tmp_path)


def test_a_long_text_with_a_link_in_it_is_no_link(tmp_path: Path, assignment: Assignment) -> None:
    (tmp_path / "notes.txt").write_text(f"{ADDRESS} {'and more ' * 200}")
    with pytest.raises(SubmissionError, match="no notebook in the folder: submit"):
        read_folder(tmp_path, assignment)


def link_to_file(path: Path, other: Path) -> None:
    path.symlink_to(other / NAME)


def link_to_nothing(path: Path, other: Path) -> None:
    path.symlink_to(other / "nothing")


def pipe(path: Path, other: Path) -> None:
    os.mkfifo(path)


def device(path: Path, other: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")


def folder(path: Path, other: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "what"),
    [(link_to_file, "link"), (link_to_nothing, "link"), (pipe, "pipe"), (device, "device"), (folder, "a folder")],
)
def test_what_is_no_file_is_neither_opened_nor_waited_for(
    tmp_path: Path, assignment: Assignment, text: str, make: Callable[[Path, Path], None], what: str
) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    (other / NAME).write_text(text)
    make(own / NAME, other)
    with pytest.raises(SubmissionError, match=what) as caught:
        read_folder(own, assignment)
    one_sentence(caught.value, tmp_path)
    (own / "mine.ipynb").write_text(text)
    _, findings = read_folder(own, assignment)
    assert kinds(findings) == {"unreadable file", "file name"}


def test_links_to_folders_are_not_followed(tmp_path: Path, assignment: Assignment, text: str) -> None:
    other = tmp_path / "other" / "tta-eta"
    other.mkdir(parents=True)
    (other / NAME).write_text(text)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "work").symlink_to(other)
    with pytest.raises(SubmissionError, match="no notebook"):
        read_folder(tmp_path / "own", assignment)
    (tmp_path / "whole").symlink_to(other)
    (tmp_path / "student").symlink_to(tmp_path / "other")
    for place in (tmp_path / "whole", tmp_path / "student" / "tta-eta"):
        with pytest.raises(SubmissionError, match="The folder is a link") as caught:
            read_folder(place, assignment)
        one_sentence(caught.value, tmp_path)


def test_file_that_becomes_a_link_before_it_is_opened_is_refused(
    tmp_path: Path, assignment: Assignment, text: str
) -> None:
    (tmp_path / NAME).write_text(text)
    (file,), _ = candidates(tmp_path, assignment)
    (tmp_path / NAME).rename(tmp_path / "elsewhere")
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SubmissionError, match="cannot be opened"):
        file.read()


def test_file_that_may_not_be_read_is_for_a_person(
    tmp_path: Path, assignment: Assignment, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    (tmp_path / NAME).write_text(text)
    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(Unreadable, match="cannot be opened .Permission denied.: check its permissions") as caught:
        read_folder(tmp_path, assignment)
    one_sentence(caught.value, tmp_path)


def test_what_this_machine_does_not_let_be_read_is_for_a_person(
    tmp_path: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(*_: object) -> None:
        raise Unreadable("tta-eta.ipynb cannot be opened (Permission denied): check its permissions.")

    monkeypatch.setattr(limited, "ask", deny)
    graded = grade_folder(assignment, tmp_path, "ada", Kernels(tmp_path, "none"), Options())
    assert graded.verdict.state == "needs review"
    assert {item.points for item in graded.verdict.items} == {None}


def test_folder_of_very_many_files_ends(
    tmp_path: Path, assignment: Assignment, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handin, "MAX_ENTRIES", 10)
    for number in range(20):
        (tmp_path / f"x{number}.txt").touch()
    (tmp_path / NAME).write_text(text)
    _, findings = read_folder(tmp_path, assignment)
    assert kinds(findings) == {"unreadable file"}


@pytest.fixture
def deep_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which folders are nested more deeply than Python functions can be."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("a", dir_fd=descriptor)
        inner = os.open("a", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    yield tmp_path
    subprocess.run(["rm", "-rf", str(tmp_path / "a")], check=True)  # pytest would stop with a RecursionError


def test_a_very_deep_folder_is_not_walked_through(deep_folder: Path, assignment: Assignment, text: str) -> None:
    (deep_folder / NAME).write_text(text)
    assert "nested more than 50 levels deep" in contents(deep_folder, "").trouble
    assert not read_folder(deep_folder, assignment)[1]


def zipped(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def tar_zipped(entries: dict[str, bytes]) -> bytes:
    return gzip.compress(tarred(entries))


@pytest.mark.parametrize(("pack", "ending"), [(zipped, "zip"), (tarred, "tar"), (tar_zipped, "tar.gz")])
@pytest.mark.parametrize("inside", [NAME, f"./{NAME}", f"work/{NAME}"])
def test_archives_are_read_in_memory(
    tmp_path: Path,
    assignment: Assignment,
    text: str,
    sources: list[str],
    pack: Callable[[dict[str, bytes]], bytes],
    ending: str,
    inside: str,
) -> None:
    entries = {f"__MACOSX/._{NAME}": b"x", "../../out.ipynb": b"{}", "/abs.ipynb": b"{}", inside: text.encode()}
    (tmp_path / f"tta-eta.{ending}").write_bytes(pack(entries))
    notebook, findings = read_folder(tmp_path, assignment)
    assert [c.source for c in notebook.cells] == sources
    assert not findings
    assert len(list(tmp_path.rglob("*"))) == 1


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT], ids=["pax", "GNU"])
def test_long_names_and_attributes_in_a_tar_file_are_read(
    tmp_path: Path, assignment: Assignment, text: str, sources: list[str], form: int
) -> None:
    stream = io.BytesIO()
    attributes = {"LIBARCHIVE.xattr.com.apple.quarantine": "MDA4Mw", "mtime": "1700000000.5"}
    with tarfile.open(fileobj=stream, mode="w", format=form, pax_headers={"comment": "a class"}) as archive:
        for title in (f"{'sehr lang/' * 20}Übung.txt", f"{'x' * 120}/{NAME}"):
            entry = tarfile.TarInfo(title)
            entry.size, entry.pax_headers = len(text.encode()), attributes
            archive.addfile(entry, io.BytesIO(text.encode()))
    (tmp_path / "a.tar").write_bytes(stream.getvalue())
    notebook, _ = read_folder(tmp_path, assignment)
    assert [c.source for c in notebook.cells] == sources


def test_archive_beside_a_notebook_is_left_alone(tmp_path: Path, assignment: Assignment, text: str) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 broken")
    (tmp_path / NAME).write_text(text)
    assert not read_folder(tmp_path, assignment)[1]


def marked(local: int, central: int, value: int) -> bytes:
    """A zip with a byte of the headers of its only member set."""
    content = bytearray(zipped({NAME: b"{}"}))
    content[content.index(b"PK\x03\x04") + local] = value
    content[content.index(b"PK\x01\x02") + central] = value
    return bytes(content)


def locked_by_aes() -> bytes:
    content = bytearray(marked(6, 8, 1))
    content[content.index(b"PK\x01\x02") + 10] = 99
    return bytes(content)


def linked(kind: bytes, target: str) -> bytes:
    entry = tarfile.TarInfo(NAME)
    entry.type, entry.linkname = kind, target
    return gzip.compress(entry.tobuf() + bytes(1024))


def linked_zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        entry = zipfile.ZipInfo(NAME)
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return stream.getvalue()


def of_eight_terabytes() -> bytes:
    header = tarfile.TarInfo(NAME)
    header.size = 8 * 2**40
    return gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1024))


def compressed_by(method: int) -> bytes:
    """A zip of a few hundred bytes with a member of 20 MB."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive, archive.open(NAME, "w") as member:
        for _ in range(20):
            member.write(b" " * 1_000_000)
    return stream.getvalue()


def with_header(kind: bytes, content: bytes, packed: bool = True) -> bytes:
    """A tar file with a notebook behind an extended header."""
    header = tarfile.TarInfo("header")
    header.type, header.size = kind, len(content)
    extension = header.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)
    whole = extension + tarred({NAME: b"{}"})
    return gzip.compress(whole) if packed else whole


RECORDS = b"18 kkkkkkkk=vvvvv\n" * 200_000

ARCHIVES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "no notebook": ("a.zip", lambda: zipped({"x.txt": b""}), "no notebook in a.zip"),
    "only a link": ("a.zip", lambda: zipped({"x/b.url": b""}), r"such as x/b.url \(a link, not the notebook itself\)"),
    "only a web page": ("a.tgz", lambda: tar_zipped({"b.html": b""}), r"such as b.html \(a web page\): submit"),
    "a rare archive in an archive": (
        "a.zip",
        lambda: zipped({"b.rar": b""}),
        r"such as b.rar \(an archive of an unsupported",
    ),
    "archive in an archive": (
        "a.zip",
        lambda: zipped({"b.zip": zipped({NAME: b"{}"})}),
        "contains another archive, b.zip",
    ),
    "archive in an archive, tar": ("a.tgz", lambda: tar_zipped({"x/b.tar": b""}), "contains another archive, x/b.tar"),
    "only paths that lead out": ("a.zip", lambda: zipped({f"../{NAME}": b"{}"}), "no notebook in a.zip"),
    "bomb": ("a.zip", lambda: zipped({NAME: bytes(2_000_000)}), "larger than 1 MB"),
    "bomb, tar": ("a.tar.gz", lambda: tar_zipped({NAME: bytes(2_000_000)}), "larger than 1 MB"),
    "bomb before it": ("a.tgz", lambda: tar_zipped({"x": bytes(4_000_000), NAME: b"{}"}), "too many files or"),
    "size that is a lie": ("a.tgz", of_eight_terabytes, "cannot be opened|larger|too much data"),
    "many members": ("a.zip", lambda: zipped({f"{n}.txt": b"" for n in range(60)}), "too many files or"),
    "many, tar": ("a.tgz", lambda: tar_zipped({f"{n}.txt": b"" for n in range(60)}), "too many files or"),
    "locked": ("a.zip", lambda: marked(6, 8, 1), "is password-protected"),
    "locked in another way": ("a.zip", locked_by_aes, "is password-protected"),
    "unknown method": ("a.zip", lambda: marked(8, 10, 97), "method that is not supported .number 97."),
    "bzip2": ("a.zip", lambda: compressed_by(zipfile.ZIP_BZIP2), "method that is not supported .bzip2."),
    "LZMA": ("a.zip", lambda: compressed_by(zipfile.ZIP_LZMA), "method that is not supported .LZMA."),
    "large pax header": ("a.tgz", lambda: with_header(b"x", RECORDS), "too many files or"),
    "large pax header, plain": ("a.tar", lambda: with_header(b"x", RECORDS, packed=False), "too many files or"),
    "large global header": ("a.tgz", lambda: with_header(b"g", RECORDS), "too many files or"),
    "large Solaris header": ("a.tgz", lambda: with_header(b"X", RECORDS), "too many files or"),
    "long name": ("a.tgz", lambda: with_header(b"L", b"a/" * 1_000_000), "too many files or"),
    "long link": ("a.tgz", lambda: with_header(b"K", b"a/" * 1_000_000), "too many files or"),
    "negative size": ("a.tgz", lambda: with_header(b"x", b"12 size=-99\n"), "cannot be opened"),
    "size that is none": ("a.tgz", lambda: with_header(b"x", b"11 size=abc\n"), "cannot be opened"),
    "sparse": ("a.tgz", lambda: with_header(b"x", b"23 GNU.sparse.size=999\n"), "cannot be opened"),
    "records without an end": ("a.tgz", lambda: with_header(b"x", b"0 a=b\n" * 9), "no cells"),
    "wrong sum": ("a.zip", lambda: marked(14, 16, 7), "cannot be opened"),
    "link": ("a.tar.gz", lambda: linked(tarfile.SYMTYPE, "/etc/passwd"), "no notebook in a.tar.gz"),
    "hard link": ("a.tar.gz", lambda: linked(tarfile.LNKTYPE, "../other"), "no notebook in a.tar.gz"),
    "device": ("a.tar.gz", lambda: linked(tarfile.CHRTYPE, ""), "no notebook in a.tar.gz"),
    "link in a zip": ("a.zip", linked_zip, "no notebook in a.zip"),
    "half": ("a.zip", lambda: zipped({NAME: b"{}" * 500})[:-30], "cannot be opened"),
    "half, tar": ("a.tar.gz", lambda: tar_zipped({NAME: os.urandom(5_000)})[:2_000], "cannot be opened"),
    "empty": ("a.zip", lambda: b"", "cannot be opened"),
    "text": ("a.zip", lambda: b"hello", "cannot be opened"),
    "terminal codes": ("a\x1b[2J.zip", lambda: b"hello", "cannot be opened"),
}


@pytest.mark.parametrize(("name", "make", "sentence"), ARCHIVES.values(), ids=ARCHIVES)
def test_archive_that_cannot_be_used_is_refused_in_a_sentence(
    tmp_path: Path,
    assignment: Assignment,
    name: str,
    make: Callable[[], bytes],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handin, "LARGEST", 1_000_000)
    monkeypatch.setattr(archives, "UNPACKED", 3_000_000)
    monkeypatch.setattr(archives, "MAX_MEMBERS", 50)
    (tmp_path / name).write_bytes(make())
    with pytest.raises(SubmissionError, match=sentence) as caught:
        read_folder(tmp_path, assignment)
    one_sentence(caught.value, tmp_path)


def test_what_cannot_be_read_gets_a_verdict_that_says_why(tmp_path: Path, assignment: Assignment) -> None:
    (tmp_path / NAME).write_text("{")
    verdict = grade_folder(assignment, tmp_path, "s", None, Options()).verdict  # type: ignore[arg-type]
    assert verdict.state == "failed to run"
    assert "is incomplete" in verdict.reason
    assert {item.message for item in verdict.items} == {verdict.reason}


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ((), ""),
        (("notes.txt", ".hidden.ipynb", "folder.ipynb/x.ipynb"), ""),
        (
            ("doe_11_990017_tta-eta.ipynb",),
            r"1 notebook is not in a student's folder and was not graded \(doe_11_990017_tta-eta.ipynb\): move it to "
            r".*submitted/<student>/tta-eta, for example doe_11_990017_tta-eta.ipynb to .*submitted/doe/tta-eta\.",
        ),
        (("roe_LATE_11_9_x.ipynb",), r"roe_LATE_11_9_x.ipynb to .*submitted/roe/tta-eta\."),
        (
            tuple(f"{n}.ipynb" for n in range(5)),
            r"5 notebooks are .* \(0.ipynb, 1.ipynb, 2.ipynb, …\): move each to .*<student>/tta-eta\.",
        ),
        (("a\x1b[31m.ipynb",), r"a\\x1b\[31m.ipynb"),
    ],
    ids=range(6),
)
def test_notebooks_beside_the_students_folders_are_named(
    tmp_path: Path, assignment: Assignment, names: tuple[str, ...], sentence: str
) -> None:
    submitted = tmp_path / "submitted"
    for name in ("ada/tta-eta/tta-eta.ipynb", *names):
        (submitted / name).parent.mkdir(parents=True, exist_ok=True)
        (submitted / name).write_text("{}")
    assert "ada" in students(submitted, assignment)
    said = loose_notebooks(submitted, assignment)
    assert re.search(sentence, said) if sentence else not said
    assert said.isprintable()


def test_a_class_of_loose_notebooks_is_told_where_they_belong(tmp_path: Path, assignment: Assignment) -> None:
    (tmp_path / "doe_11_990017_tta-eta.ipynb").write_text("{}")
    with pytest.raises(AutograderError, match="1 notebook is not in a student's folder"):
        students(tmp_path, assignment)
