"""Faults of what was submitted, from files that are no notebooks to archives that grow without end."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from nbformat.validator import normalize
from nbgrader.utils import is_locked

from autograder.assignment.settings import Assignment
from autograder.common.cells import cells_by_id
from autograder.submission.prepare import load_release

from .row import FULL, FileRow

NAME = "tta-eta.ipynb"


def _unreadable(folder: Path) -> bool:
    """Whether the usual way of reading the file, by its name, fails."""
    try:
        nbformat.read(folder / NAME, as_version=4)
    except Exception:
        return True
    return False


def _written(change: Callable[[str], str | bytes], name: str = NAME) -> Callable[[Path, str], None]:
    def make(folder: Path, text: str) -> None:
        changed = change(text)
        (folder / name).write_bytes(changed if isinstance(changed, bytes) else changed.encode("utf-8"))

    return make


def _changed(change: Callable[[dict], None]) -> Callable[[Path, str], None]:  # type: ignore[type-arg]
    def edit(text: str) -> str:
        document = json.loads(text)
        change(document)
        return json.dumps(document)

    return _written(edit)


def _zip(folder: Path, name: str, entries: dict[str, bytes]) -> None:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, data in entries.items():
            archive.writestr(entry, data)


def _bomb(folder: Path, text: str) -> None:
    _zip(folder, "tta-eta.zip", {NAME: bytes(300_000_000)})


def _bomb_of_bzip2(folder: Path, text: str) -> None:
    with zipfile.ZipFile(folder / "tta-eta.zip", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr(NAME, b" " * 300_000_000)


def _large_header(folder: Path, text: str) -> None:
    with tarfile.open(folder / "tta-eta.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo(NAME)
        entry.size, entry.pax_headers = len(text.encode()), {"comment": "x" * 50_000_000}
        archive.addfile(entry, io.BytesIO(text.encode()))


def _untouched_beside(folder: Path, text: str) -> None:
    (folder / "tta-eta (1).ipynb").write_text(text, encoding="utf-8")
    (folder / NAME).write_text(nbformat.writes(load_release(Assignment.load("tta-eta"))), encoding="utf-8")


def _traversal(folder: Path, text: str) -> None:
    _zip(folder, "tta-eta.zip", {"../../escaped.txt": b"x", NAME: text.encode()})


def _tar_link(folder: Path, text: str) -> None:
    with tarfile.open(folder / "tta-eta.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo(NAME)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)


def _outputs(document: dict) -> None:  # type: ignore[type-arg]
    cell = next(cell for cell in document["cells"] if cell["cell_type"] == "code")
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 60_000_000}]


def _version_three(text: str) -> str:
    return str(nbformat.writes(nbformat.convert(nbformat.reads(text, as_version=4), 3), version=3))


def _conflict(text: str) -> str:
    lines = text.splitlines()
    middle = len(lines) // 2
    return "\n".join(
        [*lines[:middle], "<<<<<<< HEAD", lines[middle], "=======", lines[middle], ">>>>>>> mine", *lines[middle + 1 :]]
    )


def _other_kernel(document: dict) -> None:  # type: ignore[type-arg]
    document["metadata"] = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}


def _without_ids(document: dict) -> None:  # type: ignore[type-arg]
    for cell in document["cells"]:
        cell.pop("id", None)
        cell["metadata"] = {}


def _same_ids(document: dict) -> None:  # type: ignore[type-arg]
    for cell in document["cells"]:
        cell["id"] = "same"


def _edited_check(document: dict) -> None:  # type: ignore[type-arg]
    for cell in document["cells"]:
        details = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and details.get("locked"):
            cell["source"] = "assert True"


def _links_out(folder: Path, text: str) -> None:
    target = folder.parent / "somebody-elses.ipynb"
    target.write_text(text, encoding="utf-8")
    (folder / NAME).symlink_to(target)


def _pipe(folder: Path, text: str) -> None:
    os.mkfifo(folder / NAME)


def _folder(folder: Path, text: str) -> None:
    (folder / NAME).mkdir()


def _two(folder: Path, text: str) -> None:
    (folder / "tta-eta (1).ipynb").write_text("{}", encoding="utf-8")
    (folder / NAME).write_text(text, encoding="utf-8")
    os.utime(folder / NAME, (0, 0))


def _plain_reader_follows(folder: Path) -> bool:
    """Whether a plain reader gets what lies elsewhere."""
    return (folder / NAME).resolve().parent != folder.resolve() and not _unreadable(folder)


def _extracts(folder: Path) -> bool:
    """Whether the archive holds what a plain extraction would put elsewhere, or more than is good."""
    archive = next(folder.glob("tta-eta.*"))
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as opened:
            return any(entry.filename.startswith("..") or entry.file_size > 2 * 10**8 for entry in opened.infolist())
    with tarfile.open(archive) as opened_tar:
        return any(member.issym() or len(str(member.pax_headers)) > 10**7 for member in opened_tar)


def _is_as_released(folder: Path) -> bool:
    """Whether the file of the right name holds nothing of the student's."""
    return (folder / NAME).read_text(encoding="utf-8") == nbformat.writes(load_release(Assignment.load("tta-eta")))


def _read_as_changed(folder: Path) -> bool:
    """Whether a plain reader takes given cells as they are in the file, other than they were given."""
    release = cells_by_id(load_release(Assignment.load("tta-eta")))
    found = cells_by_id(nbformat.read(folder / NAME, as_version=4))
    return any(is_locked(cell) and found[name].source != cell.source for name, cell in release.items())


def _keeps_outputs(folder: Path) -> bool:
    """Whether a plain reader carries all the outputs along."""
    return len(nbformat.writes(nbformat.read(folder / NAME, as_version=4))) > 5 * 10**7


