"""The picture of the imports: drawn right, and as the code is."""

from __future__ import annotations

from pathlib import Path

from docs.draw_imports import PICTURE, draw, needed_arrows, read_imports, rows_of
from tests.places import ROOT


def test_the_committed_picture_is_current() -> None:
    assert PICTURE.read_text(encoding="utf-8") == draw(read_imports(ROOT / "autograder")), "run `make architecture`"


def test_architecture_names_every_package() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for box in read_imports(ROOT / "autograder"):
        assert f"`{box}" in page, box


def test_imports_are_read_as_python_resolves_them(tmp_path: Path) -> None:
    sources = {
        "__init__.py": "",
        "cli.py": "from autograder import top\nfrom autograder.commands import show",
        "top/__init__.py": "from ..commands.show import run",
        "top/late.py": "def f():\n    from . import other\n    from ..base import thing",
        "top/typed.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..execution import never",
        "commands/__init__.py": "import numpy\nimport autograder.errors",
        "commands/show.py": "import autograder.execution.runtime.session",
        "execution/__init__.py": "from .runtime import session",
        "execution/runtime/session.py": "",
        "base/__init__.py": "",
        "errors.py": "",
    }
    for name, text in sources.items():
        path = tmp_path / "autograder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    graph = read_imports(tmp_path / "autograder")
    assert graph == {
        "cli": {"top", "commands"},
        "top": {"commands", "base"},
        "commands": {"execution.runtime"},
        "execution": {"execution.runtime"},
        "execution.runtime": set(),
        "base": set(),
    }


def test_arrows_that_follow_from_others_are_left_out_and_circles_are_marked() -> None:
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert needed_arrows(graph) == [("a", "b"), ("b", "c")]
    assert rows_of(graph) == [["a"], ["b"], ["c"]]
    assert 'class="circle"' not in draw(graph)
    graph = {"a": {"b"}, "b": {"a", "c"}, "c": set()}
    assert needed_arrows(graph) == [("a", "b"), ("b", "a"), ("b", "c")]
    assert rows_of(graph) == [["a", "b"], ["c"]]
    assert draw(graph).count('class="circle"') == 2
