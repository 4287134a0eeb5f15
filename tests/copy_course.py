"""`python -m tests.copy_course`: copy the kit's assignments to `tests/course` again, after one was changed.

With `--check`, only report whether the files are the same.
"""

from __future__ import annotations

import filecmp
import shutil
import sys
from pathlib import Path

from .places import COURSE, ROOT

FOLDERS = ("source", "release")
IGNORED = {"__pycache__", ".ipynb_checkpoints"}


def main() -> int:
    """Copy or compare the files of the assignments in the copy; return the exit status."""
    different = [path for path in _list_files() if not _is_same(path)]
    if "--check" not in sys.argv[1:]:
        for path in different:
            _copy(path)
            print(f"Copied {path}")
        return 0
    if different:
        print(f"tests/course differs in {', '.join(map(str, different))}: run `python -m tests.copy_course`.")
    return 1 if different else 0


def _list_files() -> list[Path]:
    """List the files of the copied assignments, in either place, without those that are links in the copy."""
    folders = [path.relative_to(COURSE) for name in FOLDERS for path in (COURSE / name).iterdir() if path.is_dir()]
    paths = {
        path.relative_to(root)
        for root in (ROOT, COURSE)
        for folder in folders
        for path in (root / folder).rglob("*")
        if path.is_file() and IGNORED.isdisjoint(path.parts)
    }
    return sorted(path for path in paths if not (COURSE / path).is_symlink())


def _is_same(path: Path) -> bool:
    both = (ROOT / path, COURSE / path)
    return all(each.is_file() for each in both) and filecmp.cmp(*both, shallow=False)


def _copy(path: Path) -> None:
    """Copy a file of the kit, or remove it from the copy if the kit no longer has it."""
    if (ROOT / path).is_file():
        (COURSE / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, COURSE / path)
    else:
        (COURSE / path).unlink()


if __name__ == "__main__":
    sys.exit(main())
