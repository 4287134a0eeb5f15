"""A course: one folder with the sources of all assignments, their releases and the data."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
"""The folder of this package, which contains the checks of the kit's assignments."""


@dataclass(frozen=True)
class Course:
    """The folder of a course; `find` returns the course in use."""

    root: Path

    @classmethod
    def find(cls) -> Course:
        """Return the course in use.

        This is the course in the working directory, unless that is the kit's own checkout or contains no course;
        otherwise the course that the environment variable AUTOGRADER_COURSE names, or else the one in the checkout.
        """
        here, kit = cls(Path.cwd()), cls(PACKAGE.parent)
        if here != kit and here.assignments():
            return here
        named = os.environ.get("AUTOGRADER_COURSE")
        return cls(Path(named).resolve()) if named else kit

    @property
    def source(self) -> Path:
        """The folder with the instructor's folder of each assignment."""
        return self.root / "source"

    @property
    def release(self) -> Path:
        """The folder with the students' folder of each assignment."""
        return self.root / "release"

    @property
    def data(self) -> Path:
        """The folder with the data that the lab trains on."""
        return self.root / "data"

    @property
    def checks(self) -> Path:
        """The folder for new checks: that of the kit's checks in a checkout, otherwise a folder of the course."""
        return PACKAGE / "checks" if self.root.resolve() == PACKAGE.parent else self.root / "checks"

    def find_checks(self, name: str) -> Path:
        """Return the folder of checks with this name: the course's if it exists, otherwise the kit's."""
        own = self.checks / name
        return own if own.is_dir() else PACKAGE / "checks" / name

    def assignments(self) -> list[str]:
        """Return the names of the assignments, sorted."""
        return sorted(path.parent.name for path in self.source.glob("*/assignment.toml"))
