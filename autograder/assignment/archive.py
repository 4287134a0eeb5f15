"""Write zip archives that are identical, byte for byte, if their contents are."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path


def write_archive(path: Path, contents: Mapping[str, bytes], executable: Collection[str] = ()) -> None:
    """Write a zip archive of `contents`, by name; the files in `executable` are executable after unpacking."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in sorted(contents.items()):
            entry = zipfile.ZipInfo(name)  # its date is always 1 January 1980
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
