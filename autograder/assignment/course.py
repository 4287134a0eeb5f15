"""A course: one folder that holds the sources of all assignments, their releases and the data."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
"""The folder of this package, which holds the checks of all assignments."""


@dataclass(frozen=True)
class Course:
    """The folder of a course, by its path; see `find` for the one in use."""

    root: Path

    @classmethod
    def find(cls) -> Course:
        """Return the course in use.

        This is the one in the working directory, unless that is the kit's own checkout or holds none; else the one that
        the environment variable AUTOGRADER_COURSE names; else the one of the checkout.
        """
        here, kit = cls(Path.cwd()), cls(PACKAGE.parent)
        if here != kit and here.assignments():
            return here
        named = os.environ.get("AUTOGRADER_COURSE")
        return cls(Path(named).resolve()) if named else kit

    @property
    def source(self) -> Path:
        """The instructor's folders, one for each assignment."""
        return self.root / "source"

    @property
    def release(self) -> Path:
        """The students' folders, one for each assignment."""
        return self.root / "release"

    @property
    def data(self) -> Path:
        """The data that the lab trains on."""
        return self.root / "data"

    @property
    def checks(self) -> Path:
        """Where new checks are written: in a checkout beside those of the kit, else in a folder of the course."""
        return PACKAGE / "checks" if self.root.resolve() == PACKAGE.parent else self.root / "checks"

    def find_checks(self, name: str) -> Path:
        """Return a folder of checks: of the course if it has one of that name, else of the kit."""
        own = self.checks / name
        return own if own.is_dir() else PACKAGE / "checks" / name

    def assignments(self) -> list[str]:
        """Return the names of the assignments, sorted."""
        return sorted(path.parent.name for path in self.source.glob("*/assignment.toml"))
