"""The real lab, on a notebook that takes no time: what is written, printed and said when a cell fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from rich.console import Console

from autograder.assignment import dataset
from autograder.assignment.course import Course
from autograder.assignment.settings import Assignment
from autograder.assignment.source import dumps, read, source_path
from autograder.commands import run_lab as lab
from autograder.commands.run_lab import run_lab, section_titles
from autograder.errors import AutograderError, DataError
from tests.places import COURSE

ASSIGNMENT = Assignment.load("tta-eta")
LISTS = """
from pathlib import Path
times = [len(list(Path("data").glob("*.npy"))), 2.5]
metrics_vs_lr = [
    {"learning_rate": lr, "epochs": epochs, "train_time": seconds, "total_energy": None, "test_accuracy": 0.75}
    for lr, epochs, seconds in zip([0.01, 1.0], [3, 500], times)
]
metrics_vs_bs = [{"batch_size": 64, "epochs": 3, "train_time": 1.5, "total_energy": 20.4, "test_accuracy": 0.9}]
"""
FIGURE = "import matplotlib.pyplot as plt\nplt.bar(['a', 'b'], [1, 2])\nplt.show()"


def write_source(root: Path, *code: str) -> None:
    shutil.copytree(COURSE / "source" / "tta-eta", root / "source" / "tta-eta", ignore=lambda *_: ["tta-eta.ipynb"])
    cells = [new_markdown_cell("## 8. The loop (task, 3 points)"), *map(new_code_cell, code)]
    source_path(ASSIGNMENT.at(Course(root))).write_text(dumps(new_notebook(cells=cells)), encoding="utf-8")


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "arrays"
    folder.mkdir()
    (folder / "one.npy").touch()
    monkeypatch.setattr(dataset, "load", lambda folder, names: None)
    return folder


def test_a_run_leaves_the_notebook_its_page_and_tables(tmp_path: Path, data_folder: Path) -> None:
    write_source(tmp_path, LISTS, FIGURE)
    console = Console(record=True, width=100, force_terminal=False)
    rows = run_lab(ASSIGNMENT.at(Course(tmp_path)), data_folder, tmp_path / "lab", console)
    assert [row["train_time"] for row in rows["metrics_vs_lr"]] == [1, 2.5]
    executed = read(tmp_path / "lab" / "tta-eta.ipynb")
    assert [cell.source for cell in executed.cells[1:]] == [LISTS, FIGURE]
    assert "image/png" in executed.cells[2].outputs[0].data
    assert "data:image/png;base64," in (tmp_path / "lab" / "tta-eta.html").read_text(encoding="utf-8")
    printed = console.export_text()
    assert "500 (not reached)" in printed
    assert "could not be measured" in printed
    assert "20" in printed


def test_a_cell_that_fails_is_named_by_its_section(tmp_path: Path, data_folder: Path) -> None:
    write_source(tmp_path, "1 / 0")
    with pytest.raises(AutograderError, match=r"raised ZeroDivisionError in section '8\. The loop': division by zero"):
        run_lab(ASSIGNMENT.at(Course(tmp_path)), data_folder, tmp_path / "lab", Console(quiet=True))
    assert not (tmp_path / "lab").exists()


def test_data_that_cannot_be_used_stops_the_run_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path, names: object) -> None:
        raise DataError("There is no data.")

    monkeypatch.setattr(lab.dataset, "load", refuse)
    with pytest.raises(DataError, match="no data"):
        run_lab(ASSIGNMENT, tmp_path, tmp_path / "lab", console=Console(quiet=True))


def test_sections_are_named_by_their_headings() -> None:
    titles = section_titles(read(source_path(ASSIGNMENT)))
    named = [title for title in dict.fromkeys(titles) if title[:1].isdigit()]
    assert [title.split(".")[0] for title in named] == [str(number) for number in range(1, 15)]
    assert "8. Loop over the learning rate" in named
