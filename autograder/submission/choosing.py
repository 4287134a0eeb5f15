"""Choose the file that is graded: the most likely one, by name, place and date, in which a task is completed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder.assignment.settings import Assignment
from autograder.errors import SubmissionError

from .files import File, explain_missing, kind_of, list_files, list_members
from .findings import Finding
from .parsing import Parsed, read
from .repair import is_filled

MAX_TRIED = 10
"""Maximum number of files of the best kind, and of other files, that are tried to find one with a completed task."""

LMS_PREFIX = re.compile(r"^.*_(?:\d+_\d+|assignsubmission_file|attempt_[\d-]+)_+", re.DOTALL)
"""Prefixes that Canvas, Moodle and Blackboard add to the name of a submitted file."""

COPY_MARK = re.compile(r"\(\d{1,4}\)|copy( of)?\d*|kopie( von)?")
DAY = re.compile(r"(?<!\d)(\d{1,2})([.-])(\d{1,2})\2(20\d\d)(?!\d)")
"""A date with the year last."""


@dataclass(frozen=True)
class Candidate:
    """A file that can be read, and its content."""

    file: File
    parsed: Parsed


def choose(folder: Path, assignment: Assignment, release: NotebookNode) -> tuple[Candidate, list[Finding]]:
    """Choose the most likely file in which a task is completed, or else the most likely one that can be read.

    Archives and scripts next to a notebook are read only if no task is completed in the notebook.

    Returns the file with its notebook, and all findings about the files. Raises SubmissionError, which says what is
    wrong with the most likely file, if none can be read.
    """
    files, findings = candidates(folder, assignment)
    errors: list[SubmissionError] = []
    untouched: list[Candidate] = []
    chosen = None
    for file in _in_turn(folder, assignment, files):
        try:
            candidate = Candidate(file, read(file))
        except SubmissionError as error:
            errors += [error] if file in files else []
            continue
        if is_filled(candidate.parsed.notebook, release, assignment):
            chosen = candidate
            break
        untouched.append(candidate)
    passed = [Finding(kind="unreadable file", text=str(error), audience="both") for error in errors]
    if chosen is not None:
        names = [candidate.file.name for candidate in untouched]
        passed += [
            Finding(kind="left aside", text=f"{n} was ignored because no task in it was completed.", audience="both")
            for n in names
        ]
    elif (chosen := next((candidate for candidate in untouched if candidate.file in files), None)) is None:
        raise errors[0]
    several = files if chosen.file in files else [*files, chosen.file]
    return chosen, [*findings, *passed, *about_choice(chosen.file, several, assignment), *chosen.parsed.findings]


def _in_turn(folder: Path, assignment: Assignment, files: list[File]) -> Iterator[File]:
    """Yield files of the best kind, then other files."""
    yield from files[:MAX_TRIED]
    yield from _others(folder, assignment, files)[:MAX_TRIED]


def candidates(folder: Path, assignment: Assignment) -> tuple[list[File], list[Finding]]:
    """Return the files of the best kind that may be the submission, most likely first, and findings about other files.

    Raises SubmissionError if there is none.
    """
    own = [folder, folder.parent] if folder.name.lower() == assignment.name.lower() else [folder]
    if any(path.is_symlink() for path in own):
        raise SubmissionError(
            "The folder is a link to another place, and links are not followed: submit the folder itself."
        )
    handed_out = _handed_out(assignment)
    files, refused = list_files(folder)
    if not any(kind_of(file.title) == "notebook" for file in files):
        for archive in [file for file in files if kind_of(file.title) == "archive"]:
            found, complaint = list_members(archive)
            files += found
            refused += complaint
    for kind in ("notebook", "json", "script"):
        if chosen := [f for f in files if kind_of(f.title) == kind and f.title not in handed_out]:
            return _order(chosen, assignment), [
                Finding(kind="unreadable file", text=t, audience="both") for t in refused
            ]
    raise SubmissionError(refused[0] if refused else explain_missing(folder, assignment.notebook_name))


def _others(folder: Path, assignment: Assignment, tried: Iterable[File]) -> list[File]:
    """Return other files that may be the submission, also in archives, if no task is completed in the `tried` ones."""
    files, _ = list_files(folder)
    members = [member for file in files if kind_of(file.title) == "archive" for member in list_members(file)[0]]
    known, handed_out = {file.name for file in tried}, _handed_out(assignment)
    fresh = [file for file in (*files, *members) if file.name not in known and file.title not in handed_out]
    return [
        file
        for kind in ("notebook", "json", "script")
        for file in _order([f for f in fresh if kind_of(f.title) == kind], assignment)
    ]


def about_choice(chosen: File, files: list[File], assignment: Assignment) -> list[Finding]:
    """Return findings about the chosen file: that its name is not the required one, that there were others."""
    findings = []
    if chosen.title != assignment.notebook_name:
        text = f"{chosen.name} was graded; it should be named {assignment.notebook_name}."
        findings.append(Finding(kind="file name", text=text, audience="both"))
    if len(files) > 1:
        names = ", ".join(file.name for file in files[:6]) + (" and others" if len(files) > 6 else "")
        text = f"{chosen.name} was graded, out of {len(files)} files ({names}): submit only one notebook."
        findings.append(Finding(kind="several files", text=text, audience="both"))
    return findings


def _handed_out(assignment: Assignment) -> set[str]:
    """Return the names of the scripts in the release."""
    return {path.name for path in assignment.release_folder.glob("*.py")}


def _order(files: list[File], assignment: Assignment) -> list[File]:
    """Sort files, most likely first: by name, by place, and then by date.

    If names differ only in numbers (of attempts, copies or dates), the numbers decide which file is the latest: after a
    download was unpacked, the modification times may all be equal or meaningless.
    """
    newest: dict[str, float] = {}
    for file in files:
        family = _family(file)
        newest[family] = max(file.modified, newest.get(family, file.modified))

    def rank(file: File) -> tuple[int, bool, int, float, list[int], float, str]:
        is_plain, depth = file.member is None, -file.name.count("/")
        latest = newest[_family(file)]
        return _likeness(file.title, assignment), is_plain, depth, latest, _numbers(file.name), file.modified, file.name

    return sorted(files, key=rank, reverse=True)


def _likeness(name: str, assignment: Assignment) -> int:
    """Rate a file's name: 2 if it is the required one, 1 if it differs only in case, signs and copy marks, else 0."""
    wanted = assignment.notebook_name
    if name == wanted:
        return 2
    submitted = LMS_PREFIX.sub("", name)
    versions = {_plain(submitted), _plain(re.sub(r"-\d{1,2}(?=\.ipynb)", "", submitted))}
    return int(_plain(wanted) in versions)


def _plain(name: str) -> str:
    """Return a name without its extension, case, spaces, signs and copy marks."""
    stem = unicodedata.normalize("NFC", name).casefold().partition(".ipynb")[0]
    return re.sub(r"[\W_]", "", COPY_MARK.sub("", stem))


def _family(file: File) -> str:
    """Return a file's name without its numbers, the same for all versions of a file."""
    return re.sub(r"\d", "", _plain(LMS_PREFIX.sub("", file.name)))


def _numbers(name: str) -> list[int]:
    """Return the numbers in a name, in order; a date with the year last is read with the year first."""
    return [int(digits) for digits in re.findall(r"[0-9]+", DAY.sub(_year_first, name))]


def _year_first(date: re.Match[str]) -> str:
    first, sign, second, year = date.groups()
    is_day_first = sign == "." or int(first) > 12
    return f"{year}-{second}-{first}" if is_day_first else f"{year}-{first}-{second}"
