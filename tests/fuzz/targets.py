"""What is fuzzed: each target takes bytes, and raises an error where the kit would fail on them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat

from autograder.assignment.settings import Assignment
from autograder.errors import SubmissionError
from autograder.reporting import markdown
from autograder.submission import archives, parsing
from autograder.submission.prepare import load_release, prepare
from tests.reporting.test_markdown import HOSTILE, Alive

FOUND = Path(__file__).resolve().parent / "found"
MAX_READ = 1_000_000
ASSIGNMENT = Assignment.load("tta-eta")
RELEASE = load_release(ASSIGNMENT)


class _File:
    """Takes the place of a submitted file."""

    def __init__(self, content: bytes, title: str) -> None:
        self.content, self.name, self.title = content, title, title

    def read(self) -> bytes:
        return self.content


def read_archive(content: bytes) -> None:
    """List an archive and read what is in it; no name leads out of it."""
    try:
        for name in archives.names(io.BytesIO(content), "x.zip")[:20]:
            assert not Path(name).is_absolute()
            assert ".." not in Path(name).parts
            assert len(archives.read(io.BytesIO(content), "x.zip", name, MAX_READ)) <= MAX_READ
    except SubmissionError:
        pass


def read_notebook(content: bytes) -> None:
    """Read a notebook, or a script where the first byte is even, and repair it; what comes of it is valid."""
    title = "x.ipynb" if not content or content[0] % 2 else "x.py"
    try:
        notebook = parsing.read(_File(content, title)).notebook  # type: ignore[arg-type]
    except SubmissionError:
        return
    nbformat.validate(notebook)
    prepare("ada", notebook, RELEASE, ASSIGNMENT)


def render_markdown(content: bytes) -> None:
    """Render a text: nothing in it lives on a page."""
    html = markdown.Renderer().render(content.decode("utf-8", "replace"))
    found = Alive(html).found
    assert not found, found


TARGETS: dict[str, Callable[[bytes], None]] = {
    "archive": read_archive,
    "notebook": read_notebook,
    "markdown": render_markdown,
}


def make_seeds(target: str) -> Iterator[bytes]:
    """Yield inputs from which others are made."""
    match target:
        case "archive":
            yield from _make_archives()
        case "notebook":
            yield nbformat.writes(RELEASE).encode()
            cells = [nbformat.v4.new_code_cell("x = 1"), nbformat.v4.new_markdown_cell("Text", attachments={})]
            small = nbformat.writes(nbformat.v4.new_notebook(cells=cells))
            yield from (small.encode(), small.encode("utf-16"), small.encode("latin-1"), small.encode()[:-20])
            yield small.replace('"cells"', '"worksheets": [{"cells": []}], "cells"').encode()
            yield b"# %%\nx = 1\n\n# %% [markdown]\n# Text\n"
            yield b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n"
        case "markdown":
            yield from (text.encode() for text in HOSTILE)


def _make_archives() -> Iterator[bytes]:
    content = b'{"cells": []}'
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(stream := io.BytesIO(), "w", method) as archive:
            archive.writestr("folder/tta-eta.ipynb", content)
            archive.writestr("../x.ipynb", content)
        yield stream.getvalue()
    for kind, mode in ((tarfile.PAX_FORMAT, "w"), (tarfile.GNU_FORMAT, "w"), (tarfile.USTAR_FORMAT, "w:gz")):
        with tarfile.open(fileobj=(stream := io.BytesIO()), mode=mode, format=kind) as archive:
            for name in ("tta-eta.ipynb", "ä" * (60 if kind != tarfile.USTAR_FORMAT else 20)):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        yield stream.getvalue()
