"""The turn of a term: all is kept, nothing is written over, and the next run finds an empty gradebook."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.cli import app
from autograder.commands import new_term as terms
from autograder.errors import AutograderError
from autograder.results import lock


@pytest.fixture(autouse=True)
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the results and submissions of a term."""
    monkeypatch.chdir(tmp_path)
    for name in ("graded/gradebook.db", "graded/tta-eta/ada/verdict.json", "submitted/ada/tta-eta/tta-eta.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def turn(term: str, out: str = "graded", submitted: str = "submitted") -> list[str]:
    return terms.new_term(term, Path(out), Path(submitted))


def everything(folder: Path = Path()) -> dict[str, str]:
    return {str(path): path.read_text() for path in folder.rglob("*") if path.is_file() and path.name[0] != "."}


def test_the_old_term_is_kept_whole_and_the_new_one_is_empty() -> None:
    Path("terms").mkdir()
    Path("terms/current.txt").write_text("2026-fall\n")
    before = everything()
    sentences = turn("2027-spring")
    del before["terms/current.txt"]
    kept = {f"terms/2026-fall/{path}": text for path, text in before.items()}
    assert everything() == kept | {"terms/current.txt": "2027-spring\n"}
    assert not Path("graded").exists()
    assert not Path("submitted").exists()
    assert sentences[:2] == [
        "Moved graded to terms/2026-fall/graded.",
        "Moved submitted to terms/2026-fall/submitted.",
    ]


def test_terms_follow_each_other() -> None:
    turn("2026-fall")
    (first,) = (path.name for path in Path("terms").iterdir() if path.is_dir())
    assert first[:2] == "20", "a term that was never named is kept under the day"
    Path("graded").mkdir()
    turn("2027-spring")
    assert Path("terms/2026-fall/graded").is_dir()
    assert not Path("terms/2026-fall/submitted").exists()


def test_a_first_term_can_be_named_before_anything_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path / "new")
    assert turn("2026-fall")[0] == "There was nothing to move."
    assert everything() == {"terms/current.txt": "2026-fall\n"}


def test_results_and_submissions_may_lie_anywhere(course: Path) -> None:
    Path("a").mkdir()
    Path("graded").rename("a/same")
    Path("b").mkdir()
    Path("submitted").rename("b/same")
    turn("next", "a/same", "b/same")
    assert len(list(Path("terms").glob("*/graded/gradebook.db"))) == 1
    assert len(list(Path("terms").glob("*/submitted/ada"))) == 1


def test_nothing_of_it_gets_into_the_repository() -> None:
    turn("2026-fall")
    assert Path("terms/.gitignore").read_text() == "*\n"


@pytest.mark.parametrize("name", ["a/b", "../x", "..", ".", "", "/tmp/x", ".hidden", "a b", "a\\b", "x" * 65, "a\n"])
def test_a_name_is_a_name_and_no_path(name: str) -> None:
    before = everything()
    with pytest.raises(AutograderError, match="is not a valid term name"):
        turn(name)
    assert everything() == before


@pytest.mark.parametrize("held", ["", "../../elsewhere", "a b"])
def test_the_old_name_is_a_name_too(held: str) -> None:
    Path("terms").mkdir()
    Path("terms/current.txt").write_text(held)
    with pytest.raises(AutograderError, match="does not contain the name of a term"):
        turn("2027-spring")


def test_nothing_is_written_over() -> None:
    Path("terms/2026-fall/graded").mkdir(parents=True)
    Path("terms/current.txt").write_text("2026-fall")
    before = everything()
    with pytest.raises(AutograderError, match="terms/2026-fall already exists"):
        turn("2027-spring")
    with pytest.raises(AutograderError, match="The term 2026-fall already exists"):
        turn("2026-fall")
    Path("terms/current.txt").write_text("2026-summer")
    with pytest.raises(AutograderError, match="The term 2026-fall already exists"):
        turn("2026-fall")
    Path("terms/current.txt").write_text("2026-fall")
    assert everything() == before


def test_a_run_that_grades_is_not_disturbed() -> None:
    before = everything()
    with Path("graded", lock.LOCK).open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(AutograderError, match="is writing to graded"):
            turn("2027-spring")
    assert everything() == before
    turn("2027-spring")


def test_what_cannot_be_moved_whole_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything()
    rename = Path.rename

    def other_disk(self: Path, target: Path) -> Path:
        if self.name == "submitted" and "terms" in str(target):
            raise OSError(18, os.strerror(18))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", other_disk)
    with pytest.raises(AutograderError, match="submitted cannot be moved .*nothing was moved"):
        turn("2027-spring")
    assert everything() == before


def test_the_command_says_what_it_did_and_what_it_will_not_do() -> None:
    call = CliRunner().invoke
    done = call(app, ["new-term", "2027-spring"])
    assert done.exit_code == 0
    assert "Moved submitted to terms/" in done.output
    refused = call(app, ["new-term", "--", "a/b"])
    assert refused.exit_code == 2
    assert "'a/b' is not a valid term name" in refused.output
