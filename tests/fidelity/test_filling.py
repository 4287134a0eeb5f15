"""Tests of filling descriptions into the release: places, transforms, files and errors."""

from __future__ import annotations

import json

import nbformat
import pytest

from autograder.errors import SubmissionError
from samples.filling import TRANSFORMS, fill, parse_description, write_submission

from .build import RELEASE

HEADER = '# /// submission\n# title = "A title"\n{}# ///\n\n'


@pytest.fixture
def release():
    return nbformat.read(RELEASE, as_version=4)


def described(body: str = "", header: str = ""):
    return parse_description(HEADER.format(header) + body, "student")


def sources(notebook):
    return [cell.source for cell in notebook.cells]


def ids(notebook):
    return [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]


def test_nothing_described_leaves_the_release(release):
    assert fill(release, described()) == release


def test_a_solution_replaces_the_stub_and_nothing_else(release):
    filled = fill(release, described("# %% data-details\nn_tr = 1\n"))
    changed = [place for place, (a, b) in enumerate(zip(sources(release), sources(filled), strict=True)) if a != b]
    assert [ids(release)[place] for place in changed] == ["data-details"]
    assert filled.cells[changed[0]].source == "n_tr = 1"
    assert "NotImplementedError" in release.cells[changed[0]].source


def test_a_comment_is_markdown(release):
    filled = fill(release, described("# %% lr-comment [markdown]\n# First line,\n# second line.\n"))
    assert "First line,\nsecond line." in sources(filled)


def test_inserted_cells_stand_beside_their_anchor(release):
    body = '# %% look after="callback"\nx = 1\n\n# %% note [markdown] before="callback"\n# A note\n'
    filled = fill(release, described(body))
    place = ids(filled).index("callback")
    assert (filled.cells[place - 1].source, filled.cells[place + 1].source) == ("A note", "x = 1")
    assert filled.cells[place - 1].cell_type == "markdown"
    nbformat.validate(filled)


def test_magics_are_uncommented(release):
    filled = fill(release, described("# %% lr-loop\n# %%time\nmetrics_vs_lr = []\n"))
    assert "%%time\nmetrics_vs_lr = []" in sources(filled)


def test_cells_change_places(release):
    filled = fill(release, described(header='# order = ["bs-loop", "lr-loop"]\n'))
    before, after = ids(release), ids(filled)
    assert after.index("bs-loop") == before.index("lr-loop")
    assert after.index("lr-loop") == before.index("bs-loop")


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_transform_gives_a_valid_notebook(release, name):
    filled = fill(release, described("# %% data-details\nn_tr = 1\n", f'# transforms = ["{name}"]\n'))
    nbformat.validate(filled)
    assert filled != fill(release, described("# %% data-details\nn_tr = 1\n"))
    assert "n_tr = 1" in sources(filled)


def test_a_hosted_service_leaves_nothing_of_nbgrader(release):
    filled = fill(release, described(header='# transforms = ["hosted notebook"]\n'))
    assert "nbgrader" not in nbformat.writes(filled)
    assert not any("id" in cell for cell in filled.cells)


@pytest.mark.parametrize(
    ("file", "name", "sign"),
    [
        ("notebook", "work.ipynb", '"nbformat": 4'),
        ("percent script", "work.py", "# %%"),
        ("plain script", "work.py", "# In[ ]:"),
    ],
)
def test_the_file_handed_in(release, tmp_path, file, name, sign):
    description = described("# %% data-details\nn_tr = 1\n", f'# file = "{file}"\n')
    path = write_submission(fill(release, description), description, tmp_path / "student", "work")
    assert path == tmp_path / "student" / name
    text = path.read_text(encoding="utf-8")
    assert sign in text
    assert "n_tr = 1" in text
    if file == "notebook":
        json.loads(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\n", "begins with a block"),
        (HEADER.format("# colour = 1\n"), "is invalid"),
        (HEADER.format("# file =\n"), "is invalid"),
        (HEADER.format("") + "# %%\nx = 1\n", "no title"),
        (HEADER.format("") + "# %% callback\nx = 1\n\n# %% callback\nx = 2\n", "the same one as another"),
    ],
)
def test_a_description_that_is_refused(text, reason):
    with pytest.raises(SubmissionError, match=reason):
        parse_description(text, "student")


@pytest.mark.parametrize(
    ("body", "header", "reason"),
    [
        ("# %% no-such-cell\nx = 1\n", "", "no solution cell no-such-cell"),
        ('# %% look after="lr-metrics"\nx = 1\n', "", "no solution cell lr-metrics"),
        ("", '# order = ["nowhere"]\n', "no cell nowhere"),
        ("", '# transforms = ["burnt"]\n', "unknown transform 'burnt'"),
    ],
)
def test_a_description_that_does_not_fit_the_release(release, body, header, reason):
    with pytest.raises(SubmissionError, match=reason):
        fill(release, described(body, header))
