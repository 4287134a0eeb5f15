"""`python -m tests.copy_course`: makes `tests/course` a copy of the kit's assignments again, after one was developed.

With `--check` it only says whether they are the same.
"""

from __future__ import annotations

import filecmp
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from .places import COURSE, ROOT

FOLDERS = ("source", "release")


def main() -> int:
    """Copy or compare the files of the assignments in the copy; return the exit status."""
    different = [path for path in _list_files() if not _is_same(path)]
    if "--check" not in sys.argv[1:]:
        for path in different:
            shutil.copy(ROOT / path, COURSE / path)
            print(f"Copied {path}")
        return 0
    if different:
        print(f"tests/course differs in {', '.join(map(str, different))}: run `python -m tests.copy_course`.")
    return 1 if different else 0


def _list_files() -> Iterator[Path]:
    """Paths below the two roots; links lead from the copy to the file itself."""
    for folder in FOLDERS:
        for path in sorted((COURSE / folder).rglob("*")):
            if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
                yield path.relative_to(COURSE)


def _is_same(path: Path) -> bool:
    return (ROOT / path).is_file() and filecmp.cmp(ROOT / path, COURSE / path, shallow=False)


if __name__ == "__main__":
    sys.exit(main())