def _no_such_name(folder: Path) -> bool:
    return not (folder / NAME).exists()


def _blocks(folder: Path) -> bool:
    """Whether a plain reader would wait for ever."""
    try:
        os.close(os.open(folder / NAME, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return True
    return False


def _has_no_tasks(folder: Path) -> bool:
    """Whether nothing is found by the names of the tasks."""
    return not cells_by_id(nbformat.read(folder / NAME, as_version=4))


def _has_no_cells(folder: Path) -> bool:
    """Whether there is nothing where today's notebooks have their cells."""
    return "cells" not in json.loads((folder / NAME).read_bytes())


def _wants_a_missing_kernel(folder: Path) -> bool:
    """Whether the usual way of running it finds no kernel."""
    notebook = nbformat.read(folder / NAME, as_version=4)
    try:
        KernelSpecManager().get_kernel_spec(notebook.metadata.kernelspec.name)
    except NoSuchKernel:
        return True
    return False


def _newest_is_the_wrong_one(folder: Path) -> bool:
    return max(folder.iterdir(), key=lambda path: path.stat().st_mtime).name != NAME


def _has_to_be_mended(folder: Path) -> bool:
    """Whether the format's own rules are broken, so that a reader must change the notebook to make it valid."""
    changes, _ = normalize(json.loads((folder / NAME).read_bytes()))
    return changes > 0


def _deep(text: str) -> str:
    return "[" * 200_000


def _utf16(text: str) -> bytes:
    return text.encode("utf-16")


NOTHING = 0

ROWS = [
    FileRow("no-file", "an empty folder", lambda folder, text: None, _no_such_name, NOTHING, "no notebook"),
    FileRow("empty-file", "an empty file", _written(lambda text: ""), _unreadable, NOTHING, "."),
    FileRow(
        "truncated", "half of a notebook", _written(lambda text: text[: len(text) // 2]), _unreadable, NOTHING, "."
    ),
    FileRow("merge-conflict", "marks of a merge conflict", _written(_conflict), _unreadable, NOTHING, "conflict"),
    FileRow(
        "byte-order-mark", "a byte order mark", _written(lambda text: b"\xef\xbb\xbf" + text.encode()), _unreadable
    ),
    FileRow(
        "windows-lines",
        "Windows line ends, in the file and in the cells",
        _written(lambda text: text.replace("\\n", "\\r\\n").replace("\n", "\r\n")),
        _read_as_changed,
    ),
    FileRow("utf-16", "UTF-16", _written(_utf16), _unreadable),
    FileRow("deep-json", "JSON nested 200,000 deep", _written(_deep), _unreadable, NOTHING, "."),
    FileRow(
        "not-a-notebook",
        "a PDF with a notebook's name",
        _written(lambda text: b"%PDF-1.7\n\xff\xfe" + bytes(100)),
        _unreadable,
        NOTHING,
        "PDF|not a text file",
    ),
    FileRow(
        "version-3",
        "the notebook format of 2013",
        _written(_version_three),
        _has_no_cells,
    ),
    FileRow(
        "version-5",
        "a notebook format that does not exist yet",
        _changed(lambda document: document.update(nbformat=5)),
        _unreadable,
        NOTHING,
        ".",
    ),
    FileRow("other-kernel", "a notebook for R", _changed(_other_kernel), _wants_a_missing_kernel),
    FileRow("ids-lost", "all ids and metadata lost", _changed(_without_ids), _has_no_tasks),
    FileRow("same-cell-ids", "one cell id for all cells", _changed(_same_ids), _has_to_be_mended),
    FileRow(
        "locked-cells-changed",
        "every locked cell replaced by assert True",
        _changed(_edited_check),
        _read_as_changed,
        FULL,
        "provided cell",
    ),
    FileRow("large-outputs", "60 MB of outputs", _changed(_outputs), _keeps_outputs),
    FileRow(
        "other-name",
        "another name, with blanks and umlauts",
        _written(lambda text: text, "Übung tta eta (final).ipynb"),
        _no_such_name,
        FULL,
        "file name|named",
    ),
    FileRow("two-files", "two notebooks, the newer one empty", _two, _newest_is_the_wrong_one, FULL, "several|files"),
    FileRow(
        "in-a-zip",
        "a zip instead of the file",
        lambda folder, text: _zip(folder, "tta-eta.zip", {NAME: text.encode()}),
        _no_such_name,
    ),
    FileRow("zip-bomb", "a zip that holds 300 MB of zeros", _bomb, _extracts, NOTHING, "."),
    FileRow(
        "zip-bomb-bzip2", "a zip of 300 MB that bzip2 made tiny", _bomb_of_bzip2, _extracts, NOTHING, "not supported"
    ),
    FileRow("tar-header", "an archive with a header of 50 MB", _large_header, _extracts, NOTHING, "too much data"),
    FileRow(
        "untouched-beside",
        "the notebook as it was released beside the finished one",
        _untouched_beside,
        _is_as_released,
        FULL,
        "ignored",
    ),
    FileRow("zip-traversal", "a zip that writes outside its folder", _traversal, _extracts, FULL),
    FileRow("link-in-archive", "an archive with a link out of it", _tar_link, _extracts, NOTHING, "."),
    FileRow("link", "a link to another student's file", _links_out, _plain_reader_follows, NOTHING, "."),
    FileRow("pipe", "a named pipe with a notebook's name", _pipe, _blocks, NOTHING, "."),
    FileRow("folder", "a folder with a notebook's name", _folder, _unreadable, NOTHING, "."),
]
