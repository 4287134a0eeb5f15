"""Submissions are read and repaired, whatever happened to them on the way."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.errors import SubmissionError
from autograder.submission import EXTRA, GIVEN, find_file, prepare, read_notebook, task_of


def copy(notebook: NotebookNode) -> NotebookNode:
    return nbformat.from_dict(json.loads(json.dumps(notebook)))


def cell(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


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
    assert [finding.kind for finding in submission.findings] == ["given cell changed"]


def test_missing_given_cell_is_put_back_in_its_place(assignment: Assignment, release: NotebookNode) -> None:
    shortened = copy(release)
    shortened.cells = [c for c in shortened.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "model"]
    submission = prepare("s", shortened, release, assignment)
    order = [c.metadata.get("nbgrader", {}).get("grade_id") for c in submission.notebook.cells]
    assert order.index("data-details") < order.index("model") < order.index("callback")


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
    assert [r for r in roles if r not in (GIVEN, EXTRA)] == list(assignment.cells)


@pytest.mark.parametrize("source", ["", "def (", "%%bash\nls", "print(1)", "!pip install zeus"])
def test_other_code_is_no_task(source: str) -> None:
    assert task_of(source) is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00", "is not a text file"),
        (b"Dear teacher, I am sorry.", "cannot be read as a notebook"),
        (b'{"cells": []}', "holds no cells"),
    ],
)
def test_what_is_no_notebook_is_refused_in_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "tta-eta.ipynb"
    path.write_bytes(content)
    with pytest.raises(SubmissionError, match=sentence):
        read_notebook(path)


def test_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path, release: NotebookNode) -> None:
    path = tmp_path / "tta-eta.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + nbformat.writes(release).replace("\n", "\r\n").encode())
    assert len(read_notebook(path).cells) == len(release.cells)


def test_wrong_name_and_several_files_are_findings(tmp_path: Path, assignment: Assignment) -> None:
    (tmp_path / "TTA ETA (1).ipynb").write_text("{}")
    (tmp_path / "other.ipynb").write_text("{}")
    _, findings = find_file(tmp_path, assignment)
    assert {finding.kind for finding in findings} == {"file name", "several files"}


def test_empty_folder_is_said_to_be_empty(tmp_path: Path, assignment: Assignment) -> None:
    with pytest.raises(SubmissionError, match="no notebook in the folder"):
        find_file(tmp_path, assignment)
